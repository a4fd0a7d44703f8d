"""Rates for H2 from those for p-H2 and o-H2, at a ratio of the two.

k(H2) = (k(p-H2) + r k(o-H2)) / (1 + r),  r = n(o-H2) / n(p-H2)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.layers import temperatures_text
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.derived import Derived, downward, half_widths, summed
from ratedb.physics.populations import H2_CM1
from ratedb.rates import Rates

_HIGHEST_J = 41


def thermal_ortho_to_para(temperature_k: npt.ArrayLike) -> FloatArray:
    """Return n(o-H2) / n(p-H2) in thermal equilibrium at temperatures in K, in their shape.

    It is 3 sum over odd j of (2j+1) exp(-E_j / kB T), over the same sum of even j, with the rotational levels
    of v = 0: 9 exp(-170.5 K / T) where it is cold, 3 where it is hot.
    """
    j = np.arange(_HIGHEST_J + 1)
    square = j * (j + 1.0)
    # D alone would let levels above j = 25 fall.
    energy_cm1 = np.maximum.accumulate(H2_CM1[0] * square - H2_CM1[1] * square**2)
    kelvin = np.asarray(temperature_k, dtype=np.float64)[..., None]
    weight = (2.0 * j + 1.0) * np.exp(-HC_OVER_KB_CM_K * energy_cm1 / kelvin)
    return np.asarray(3.0 * weight[..., 1::2].sum(axis=-1) / weight[..., 0::2].sum(axis=-1))


def mixed(para: Rates, ortho: Rates, ortho_to_para: float | None) -> Derived:
    """Return rates for H2 at the temperatures that both have, at a ratio, the thermal one where it is None.

    A value that one of the two lacks is missing. The errors of predicted values are fully correlated: the
    widths of the terms add linearly. Raises RatedbError where the two have no value in common.
    """
    kelvin, columns, ortho_columns = np.intersect1d(
        para.temperature_k, ortho.temperature_k, return_indices=True
    )
    _, rows, ortho_rows = np.intersect1d(
        para.transitions.keys(), ortho.transitions.keys(), return_indices=True
    )
    if not len(kelvin) or not len(rows) or para.levels.label != ortho.levels.label:
        tables = ", ".join(f"{one.system}: {temperatures_text(one.temperature_k)}" for one in (para, ortho))
        raise RatedbError(
            f"rates of {para.system} and {ortho.system} have nothing in common",
            expected="transitions of the same levels, at the same temperatures",
            got=tables,
            todo="import sets with common temperatures; rates are not interpolated here",
        )
    ratio = thermal_ortho_to_para(kelvin) if ortho_to_para is None else np.full(len(kelvin), ortho_to_para)
    share = ratio / (1.0 + ratio)
    first = para.select(rows).select_temperatures(columns)
    second = ortho.select(ortho_rows).select_temperatures(ortho_columns)
    terms = np.concatenate([first.rate_cm3_s * (1.0 - share), second.rate_cm3_s * share])
    group = np.tile(np.arange(len(rows)), 2)
    widths = np.concatenate([half_widths(first), half_widths(second)])
    total, width = summed(group, len(rows), terms, widths)
    both = np.isfinite(first.rate_cm3_s) & np.isfinite(second.rate_cm3_s)
    k = np.where(both, total, np.nan)
    found = downward(para.levels, "H2", (first.upper, first.lower), kelvin, k, width)
    used = [
        {"temperature_k": t, "ortho_to_para": r} for t, r in zip(kelvin.tolist(), ratio.tolist(), strict=True)
    ]
    return Derived(found, tuple(_left_out(para, ortho, found)), {"mixture": used})


def _left_out(para: Rates, ortho: Rates, found: Rates) -> list[str]:
    """Return a sentence for transitions and temperatures that only one of the two has."""
    said = []
    for one, other in ((para, ortho), (ortho, para)):
        transitions = len(one) - len(found)
        temperatures = len(one.temperature_k) - len(found.temperature_k)
        if transitions or temperatures:
            said.append(
                f"{transitions} transitions and {temperatures} temperatures of {one.system} are left out:"
                f" {other.system} has no values for them"
            )
    return said
