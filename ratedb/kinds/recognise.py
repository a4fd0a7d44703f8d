"""Which kind of molecule levels are of, and why; what labels and weights do not prove stays unknown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.kinds.kind import Kind
from ratedb.kinds.labels import (
    HEADER_WORDS,
    header_names,
    named_columns,
    number_of,
    proved,
    quantum_numbers,
)
from ratedb.kinds.proof import contradiction, distinct_factors, factors, momenta_text
from ratedb.kinds.reading import kind_named, known_kinds
from ratedb.levels import LINEAR, UNKNOWN_KIND, Levels, vj

_JOINT = re.compile(r" [+x] ")
"""What the names of kinds that join two others have."""


@dataclass(frozen=True, eq=False)
class Recognition:
    """The kind that levels are of as Levels keeps it, the reason in words, and named quantum numbers (n,)."""

    kind: str
    reason: str
    numbers: Mapping[str, FloatArray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Reading:
    """Quantum numbers, shape (n,) each, that a kind finds in labels, and how labels write them."""

    kind: Kind
    numbers: dict[str, FloatArray]
    against: str


def recognise(
    labels: Sequence[str],
    header: str,
    weights: npt.ArrayLike,
    energies_cm1: npt.ArrayLike | None = None,
    kinds: Sequence[Kind] | None = None,
) -> Recognition:
    """Return the one kind that labels, the header of their list, weights and energies prove, else unknown.

    `weights` and `energies_cm1` have shape (n,). An unknown kind still has the numbers that header and
    weights prove; the reason says what speaks against the kinds that the labels look like.
    """
    kinds = known_kinds() if kinds is None else tuple(kinds)
    bare = _bare(labels)
    weight = np.asarray(weights, dtype=np.float64)
    energy = None if energies_cm1 is None else np.asarray(energies_cm1, dtype=np.float64)
    if len(labels) < 2 or weight.shape != (len(labels),):
        return Recognition(UNKNOWN_KIND, "fewer than two levels prove no kind")
    linear = quantum_numbers(labels, header, weight)
    if linear is not None:
        return Recognition(LINEAR, _linear_reason(*linear, weight, kinds), vj(*linear))
    words = vocabulary(kinds)
    columns = _with_added(named_columns(bare, header, words), header, kinds)
    named = list(columns) or header_names(header, words)
    return _of_columns(_Asked(kinds, bare, weight, energy), columns, named)


def with_kind(levels: Levels, kinds: Sequence[Kind] | None = None) -> Levels:
    """Return levels whose quantum numbers are known with the kind that these, weights and energies prove.

    Levels that are linear or of a given kind stay as they are, and so do numbers of no kind.
    """
    if levels.kind != UNKNOWN_KIND or not levels.quantum_numbers or len(levels) < 2:
        return levels
    found = _recognise_numbers(levels, kinds)
    return levels if found.kind == UNKNOWN_KIND else as_found(levels, found)


def as_pair(levels: Levels, first: Mapping[str, FloatArray], second: Mapping[str, FloatArray]) -> Levels:
    """Return levels of two molecules with the quantum numbers of both, the names of the second ending in 2.

    `first` and `second` are those of each molecule, shape (n,) each.
    """
    if not first or not second:
        return levels
    numbers = _without_zero_v(first) | {f"{name}2": one for name, one in _without_zero_v(second).items()}
    return with_kind(replace(levels, quantum_numbers=numbers, kind=""))


def _without_zero_v(numbers: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {name: one for name, one in numbers.items() if name != "v" or one.any()}


def recognised(levels: Levels, header: str = "") -> Levels:
    """Return levels with the kind and the quantum numbers that their labels and this header prove."""
    return as_found(levels, recognise(levels.label, header, levels.weight, levels.energy_cm1))


def as_found(levels: Levels, found: Recognition) -> Levels:
    """Return levels with the kind and the quantum numbers that were found in them."""
    kind = "" if found.kind == UNKNOWN_KIND else found.kind
    return replace(levels, quantum_numbers=found.numbers, kind=kind, kind_reason=found.reason)


def _recognise_numbers(levels: Levels, kinds: Sequence[Kind] | None = None) -> Recognition:
    """Return the kind of levels whose quantum numbers are known by name."""
    whole = {name: one for name, one in levels.quantum_numbers.items() if np.isfinite(one).all()}
    kinds = known_kinds() if kinds is None else tuple(kinds)
    asked = _Asked(kinds, _bare(levels.label), levels.weight, levels.energy_cm1)
    return _of_columns(asked, whole, list(whole))


@dataclass(frozen=True, eq=False)
class _Asked:
    """What kinds are tried on: labels, weights (n,) and, where they are known, energies (n,) in cm-1."""

    kinds: Sequence[Kind]
    labels: Sequence[str]
    weight: FloatArray
    energy_cm1: FloatArray | None


def _of_columns(asked: _Asked, columns: dict[str, FloatArray], named: Sequence[str]) -> Recognition:
    generic = proved(columns, asked.weight) if columns else {}
    if set(generic) == {"v", "j"} and all((one % 1 == 0).all() for one in generic.values()):
        return Recognition(
            LINEAR, _linear_reason(generic["v"], generic["j"], asked.weight, asked.kinds), generic
        )
    found: list[_Reading] = []
    for given in (columns, generic):
        found = [
            one
            for kind in asked.kinds
            for one in _readings(kind, asked.labels, given, named, asked.weight, asked.energy_cm1)
        ]
        if fitting := [one for one in found if not one.against]:
            return _chosen(fitting, asked, generic)
    return Recognition(UNKNOWN_KIND, _why_unknown(found, asked, columns, named), generic)


def as_kind(levels: Levels, name: str, kinds: Sequence[Kind] | None = None) -> Levels:
    """Return levels as a kind that the user names, whatever their weights say.

    Raises UsageError for an unknown kind, RatedbError where the labels do not fit it.
    """
    if name.strip().lower() == UNKNOWN_KIND:
        return replace(levels, quantum_numbers={}, kind=UNKNOWN_KIND, kind_reason="")
    kind = kind_named(name, kinds)
    bare = _bare(levels.label)
    columns = dict(levels.quantum_numbers) or named_columns(bare, "", vocabulary((kind,)))
    found = [
        one
        for given in (columns, {})
        for one in _readings(kind, bare, given, list(given), None, None, given=True)
    ]
    fitting = [one for one in found if not one.against]
    if not fitting:
        raise RatedbError(
            f"the levels of {levels.molecule} do not fit the kind {kind.name}",
            where=f"labels such as {', '.join(repr(label) for label in levels.label[:3])}",
            expected=f"{', '.join(kind.names)}: {kind.words}",
            got=found[0].against if found else ", ".join(columns) or "labels in another form",
            todo="name another kind, or leave --kind-of-molecule out",
        )
    numbers = _kept(kind, fitting[0].numbers, len(levels))
    return replace(levels, quantum_numbers=numbers, kind=kind.kept_as, kind_reason="")


def why(levels: Levels) -> str:
    """Return in words what kind levels are of, and what in them says so."""
    if levels.kind_reason:
        return levels.kind_reason
    if levels.quantum_numbers and len(levels) > 1:
        found = _recognise_numbers(levels)
    else:
        found = recognise(levels.label, "", levels.weight, levels.energy_cm1)
    if found.kind == levels.kind:
        return found.reason
    if levels.kind == UNKNOWN_KIND:
        return f"not recognised when it was imported; its labels fit {found.reason}"
    if levels.kind == LINEAR:
        return f"{LINEAR}: the levels are listed by v and j"
    return f"{levels.kind}: given, or listed by {', '.join(levels.quantum_numbers)}"


def impossible_as(kept_as: str, label: str) -> str:
    """Return what speaks against a label of a kind of this name; empty for nothing or another form."""
    bare = _bare([label])
    found = [
        contradiction(kind, bare, numbers, None, None)
        for kind in known_kinds()
        if kind.kept_as == kept_as
        for numbers in _by_patterns(kind, bare)
    ]
    return found[0] if found and all(found) else ""


def unknown_kind(levels: Levels) -> list[str]:
    """Return what to tell the user where the kind of a molecule is not recognised; nothing where it is."""
    if levels.kind != UNKNOWN_KIND:
        return []
    return [
        f"the kind of molecule of {levels.molecule} is not recognised: {why(levels)}; it can be stored,"
        " queried and exported, but not planned or predicted, unless --kind-of-molecule names one that fits"
    ]


@cache
def vocabulary(kinds: tuple[Kind, ...]) -> dict[str, str]:
    """Return the quantum number for each word of a header, in lower case."""
    words = dict(HEADER_WORDS)
    for kind in kinds:
        for number in kind.numbers:
            for word in (number.name, *number.header):
                words.setdefault(word.replace("_", "").lower(), number.name)
    return words


def _with_added(columns: dict[str, FloatArray], header: str, kinds: Sequence[Kind]) -> dict[str, FloatArray]:
    """Return columns as the kinds count them, where the header says that the list counts otherwise."""
    said = _packed(header)
    added = {
        number.name: value
        for kind in kinds
        for number in kind.numbers
        for words, value in number.added
        if _packed(words) in said
    }
    return {name: values + added.get(name, 0.0) for name, values in columns.items()}


def _packed(text: str) -> str:
    """Return a text in lower case without blanks."""
    return "".join(text.lower().split())


def _bare(labels: Sequence[str]) -> list[str]:
    return [label.strip().strip("\"'").strip() for label in labels]


def _readings(
    kind: Kind,
    labels: Sequence[str],
    columns: Mapping[str, FloatArray],
    named: Sequence[str],
    weights: FloatArray | None,
    energies_cm1: FloatArray | None,
    *,
    given: bool = False,
) -> Iterator[_Reading]:
    """Yield each way in which labels may be read as a kind; `given` says that the user names the kind."""
    called = [kind.name_of(name) for name in named]
    if "" in called or len(set(called)) < len(called):
        return
    by_pattern = given or set(kind.header_must_name) <= set(called)
    if columns and kind.needed <= set(called):
        numbers = {kind.name_of(name): values for name, values in columns.items()}
        yield _Reading(kind, numbers, contradiction(kind, labels, numbers, weights, energies_cm1))
    elif by_pattern and (given or set(called) >= kind.needed or len(labels) >= kind.fewest_unnamed):
        for numbers in _by_patterns(kind, labels):
            if set(called) <= set(numbers):
                yield _Reading(kind, numbers, contradiction(kind, labels, numbers, weights, energies_cm1))


def _by_patterns(kind: Kind, labels: Sequence[str]) -> Iterator[dict[str, FloatArray]]:
    for pattern in kind.patterns:
        matches = [match for label in labels if (match := pattern.fullmatch(label)) is not None]
        if len(matches) < len(labels) or not kind.needed <= set(pattern.groupindex):
            continue
        names = list(pattern.groupindex)
        rows = [[_value(kind, name, match[name]) for name in names] for match in matches]
        if all(value is not None for row in rows for value in row):
            yield dict(zip(names, np.array(rows, dtype=np.float64).T, strict=True))


def _value(kind: Kind, name: str, text: str) -> float | None:
    """Return the number that a text in a label stands for, None for none."""
    written = next((dict(one.written) for one in kind.numbers if one.name == name), {})
    return written[text] if text in written else number_of(text)


def _chosen(fitting: Sequence[_Reading], asked: _Asked, generic: dict[str, FloatArray]) -> Recognition:
    names = list(dict.fromkeys(one.kind.kept_as for one in fitting))
    if len(names) > 1:
        reason = f"labels such as {asked.labels[0]!r} fit {' and '.join(names)}, and no header says which"
        return Recognition(UNKNOWN_KIND, reason, generic)
    kind, numbers = fitting[0].kind, fitting[0].numbers
    reason = _reason(kind, numbers, asked.weight)
    return Recognition(kind.kept_as, reason, _kept(kind, numbers, len(asked.labels)))


def _kept(kind: Kind, numbers: dict[str, FloatArray], count: int) -> dict[str, FloatArray]:
    """Return the numbers of a kind as Levels keeps them: v is 0 where linear molecules have none."""
    return vj(numbers.get("v", np.zeros(count)), numbers["j"]) if kind.kept_as == LINEAR else numbers


def _reason(kind: Kind, numbers: Mapping[str, FloatArray], weight: FloatArray) -> str:
    """Return what proves a kind, as `asymmetric top: labels j_ka_kc, ..., weights are 3 (2j+1)`."""
    said = [f"labels {'_'.join(numbers)}"]
    said += [f"all {one.text}" for one in kind.conditions if len(one.sides) > 2 and one.names <= set(numbers)]
    spins = [f"{one:g}" for one in distinct_factors(factors(kind, numbers, weight))]
    said.append(f"weights are {' or '.join(spins)} {momenta_text(kind)}")
    return f"{kind.name}: {', '.join(said)}"


def _linear_reason(v: npt.ArrayLike, j: npt.ArrayLike, weight: FloatArray, kinds: Sequence[Kind]) -> str:
    numbers = vj(v, j)
    wanted = {"v", "j"} if np.any(numbers["v"]) else {"j"}
    shown = numbers if "v" in wanted else {"j": numbers["j"]}
    kind = next((one for one in kinds if one.kept_as == LINEAR and one.needed == wanted), None)
    return f"{LINEAR}: labels {'_'.join(shown)}" if kind is None else _reason(kind, shown, weight)


def _why_unknown(
    found: Sequence[_Reading], asked: _Asked, columns: Mapping[str, FloatArray], named: Sequence[str]
) -> str:
    """Return why no kind fits: what speaks against those that the labels look like, or what was tried."""
    if found:
        against = [f"no {one.kind.name}, since {one.against}" for one in found[:2]]
        return "; ".join(dict.fromkeys(against))
    shown = f"labels such as {asked.labels[0]!r}"
    tried = ", ".join(kind.name for kind in asked.kinds if not _JOINT.search(kind.name))
    if columns or named:
        return f"{shown} of {', '.join(columns or named)} are of no kind that is known (tried: {tried})"
    return f"{shown} are of no kind that is known, and no header names their numbers (tried: {tried})"
