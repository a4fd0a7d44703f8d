"""Effective excitation densities: where a line has 1 K km/s (Evans 1999; Shirley 2015, PASP 127, 299)."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.levels import Lines
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.escape import solve_lines
from ratedb.radiative.radex_file import FileOutline, RateTable
from ratedb.rates import Rates

DEFINITION = (
    "density at which the line has {flux:g} K km/s, for {column:.3g} cm-2 and {width:g} km/s, in a uniform"
    " sphere before 2.73 K (Shirley 2015)"
)
FLUX_K_KM_S = 1.0
_LOG10_DENSITIES = np.arange(0.0, 10.05, 0.1)


def effective_densities(
    rates: Rates, lines: Lines, column_density_cm2: float, line_width_km_s: float
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return the lowest density (cm-3) that gives each line 1 K km/s, shape (n lines, m temperatures).

    By escape probability at each temperature of the rates; flux is interpolated between densities 0.1 dex
    apart. 1 stands for 1 or less, NaN where no density up to 1e10 cm-3 gives it, or where the solver has no
    answer: the second value are the reasons. Unknown rates count as zero. Raises RatedbError for a column
    density, line width or temperature that cannot be.
    """
    found = np.full((len(lines), len(rates.temperature_k)), np.nan)
    outline, row = _outline(rates, lines)
    reasons: set[str] = set()
    for place, kelvin in enumerate(rates.temperature_k.tolist()):
        grid = [
            Conditions(kelvin, {rates.collider: density}, column_density_cm2, line_width_km_s)
            for density in (10.0**_LOG10_DENSITIES).tolist()
        ]
        answers = solve_lines(outline, grid)
        reasons |= {f"{kelvin:g} K: {one}" for one in answers if isinstance(one, str)}
        flux = np.array(
            [np.full(len(row), np.nan) if isinstance(one, str) else one.flux_k_km_s for one in answers]
        )
        found[row, place] = [_crossing(one) for one in flux.T]
    return found, tuple(sorted(reasons))


def _outline(rates: Rates, lines: Lines) -> tuple[FileOutline, list[int]]:
    """Return rates and lines as the solver takes them, and the rows of the lines whose levels have rates."""
    levels = rates.levels
    used = np.unique(np.concatenate([rates.upper, rates.lower]))
    place = np.full(len(levels), -1, dtype=np.int64)
    place[used] = np.arange(len(used))
    kept = (place[lines.upper] >= 0) & (place[lines.lower] >= 0) & (lines.einstein_a_s1 > 0)
    kept &= levels.energy_cm1[lines.upper] > levels.energy_cm1[lines.lower]
    chosen = lines.select(kept)
    table = RateTable(
        place[rates.upper], place[rates.lower], rates.temperature_k, np.nan_to_num(rates.rate_cm3_s, nan=0.0)
    )
    outline = FileOutline(
        label=tuple(levels.label[one] for one in used),
        energy_cm1=tuple(levels.energy_cm1[used].tolist()),
        weight=tuple(levels.weight[used].tolist()),
        upper=tuple(place[chosen.upper].tolist()),
        lower=tuple(place[chosen.lower].tolist()),
        einstein_a_s1=tuple(chosen.einstein_a_s1.tolist()),
        frequency_ghz=tuple(chosen.frequency_ghz.tolist()),
        rates={rates.collider: table},
    )
    return outline, np.flatnonzero(kept).tolist()


def _crossing(flux: FloatArray) -> float:
    """Return the density at which fluxes first reach the wanted one, NaN where they never do."""
    reached = np.flatnonzero(flux >= FLUX_K_KM_S)
    if not len(reached):
        return float("nan")
    at = reached[0]
    if at == 0:
        return float(10.0 ** _LOG10_DENSITIES[0])
    if not np.isfinite(flux[at - 1]):
        return float("nan")
    low, high = flux[at - 1 : at + 1]
    low, high, wanted = np.log10([low, high, FLUX_K_KM_S]) if low > 0 else (low, high, FLUX_K_KM_S)
    step = _LOG10_DENSITIES[at] - _LOG10_DENSITIES[at - 1]
    return float(10.0 ** (_LOG10_DENSITIES[at - 1] + (wanted - low) / (high - low) * step))
