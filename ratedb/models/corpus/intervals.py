"""How far errors of predictions lie from their standard deviation, measured on molecules left out.

Conformal: the factor of an interval is the quantile, over molecules that a corpus did not contain, of the
error in units of the predicted standard deviation; by the number of computed j, by the place of a j (below,
between or above the computed ones), by |dj| and by kT/B.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.layers import RATIO_95_68
from ratedb.levels import Transitions
from ratedb.models.corpus.kernel import scaled_temperature

PLACES = ("below", "between", "above")
_DJ_EDGES = (3, 6, 10)
_TEMPERATURE_EDGES = (1.2, 1.9)  # log10 of kT/B
CELLS = (len(_DJ_EDGES) + 1) * (len(_TEMPERATURE_EDGES) + 1)
SIZES = (1, 4, 5, 6, 8)
"""Numbers of computed j that the factors are measured at."""
QUANTILE = 0.95
_BOUNDS = (0.7, 8.0)
_MARGIN_OF_ONE_J = np.array([[1.1], [1.3], [1.6]])
_MARGIN_OF_SEVERAL_J = np.array([[1.15], [1.0], [2.2]])
"""Make intervals hold on most single systems, and not only on all together, by place; what several computed j
say of the variances can be too good."""
UNLIKE_NEIGHBOURS_DEX = 0.04
"""Half width of the 95 % interval of what all transitions out of one j share.

In published sets some j are unlike their neighbours, and no other computed j shows which. With this the
intervals of nearly all left-out sets hold; without it those of CO did not."""
_PSEUDO = 0.35
"""Share of a system's factor that comes from all cells of its place together."""


@dataclass(frozen=True, eq=False)
class IntervalTable:
    """The 95 % quantiles of error over standard deviation: by system, then (size, place, cell).

    Each array has shape (5, 3, cells + 1); the last cell is the whole place; NaN where nothing was predicted.
    """

    quantiles: Mapping[str, FloatArray]

    def without(self, systems: Collection[str]) -> IntervalTable:
        """Return the table without some systems."""
        return replace(self, quantiles={k: v for k, v in self.quantiles.items() if k not in systems})

    def factors(self, computed: int) -> FloatArray:
        """Return the factors of 68 % half widths for so many computed j, shape (3, cells).

        They are such that 2.66 times the half width, which is the 95 % interval, holds. All 1.96 where there
        are no systems.
        """
        if not self.quantiles:
            return np.full((len(PLACES), CELLS), 1.96 / RATIO_95_68)
        size = int(np.argmin([abs(np.log(one / computed)) for one in SIZES]))
        each = np.stack([one[size] for one in self.quantiles.values()])
        with np.errstate(all="ignore"):
            logs = np.log(np.maximum(each, 1e-3))
            middle = _upper(logs)
        place = np.where(np.isfinite(middle[:, -1:]), middle[:, -1:], np.nanmax(middle[:, -1]))
        cells = np.where(np.isfinite(middle[:, :-1]), middle[:, :-1], place)
        mixed = _PSEUDO * place + (1.0 - _PSEUDO) * cells
        margin = _MARGIN_OF_SEVERAL_J if size else _MARGIN_OF_ONE_J
        return np.asarray(np.clip(margin * np.exp(mixed), *_BOUNDS) / RATIO_95_68)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            name: [
                [[None if np.isnan(x) else round(float(x), 2) for x in row] for row in part] for part in of
            ]
            for name, of in self.quantiles.items()
        }

    @staticmethod
    def of_json(values: dict[str, Any]) -> IntervalTable:
        """Return the table that `to_json` gave."""
        shape = (len(SIZES), len(PLACES), CELLS + 1)
        return IntervalTable(
            {name: np.array(of, dtype=np.float64).reshape(shape) for name, of in values.items()}
        )


@dataclass(frozen=True, eq=False)
class Intervals:
    """What stretches the standard deviations of a model: `factors` (3, cells) for its computed j."""

    computed_j: tuple[int, ...]
    rotational_constant_cm1: float
    factors: FloatArray

    def stretch(self, wanted: Transitions, temperature_k: FloatArray) -> FloatArray:
        """Return the half width of the 68 % interval over the standard deviation, shape (n, m)."""
        _, initial, _, final = wanted.vj().T
        place = place_of(initial, self.computed_j)
        scaled = scaled_temperature(temperature_k, self.rotational_constant_cm1)
        return np.asarray(self.factors[place[:, None], cell_of(np.abs(initial - final), scaled)])


def _upper(logs: FloatArray) -> FloatArray:
    """Return what most systems stay below: the mean and half a standard deviation, NaN left out."""
    known = np.isfinite(logs)
    count = known.sum(axis=0)
    mean = np.where(known, logs, 0.0).sum(axis=0) / np.where(count, count, np.nan)
    spread = np.sqrt(np.where(known, (logs - mean) ** 2, 0.0).sum(axis=0) / np.where(count, count, np.nan))
    return np.asarray(mean + 0.5 * spread)


def place_of(initial_j: IntArray, computed_j: Collection[int]) -> IntArray:
    """Return the number of the place of each j among the computed ones, shape (n,)."""
    low, high = min(computed_j), max(computed_j)
    return np.where(initial_j < low, 0, np.where(initial_j > high, 2, 1))


def cell_of(abs_dj: IntArray, scaled_temperature: FloatArray) -> IntArray:
    """Return the number of the cell of |dj| (n,) and log10 of kT/B (m,), shape (n, m)."""
    by_dj = np.searchsorted(_DJ_EDGES, abs_dj, side="right")
    by_temperature = np.searchsorted(_TEMPERATURE_EDGES, scaled_temperature, side="right")
    return np.asarray(by_dj[:, None] * (len(_TEMPERATURE_EDGES) + 1) + by_temperature[None, :])


def quantiles(error: FloatArray, deviation: FloatArray, place: IntArray, cell: IntArray) -> FloatArray:
    """Return the quantiles of |error| / deviation, (n, m) each, shape (3, cells + 1).

    `place` (n,) and `cell` (n, m) say where each belongs.
    """
    result = np.full((len(PLACES), CELLS + 1), np.nan)
    ratio = np.abs(error) / deviation
    for number in range(len(PLACES)):
        rows = place == number
        if not rows.any():
            continue
        result[number, -1] = np.quantile(ratio[rows], QUANTILE)
        for one in np.unique(cell[rows]):
            result[number, one] = np.quantile(ratio[rows][cell[rows] == one], QUANTILE)
    return result
