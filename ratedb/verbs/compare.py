"""Compare two sources of the same system: how far apart, and where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from ratedb.arrays import BoolArray, FloatArray, IntArray, gap_patterns
from ratedb.errors import RatedbError, UsageError
from ratedb.levels import Levels
from ratedb.rates import Rates
from ratedb.store.store import Store

_OUTLIER_MADS = 5.0
_MAD_TO_STD = 1.4826
_OUTLIERS_SHOWN = 10
_LEAST_SPREAD_DEX = 0.01


@dataclass(frozen=True)
class RatioGroup:
    """The ratios second/first of some values: median, 16th and 84th percentile, root mean square."""

    of: float | int | None
    values: int
    median: float
    low: float
    high: float
    dex_rms: float


@dataclass(frozen=True)
class RatioOutlier:
    """The value of a transition that lies furthest from the median ratio."""

    transition: str
    temperature_k: float
    first_cm3_s: float
    second_cm3_s: float
    ratio: float


@dataclass(frozen=True, eq=False)
class SourceComparison:
    """Two sources on the transitions and temperatures that both have; ratios are second/first.

    `first_cm3_s` and `ratio` have a row for each common transition and a column for each temperature of the
    first source that lies in the range of the second, NaN where one has no positive value.
    """

    system: str
    first: dict[str, Any]
    second: dict[str, Any]
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
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del found["temperature_k"], found["first_cm3_s"], found["ratio"]
        for name in ("by_j", "by_delta_j", "by_temperature", "outliers"):
            found[name] = [asdict(one) for one in found[name]]
        return found | {"total": asdict(self.total)}


def compare_sources(db: Path, system: str, first: int, second: int) -> SourceComparison:
    """Compare two sources of a system by their ids.

    Where their temperatures differ the second is interpolated (monotone cubic, log k over ln T) to those of
    the first, never beyond its own range. Raises RatedbError where they have nothing in common.
    """
    if first == second:
        raise UsageError("a source cannot be compared with itself", got=str(first))
    with Store(db) as store:
        one, other = store.source_rates(system, first), store.source_rates(system, second)
        rows = store.query(
            "SELECT source_id, kind, method, reference, file_name FROM sources WHERE system = ?", [system]
        )
    named = {row["source_id"]: row for row in rows}
    own, at_other = _common_rows(one, other)
    if not len(own):
        raise RatedbError(f"sources {first} and {second} of {system} have no transition in common")
    inside = (one.temperature_k >= other.temperature_k[0]) & (one.temperature_k <= other.temperature_k[-1])
    temperature_k = one.temperature_k[inside]
    log10_first = _log10(one.rate_cm3_s[own][:, inside])
    log10_second = _at(other.temperature_k, _log10(other.rate_cm3_s[at_other]), temperature_k)
    dex = log10_second - log10_first
    if not np.isfinite(dex).any():
        raise RatedbError(
            f"sources {first} and {second} of {system} have no temperature in common",
            expected="ranges that overlap",
            got=f"{_range(one)} and {_range(other)}",
        )
    upper, lower = one.upper[own], one.lower[own]
    found, count = _outliers(one.levels, (upper, lower), temperature_k, log10_first, dex)
    return SourceComparison(
        system=system,
        first=named[first],
        second=named[second],
        common_transitions=len(own),
        only_first=len(one) - len(own),
        only_second=len(other) - len(own),
        interpolated=not np.isin(temperature_k, other.temperature_k).all(),
        total=_group(None, dex),
        by_j=_by(_initial_j(one.levels, upper), dex),
        by_delta_j=_by(_delta_j(one.levels, upper, lower), dex),
        by_temperature=[
            _group(float(kelvin), dex[:, column])
            for column, kelvin in enumerate(temperature_k)
            if np.isfinite(dex[:, column]).any()
        ],
        outliers=found,
        outlier_count=count,
        temperature_k=temperature_k,
        first_cm3_s=10.0**log10_first,
        ratio=10.0**dex,
    )


def _common_rows(one: Rates, other: Rates) -> tuple[IntArray, IntArray]:
    size = len(one.levels)
    keys, others = one.upper * size + one.lower, other.upper * size + other.lower
    _, own, at_other = np.intersect1d(keys, others, assume_unique=True, return_indices=True)
    return own.astype(np.int64), at_other.astype(np.int64)


def _log10(rate_cm3_s: FloatArray) -> FloatArray:
    """Return log10 k, NaN where a rate is zero or not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log10_k = np.log10(rate_cm3_s)
    return np.where(np.isfinite(log10_k), log10_k, np.nan)


def _at(grid_k: FloatArray, log10_k: FloatArray, wanted_k: FloatArray) -> FloatArray:
    """Interpolate rows with gaps to temperatures within the range of each; nodes keep their values."""
    result = np.full((len(log10_k), len(wanted_k)), np.nan)
    patterns, group = gap_patterns(np.isfinite(log10_k))
    for number, known in enumerate(patterns):
        rows = np.flatnonzero(group == number)
        if not known.any():
            continue
        nodes = grid_k[known]
        inside = (wanted_k >= nodes[0]) & (wanted_k <= nodes[-1])
        values = log10_k[np.ix_(rows, np.flatnonzero(known))]
        if len(nodes) == 1:
            result[np.ix_(rows, np.flatnonzero(inside))] = values
            continue
        curve = PchipInterpolator(np.log(nodes), values, axis=1)
        result[np.ix_(rows, np.flatnonzero(inside))] = curve(np.log(wanted_k[inside]))
    return result


def _group(of: float | int | None, dex: FloatArray) -> RatioGroup:
    known = dex[np.isfinite(dex)]
    low, median, high = 10.0 ** np.percentile(known, [16, 50, 84])
    rms = float(np.sqrt(np.mean(known**2)))
    return RatioGroup(of, len(known), float(median), float(low), float(high), rms)


def _by(number: IntArray | None, dex: FloatArray) -> list[RatioGroup]:
    if number is None:
        return []
    groups = [(int(one), dex[number == one]) for one in np.unique(number)]
    return [_group(one, values) for one, values in groups if np.isfinite(values).any()]


def _initial_j(levels: Levels, upper: IntArray) -> IntArray | None:
    return None if levels.j is None else levels.j[upper]


def _delta_j(levels: Levels, upper: IntArray, lower: IntArray) -> IntArray | None:
    return None if levels.j is None else levels.j[lower] - levels.j[upper]


def _outliers(
    levels: Levels,
    pairs: tuple[IntArray, IntArray],
    temperature_k: FloatArray,
    log10_first: FloatArray,
    dex: FloatArray,
) -> tuple[list[RatioOutlier], int]:
    """Return the transitions furthest from the median ratio, worst first, and how many there are."""
    known: BoolArray = np.isfinite(dex)
    median = float(np.median(dex[known]))
    off = np.where(known, np.abs(dex - median), 0.0)
    spread = max(_MAD_TO_STD * float(np.median(off[known])), _LEAST_SPREAD_DEX)
    worst = off.max(axis=1)
    rows = np.argsort(-worst, kind="stable")[: int((worst > _OUTLIER_MADS * spread).sum())]
    found = []
    for row in rows[:_OUTLIERS_SHOWN]:
        column = int(np.argmax(off[row]))
        first = 10.0 ** float(log10_first[row, column])
        ratio = 10.0 ** float(dex[row, column])
        name = f"{levels.label[pairs[0][row]]} -> {levels.label[pairs[1][row]]}"
        found.append(RatioOutlier(name, float(temperature_k[column]), first, first * ratio, ratio))
    return found, len(rows)


def _range(rates: Rates) -> str:
    return f"{rates.temperature_k[0]:g}-{rates.temperature_k[-1]:g} K"
