"""Wait for a store that is open elsewhere: for how long, with what pauses, and who is next."""

from __future__ import annotations

import inspect
import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from ratedb.errors import LockedError, UsageError
from ratedb.locks import is_at, lock

_log = logging.getLogger(__name__)

DEFAULT_WAIT_S = 10.0
_SAID_AFTER_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _GROWTH = 0.002, 0.05, 1.5
_GIVES_WAY_S = 5.0

_Result = TypeVar("_Result")
_Class = TypeVar("_Class", bound=type)


@dataclass
class Patience:
    """How long one command may wait in all, s, however often it opens the store; work does not count."""

    wait_s: float
    waited_s: float = 0.0
    said: bool = False

    @property
    def left_s(self) -> float:
        """The time that is left, s."""
        return self.wait_s - self.waited_s

    def pause(self, longest_s: float) -> None:
        """Sleep for a random part of a time."""
        start = time.monotonic()
        time.sleep(min(random.uniform(0.3, 1.0) * longest_s, max(self.left_s, 0.0)))
        self.waited_s += time.monotonic() - start

    def say_once(self, path: Path, locked: LockedError | None) -> None:
        """Say after a while who holds the store, and for how long this command waits."""
        if not self.said and self.waited_s > _SAID_AFTER_S:
            self.said = True
            holder = locked.got if locked else "another that writes is first"
            _log.debug("waiting for %s: %s", path, holder)
            _listener.get()(f"waiting for {path.name}, up to {self.wait_s:g} s in all: {holder}")


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)
_listener: ContextVar[Callable[[str], object]] = ContextVar("listener", default=lambda text: None)


@contextmanager
def waiting_up_to(wait_s: float) -> Iterator[None]:
    """Let stores that are opened in the block wait for up to a time in all, s; 0 for not at all.

    Raises UsageError for a negative time.
    """
    if not wait_s >= 0:
        raise UsageError("invalid time to wait", expected="0 s or more", got=f"{wait_s:g}")
    before = _patience.set(Patience(float(wait_s)))
    try:
        yield
    finally:
        _patience.reset(before)


def time_to_wait_s() -> float:
    """Return for how long stores opened here may wait in all, s."""
    patience = _patience.get()
    return DEFAULT_WAIT_S if patience is None else patience.wait_s


def tell_of_waiting(listener: Callable[[str], object]) -> None:
    """Call a function from now on when a store is waited for, once for each command, with words on why."""
    _listener.set(listener)


def each_call_waits(of: _Class) -> _Class:
    """Let every public method of a class wait for up to its attribute `wait` seconds in all."""
    for name, method in list(vars(of).items()):
        if inspect.isfunction(method) and not name.startswith("_"):
            setattr(of, name, _waiting(method))
    return of


def _waiting(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(self: Any, *places: Any, **named: Any) -> Any:
        start_s = time.monotonic()
        with waiting_up_to(self.wait):
            result = method(self, *places, **named)
        _log.info("%s took %.2f s", method.__name__.strip("_"), time.monotonic() - start_s)
        return result

    return call


def when_free(path: Path, attempt: Callable[[], _Result], *, write: bool, announce: bool = True) -> _Result:
    """Return what `attempt` returns once it raises no LockedError; raise that after the time to wait.

    Between many readers a writer would never find a moment without one. So a writer that waits announces
    itself, and readers that come after it give way; writers queue. Nothing depends on it: after some seconds,
    or where the folder takes no file, each tries for itself; without `announce` from the start.
    """
    patience = _patience.get() or Patience(DEFAULT_WAIT_S)
    began_s, longest_s = patience.waited_s, _FIRST_PAUSE_S
    announced = Announcement(path)
    ahead = announced.of_another() if announce and patience.left_s > 0 else None
    locked = None
    try:
        while True:
            if not announce:
                in_turn = True
            elif write:
                in_turn = (ahead is None and locked is None) or announced.make()
            else:
                in_turn = ahead is None or ahead != announced.of_another()
            waited_s = patience.waited_s - began_s
            if in_turn or patience.left_s <= 0 or waited_s > min(_GIVES_WAY_S, patience.wait_s / 2):
                start_s = time.monotonic()
                try:
                    return attempt()
                except LockedError as error:
                    locked = error
                    patience.waited_s += time.monotonic() - start_s
                    if patience.left_s <= 0:
                        raise
            patience.say_once(path, locked)
            patience.pause(longest_s)
            longest_s = min(longest_s * _GROWTH, _LONGEST_PAUSE_S)
    finally:
        announced.end()


class Announcement:
    """A writer that waits for a store: a locked file beside it, which is there only for that time."""

    def __init__(self, path: Path) -> None:
        real = Path(os.path.realpath(path))
        self._path = real.with_name(f".{real.name}.ratedb-turn")
        self._descriptor: int | None = None

    def of_another(self) -> tuple[int, int] | None:
        """Return what tells the announcement of another process from later ones, None where there is none.

        One of a killed process is removed.
        """
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            if lock(descriptor) is not False:
                self._remove(descriptor)
                return None
            found = os.fstat(descriptor)
            return found.st_ino, found.st_ctime_ns
        finally:
            os.close(descriptor)

    def make(self) -> bool:
        """Return whether this process is the one that is announced, or none can be in this folder."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except OSError:
            return True
        locked = lock(descriptor)
        if locked and is_at(descriptor, self._path):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return locked is None

    def end(self) -> None:
        """Let the next one be announced."""
        if self._descriptor is not None:
            self._remove(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _remove(self, descriptor: int) -> None:
        with suppress(OSError):
            if is_at(descriptor, self._path):
                self._path.unlink()
