"""Temporary files and folders: what a killed process left is removed by a later one, and nothing else.

Each is locked by its process for as long as that lives. So one of ours without a lock was left behind.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from ratedb.locks import is_at, lock

_FOLDER, _PART = ".ratedb-tmp-", ".ratedb-part-"
_OURS = re.compile(r"\.ratedb-(tmp|part)-[a-z0-9_]{8}")  # as `tempfile` makes them


@contextmanager
def temporary_folder(beside: Path | None = None) -> Iterator[Path]:
    """Give a new folder in the system's folder for temporary files, or in another; then remove it.

    Raises OSError where it cannot be made.
    """
    descriptor = None
    while descriptor is None:
        path = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=beside))
        descriptor = _locked(path)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def part_file(folder: Path) -> tuple[int, Path]:
    """Make a temporary file in a folder; return its descriptor, which keeps it, and its path.

    Raises OSError where it cannot be made.
    """
    while True:
        descriptor, name = tempfile.mkstemp(prefix=_PART, dir=folder)
        # Between the two another process may have taken it for left behind.
        if lock(descriptor) is not False and is_at(descriptor, Path(name)):
            return descriptor, Path(name)
        os.close(descriptor)


def remove_left(folder: Path | None = None) -> None:
    """Remove what killed processes of this user left in a folder, by default the system's; once a process."""
    with suppress(OSError):
        _remove_left(os.getpid(), Path(tempfile.gettempdir()) if folder is None else folder.absolute())


@cache
def _remove_left(_: int, folder: Path) -> None:
    with os.scandir(folder) as entries:
        left = [Path(entry.path) for entry in entries if _OURS.fullmatch(entry.name)]
    for path in left:
        with suppress(OSError):
            _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    found = path.lstat()
    is_folder = stat.S_ISDIR(found.st_mode)
    if found.st_uid != os.getuid() or not (is_folder or stat.S_ISREG(found.st_mode)):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if lock(descriptor) and is_at(descriptor, path):
            shutil.rmtree(path) if is_folder else path.unlink()
    finally:
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """Return the descriptor that keeps a new folder, None where another process took it for left behind."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    if lock(descriptor) is not False and is_at(descriptor, path):
        return descriptor
    os.close(descriptor)
    return None
