"""Locks of files, and how to read a file without losing the locks that this process holds on it."""

from __future__ import annotations

import errno
import os
import struct
import sys
import threading
from fcntl import F_GETFL, F_GETLK, F_RDLCK, F_UNLCK, F_WRLCK, LOCK_EX, LOCK_NB, fcntl, flock
from pathlib import Path

_LOCK = "@hhqqi4x"  # `struct flock` of Linux: kind, whence, start, length, process

opening = threading.Lock()
"""Held while a database is opened or its first bytes are read: see `start_of`."""


def lock(descriptor: int) -> bool | None:
    """Lock an open file or folder for this process; return False where another has it, None where none can.

    The lock ends with the process, however that ends.
    """
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    return True


def is_at(descriptor: int, path: Path) -> bool:
    """Return whether an open file still has this name: nobody removed or replaced it."""
    try:
        there = path.lstat()
    except OSError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)


def start_of(path: Path, count: int) -> bytes:
    """Return the first bytes of a file; raises OSError where it cannot be read. Hold `opening` meanwhile.

    A process that closes a file loses its POSIX locks on it, those of its other threads too: two processes
    could then write to one database. So a file that is open here is read through its open descriptor.
    """
    for descriptor in _open_here(path):
        try:
            start = os.pread(descriptor, count, 0)
            if os.path.samestat(os.fstat(descriptor), path.stat()):  # not closed meanwhile
                return start
        except OSError:
            continue
    with path.open("rb") as handle:
        return handle.read(count)


def who_holds(path: Path, *, write: bool) -> int | None:
    """Return the process that keeps this one from reading a database, or with `write` from writing to it.

    None where nobody does, or where the system does not tell. Hold `opening` meanwhile.
    """
    if sys.platform != "linux" or _open_here(path):
        return None
    wanted = struct.pack(_LOCK, F_WRLCK if write else F_RDLCK, os.SEEK_SET, 0, 0, 0)
    with path.open("rb") as handle:
        kind, *_, process = struct.unpack(_LOCK, fcntl(handle, F_GETLK, wanted))
    return None if kind == F_UNLCK else process


def is_written_here(path: Path) -> bool:
    """Return whether this process has a file open for writing."""
    return any(fcntl(number, F_GETFL) & os.O_ACCMODE == os.O_RDWR for number in _open_here(path))


def _open_here(path: Path) -> list[int]:
    """Return the descriptors by which this process has a file open."""
    wanted, found = path.stat(), []
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:
        return []
    for number in numbers:
        try:
            if os.path.samestat(os.fstat(number), wanted):
                found.append(number)
        except OSError:
            continue
    return found
