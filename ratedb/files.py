"""Read and write whole files: nothing half-written is ever visible, every failure is one clear message."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from ratedb.errors import RatedbError


def read_bytes(path: Path) -> bytes:
    """Return the content of a file; raises RatedbError where it cannot be read."""
    if path.is_dir():
        raise RatedbError("a directory stands in place of a file", where=str(path), expected="a file")
    try:
        return path.read_bytes()
    except OSError as error:
        raise RatedbError(
            "cannot read the file", where=str(path), got=error.strerror or str(error)
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old content or the new, never a part.

    The content goes to a temporary file beside the target, is flushed to disk, and is moved.
    Raises RatedbError where the target cannot be written; an old file then stays whole.
    """
    if path.is_dir():
        raise RatedbError(
            "a directory stands in place of a file", where=str(path), expected="a file to write"
        )
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
    except OSError as error:
        raise RatedbError(
            "cannot write the file",
            where=str(path),
            got=error.strerror or str(error),
            todo="choose a folder that exists, is writable and has room",
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
