"""Search the training sets with the least expected error: all of them, or greedily."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import comb

from ratedb.arrays import FloatArray
from ratedb.options import Progress, silent
from ratedb.planning.design import Design, DesignSet
from ratedb.planning.sets import anchors

# Multiplications that an exhaustive search may take: some ten seconds.
_MOST_WORK = 1e11
_MOST_SWEEPS = 10

Affordable = Callable[[tuple[int, ...]], bool]


def best_sets(
    design: Design,
    sizes: Sequence[int],
    affordable: Affordable = lambda train_j: True,
    optimiser: str = "auto",
    progress: Progress = silent,
) -> dict[int, DesignSet]:
    """Return the set of each size with the least expected error, without sizes that do not fit.

    `exhaustive` judges every set; `greedy` adds one j after the other, then swaps single ones while that
    lowers the error; `auto` is exhaustive where that takes seconds.
    """
    fixed = anchors(design.target, design.given)
    if optimiser == "auto":
        optimiser = "exhaustive" if _work(design, fixed, sizes) < _MOST_WORK else "greedy"
    least: dict[int, DesignSet] = {}
    of_given = design.judge(fixed) if fixed and len(fixed) in sizes and affordable(fixed) else None
    if of_given is not None:
        least[len(fixed)] = of_given
    wanted = sorted(size for size in sizes if size > len(fixed))
    if optimiser == "greedy":
        return least | _greedy(design, fixed, wanted, affordable, progress)
    for size in wanted:
        progress(f"judging all sets of {size} j")
        found = _all_of(design, fixed, size)
        best = min((one for one in found if affordable(one.train_j)), key=_by_error, default=None)
        if best is not None:
            least[size] = best
    return least


def _by_error(one: DesignSet) -> tuple[float, tuple[int, ...]]:
    return one.expected_dex, one.train_j


def _work(design: Design, fixed: tuple[int, ...], sizes: Sequence[int]) -> float:
    """Return the number of multiplications of an exhaustive search."""
    free, count = len(design.target) - len(fixed), len(design.transitions)
    more = [size - len(fixed) for size in sizes if size > len(fixed)]
    nodes, leaves = sum(comb(free, some - 1) for some in more), sum(comb(free, some) for some in more)
    each = count / len(design.target)
    return float(count * each * (nodes * count + leaves * each))


def _all_of(design: Design, fixed: tuple[int, ...], size: int) -> Iterator[DesignSet]:
    """Yield every set of a size that contains the fixed j; sets with the same first j share their work."""
    free = [j for j in design.target if j not in fixed]

    def extend(covariance: FloatArray, chosen: tuple[int, ...], first: int) -> Iterator[DesignSet]:
        missing = size - len(chosen)
        for place in range(first, len(free) - missing + 1):
            j = free[place]
            if missing > 1:
                yield from extend(design.given_one(covariance, j), (*chosen, j), place + 1)
            elif (judged := design.judge_one_more(covariance, chosen, j)) is not None:
                yield judged

    yield from extend(design.given_all(fixed), fixed, 0)


def _greedy(
    design: Design, fixed: tuple[int, ...], sizes: Sequence[int], affordable: Affordable, progress: Progress
) -> dict[int, DesignSet]:
    found: dict[int, DesignSet] = {}
    current = fixed
    for size in range(len(fixed) + 1, max(sizes, default=0) + 1):
        progress(f"adding a j to {len(current)}")
        best = _best_with_one_more(design, current, affordable)
        if best is None:
            break
        for place in range(_MOST_SWEEPS):
            better = _best_swap(design, fixed, best, affordable)
            if better is None:
                break
            progress(f"{size} j: swap {place + 1}")
            best = better
        current = best.train_j
        if size in sizes:
            found[size] = best
    return found


def _best_with_one_more(
    design: Design, train_j: tuple[int, ...], affordable: Affordable, but: tuple[int, ...] = ()
) -> DesignSet | None:
    covariance = design.given_all(train_j)
    judged = [
        design.judge_one_more(covariance, train_j, j)
        for j in design.target
        if j not in (*train_j, *but) and affordable(tuple(sorted((*train_j, j))))
    ]
    return min((one for one in judged if one is not None), key=_by_error, default=None)


def _best_swap(
    design: Design, fixed: tuple[int, ...], now: DesignSet, affordable: Affordable
) -> DesignSet | None:
    """Return the best set that differs in one j, None where none is better."""
    others = [
        _best_with_one_more(design, tuple(j for j in now.train_j if j != out), affordable, (out,))
        for out in now.train_j
        if out not in fixed
    ]
    best = min((one for one in others if one is not None), key=_by_error, default=now)
    return best if best.expected_dex < now.expected_dex * (1 - 1e-9) else None
