"""Read and write whole files: a half-written file is never visible, and every failure is one message."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO

from ratedb import locks
from ratedb.bounds import LARGEST_TEXT_BYTES, PARQUET, Bounds, is_table_of_rows, too_large
from ratedb.errors import RatedbError
from ratedb.safe_text import has_hidden
from ratedb.temporary import part_file, remove_left

LARGEST_UNPACKED_BYTES = 200_000_000
"""A gzip file that expands to more is refused: a small one may expand to more than the memory holds."""
LARGE_BYTES = 10_000_000
"""Tables of one row for each value are not taken into memory from this size on."""
LARGEST_JSON_BYTES = 6_000_000
"""A JSON document of unknown origin is refused beyond this size: read, it takes up to 25 times as much."""
_GZIP = b"\x1f\x8b"
_START_BYTES = 1_000_000
_CHUNK = 1 << 20
_HEAD = 1 << 16


@dataclass(frozen=True)
class InputFile:
    """A file: readers parse `content`, `sha256` is its hash; one that `is_large` is read when asked."""

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
        return sha256_of(self.path) if self.is_large else sha256(self.stored)

    @staticmethod
    def read(path: Path | str, *, largest: int | None = None) -> InputFile:
        """Return a file with its content; raises RatedbError where it cannot be read.

        A text of more than `largest` bytes (LARGEST_TEXT_BYTES) is refused before it is read, a table of one
        row for each value never; a large one is not read yet.
        """
        path = Path(path)
        with open_regular(path) as handle:
            head = handle.read(_HEAD)
            if is_table_of_rows(head) and os.fstat(handle.fileno()).st_size >= LARGE_BYTES:
                _check_lines(head, handle, path)
                return InputFile(path)
            if head.startswith(PARQUET):
                return InputFile(path, head + handle.read())
            return InputFile(path, _bounded(head, handle, path, largest or LARGEST_TEXT_BYTES))


def _check_lines(head: bytes, handle: BinaryIO, path: Path) -> None:
    """Raise RatedbError where a large table of text has a line that is too long to be read."""
    bounds, piece = Bounds.of(head, path, LARGEST_TEXT_BYTES), head
    while piece and not head.startswith(PARQUET):
        bounds.take_lines(piece)
        piece = handle.read(_CHUNK)


def as_input(file: InputFile | Path | str) -> InputFile:
    """Return a file with its content, read now where only its path is given; raises RatedbError."""
    return file if isinstance(file, InputFile) else InputFile.read(file)


def _unpacked(stored: bytes, path: Path) -> bytes:
    """Return the content of a gzip file, of one or several members; it is kept once its size is known."""
    bounds, size = None, 0
    for chunk in _unpacking(stored, path):
        bounds = bounds or Bounds.of(chunk, path, LARGEST_TEXT_BYTES)
        bounds.take_lines(chunk)
        size += len(chunk)
        if size > min(bounds.largest, LARGEST_UNPACKED_BYTES):
            raise too_large("the gzip file", path, min(bounds.largest, LARGEST_UNPACKED_BYTES))
    return b"".join(_unpacking(stored, path))


def _unpacking(stored: bytes, path: Path) -> Iterator[bytes]:
    """Yield the content of a gzip file in pieces; raises RatedbError where it is damaged."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(stored)) as packed:
            while chunk := packed.read(_CHUNK):
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise RatedbError(
            "the gzip file is damaged",
            where=str(path),
            expected="a whole gzip file",
            got=str(error),
            todo="get the file again from its source",
        ) from error


def _bounded(head: bytes, handle: BinaryIO, path: Path, largest: int) -> bytes:
    """Return the rest of a text with its head; raises RatedbError before more memory than that is taken."""
    packed = head.startswith(_GZIP)
    bounds = Bounds(path, largest, math.inf) if packed else Bounds.of(head, path, largest)
    if os.fstat(handle.fileno()).st_size > bounds.largest:
        raise too_large("the file", path, largest)
    pieces, taken = [head], len(head)
    while True:
        if not packed:
            bounds.take_lines(pieces[-1])
        piece = handle.read(_CHUNK)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        taken += len(piece)
        if taken > bounds.largest:  # a file that grows, or one whose size the system does not know
            raise too_large("the file", path, largest)


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """Open a regular file; raises RatedbError for a folder, a device, a pipe, or what cannot be read.

    Without `follow` a symbolic link is refused too. A pipe that a shell passes, as /dev/fd/63, is read.
    """
    try:
        mode = (os.stat if follow else os.lstat)(path).st_mode
        if stat.S_ISDIR(mode):
            raise RatedbError("a directory, not a file", where=str(path), expected="a file")
        passed = str(path).startswith(("/dev/fd/", "/dev/stdin"))
        if not (stat.S_ISREG(mode) or (passed and stat.S_ISFIFO(mode))):
            what = "a symbolic link" if stat.S_ISLNK(mode) else "a device or pipe"
            raise RatedbError(f"{what}, not a file", where=str(path), expected="a regular file")
        flags = os.O_RDONLY | (0 if follow else os.O_NOFOLLOW) | (0 if passed else os.O_NONBLOCK)
        return os.fdopen(os.open(path, flags), "rb")
    except (OSError, ValueError) as error:  # ValueError for a name with a null character
        raise RatedbError(
            "cannot read the file", where=str(path), got=getattr(error, "strerror", None) or str(error)
        ) from error


def read_bytes(path: Path, *, follow: bool = True, largest: int | None = None) -> bytes:
    """Return the content of a regular file; raises RatedbError where it cannot be read, or has more bytes."""
    with open_regular(path, follow=follow) as handle:
        if largest is None:
            return handle.read()
        content = handle.read(largest + 1)
    if len(content) > largest:
        raise too_large("the file", path, largest)
    return content


def is_plain_name(name: str) -> bool:
    """Return whether a text is the name of a file in a folder: no path, and nothing that cannot be seen."""
    return name not in ("", ".", "..") and not set("/\\") & set(name) and not has_hidden(name)


def sha256_of(path: Path, *, follow: bool = True) -> str:
    """Return the SHA-256 of a file of any size, in hexadecimal; raises RatedbError as open_regular does."""
    with open_regular(path, follow=follow) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _start(path: Path) -> bytes:
    with open_regular(path) as handle:
        return handle.read(_START_BYTES)


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
                old[path] = path.read_bytes() if path.is_file() and not path.is_symlink() else None
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
