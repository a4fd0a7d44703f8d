"""A kind of molecule: its quantum numbers, how labels write them, and what weights and energies must obey."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from ratedb.kinds.expressions import Condition, Expression

GROUP = re.compile(r"\(\?P<(\w+)>")


@dataclass(frozen=True)
class Number:
    """A quantum number: its name, what it is, and the words by which headers name it.

    `half` allows half-integers; `values` are all that it may be, and empty where it may be any; `needed` says
    that each level must have it; `negative` allows those below zero. `written` says which number a word in a
    label stands for, such as 1 for `+`; `added` what is added to the numbers of labels where a header has
    these words, such as 0.5 for `Omega - 1/2`.
    """

    name: str
    words: str
    header: tuple[str, ...] = ()
    half: bool = False
    needed: bool = True
    negative: bool = False
    values: tuple[float, ...] = ()
    written: tuple[tuple[str, float], ...] = ()
    added: tuple[tuple[str, float], ...] = ()

    def is_called(self, word: str) -> bool:
        """Return whether a header may call it so."""
        return word.lower() in {self.name.lower(), *(name.lower() for name in self.header)}


@dataclass(frozen=True)
class Weight:
    """The statistical weight: (2j+1) for each of `momenta`, times a factor by nuclear spin.

    The factor is one of at most `factors` and follows from the values of `by`.
    """

    momenta: tuple[str, ...]
    factors: int = 1
    by: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Species:
    """A sum of quantum numbers that no collision changes where nuclear spins forbid it, in words.

    `ortho_of` are molecules whose ortho species has the value 1, and whose para species has 0.
    """

    of: Expression
    words: str
    ortho_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Triangle:
    """Two angular momenta that a spin couples: |first - spin| <= second <= first + spin."""

    first: str
    second: str
    most: float


@dataclass(frozen=True)
class Series:
    """Energies rise with `rises_with` among levels that have the same values of `along`."""

    rises_with: str
    along: tuple[Expression, ...]


@dataclass(frozen=True)
class Kind:
    """What a molecule is, as data.

    `kept_as` is the name of the kind in Levels and in stores. `labels` are regular expressions with a group
    for each quantum number. `header_must_name` are the numbers that labels do not prove, and `fewest_unnamed`
    is how many levels must agree, at least, where no header names them. `unit` names the numbers of the
    initial state that one explicit calculation covers. `joins` is `alone`, `on` (on top of
    another kind) or `with` (a second molecule beside another, whose numbers end in 2). `constants` are the
    rotational constants to be fitted to level energies, `given_cm1` those that are known, in cm-1, and
    `dipole_axes` the axes along which a dipole may lie.
    """

    name: str
    words: str
    kept_as: str
    numbers: tuple[Number, ...]
    labels: tuple[str, ...]
    unit: tuple[str, ...]
    weight: Weight
    header_must_name: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    triangles: tuple[Triangle, ...] = ()
    species: tuple[Species, ...] = ()
    series: tuple[Series, ...] = ()
    constants: tuple[str, ...] = ()
    given_cm1: tuple[tuple[str, float], ...] = ()
    dipole_axes: tuple[str, ...] = ()
    joins: str = "alone"
    partners: tuple[str, ...] = ()
    fewest_unnamed: int = 4

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its quantum numbers."""
        return tuple(number.name for number in self.numbers)

    @cached_property
    def needed(self) -> frozenset[str]:
        """The names of the quantum numbers that each level must have."""
        return frozenset(number.name for number in self.numbers if number.needed)

    @cached_property
    def patterns(self) -> tuple[re.Pattern[str], ...]:
        """The regular expressions of its labels."""
        return tuple(re.compile(text, re.ASCII) for text in self.labels)

    @property
    def joined_name(self) -> str:
        """Its name as one word, as `asymmetric-top`."""
        return one_word(self.name)

    def name_of(self, word: str) -> str:
        """Return its number that a header calls so, empty for none."""
        exact = [name for name in self.names if name == word]
        called = exact or [number.name for number in self.numbers if number.is_called(word)]
        return called[0] if called else ""


def one_word(name: str) -> str:
    """Return the name of a kind without blanks and in lower case, as options take it."""
    return re.sub(r"[\s_]+", "-", name.strip().lower())


def on_top(base: Kind, top: Kind) -> Kind:
    """Return a kind whose levels are split by what `top` adds, as hyperfine structure does."""
    momentum = [base.weight.momenta[-1]]
    triangles = tuple(replace(one, first=momentum[0]) if one.first == "" else one for one in top.triangles)
    return replace(
        base,
        name=f"{base.name} + {top.name}",
        kept_as=f"{base.kept_as} + {top.name}",
        words=f"{base.words}; {top.words}",
        numbers=(*base.numbers, *top.numbers),
        labels=tuple(first + second for first in base.labels for second in top.labels),
        weight=replace(base.weight, momenta=top.weight.momenta),
        header_must_name=(*base.header_must_name, *top.header_must_name),
        conditions=(*base.conditions, *top.conditions),
        triangles=(*base.triangles, *triangles),
        series=(),
    )


def beside(first: Kind, second: Kind, pair: Kind) -> Kind:
    """Return the kind of two molecules that both change state; the second one's numbers end in 2."""
    names = {name: f"{name}2" for name in second.names}
    other = _renamed(second, names)
    joint = pair.labels[0]
    return replace(
        first,
        name=f"{first.name} x {second.name}",
        kept_as=f"{first.kept_as} x {second.kept_as}",
        words=f"{first.words}; with {second.words}",
        numbers=(*first.numbers, *other.numbers),
        labels=tuple(one + joint + two for one in first.labels for two in other.labels),
        unit=(*first.unit, *other.unit),
        weight=Weight(
            (*first.weight.momenta, *other.weight.momenta),
            first.weight.factors * other.weight.factors,
            (*first.weight.by, *other.weight.by),
        ),
        header_must_name=(*first.header_must_name, *other.weight.momenta),
        conditions=(*first.conditions, *other.conditions),
        triangles=(*first.triangles, *other.triangles),
        species=(*first.species, *other.species),
        series=(),
    )


def _renamed(kind: Kind, names: Mapping[str, str]) -> Kind:
    """Return a kind whose quantum numbers have other names."""
    numbers = tuple(
        replace(one, name=names[one.name], header=tuple(f"{word}2" for word in (one.name, *one.header)))
        for one in kind.numbers
    )
    return replace(
        kind,
        numbers=numbers,
        labels=tuple(GROUP.sub(lambda found: f"(?P<{names[found[1]]}>", text) for text in kind.labels),
        unit=tuple(names[name] for name in kind.unit),
        weight=replace(
            kind.weight,
            momenta=tuple(names[name] for name in kind.weight.momenta),
            by=tuple(one.renamed(names) for one in kind.weight.by),
        ),
        conditions=tuple(one.renamed(names) for one in kind.conditions),
        triangles=tuple(
            replace(one, first=names[one.first], second=names[one.second]) for one in kind.triangles
        ),
        species=tuple(replace(one, of=one.of.renamed(names)) for one in kind.species),
    )
