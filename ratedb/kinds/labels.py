"""Find named quantum numbers in the labels of levels, without guessing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray, IntArray
from ratedb.levels import vj

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


# -- named quantum numbers ------------------------------------------------------------------------

_NUMBER = re.compile(r"-?\d{1,6}(?:\.\d{1,3}|/2)?", re.ASCII)
_WITH_PARITY = re.compile(r"(\d{1,6}(?:\.\d{1,3}|/2)?)([+-])", re.ASCII)
_ASSIGNED = re.compile(r"([A-Za-z]\w*)\s*(?:\([^()]*\))?\s*=\s*(-?\d[\d./]*|[+-])[\s,;]*", re.ASCII)
_HEADER_NAME = re.compile(r"\+/-|inv-sym|eps\*Ka|K_?[-+]|[A-Za-z]+\d?", re.ASCII)
_COUNTERS = {"label", "index", "level", "number", "id", "no"}
HEADER_WORDS = {
    **{name: name for name in ("v", "j", "k", "k-", "k+", "v1", "v2", "v3", "l", "omega", "tau", "ka", "kc")},
    **{"n": "N", "f": "F", "f1": "F1", "kp": "ka", "eps*ka": "ka", "ko": "kc"},
    **{"inv-sym": "inversion", "inversion": "inversion", "+/-": "parity", "parity": "parity", "p": "parity"},
}
_TOTAL = ("F", "j", "N")  # what the statistical weight counts: the last angular momentum that is coupled
_MOST_SPIN_WEIGHTS = 4


def named_numbers(
    labels: Sequence[str], header: str, weights: npt.ArrayLike, words: Mapping[str, str] = HEADER_WORDS
) -> dict[str, FloatArray]:
    """Return named quantum numbers, shape (n,) each, that labels, header and weights prove; else none.

    For linear molecules these are v and j, as `quantum_numbers` finds them. Otherwise the names are those in
    the labels (`N = 1, J (fine) = 0`), or those of the header where it has one for each number of a label
    (`N_J_F`, `J_Ka_Kc`). The statistical weights must be in proportion to 2F+1, 2J+1 or 2N+1, whichever is
    the last of these; where another of them is, and only that one, it takes the name. `words` are the numbers
    by the words that headers have for them, in lower case.
    """
    linear = quantum_numbers(labels, header, weights)
    if linear is not None:
        return vj(*linear)
    columns = named_columns(labels, header, words)
    weight = np.asarray(weights, dtype=np.float64)
    if not columns or len(labels) < 2 or weight.shape != (len(labels),):
        return {}
    return proved(columns, weight)


def assigned_labels(texts: Sequence[str]) -> list[str]:
    """Return labels such as `1_5` for texts that assign numbers, as `v = 1, J = 5`; else the texts.

    A counter (`label = 3`) is no quantum number. Texts stay where the labels would not be unique.
    """
    columns = [_assigned(text) for text in texts]
    if any(one is None or set(one) != set(columns[0] or ()) for one in columns):
        return list(texts)
    labels = ["_".join((one or {}).values()) for one in columns]
    return labels if all(labels) and len(set(labels)) == len(labels) else list(texts)


def _assigned(text: str) -> dict[str, str] | None:
    """Return what a text such as `N = 1  J (fine) = 0` assigns, None where it says more than that."""
    found: dict[str, str] = {}
    place = 0
    bare = text.strip().strip("\"'").strip()
    while match := _ASSIGNED.match(bare, place):
        if match[1] in found:
            return None
        found[match[1]] = match[2]
        place = match.end()
    if place < len(bare) or not found:
        return None
    return {name: value for name, value in found.items() if name.lower() not in _COUNTERS}


def named_columns(
    labels: Sequence[str], header: str, words: Mapping[str, str] = HEADER_WORDS
) -> dict[str, FloatArray]:
    """Return the numbers, shape (n,) each, that labels or their header name one by one; else none."""
    return assigned_numbers(labels, words) or _header_columns(labels, header, words)


def assigned_numbers(labels: Sequence[str], words: Mapping[str, str] = HEADER_WORDS) -> dict[str, FloatArray]:
    """Return the named numbers, shape (n,) each, that all labels assign in the same order; else none."""
    rows = [_assigned(label) for label in labels]
    names = list(rows[0] or ()) if rows else []
    if not names or any(row is None or list(row) != names for row in rows):
        return {}
    table = [[number_of((row or {})[name]) for name in names] for row in rows]
    return _named_columns([_canonical(name, words) for name in names], table)


def header_names(header: str, words: Mapping[str, str] = HEADER_WORDS) -> list[str]:
    """Return the quantum numbers that the header of a list names, in its order."""
    tail = re.split(r"weights?", header, maxsplit=1, flags=re.IGNORECASE)[-1]
    names = [name for word in _HEADER_NAME.findall(tail) if (name := _canonical(word, words))]
    projections = [name for name in names if name in ("k-", "k+")]
    if len(projections) == 2:  # headers disagree on which sign is which; Ka always comes first
        names = [{projections[0]: "ka", projections[1]: "kc"}.get(name, name) for name in names]
    return names


def _header_columns(labels: Sequence[str], header: str, words: Mapping[str, str]) -> dict[str, FloatArray]:
    names = header_names(header, words)
    table = [_numbers(label) for label in labels]
    return _named_columns(names, table) if names and len(set(names)) == len(names) else {}


def _canonical(word: str, words: Mapping[str, str]) -> str:
    return words.get(word.replace("_", "").lower(), "")


def _numbers(label: str) -> list[float | None]:
    """Return the numbers in a label; None for a word that is none, and parities as 1 and -1."""
    words = [word for word in re.split(r"[\s_,;]+", label.strip().strip("\"'").strip()) if word]
    split = [match.groups() if (match := _WITH_PARITY.fullmatch(word)) else (word,) for word in words]
    return [number_of(part) for parts in split for part in parts]


def number_of(word: str) -> float | None:
    """Return the number that a word of a label is, 1 and -1 for + and -; None for another word."""
    if word in ("+", "-"):
        return 1.0 if word == "+" else -1.0
    if _NUMBER.fullmatch(word) is None:
        return None
    return float(word[:-2]) / 2.0 if word.endswith("/2") else float(word)


def _named_columns(names: Sequence[str], table: Sequence[Sequence[float | None]]) -> dict[str, FloatArray]:
    """Return columns by name where each row has a number for each name; words after these are ignored."""
    rows = [row[: len(names)] for row in table if None not in row[: len(names)]]
    more = [value for row in table for value in row[len(names) :] if value is not None]
    if "" in names or len(rows) < len(table) or any(len(row) < len(names) for row in rows) or more:
        return {}
    return dict(zip(names, np.array(rows, dtype=np.float64).T, strict=True))


def proved(columns: dict[str, FloatArray], weight: FloatArray) -> dict[str, FloatArray]:
    """Return columns whose last angular momentum fits the weights, renamed where another does; else none."""
    momenta = [name for name in _TOTAL if name in columns]
    top = bool({"ka", "kc", "k"} & set(columns))
    fitting = [name for name in momenta if _fits(columns[name], weight, top)]
    if momenta and momenta[0] in fitting:
        return columns
    if len(fitting) != 1:
        return {}
    first, second = momenta[0], fitting[0]
    return {**columns, first: columns[second], second: columns[first]}


def _fits(momentum: FloatArray, weight: FloatArray, top: bool) -> bool:
    """Return whether weights are 2F+1 times one factor, or one of a few in tops, for nuclear spins."""
    if (momentum < 0).any() or (momentum % 0.5 != 0).any():
        return False
    factor = weight / (2 * momentum + 1)
    steps = np.diff(np.sort(factor)) > WEIGHT_TOLERANCE * factor.max()
    return int(steps.sum()) < (_MOST_SPIN_WEIGHTS if top else 1)
