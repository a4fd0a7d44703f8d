"""Count the downward transitions of a rotor, when nothing but its quantum numbers is known."""

from __future__ import annotations

from ratedb.errors import UsageError


def transitions_from(j: int, *, v_max: int, j_max: int) -> int:
    """Return how many downward transitions leave initial j, summed over v = 0..v_max.

    The paper's rule: v' <= v; every j' in 0..j_max for v' < v, and j' < j for v' = v. For SiO with
    v_max = 2 and j_max = 20 this is 3j + 63.
    """
    same_v = j
    return sum(same_v + v * (j_max + 1) for v in range(v_max + 1))


def parse_integers(text: str) -> tuple[int, ...]:
    """Return the integers of `5,9,14` or `6:20` (inclusive) or both mixed, sorted and each once.

    Raises UsageError where the text is not such a list.
    """
    found: set[int] = set()
    for part in text.split(","):
        try:
            first, _, last = part.strip().partition(":")
            numbers = range(int(first), int(last or first) + 1)
        except ValueError:
            numbers = range(0)
        if not numbers or numbers[0] < 0 or numbers[-1] > 100_000:
            raise UsageError(
                "not a list of integers",
                expected="numbers >= 0 such as 5,9,14,19 or a range such as 6:20",
                got=text,
            )
        found.update(numbers)
    return tuple(sorted(found))


def format_integers(numbers: tuple[int, ...] | list[int]) -> str:
    """Return integers as people write them: `5,9,14` or, where they are consecutive, `6:20`."""
    ordered = sorted(numbers)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}:{ordered[-1]}"
    return ",".join(str(number) for number in ordered)
