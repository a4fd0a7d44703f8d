"""Read the files of the kinds, check them, and build the kinds that join two of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from ratedb.errors import RatedbError, UsageError, did_you_mean
from ratedb.kinds.expressions import Condition, Expression
from ratedb.kinds.kind import GROUP, Kind, Number, Series, Species, Triangle, Weight, beside, on_top, one_word

_SHORT = {"{n}": r"\d{1,6}", "{half}": r"\d{1,6}(?:\.\d{1,3}|/2)?", "{sep}": r"(?:\s*[_,;]\s*|\s+)"}
"""What patterns of labels may write in short: a whole number, one that may be half, and a separator."""

_JOINS = ("alone", "on", "with")
_KEYS = {
    "name", "words", "kept_as", "joins", "partners", "number", "labels", "header_must_name", "unit", "weight",
    "conditions", "triangle", "species", "energies", "rotation", "fewest_unnamed",
}  # fmt: skip
_KEYS_IN = {
    "number": {"name", "words", "header", "half", "needed", "negative", "values", "written", "added"},
    "weight": {"momenta", "factors", "by"},
    "triangle": {"first", "second", "most"},
    "species": {"of", "words", "ortho_of"},
    "energies": {"rises_with", "along"},
    "rotation": {"constants", "given_cm1", "dipole_axes"},
}
BASE = "base"
"""The angular momentum of the kind below, in the triangles of a kind that is on top of others."""


def read_kind(text: str, where: str) -> Kind:
    """Return the kind that a file in TOML describes; raises RatedbError, with `where`, for what is wrong."""
    try:
        return _kind(tomllib.loads(text), where)
    except (tomllib.TOMLDecodeError, re.error, KeyError, TypeError, ValueError, AttributeError) as error:
        missing = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise _wrong(where, "the keys that docs/kinds.md lists", missing) from error


def joined(files: Iterable[Kind]) -> tuple[Kind, ...]:
    """Return the kinds, with those that join two of them: one on top of another, or two molecules.

    A file takes the place of a joint of its name.
    """
    read = tuple(files)
    alone = [kind for kind in read if kind.joins == "alone"]
    tops = [
        on_top(base, top)
        for top in read
        if top.joins == "on"
        for base in alone
        if not set(base.names) & set(top.names)
    ]
    pairs = [
        beside(first, second, pair)
        for pair in read
        if pair.joins == "with"
        for first in alone
        for second in alone
        if not pair.partners or second.name in pair.partners
    ]
    of_files = {kind.name for kind in alone}
    return (*alone, *(one for one in (*tops, *pairs) if one.name not in of_files))


@cache
def known_kinds() -> tuple[Kind, ...]:
    """Return all kinds that ratedb knows: one file each in this folder, and their joints."""
    folder = resources.files(__package__)
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return joined(read_kind(file.read_text(encoding="utf-8"), file.name) for file in files)


def kind_named(name: str, kinds: Sequence[Kind] | None = None) -> Kind:
    """Return a kind by its name, with blanks or hyphens; raises UsageError for an unknown one."""
    kinds = known_kinds() if kinds is None else kinds
    for kind in kinds:
        if one_word(name) in (kind.joined_name, one_word(kind.kept_as)):
            return kind
    alone = [one.joined_name for one in kinds if not re.search(r" [+x] ", one.name)]
    raise UsageError(
        "not a kind of molecule",
        expected=", ".join(alone) + ", such a kind with ' + hyperfine', or two with ' x ' between them",
        got=repr(name),
        todo=f"{did_you_mean(name, alone) or ''} see docs/kinds.md".strip(),
    )


def _kind(found: Mapping[str, Any], where: str) -> Kind:
    _need_keys(found, _KEYS, where)
    for name, known in _KEYS_IN.items():
        inner = found.get(name, ())
        for one in (inner,) if isinstance(inner, Mapping) else inner:
            _need_keys(one, known, where)
    numbers = tuple(_number(one) for one in found.get("number", ()))
    weight, rotation = found.get("weight", {}), found.get("rotation", {})
    kind = Kind(
        name=_text(found["name"]),
        words=_text(found["words"]),
        kept_as=_text(found.get("kept_as", found["name"])),
        numbers=numbers,
        labels=tuple(_pattern(text) for text in found["labels"]),
        unit=tuple(found.get("unit", ())),
        weight=Weight(
            tuple(weight.get("momenta", ())),
            int(weight.get("factors", 1)),
            tuple(Expression(text) for text in weight.get("by", ())),
        ),
        header_must_name=tuple(found.get("header_must_name", ())),
        conditions=tuple(Condition(text) for text in found.get("conditions", ())),
        triangles=tuple(
            Triangle("" if one["first"] == BASE else one["first"], one["second"], float(one["most"]))
            for one in found.get("triangle", ())
        ),
        species=tuple(
            Species(Expression(one["of"]), one["words"], tuple(one.get("ortho_of", ())))
            for one in found.get("species", ())
        ),
        series=tuple(
            Series(one["rises_with"], tuple(Expression(text) for text in one["along"]))
            for one in found.get("energies", ())
        ),
        constants=tuple(rotation.get("constants", ())),
        given_cm1=tuple((name, float(value)) for name, value in rotation.get("given_cm1", {}).items()),
        dipole_axes=tuple(rotation.get("dipole_axes", ())),
        joins=found.get("joins", "alone"),
        partners=tuple(found.get("partners", ())),
        fewest_unnamed=int(found.get("fewest_unnamed", 4)),
    )
    _need_sound(kind, where)
    return kind


def _number(found: Mapping[str, Any]) -> Number:
    given = {name: found[name] for name in ("half", "needed", "negative") if name in found}
    return Number(
        _text(found["name"]),
        _text(found["words"]),
        tuple(found.get("header", ())),
        values=tuple(float(value) for value in found.get("values", ())),
        written=tuple((word, float(value)) for word, value in found.get("written", {}).items()),
        added=tuple((word, float(value)) for word, value in found.get("added", {}).items()),
        **given,
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} where a text is needed")
    return value.strip()


def _pattern(text: str) -> str:
    for short, long in _SHORT.items():
        text = text.replace(short, long)
    re.compile(text)
    return text


def _need_keys(found: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(found) - known)
    if unknown:
        raise _wrong(where, ", ".join(sorted(known)), ", ".join(unknown))


def _need_sound(kind: Kind, where: str) -> None:
    """Refuse names that are no quantum numbers of the kind, and sums that cannot be read."""
    named = {*kind.unit, *kind.weight.momenta, *kind.header_must_name}
    named |= {name for text in kind.labels for name in GROUP.findall(text)}
    sums = [*kind.weight.by, *(one.of for one in kind.species)]
    for series in kind.series:
        named.add(series.rises_with)
        sums += series.along
    named |= set().union(*(one.names for one in kind.conditions), *(one.names for one in sums))
    for triangle in kind.triangles:
        named |= {triangle.first, triangle.second} - {""}
    if unknown := sorted(named - set(kind.names)):
        raise _wrong(where, f"quantum numbers of the kind: {', '.join(kind.names)}", ", ".join(unknown))
    if kind.joins not in _JOINS:
        raise _wrong(where, f"joins = {', '.join(_JOINS)}", kind.joins)
    if not kind.labels or (kind.joins == "alone" and not (kind.unit and kind.weight.momenta)):
        raise _wrong(where, "labels, unit and the momenta of the weight", "none of these")


def _wrong(where: str, expected: str, got: str) -> RatedbError:
    return RatedbError(
        "this is not the description of a kind of molecule",
        where=where,
        expected=expected,
        got=got,
        todo="see docs/kinds.md",
    )
