"""Which lines of two files are the same transition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.radiative.radex_lines import RadexLines

FREQUENCY_TOLERANCE = 1.0e-4
"""Two lines are never one where their frequencies differ by more than this, relative to the larger."""


@dataclass(frozen=True)
class LineMatch:
    """Which lines of two files are the same: pairs of indices, and the indices left over in each."""

    pairs: tuple[tuple[int, int], ...]
    only_ours: tuple[int, ...]
    only_against: tuple[int, ...]


def match_lines(ours: RadexLines, against: RadexLines) -> LineMatch:
    """Pair the lines of two files that are the same transition.

    First come lines whose labels agree, then those with the nearest frequencies; either way frequencies
    agree within `FREQUENCY_TOLERANCE` and upper energies within 0.1 % + 0.1 K, as one file may have
    rewritten the labels or number them from another start. No line is used twice.
    """
    candidates = _candidates(ours, against)
    used_ours: set[int] = set()
    used_against: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for _, _, _, i, j in sorted(candidates):
        if i not in used_ours and j not in used_against:
            pairs.append((i, j))
            used_ours.add(i)
            used_against.add(j)
    return LineMatch(
        tuple(sorted(pairs)),
        tuple(i for i in range(len(ours)) if i not in used_ours),
        tuple(j for j in range(len(against)) if j not in used_against),
    )


def _candidates(ours: RadexLines, against: RadexLines) -> list[tuple[bool, float, int, int, int]]:
    """Return (labels differ, frequency distance, distance in order, i, j) of all lines that may be one."""
    f, g = ours.frequency_ghz[:, None], against.frequency_ghz[None, :]
    e, h = ours.upper_energy_k[:, None], against.upper_energy_k[None, :]
    distance = np.abs(f - g) / np.maximum(f, g)
    near = (distance <= FREQUENCY_TOLERANCE) & (np.abs(e - h) <= 1.0e-3 * np.maximum(e, h) + 0.1)
    return [
        (
            (ours.upper[i], ours.lower[i]) != (against.upper[j], against.lower[j]),
            float(distance[i, j]),
            abs(int(i) - int(j)),
            int(i),
            int(j),
        )
        for i, j in np.argwhere(near)
    ]
