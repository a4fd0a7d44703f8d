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
