"""Compare two sources of the same system: by how much they differ, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray, IntArray, robust_scale
from ratedb.errors import RatedbError
from ratedb.layers import temperatures_text
from ratedb.rates import Rates
from ratedb.results import Result

_OUTLIER_MADS = 5.0
_OUTLIERS_SHOWN = 10
_LEAST_SPREAD_DEX = 0.01
_MATRICES = ("temperature_k", "first_cm3_s", "ratio")


@dataclass(frozen=True)
class RatioGroup:
    """The ratios second/first of some values: median, 16th and 84th percentile, root mean square in dex."""

    of: float | int | None
    values: int
    median: float
    low: float
    high: float
    dex_rms: float


@dataclass(frozen=True)
class RatioOutlier:
    """The value of a transition whose ratio is furthest from the median ratio."""

    transition: str
    temperature_k: float
    first_cm3_s: float
    second_cm3_s: float
    ratio: float


@dataclass(frozen=True, eq=False, repr=False)
class SourceComparison(Result):
    """Two sources at the transitions and temperatures that both have; ratios are second/first.

    `first_cm3_s` and `ratio` have a row for each common transition and a column for each temperature of the
    first source within the range of the second, NaN where one has no positive value.
    """

    system: str
    first: Mapping[str, Any]
    second: Mapping[str, Any]
    common_transitions: int
    only_first: int
    only_second: int
    interpolated: bool
    total: RatioGroup
    by_j: list[RatioGroup]
    by_delta_j: list[RatioGroup]
    by_temperature: list[RatioGroup]
    outliers: list[RatioOutlier]
    outlier_count: int
    temperature_k: FloatArray
    first_cm3_s: FloatArray
    ratio: FloatArray

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, without the matrices."""
        return {name: value for name, value in asdict(self).items() if name not in _MATRICES}

    def summary(self) -> str:
        """Return in a few words what was found."""
        ids = f"sources {self.first['source_id']} and {self.second['source_id']} of {self.system}"
        return f"{ids}, {self.total.values} values, {self.total.dex_rms:.3f} dex apart"


def compare_rates(
    first: Rates, second: Rates, named: tuple[Mapping[str, Any], Mapping[str, Any]]
) -> SourceComparison:
    """Return how two sources of a system compare; `named` describes them, with `source_id` and `name`.

    Where their temperatures differ, the second is interpolated to those of the first, never outside its own
    range. Raises RatedbError where they have nothing in common.
    """
    names = f"sources {named[0]['source_id']} and {named[1]['source_id']} of {first.system}"
    _, own, others = np.intersect1d(
        first.transitions.keys(), second.transitions.keys(), assume_unique=True, return_indices=True
    )
    if not len(own):
        raise RatedbError(f"{names} have no transition in common")
    one = first.select(own)
    dex = np.full(one.rate_cm3_s.shape, np.nan)
    low, high = second.temperature_k[[0, -1]]
    inside = (one.temperature_k >= low) & (one.temperature_k <= high)
    one, dex = one.select_temperatures(inside), dex[:, inside]
    if inside.any():
        other = second.select(others)
        dex = _log10(other.blanked(other.rate_cm3_s == 0).at(one.temperature_k)) - _log10(one)
    if not np.isfinite(dex).any():
        raise RatedbError(
            f"{names} have no temperature in common",
            expected="ranges that overlap",
            got=" and ".join(temperatures_text(rates.temperature_k) for rates in (first, second)),
        )
    outliers, count = _outliers(one, dex)
    return SourceComparison(
        system=first.system,
        first=named[0],
        second=named[1],
        common_transitions=len(own),
        only_first=len(first) - len(own),
        only_second=len(second) - len(own),
        interpolated=not np.isin(one.temperature_k, second.temperature_k).all(),
        total=_group(None, dex),
        **_by_j(one, dex),
        by_temperature=_by(one.temperature_k, dex.T),
        outliers=outliers,
        outlier_count=count,
        temperature_k=one.temperature_k,
        first_cm3_s=10.0 ** _log10(one),
        ratio=10.0**dex,
    )


def _log10(rates: Rates) -> FloatArray:
    """Return log10 k, NaN where a rate is zero or missing."""
    return np.where(rates.rate_cm3_s > 0, rates.log10_rate, np.nan)


def _group(of: float | int | None, dex: FloatArray) -> RatioGroup:
    known = dex[np.isfinite(dex)]
    low, median, high = 10.0 ** np.percentile(known, [16, 50, 84])
    rms = float(np.sqrt(np.mean(known**2)))
    return RatioGroup(of, len(known), float(median), float(low), float(high), rms)


def _by(numbers: FloatArray | IntArray, dex: FloatArray) -> list[RatioGroup]:
    """Return a group for each different number of the rows of `dex`."""
    groups = [(one.item(), dex[numbers == one]) for one in np.unique(numbers)]
    return [_group(one, values) for one, values in groups if np.isfinite(values).any()]


def _by_j(rates: Rates, dex: FloatArray) -> dict[str, list[RatioGroup]]:
    if not rates.levels.has_vj:
        return {"by_j": [], "by_delta_j": []}
    return {"by_j": _by(rates.j, dex), "by_delta_j": _by(rates.j_final - rates.j, dex)}


def _outliers(first: Rates, dex: FloatArray) -> tuple[list[RatioOutlier], int]:
    """Return the transitions furthest from the median ratio, worst first, and how many there are."""
    known = np.isfinite(dex)
    off = np.where(known, np.abs(dex - np.median(dex[known])), 0.0)
    spread = max(robust_scale(off[known]), _LEAST_SPREAD_DEX)
    worst = off.max(axis=1)
    rows = np.argsort(-worst, kind="stable")[: int((worst > _OUTLIER_MADS * spread).sum())]
    found = []
    for row in rows[:_OUTLIERS_SHOWN]:
        column = int(np.argmax(off[row]))
        value, ratio = float(first.rate_cm3_s[row, column]), 10.0 ** float(dex[row, column])
        kelvin = float(first.temperature_k[column])
        found.append(RatioOutlier(first.transition_name(row), kelvin, value, value * ratio, ratio))
    return found, len(rows)
