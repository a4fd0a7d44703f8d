"""Read lists of numbers from options of the command line."""

from __future__ import annotations

from ratedb.errors import UsageError


def positive_numbers(text: str, what: str, unit: str) -> tuple[float, ...]:
    """Return the numbers of `1e3,1e5`, sorted and each once; raises UsageError unless all are above 0."""
    try:
        found = tuple(sorted({float(word) for word in text.split(",")}))
    except ValueError:
        found = ()
    if not found or not all(0.0 < one < 1e30 for one in found):
        raise UsageError(f"not a list of {what}", expected=f"{unit} > 0, such as 1e3,1e5", got=text)
    return found


def frequency_band(text: str) -> tuple[float, float]:
    """Return the ends in GHz of a band `84:116`; raises UsageError where it is none."""
    try:
        low, high = (float(word) for word in text.split(":"))
    except ValueError:
        low = high = 0.0
    if not 0.0 <= low < high < 1e9:
        raise UsageError("not a band of frequencies", expected="GHz that rise, such as 84:116", got=text)
    return low, high
