"""Read and write whole files: a half-written file is never visible, and every failure is one message."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader, BytesIO
from pathlib import Path

from ratedb import locks
from ratedb.errors import RatedbError
from ratedb.temporary import part_file, remove_left

LARGEST_UNPACKED_BYTES = 200_000_000
LARGE_BYTES = 50_000_000
"""Files of this size are not taken into memory, where their format can be read in pieces."""

_START_BYTES = 1_000_000
_GZIP = b"\x1f\x8b"
"""A gzip file that expands to more is refused: a small one may expand to more than the memory holds."""


@dataclass(frozen=True)
class InputFile:
    """A file that was read once: readers parse `content`, and `sha256` is the hash of the file itself.

    One that `is_large` is read where its content is asked for; readers of tables do not.
    """

    path: Path
    given: bytes | None = None

    @property
    def is_large(self) -> bool:
        """Whether the content is not in memory."""
        return self.given is None

    @cached_property
    def stored(self) -> bytes:
        """The bytes of the file."""
        return read_bytes(self.path) if self.given is None else self.given

    @cached_property
    def start(self) -> bytes:
        """What a format is recognised by: the content, or the first of it where the file is large."""
        return _start(self.path) if self.is_large else self.content

    @cached_property
    def content(self) -> bytes:
        """The bytes of the file, unpacked if it is a gzip file; raises RatedbError where that fails."""
        return _unpacked(self.stored, self.path) if self.stored.startswith(_GZIP) else self.stored

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file as it is stored, in hexadecimal."""
        return _sha256_of(self.path) if self.is_large else sha256(self.stored)

    @staticmethod
    def read(path: Path | str) -> InputFile:
        """Return a file with its content; raises RatedbError where it cannot be read."""
        file = InputFile(Path(path))
        try:
            large = file.path.is_file() and file.path.stat().st_size >= LARGE_BYTES
        except OSError:
            large = False  # which reading it explains
        return file if large and not file.start.startswith(_GZIP) else InputFile(file.path, file.stored)


def as_input(file: InputFile | Path | str) -> InputFile:
    """Return a file with its content, read now where only its path is given; raises RatedbError."""
    return file if isinstance(file, InputFile) else InputFile.read(file)


def _unpacked(stored: bytes, path: Path) -> bytes:
    """Return the content of a gzip file, of one or several members."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(stored)) as packed:
            content = packed.read(LARGEST_UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RatedbError(
            "the gzip file is damaged",
            where=str(path),
            expected="a whole gzip file",
            got=str(error),
            todo="get the file again from its source",
        ) from error
    if len(content) > LARGEST_UNPACKED_BYTES:
        raise RatedbError(
            "the gzip file is too large",
            where=str(path),
            expected=f"at most {LARGEST_UNPACKED_BYTES / 1e6:g} MB after unpacking",
            got="more",
            todo="unpack it, and import the unpacked file",
        )
    return content


def read_bytes(path: Path) -> bytes:
    """Return the content of a file; raises RatedbError where it cannot be read."""
    if path.is_dir():
        raise RatedbError("a directory, not a file", where=str(path), expected="a file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise RatedbError(
            "cannot read the file", where=str(path), got=error.strerror or str(error)
        ) from error


def _start(path: Path) -> bytes:
    with _opened(path) as handle:
        return handle.read(_START_BYTES)


def _sha256_of(path: Path) -> str:
    with _opened(path) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """Give a file to read; raises RatedbError where it cannot be read."""
    try:
        with path.open("rb") as handle:
            yield handle
    except OSError as error:
        raise RatedbError(
            "cannot read the file", where=str(path), got=error.strerror or str(error)
        ) from error


def write_atomically(contents: Mapping[Path, bytes]) -> None:
    """Write files so that readers see either the old content or the new one.

    Each content goes to a temporary file next to its target and is flushed to disk; when all are written
    they are moved into place. If a move fails, the earlier ones are undone. Raises RatedbError if a target
    cannot be written; all old files are then restored.
    """
    waiting: dict[Path, tuple[int, Path]] = {}
    old: dict[Path, bytes | None] = {}
    try:
        for path, content in contents.items():
            _write_beside(path, content, waiting)
        several = len(contents) > 1
        for path in contents:
            if several:
                old[path] = path.read_bytes() if path.exists() else None
            descriptor, temporary = waiting[path]
            os.replace(temporary, path)
            del waiting[path]
            os.close(descriptor)
    except OSError as error:
        _take_back({moved: content for moved, content in old.items() if moved not in waiting})
        raise _cannot_write(path, error) from error
    finally:
        for descriptor, temporary in waiting.values():
            temporary.unlink(missing_ok=True)
            os.close(descriptor)


def _take_back(old: Mapping[Path, bytes | None]) -> None:
    for path, content in old.items():
        if content is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically({path: content})


def refuse_database(path: Path) -> None:
    """Raise RatedbError if a file would overwrite a database."""
    # NAME.wal is the log of the database NAME.
    names = [path, path.parent / path.name.removesuffix(".wal")]
    for name in names:
        if name.is_file():
            with locks.opening:
                start = locks.start_of(name, 12)
            if start[8:] == b"DUCK":
                raise RatedbError(
                    "the file would overwrite a database",
                    where=str(path),
                    todo="write to another file; the database was not changed",
                )


def check_target(path: Path) -> None:
    """Raise RatedbError if a file could not be written or would overwrite a database.

    Meant for before long work: it leaves nothing behind and does not touch the file.
    """
    refuse_database(path)
    try:
        descriptor, temporary = _begin_beside(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    temporary.unlink()
    os.close(descriptor)


def _begin_beside(path: Path) -> tuple[int, Path]:
    """Open a temporary file next to a target; return its descriptor and path."""
    if path.is_dir():
        raise RatedbError("a directory, not a file", where=str(path), expected="a file to write")
    if path.exists() and not path.is_file():
        # For a superuser the move would replace the device itself.
        raise RatedbError("a device or pipe, not a file", where=str(path), expected="a file to write")
    remove_left(path.parent)
    return part_file(path.parent)


def _write_beside(path: Path, content: bytes, waiting: dict[Path, tuple[int, Path]]) -> None:
    descriptor, temporary = waiting[path] = _begin_beside(path)
    with os.fdopen(descriptor, "wb", closefd=False) as handle:
        handle.write(content)
        handle.flush()
        os.fsync(descriptor)
    os.chmod(temporary, 0o666 & ~_umask())


def _cannot_write(path: Path, error: OSError) -> RatedbError:
    return RatedbError(
        "cannot write the file",
        where=str(path),
        got=error.strerror or str(error),
        todo="choose a folder that exists, is writable and has room",
    )


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
