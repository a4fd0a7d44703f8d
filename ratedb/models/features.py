"""Features of a transition: named maps from quantum numbers and energies to columns of numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.errors import RatedbError
from ratedb.tables import FloatArray, IntArray, LevelTable


@dataclass(frozen=True, eq=False)
class Transitions:
    """Transitions of one molecule: `upper` and `lower` are level indices of shape (n,)."""

    levels: LevelTable
    upper: IntArray
    lower: IntArray


def paper_features(transitions: Transitions) -> FloatArray:
    """Return the paper's features but the temperature, shape (n, 8).

    dv, dj, v, j, v', j', parity of dj, dv != 0 (Mihalik et al. 2025, eqs. 10-12); the temperature is
    treated by the basis.
    """
    v, j, v_final, j_final = _quantum_numbers(transitions)
    dv, dj = v_final - v, j_final - j
    columns = [dv, dj, v, j, v_final, j_final, np.abs(dj) % 2, dv != 0]
    return _stack(columns)


def physics_features(transitions: Transitions) -> FloatArray:
    """Return features that follow the physics, shape (n, 8).

    v, v', j, j', |dj|, parity of dj, the square root of the energy gap (cm-1/2), and ln(2j'+1), the
    number of final states.
    """
    v, j, v_final, j_final = _quantum_numbers(transitions)
    gap_cm1 = (
        transitions.levels.energy_cm1[transitions.upper] - transitions.levels.energy_cm1[transitions.lower]
    )
    columns = [
        v,
        v_final,
        j,
        j_final,
        np.abs(j_final - j),
        np.abs(j_final - j) % 2,
        np.sqrt(np.maximum(gap_cm1, 0.0)),
        np.log(2.0 * j_final + 1.0),
    ]
    return _stack(columns)


FEATURE_MAPS: dict[str, Callable[[Transitions], FloatArray]] = {
    "paper": paper_features,
    "physics": physics_features,
}


def feature_map(name: str) -> Callable[[Transitions], FloatArray]:
    """Return a feature map by its name; raises RatedbError for an unknown one."""
    if name not in FEATURE_MAPS:
        raise RatedbError(
            f"unknown features {name!r}", expected=" or ".join(["auto", *FEATURE_MAPS]), got=name
        )
    return FEATURE_MAPS[name]


@dataclass(frozen=True, eq=False)
class Standardiser:
    """Centres and scales features by the training set's mean and spread, shape (d,) each.

    A feature that is constant in training has no scale; it is left out (`keep`), since a kernel cannot
    learn from it.
    """

    mean: FloatArray
    spread: FloatArray
    keep: IntArray

    @staticmethod
    def of(features: FloatArray) -> Standardiser:
        """Return the standardiser of training features, shape (n, d)."""
        spread = features.std(axis=0)
        keep = np.flatnonzero(spread > 1e-12)
        return Standardiser(features.mean(axis=0), spread, keep)

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return standardised features, shape (n, len(keep))."""
        scaled: FloatArray = (features[:, self.keep] - self.mean[self.keep]) / self.spread[self.keep]
        return scaled


def _quantum_numbers(transitions: Transitions) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    v, j = transitions.levels.need_vj()
    upper, lower = transitions.upper, transitions.lower
    return v[upper], j[upper], v[lower], j[lower]


def _stack(columns: list[npt.NDArray[Any]]) -> FloatArray:
    table: FloatArray = np.stack(columns, axis=1).astype(np.float64)
    return table
