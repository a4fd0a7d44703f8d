"""Types that options share, and how some of their texts are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ratedb.numbers import parse_integers, parse_labels, parse_temperatures

Progress = Callable[[str], None]
"""What long work tells each step to."""
Integers = tuple[int, ...] | None
Paths = tuple[Path, ...]


def silent(text: str) -> None:
    """Tell nobody."""


def integers_or_none(text: str) -> tuple[int, ...]:
    """Return integers such as "5:20", none for an empty text."""
    return parse_integers(text) if text else ()


def temperatures_or_auto(text: str) -> tuple[float, ...] | str:
    """Return temperatures such as "10:300:10", or "auto"."""
    return "auto" if text == "auto" else parse_temperatures(text)


def labels_or_none(text: str) -> tuple[str, ...]:
    """Return labels such as "1_0_1,2_1_2", none for an empty text."""
    return parse_labels(text) if text else ()
