"""Features of a transition: named maps from quantum numbers and energies to columns of numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import FitError, UsageError, did_you_mean
from ratedb.levels import Transitions


def paper_features(transitions: Transitions) -> FloatArray:
    """Return the paper's features but the temperature, shape (n, 8).

    dv, dj, v, j, v', j', parity of dj, dv != 0 (Mihalik et al. 2025, eqs. 10-12); the temperature is
    treated by the basis.
    """
    v, j, v_final, j_final = transitions.vj().T
    dv, dj = v_final - v, j_final - j
    return _stack(dv, dj, v, j, v_final, j_final, np.abs(dj) % 2, dv != 0)


def physics_features(transitions: Transitions) -> FloatArray:
    """Return features that follow the physics, shape (n, 8).

    v, v', j, j', |dj|, parity of dj, the square root of the energy gap (cm-1/2), and ln(2j'+1), the
    number of final states.
    """
    v, j, v_final, j_final = transitions.vj().T
    abs_dj, root_gap = np.abs(j_final - j), np.sqrt(energy_gap_cm1(transitions))
    return _stack(v, v_final, j, j_final, abs_dj, abs_dj % 2, root_gap, np.log(2.0 * j_final + 1.0))


def symmetric_features(transitions: Transitions) -> FloatArray:
    """Return features that a transition and its reverse have in common, shape (n, 9).

    v of the level with more vibration and of the other, j of both, |dj|, parity of dj, the square root of the
    energy gap (cm-1/2), and ln(2j+1) of both. So (0, 18) -> (1, 0), which raises v and falls in energy,
    continues the line (1, 0) -> (0, 17), (1, 0) -> (0, 16)...
    """
    v_high, j_high, v_low, j_low = _by_vibration(transitions)
    abs_dj, root_gap = np.abs(j_low - j_high), np.sqrt(energy_gap_cm1(transitions))
    weights = np.log(2.0 * j_high + 1.0), np.log(2.0 * j_low + 1.0)
    return _stack(v_high, v_low, j_high, j_low, abs_dj, abs_dj % 2, root_gap, *weights)


def ordered_features(transitions: Transitions) -> FloatArray:
    """Return the features of levels ordered by v and the weight of the final level, shape (n, 10).

    v and j of the level with more vibration and of the other, dj and dv between them, |dj|, parity of dj, the
    square root of the energy gap (cm-1/2), and ln(2j'+1), the number of final states.
    """
    v_high, j_high, v_low, j_low = _by_vibration(transitions)
    dj, root_gap = j_low - j_high, np.sqrt(energy_gap_cm1(transitions))
    weight = np.log(2.0 * transitions.vj()[:, 3] + 1.0)
    numbers = (v_high, v_low, j_high, j_low, dj, np.abs(dj), np.abs(dj) % 2)
    return _stack(*numbers, root_gap, v_high - v_low, weight)


def balance_features(transitions: Transitions) -> FloatArray:
    """Return what log10 of (2j+1) k is nearly linear in, shape (n, 13).

    `symmetric_features`; whether v changes; dv times |dj| and times the square root of the energy gap; and
    |dj| times that root.
    """
    common = symmetric_features(transitions)
    abs_dv, abs_dj, root_gap = common[:, 0] - common[:, 1], common[:, 4], common[:, 6]
    return np.column_stack([common, abs_dv != 0, abs_dv * abs_dj, abs_dv * root_gap, abs_dj * root_gap])


def _by_vibration(transitions: Transitions) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return v and j of the level with the larger v, and of the other, (n,) each."""
    v, j, v_final, j_final = transitions.vj().T
    raised = v_final > v
    high = np.where(raised, v_final, v), np.where(raised, j_final, j)
    return *high, np.where(raised, v, v_final), np.where(raised, j, j_final)


def spin_features(transitions: Transitions) -> FloatArray:
    """Return the nuclear-spin symmetry of a homonuclear molecule's levels, shape (n, 2).

    Parity of j and of j': ortho and para levels differ in kind, and rates between them come from
    reactions only (Lique 2015 for H2 + H).
    """
    _, j, _, j_final = transitions.vj().T
    return _stack(j % 2, j_final % 2)


def gap_features(transitions: Transitions) -> FloatArray:
    """Return what an energy-gap law has, shape (n, 3): sqrt of the gap (cm-1/2), ln(2j'+1), parity of dj."""
    _, j, _, j_final = transitions.vj().T
    root_gap = np.sqrt(energy_gap_cm1(transitions))
    return _stack(root_gap, np.log(2.0 * j_final + 1.0), np.abs(j_final - j) % 2)


def energy_gap_cm1(transitions: Transitions) -> FloatArray:
    """Return the energy from initial to final level in cm-1, shape (n,), not below zero."""
    energy_cm1 = transitions.levels.energy_cm1
    gap: FloatArray = np.maximum(energy_cm1[transitions.upper] - energy_cm1[transitions.lower], 0.0)
    return gap


FEATURE_MAPS: dict[str, Callable[[Transitions], FloatArray]] = {
    "paper": paper_features,
    "physics": physics_features,
    "symmetric": symmetric_features,
    "ordered": ordered_features,
    "balance": balance_features,
    "gap": gap_features,
    "spin": spin_features,
}


def feature_map(name: str) -> Callable[[Transitions], FloatArray]:
    """Return a feature map by its name, or several side by side, as in `physics+spin`.

    Raises UsageError for an unknown one.
    """
    names = name.split("+")
    unknown = [part for part in names if part not in FEATURE_MAPS]
    if unknown:
        raise UsageError(
            f"unknown features {', '.join(map(repr, unknown))}",
            expected=", ".join(["auto", *FEATURE_MAPS]) + ", or several joined by +",
            got=name,
            todo=did_you_mean(unknown[0], FEATURE_MAPS),
        )

    def together(transitions: Transitions) -> FloatArray:
        return np.concatenate([FEATURE_MAPS[part](transitions) for part in names], axis=1)

    return together


def is_homonuclear(molecule: str) -> bool:
    """Return whether a molecule's name is that of a homonuclear diatomic, such as H2 or N2."""
    return re.fullmatch(r"(?:[opOP]-)?([A-Z][a-z]?)2[+-]?", molecule) is not None


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
        """Return the standardiser of training features (n, d); raises FitError where all are constant."""
        spread = features.std(axis=0)
        keep = np.flatnonzero(spread > 1e-12)
        if not len(keep):
            raise FitError(
                "every feature is the same for all training transitions",
                expected="a feature that tells transitions apart",
                got=f"{features.shape[1]} constant features of {len(features)} transitions",
                todo="choose other --features, or train on more j",
            )
        return Standardiser(features.mean(axis=0), spread, keep)

    def __call__(self, features: FloatArray) -> FloatArray:
        """Return standardised features, shape (n, len(keep))."""
        scaled: FloatArray = (features[:, self.keep] - self.mean[self.keep]) / self.spread[self.keep]
        return scaled


def _stack(*columns: npt.NDArray[Any]) -> FloatArray:
    table: FloatArray = np.stack(columns, axis=1).astype(np.float64)
    return table
