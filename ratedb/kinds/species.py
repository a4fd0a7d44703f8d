"""Which levels are of one nuclear spin species, so that collisions do not connect them with others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.kinds.kind import Kind
from ratedb.kinds.proof import distinct_factors, factors
from ratedb.kinds.reading import known_kinds
from ratedb.levels import Levels

_FEWEST = 4
"""So many levels, at least, must agree before a sum is taken for conserved."""

_LISTED = "ortho"
_NAMED = re.compile(r"(o|p|ortho|para)-(\w[\w+-]*)", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class SpinSpecies:
    """The sum of quantum numbers that collisions conserve, in words, and its value for each level, (n,).

    The words are empty, and all values 0, where levels show no such sum; `of` is the sum.
    """

    words: str
    value: IntArray
    of: str = ""


def kind_of(levels: Levels) -> Kind | None:
    """Return the description of the kind that levels are of, None for an unknown one."""
    there = set(levels.quantum_numbers)
    fitting = [kind for kind in known_kinds() if kind.kept_as == levels.kind and kind.needed <= there]
    wanted = {"v", "j"} if levels.has_vj and levels.quantum_numbers["v"].any() else None
    return next((kind for kind in fitting if wanted is None or kind.needed == wanted), None)


def spin_species(levels: Levels) -> SpinSpecies:
    """Return which nuclear spin species each level is of.

    A sum of the kind's rules is conserved where it is the same for all levels of a list of one species, as in
    o-H2CO, or where nuclear spin weights follow from it, as in a list of ortho and para levels.
    """
    kind = kind_of(levels)
    if kind is None:
        return SpinSpecies("", np.zeros(len(levels), dtype=np.int64))
    return conserved(kind, levels.quantum_numbers, levels.weight)


def kind_with(names: frozenset[str]) -> Kind | None:
    """Return the kind of a single molecule that needs most of these quantum numbers and no others."""
    fitting = [kind for kind in known_kinds() if kind.needed <= names]
    return max(fitting, key=lambda kind: (len(kind.needed), -len(kind.names)), default=None)


def conserved(kind: Kind, numbers: Mapping[str, FloatArray], weight: FloatArray) -> SpinSpecies:
    """Return the species of states of a kind, by their quantum numbers and weights, shape (n,) each.

    Weights may be off by one factor.
    """
    none = SpinSpecies("", np.zeros(len(weight), dtype=np.int64))
    if len(weight) < _FEWEST:
        return none
    for rule in kind.species:
        if not rule.of.names <= set(numbers):
            continue
        value = rule.of.value(numbers).astype(np.int64)
        if rule.of.names == {_LISTED}:  # no proof is needed
            return SpinSpecies(rule.words, value, rule.of.text)
        classes = np.unique(value).tolist()
        factor = factors(kind, numbers, weight)
        of_class = [distinct_factors(factor[value == one]) for one in classes]
        apart = len(classes) > 1 and all(len(one) == 1 for one in of_class)
        if len(classes) == 1 or (apart and len(distinct_factors(factor)) > 1):
            return SpinSpecies(rule.words, value, rule.of.text)
    return none


def species_in_words(levels: Levels) -> str:
    """Return which nuclear spin species levels are of, in words; empty where they show none."""
    found = spin_species(levels)
    if not found.words:
        return ""
    values, counts = np.unique(found.value, return_counts=True)
    parts = [f"{_named(found.of, value)} in {count}" for value, count in zip(values, counts, strict=True)]
    many = "one nuclear spin species" if len(values) == 1 else "species that collisions do not mix"
    return f"{many}: {', '.join(parts)} levels; {found.words}"


def named_species(molecule: str) -> tuple[str, str]:
    """Return which species a name such as p-H2O says, `ortho` or `para`, and the molecule; else nothing."""
    found = _NAMED.fullmatch(molecule)
    return ("ortho" if found[1][0].lower() == "o" else "para", found[2]) if found else ("", "")


def other_species(levels: Levels) -> str:
    """Return in words how levels contradict the species that the name of their molecule says; else empty.

    It says so of molecules whose kind names them, as H2O, and only where no level is of that species.
    """
    species, molecule = named_species(levels.molecule)
    kind = kind_of(levels) if species else None
    for rule in () if kind is None else kind.species:
        if molecule not in rule.ortho_of or not rule.of.names <= set(levels.quantum_numbers):
            continue
        value = rule.of.value(levels.quantum_numbers).astype(np.int64)
        wanted = int(species == "ortho")
        if len(levels) > 1 and (value != wanted).all():
            here, there = (_named(rule.of.text, one) for one in (1 - wanted, wanted))
            return f"{here} in all {len(levels)} levels, but {there} in {species}-{molecule}"
    return ""


def _named(of: str, value: int) -> str:
    """Return a value of a conserved sum in words, as `ka + kc even`."""
    if of == _LISTED:
        return "ortho" if value else "para"
    if " is " in of:
        return of if value else of.replace(" is ", " is not ")
    sum_, _, modulus = of.partition(" mod ")
    return f"{sum_} {'odd' if value else 'even'}" if modulus == "2" else f"{of} = {value}"
