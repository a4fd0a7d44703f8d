"""Names of systems: a molecule and its collider, as in CO+p-H2."""

from __future__ import annotations

from ratedb.errors import RatedbError

COLLIDERS = ("H2", "p-H2", "o-H2", "e", "H", "He", "H+")
"""Collision partners by the names that readers of LAMDA files know, in the order of their ids 1..7."""


def split_system(name: str) -> tuple[str, str]:
    """Return (molecule, collider) of a system's name such as HCO++p-H2; raises RatedbError."""
    for collider in sorted(COLLIDERS, key=len, reverse=True):
        molecule, sign = name[: -len(collider) - 1], name[-len(collider) - 1 : -len(collider)]
        if name.endswith(collider) and sign == "+" and molecule:
            return molecule, collider
    raise RatedbError(
        f"{name!r} is not the name of a system",
        expected="MOLECULE+COLLIDER, with a collider among " + " ".join(COLLIDERS),
        got=name,
        todo="write for example CO+p-H2 or SiO+He",
    )
