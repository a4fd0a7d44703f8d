"""Names of systems: a molecule and its collider, as in CO+p-H2."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ratedb.errors import RatedbError
from ratedb.safe_text import refuse_hidden, visible

COLLIDERS = ("H2", "p-H2", "o-H2", "e", "H", "He", "H+")
"""Collision partners by the names that readers of LAMDA files know, in the order of their ids 1..7."""

COLLIDER_NAMES = "a name such as p-H2, He, e, H2O or H2(j=2)"
"""What the name of a collider looks like, for messages."""

_COLLIDER = re.compile(r"(?=.*[A-Za-z])(?:[A-Za-z]+-)?[A-Za-z0-9]+(?:\([A-Za-z0-9=,.']+\))?[+-]?", re.ASCII)
_LONGEST = 40

MOLECULE_NAMES = "a name such as CO, o-H2CO, 13CO or CO(v=1): letters and digits first, no / or \\"
"""What the name of a molecule looks like, for messages."""

_IN_MOLECULES = frozenset("()[]{}'+-._,=^*#~ ")
_LONGEST_MOLECULE = 100


def is_molecule(name: str) -> bool:
    """Return whether a text can be the name of a molecule, which is never an option, a path or a formula."""
    starts = name[:1].isalnum() or name[:1] in ("(", "[")
    return (
        starts
        and name == name.strip()
        and len(name) <= _LONGEST_MOLECULE
        and any(map(str.isalpha, name))
        and all(one.isalnum() or one in _IN_MOLECULES for one in name)
    )


def need_molecule(name: str, where: str | None = None) -> None:
    """Raise RatedbError where a text cannot be the name of a molecule."""
    if not is_molecule(name):
        raise RatedbError(
            "not the name of a molecule",
            where=where,
            expected=MOLECULE_NAMES,
            got=visible(name)[:_LONGEST_MOLECULE] or "nothing",
            todo="name it with --molecule",
        )


def need_level_names(molecule: str, labels: Iterable[str], where: str | None = None) -> None:
    """Raise RatedbError where a molecule, or a label of a level, has a name that none may have."""
    need_molecule(molecule, where)
    refuse_hidden("the label of a level", labels, where)


def is_collider(name: str) -> bool:
    """Return whether a text can be the name of a collider: one of COLLIDERS, or another such as p-H2O."""
    return len(name) <= _LONGEST and _COLLIDER.fullmatch(name) is not None


def is_charged(collider: str) -> bool:
    """Return whether a collider is an ion or the electron, by its name."""
    return collider == "e" or collider.endswith(("+", "-"))


def need_collider(name: str, where: str | None = None) -> None:
    """Raise RatedbError where a text cannot be the name of a collider."""
    if not is_collider(name):
        raise RatedbError(
            f"{name!r} is not the name of a collider",
            where=where,
            expected=COLLIDER_NAMES,
            got=visible(name),
            todo="name it with letters and digits, such as --collider p-H2O",
        )


def split_system(name: str) -> tuple[str, str]:
    """Return (molecule, collider) of a system's name such as HCO++p-H2; raises RatedbError.

    The collider is one of COLLIDERS where the name ends in one, else the shortest name after a `+`.
    """
    by_length = sorted(COLLIDERS, key=len, reverse=True)
    places = [len(name) - len(one) - 1 for one in by_length if name.endswith(f"+{one}")]
    places += [place for place in range(len(name) - 1, 0, -1) if name[place] == "+"]
    for place in places:
        if is_molecule(name[:place]) and is_collider(name[place + 1 :]):
            return name[:place], name[place + 1 :]
    raise RatedbError(
        f"{name!r} is not the name of a system",
        expected=f"MOLECULE+COLLIDER, with a collider of {COLLIDER_NAMES}",
        got=visible(name),
        todo="write for example CO+p-H2 or SiO+He",
    )
