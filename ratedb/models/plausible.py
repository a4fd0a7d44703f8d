"""Is a stored model what its system says, and can its predictions be rate coefficients at all?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ratedb.errors import RatedbError
from ratedb.levels import Levels
from ratedb.rates import Rates
from ratedb.systems import is_charged

LARGEST_NEUTRAL_CM3_S = 1e-7
"""Neutral partners: the rate of capture by the strongest long-range forces is some 1e-9 cm3/s."""

LARGEST_CHARGED_CM3_S = 1e-3
"""Electrons and ions: dipoles in slow electrons reach some 1e-5 cm3/s."""

MOST_ABOVE_DEX, MOST_BELOW_DEX = 3.0, 30.0
"""How far a prediction may lie outside the rates that are known of its system."""

_WEIGHT_TOLERANCE = 1e-6


def need_weights(weights: Sequence[float]) -> None:
    """Raise ValueError where the weights of a model's members are not shares of one."""
    total = np.array(weights, dtype=np.float64)
    if not (total >= 0.0).all() or abs(total.sum() - 1.0) > _WEIGHT_TOLERANCE:
        raise ValueError(f"the weights of the members are {list(weights)}, which do not sum to 1")


def need_finite(arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Raise ValueError where an array of a model has a value that is not finite."""
    for name, values in arrays.items():
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            raise ValueError(f"the array {name} has values that are not finite")


def need_system(levels: Levels, collider: str, system: str) -> None:
    """Raise RatedbError where a model predicts another system than the one that it is stored for."""
    if (found := f"{levels.molecule}+{collider}") != system:
        raise RatedbError(
            f"a stored model of {system} predicts another system",
            expected=system,
            got=found,
            todo="train it again",
        )


def need_physical(prediction: Rates, known: Rates) -> None:
    """Raise RatedbError where predicted rates cannot be rate coefficients, or are far from all known ones."""
    log10_k = np.log10(prediction.rate_cm3_s)
    limit = LARGEST_CHARGED_CM3_S if is_charged(prediction.collider) else LARGEST_NEUTRAL_CM3_S
    lowest, highest = -np.inf, float(np.log10(limit))
    of_files = known.rate_cm3_s[np.isfinite(known.rate_cm3_s) & (known.rate_cm3_s > 0.0)]
    if len(of_files):
        lowest = float(np.log10(of_files.min())) - MOST_BELOW_DEX
        largest = float(np.log10(of_files.max()))
        highest = min(max(highest, largest), largest + MOST_ABOVE_DEX)
    outside = ~((log10_k >= lowest) & (log10_k <= highest))  # true for NaN
    if not outside.any():
        return
    row, column = (int(place) for place in np.argwhere(outside)[0])
    raise RatedbError(
        f"a prediction of {prediction.system} cannot be a rate coefficient",
        where=f"{prediction.upper_label[row]} -> {prediction.lower_label[row]}"
        f" at {prediction.temperature_k[column]:g} K, one of {int(outside.sum())} values",
        expected=f"10^{lowest:.1f} to 10^{highest:.1f} cm3/s, by the rates that are known",
        got=f"{prediction.rate_cm3_s[row, column]:.3e} cm3/s",
        todo="nothing was stored; train a model again, or name another with --model",
    )
