"""Lists of numbers and names as people write them in options, such as 5:20 or 10:300:10."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from ratedb.errors import ListError

_MOST_TEMPERATURES = 10_000
_LARGEST_INTEGER = 100_000


def parse_integers(text: str) -> tuple[int, ...]:
    """Return the integers of `5,9,14` or `6:20` (inclusive) or both mixed, sorted and each once.

    Raises ListError where the text is not such a list.
    """
    found: set[int] = set()
    for place, part in _parts(text):
        try:
            first, _, last = part.partition(":")
            numbers = range(int(first), int(last or first) + 1)
        except ValueError:
            numbers = range(0)
        if not numbers or numbers[0] < 0 or numbers[-1] > _LARGEST_INTEGER:
            expected = "numbers >= 0 such as 5,9,14,19 or a range such as 6:20"
            raise ListError("not a list of integers", text, place, expected)
        found.update(numbers)
    return tuple(sorted(found))


def format_integers(numbers: tuple[int, ...] | list[int]) -> str:
    """Return integers as people write them: `5,9,14` or, where they are consecutive, `6:20`."""
    ordered = sorted(numbers)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}:{ordered[-1]}"
    return ",".join(str(number) for number in ordered)


def parse_ids(text: str) -> tuple[int, ...]:
    """Return ids such as `3,1` in the order given; raises ListError where the text is not such a list."""
    found = []
    for place, part in _parts(text):
        if not (part.isascii() and part.isdigit()):
            raise ListError("not a list of ids", text, place, "ids such as 3,1")
        found.append(int(part))
    return tuple(found)


def parse_temperatures(text: str) -> tuple[float, ...]:
    """Return the temperatures (K) of `10:100:10` (inclusive), `10,20,50` or both mixed, sorted and each once.

    Raises ListError where the text is not such a list.
    """
    found: set[float] = set()
    for place, part in _parts(text):
        numbers = _progression(part)
        if not 0 < len(numbers) <= _MOST_TEMPERATURES or not all(0 < number < 1e9 for number in numbers):
            expected = "K > 0, such as 10,20,50 or 10:100:10 (first, last, step)"
            raise ListError("not a list of temperatures", text, place, expected)
        found.update(float(f"{number:.12g}") for number in numbers)
    return tuple(sorted(found))


def parse_densities(text: str) -> tuple[float, ...]:
    """Return the densities (cm-3) of `1e3,1e5`; raises ListError where the text is not such a list."""
    return _positive(text, "densities", "cm-3 > 0, such as 1e3,1e5")


def parse_columns(text: str) -> tuple[float, ...]:
    """Return the column densities (cm-2) of `1e14`; raises ListError where the text is not such a list."""
    return _positive(text, "column densities", "cm-2 > 0, such as 1e13,1e14")


def parse_line_widths(text: str) -> tuple[float, ...]:
    """Return the line widths (km/s) of `1,2`; raises ListError where the text is not such a list."""
    return _positive(text, "line widths", "km/s > 0, such as 1,2.5")


def parse_frequencies(text: str) -> tuple[float, ...]:
    """Return the ends (GHz) of a band such as `84:116`, or one frequency such as `345.796`.

    Raises ListError where the text is neither.
    """
    try:
        found = tuple(float(word) for word in text.split(":"))
    except ValueError:
        found = ()
    if len(found) not in (1, 2) or not 0.0 <= found[0] <= found[-1] < 1e9 or len(set(found)) < len(found):
        raise ListError(
            "not a frequency or band", text, 0, "GHz, such as 345.796, or that increase, as 84:116"
        )
    return found


def parse_line_names(text: str) -> tuple[str, ...]:
    """Return names of lines such as `CO(3-2),CO(2-1)`: commas in brackets belong to a name."""
    parts = re.split(r",(?![^()]*\))", text)
    return tuple(part.strip() for part in parts if part.strip())


def parse_names(text: str) -> tuple[str, ...]:
    """Return the words between commas, in the order given, without blanks and empty ones."""
    return tuple(part for _, part in _parts(text) if part)


def parse_labels(text: str) -> tuple[str, ...]:
    """Return labels of levels between commas, or between semicolons where there are any."""
    parts = text.split(";") if ";" in text else text.split(",")
    return tuple(part.strip() for part in parts if part.strip())


def _positive(text: str, what: str, expected: str) -> tuple[float, ...]:
    found = set()
    for place, part in _parts(text):
        try:
            number = float(part)
        except ValueError:
            number = math.nan
        if not 0.0 < number < 1e30:
            raise ListError(f"not a list of {what}", text, place, expected)
        found.add(number)
    return tuple(sorted(found))


def _progression(part: str) -> list[float]:
    """Return the numbers of `10` or `10:100:10`, none where the text is neither."""
    try:
        numbers = [float(word) for word in part.split(":")]
        if len(numbers) == 1:
            return numbers
        first, last, step = numbers
        count = math.floor((last - first) / step + 1e-9) + 1
    except (ValueError, ZeroDivisionError, OverflowError):
        return []
    return [first + place * step for place in range(min(count, _MOST_TEMPERATURES + 1))]


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield each part between commas with the place where it begins."""
    start = 0
    for part in text.split(","):
        yield start + len(part) - len(part.lstrip()), part.strip()
        start += len(part) + 1
