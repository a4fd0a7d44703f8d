"""Keep Ctrl-C from being lost: DuckDB can import pandas while it works, and then swallows the signal.

SIGTERM, by which systems stop a process, and SIGHUP, when its terminal closes, end a command in the same way.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_received: int | None = None


def watch() -> None:
    """Remember every Ctrl-C and the like from now on, and interrupt as usual."""
    global _received
    _received = None
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        # `nohup` lets a command ignore SIGHUP.
        if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def ignore() -> None:
    """Let nothing disturb the exit."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def exit_code() -> int | None:
    """Return the exit code as shells have it, 130 after Ctrl-C, even if a library swallowed the signal."""
    return None if _received is None else 128 + _received


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if an earlier signal was swallowed; called before each step of a command."""
    if _received is not None:
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    global _received
    _received = number
    raise KeyboardInterrupt
