"""Find initial j whose rates differ from those of adjacent j: not converged, or two calculations meet."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.findings import Finding
from ratedb.quality import rules
from ratedb.quality.curves import Curves
from ratedb.quality.neighbours import Neighbourhood

_FARTHEST_DJ = 6
"""For larger |dj| rates are small and their neighbours less certain."""

_AROUND = 6
"""How many j on either side give the usual difference."""

_FEWEST = 3
"""Fewer rows, or fewer j below, are not checked: low j differ from each other anyway."""

_HALF = 0.6
"""One odd j changes the difference of its neighbours by half as much; at a seam both differ equally."""


def odd_j_findings(curves: Curves) -> list[Finding]:
    """Return each initial j that differs more from the mean of its neighbours than nearby j do."""
    if not curves.rates.levels.has_vj or not len(curves.rates):
        return []
    places = Neighbourhood(curves.rates)
    both, off = _off_the_mean(curves.log_rate, places)
    v, _ = curves.rates.levels.need_vj()
    findings = []
    for pair in np.unique(places.v_pair):
        here = places.v_pair[both] == pair
        rows = both[here]
        if len(rows):
            ends = int(v[curves.rates.upper[rows[0]]]), int(v[curves.rates.lower[rows[0]]])
            label = {j: curves.rates.levels.label[up] for j, up in _first_of(places.j_upper, curves, rows)}
            findings += _of_v_pair(curves.system, ends, off[here], places.j_upper[rows], label)
    return findings


def _off_the_mean(log_rate: FloatArray, places: Neighbourhood) -> tuple[IntArray, FloatArray]:
    """Return the rows, (k,), with both neighbours at equal dj, and how far ln k is from their mean."""
    everything = np.arange(len(log_rate))
    below, above = places.at(everything, -1, -1), places.at(everything, 1, 1)
    near = np.abs(places.j_upper - places.j_lower) <= _FARTHEST_DJ
    both = np.flatnonzero((below >= 0) & (above >= 0) & near)
    off = np.abs(log_rate[both] - 0.5 * (log_rate[below[both]] + log_rate[above[both]]))
    return both, np.asarray(off)


def _first_of(j_upper: IntArray, curves: Curves, rows: IntArray) -> list[tuple[int, int]]:
    """Return each initial j of some rows with the index of its level."""
    return list(zip(j_upper[rows].tolist(), curves.rates.upper[rows].tolist(), strict=True))


def _of_v_pair(
    system: str, v: tuple[int, int], off: FloatArray, initial_j: IntArray, label: dict[int, str]
) -> list[Finding]:
    each, counts = np.unique(initial_j, return_counts=True)
    size = {
        int(j): float(np.median(off[initial_j == j]))
        for j, count in zip(each, counts, strict=True)
        if count >= _FEWEST
    }
    findings = []
    for j, own in size.items():
        usual = _usual(size, j)
        if usual is None or own < rules.LEAST_ODD_J or own < rules.ODD_J.threshold * usual:
            continue
        if own < _HALF * max(size.get(j - 1, 0.0), size.get(j + 1, 0.0)):
            continue  # it differs because its neighbour is odd
        of_v = "" if v == (0, 0) else f" (v = {v[0]} -> {v[1]})"
        detail = (
            f"rates out of j = {j}{of_v} differ from the mean of those out of j = {j - 1} and {j + 1} at"
            f" equal dj by {np.expm1(own):.1%} (median), where {np.expm1(usual):.1%} is usual at nearby j"
        )
        findings.append(rules.ODD_J.finding(system, detail, upper=label[j], value=own, expected=usual))
    return findings


def _usual(size: dict[int, float], j: int) -> float | None:
    """Return the larger of the medians below and above, without adjacent j; None where j are few."""
    below = [size[other] for other in range(j - _AROUND, j - 1) if other in size]
    above = [size[other] for other in range(j + 2, j + _AROUND + 1) if other in size]
    if len(below) < _FEWEST or len(below) + len(above) < 2 * _FEWEST - 1:
        return None
    return max(float(np.median(side)) for side in (below, above) if len(side) >= _FEWEST)
