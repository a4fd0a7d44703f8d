"""Sets of initial j: validation sets by the paper's rule, and evenly spaced training sets."""

from __future__ import annotations

from ratedb.errors import RatedbError, UsageError
from ratedb.models.training_set import Sets
from ratedb.options import TrainOptions
from ratedb.rates import Rates

_VALIDATION_START = 6
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


def choose_sets(options: TrainOptions, known: Rates, planned: Sets | None = None) -> Sets:
    """Return the sets that options name, else those planned; validation j by the paper's rule.

    Raises UsageError where there is no training set or a j both trains and validates, RatedbError where the
    training set is too small or a target j is not among the levels.
    """
    named = Sets(*(tuple(j or ()) for j in (options.train_j, options.validate_j, options.j)))
    train_j = named.train_j or (planned.train_j if planned else ())
    validate_j = named.validate_j or (planned.validate_j if planned else ())
    target_j = named.target_j or (planned.target_j if planned else ())
    if not train_j:
        raise UsageError(
            "no training set", expected="--train-j such as 5,9,14,19, or --plan ID", got="neither"
        )
    if len(train_j) < 2:
        raise RatedbError(
            "the training set is too small",
            where=known.system,
            expected="two or more initial j",
            got=f"j = {train_j[0]}",
            todo="add a second j to --train-j; `ratedb plan` says which",
        )
    levels_j = set(known.levels.need_vj()[1].tolist())
    if outside := sorted(set(target_j) - levels_j):
        raise RatedbError(
            "some j of the target are not among the levels",
            where=known.system,
            expected=f"j in {min(levels_j)}..{max(levels_j)}",
            got=", ".join(map(str, outside)),
        )
    # The known j from the lowest training j on.
    at_hand = tuple(sorted(j for j in {*known.initial_j().tolist(), *train_j} if j >= min(train_j)))
    validate_j = validate_j or validation_set(at_hand, (min(train_j),), train_j)
    if both := sorted(set(train_j) & set(validate_j)):
        raise UsageError(
            "a j cannot both train and validate", expected="disjoint sets", got=", ".join(map(str, both))
        )
    return Sets(tuple(sorted(train_j)), tuple(sorted(validate_j)), tuple(sorted(target_j or levels_j)))
