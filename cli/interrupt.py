"""Keep Ctrl-C from being lost: DuckDB can import pandas while it works, and then swallows the signal."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""

_pressed = False


def watch() -> None:
    """Remember every Ctrl-C from now on, and interrupt as usual."""
    global _pressed
    _pressed = False
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, _interrupt)


def pressed() -> bool:
    """Return whether Ctrl-C was pressed, even if a library swallowed it."""
    return _pressed


def raise_if_pressed() -> None:
    """Raise KeyboardInterrupt if an earlier Ctrl-C was swallowed; called before each step of a command."""
    if _pressed:
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    global _pressed
    _pressed = True
    raise KeyboardInterrupt
