"""Sets of initial j: validation sets by the paper's rule, and evenly spaced training sets."""

from __future__ import annotations

from ratedb.errors import UsageError

_VALIDATION_GAP = 3


def validation_set(
    target: tuple[int, ...], given: tuple[int, ...], train_j: tuple[int, ...], size: int = 2
) -> tuple[int, ...]:
    """Return the low j, at least 3 apart, that choose the kernel.

    The paper (section II) starts from {6, 9} for a target that begins at the given j = 5, and moves a value
    that is in the training set to the next higher free one. In general the start is the first j above the
    lowest unbroken run of given ones, or above the target's first j. Raises UsageError where none fits.
    """
    floor = _floor(target, given)
    chosen: list[int] = []
    for nominal in (floor + 1 + k * _VALIDATION_GAP for k in range(size)):
        first = max(nominal, chosen[-1] + _VALIDATION_GAP if chosen else nominal)
        free = [j for j in target if j >= first and j not in train_j]
        if not free:
            raise UsageError(
                "no room for a validation set",
                expected=f"{size} values of j at least {_VALIDATION_GAP} apart that are not trained on",
                got=f"target {target[0]}:{target[-1]}, training {list(train_j)}",
                todo="widen --j, take a smaller training set, or name one with --validate-j",
            )
        chosen.append(free[0])
    return tuple(chosen)


def spread_set(target: tuple[int, ...], given: tuple[int, ...], size: int) -> tuple[int, ...]:
    """Return `size` values of j evenly spaced over the target: the paper's rule of thumb.

    The best sets of the paper (table I) have no neighbours and nearly equal gaps, start at the given j and
    end one below the last, the most expensive one. So: from the top of the lowest unbroken run of given j
    (or the target's first) to the last but one, in equal steps, rounded down. For j = 5..20 with j = 5 given
    and four values this is the paper's optimum 5, 9, 14, 19. A given j above that run is free, so it replaces
    its nearest neighbour. Raises UsageError where the range is too short.
    """
    start = _floor(target, given)
    candidates = [j for j in target if j >= max(start, 1)]  # nothing lies below j = 0
    last = len(candidates) - 2
    if size < 2 or last < size - 1:
        raise UsageError(
            f"cannot place {size} evenly spaced j in the target",
            expected=f"2 to {max(last + 1, 2)} values for j = {start}..{target[-1]}",
            got=str(size),
            todo="choose other --sizes or a wider --j",
        )
    chosen = [candidates[k * last // (size - 1)] for k in range(size)]
    for anchor in (j for j in candidates if j in given and j not in chosen):
        others = [k for k in range(1, size) if chosen[k] not in given]
        if others:
            chosen[min(others, key=lambda k: abs(chosen[k] - anchor))] = anchor
    return tuple(sorted(chosen))


def check_disjoint(train_j: tuple[int, ...], validate_j: tuple[int, ...]) -> None:
    """Raise UsageError where a j is in both sets."""
    if both := sorted(set(train_j) & set(validate_j)):
        got = ", ".join(map(str, both))
        raise UsageError("a j cannot both train and validate", expected="disjoint sets", got=got)


def anchors(target: tuple[int, ...], given: tuple[int, ...]) -> tuple[int, ...]:
    """Return the given j that every training set contains.

    These are the top of the lowest unbroken run, as lower j do not help in the paper, and those above it.
    """
    if not any(j in given for j in target):
        return ()
    floor = _floor(target, given)
    return tuple(j for j in target if j in given and j >= floor)


def _floor(target: tuple[int, ...], given: tuple[int, ...]) -> int:
    """Return the last of the unbroken run of given j from the bottom, or the target's first j."""
    floor = target[0]
    while floor in given and floor + 1 in given and floor + 1 in target:
        floor += 1
    return floor
