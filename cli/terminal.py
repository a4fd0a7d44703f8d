"""A console that is safe for terminals; apart, because importing rich takes time."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from .output import LongTable, printable


class SafeConsole(Console):
    r"""A console that shows hidden characters as escapes, such as \x1b, and takes no text for markup."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as it is shown; rich calls this for every string, in tables too."""
        return super().render_str(printable(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does, but do not cut the lines of long tables."""
        long = any(isinstance(one, LongTable) for one in objects)
        super().print(*objects, **({"crop": False} if long else {}) | options)
