"""Find the quantum numbers v and j in the labels of levels, without guessing."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ratedb.arrays import IntArray

WEIGHT_TOLERANCE = 1e-3
"""How far, relatively, a statistical weight may be from its multiple of 2j+1."""

_SINGLE = re.compile(r"(\d{1,6})", re.ASCII)
_PAIR = re.compile(r"(\d{1,6})(?:\s*[_,;]\s*|\s+)(\d{1,6})", re.ASCII)
# A v on its own: in `QNUM(v,J)` and `J + V`, not in `LEVEL`, `inv-sym`, `v=0` or `v2`.
_NAMES_V = re.compile(r"(?<![A-Za-z])[vV](?![A-Za-z0-9])(?!\s*=)")


def quantum_numbers(
    labels: Sequence[str], header: str, weights: npt.ArrayLike
) -> tuple[IntArray, IntArray] | None:
    """Return (v, j), each of shape (n,), or None where labels and weights do not prove them.

    One integer per label (`5`, `" 05 "`) is j with v = 0. Two integers (`0_5`, `0,5`, `0 5`) are v and j
    only where `header` names v; which of the two is j is decided by the weights, never by the header,
    because published headers name them in the wrong order. In both cases `weights`, shape (n,), must be
    in proportion to 2j+1 with one common factor. Fewer than two levels prove nothing.
    """
    weight = np.asarray(weights, dtype=np.float64)
    if len(labels) < 2 or weight.shape != (len(labels),):
        return None
    bare = [label.strip().strip("\"'").strip() for label in labels]
    single = _columns(bare, _SINGLE)
    if single is not None:
        j = single[0]
        return (np.zeros_like(j), j) if _weights_fit(j, weight) else None
    pair = _columns(bare, _PAIR)
    if pair is None or not names_v(header):
        return None
    return _v_and_j(pair[0], pair[1], weight)


def fit_with_spins(j: IntArray, weights: npt.ArrayLike) -> bool:
    """Return whether weights, shape (n,), are in proportion to 2j+1, even and odd j apart.

    One of the two may weigh twice or three times as much, as in molecules of two equal nuclei such as H2.
    """
    weight = np.asarray(weights, dtype=np.float64)
    usual = []
    for odd in (0, 1):
        chosen = j % 2 == odd
        if not _weights_fit(j[chosen], weight[chosen]):
            return False
        if chosen.any():
            usual.append(float(np.median(weight[chosen] / (2 * j[chosen] + 1))))
    ratio = max(usual) / min(usual)
    return any(abs(ratio - spins) <= WEIGHT_TOLERANCE * spins for spins in (1, 2, 3))


def names_v(header: str) -> bool:
    """Return whether the header of a level list names v as a quantum number."""
    return _NAMES_V.search(header) is not None


def _columns(labels: Sequence[str], pattern: re.Pattern[str]) -> list[IntArray] | None:
    matches = [pattern.fullmatch(label) for label in labels]
    rows = [match.groups() for match in matches if match is not None]
    if len(rows) < len(labels):
        return None
    return [np.array([int(text) for text in column], dtype=np.int64) for column in zip(*rows, strict=True)]


def _weights_fit(j: IntArray, weight: npt.NDArray[np.float64]) -> bool:
    if not len(j):
        return True
    factor = weight / (2 * j + 1)
    usual = np.median(factor)
    return bool(np.all(np.abs(factor - usual) <= WEIGHT_TOLERANCE * usual))


def _v_and_j(
    first: IntArray, second: IntArray, weight: npt.NDArray[np.float64]
) -> tuple[IntArray, IntArray] | None:
    first_fits, second_fits = _weights_fit(first, weight), _weights_fit(second, weight)
    if first_fits == second_fits and not np.array_equal(first, second):
        return None  # neither is j, or the weights cannot tell which
    if second_fits:
        return first, second
    return (second, first) if first_fits else None
