"""Critical densities of lines: where collisions take molecules out of the upper level as fast as the line.

    all levels:  n_crit = A_ul / sum over i != u of k_ui,
    two levels:  n_crit = A_ul / k_ul.

The first counts all collisions out of the upper level, down and up (Shirley 2015, PASP 127, 299, whose
table 1 has it); the second is that of a molecule with the two levels of the line alone. Both are for an
optically thin line without background, and for a gas of this collider alone; radiative trapping lowers them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.levels import Lines
from ratedb.physics.derived import half_widths, summed
from ratedb.rates import Rates

DEFINITION = (
    "A_ul / sum of k_ui over all other levels i, down and up (Shirley 2015, PASP 127, 299); optically thin"
)
TWO_LEVELS = "A_ul / k_ul, of the two levels of the line alone; optically thin"


@dataclass(frozen=True, eq=False)
class CriticalDensities:
    """Critical densities of n lines at m temperatures, cm-3, NaN where no rate is known.

    `all_levels_cm3` and `two_level_cm3` have shape (n, m); so has `log10_half_width_68`, half the 68 %
    interval of log10 `all_levels_cm3` in dex, 0 where no rate is predicted. `missing`, shape (n,), counts the
    levels to which a rate out of the upper level is unknown: the sum lacks them, and `all_levels_cm3` is an
    upper limit.
    """

    all_levels_cm3: FloatArray
    two_level_cm3: FloatArray
    log10_half_width_68: FloatArray
    missing: IntArray


def critical_densities(rates: Rates, lines: Lines) -> CriticalDensities:
    """Return the critical densities of lines for collisions with one partner, at the rates' temperatures.

    `lines` are between the levels of `rates`. Upward rates are by detailed balance. The errors of predicted
    rates are taken as fully correlated.
    """
    count, width = len(rates.levels), half_widths(rates)
    out_of = np.concatenate([rates.upper, rates.lower])
    k = np.concatenate([rates.rate_cm3_s, rates.upward_rate_cm3_s])
    total, total_width = summed(out_of, count, k, np.concatenate([width, width]))
    known = np.zeros((count, k.shape[1]), dtype=np.int64)
    np.add.at(known, out_of, np.isfinite(k))
    missing = count - 1 - known.min(axis=1, initial=count - 1)
    there = {key: row for row, key in enumerate(rates.transitions.keys().tolist())}
    rows = np.array([there.get(key, -1) for key in (lines.upper * count + lines.lower).tolist()], dtype=int)
    own = np.full((len(lines), k.shape[1]), np.nan)
    own[rows >= 0] = rates.rate_cm3_s[rows[rows >= 0]]
    some = np.where(known[lines.upper] > 0, total[lines.upper], np.nan)
    a = lines.einstein_a_s1[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return CriticalDensities(a / some, a / own, total_width[lines.upper], missing[lines.upper])
