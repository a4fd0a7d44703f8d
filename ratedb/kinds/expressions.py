"""Sums of quantum numbers as text, such as `ka + kc - j`, `|k| mod 3` or `0 <= ka + kc - j <= 1`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.errors import RatedbError

_TERM = re.compile(r"\s*([+-]?)\s*(?:\|([A-Za-z]\w*)\||([A-Za-z]\w*)|(\d+(?:\.\d+)?))")
_REDUCED = re.compile(r"(.+?)(?:\s+mod\s+(\d+))?(?:\s+is\s+(\d+))?")
_SMALL = 1e-9


@dataclass(frozen=True)
class Term:
    """One summand: a sign, and a quantum number, its absolute value, or a constant where `name` is empty."""

    sign: float
    name: str
    absolute: bool = False
    constant: float = 0.0


@dataclass(frozen=True)
class Expression:
    """A sum of quantum numbers, perhaps `mod` a number; with `is`, 1 where it is that number, else 0."""

    text: str

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The summands; raises RatedbError where the text is no such sum."""
        body, place, found = self._parts[0], 0, list[Term]()
        while place < len(body.rstrip()):
            match = _TERM.match(body, place)
            if match is None or (found and not match[1]):
                raise RatedbError(
                    "a sum of quantum numbers cannot be read",
                    expected="such as ka + kc - j, |k| mod 3 or k is 0",
                    got=self.text,
                )
            sign = -1.0 if match[1] == "-" else 1.0
            found.append(Term(sign, match[2] or match[3] or "", bool(match[2]), float(match[4] or 0)))
            place = match.end()
        return tuple(found)

    @cached_property
    def _parts(self) -> tuple[str, str | None, str | None]:
        """The sum, the number of its mod, and the number that it may be."""
        match = _REDUCED.fullmatch(self.text)
        return (self.text, None, None) if match is None else (match[1], match[2], match[3])

    @property
    def names(self) -> set[str]:
        """The quantum numbers that it needs."""
        return {term.name for term in self.terms if term.name}

    def value(self, numbers: Mapping[str, FloatArray]) -> FloatArray:
        """Return its value for quantum numbers of shape (n,) each, shape (n,)."""
        total = np.zeros(len(next(iter(numbers.values()))))
        for term in self.terms:
            value = numbers[term.name] if term.name else term.constant
            total = total + term.sign * (np.abs(value) if term.absolute else value)
        _, modulus, wanted = self._parts
        if modulus is not None:
            total = total % float(modulus)
        return np.asarray(total if wanted is None else (total == float(wanted)).astype(np.float64))

    def renamed(self, names: Mapping[str, str]) -> Expression:
        """Return the same expression of other names."""
        return Expression(re.sub(r"[A-Za-z]\w*", lambda found: names.get(found[0], found[0]), self.text))


@dataclass(frozen=True)
class Condition:
    """What quantum numbers must obey: sums between `<=`, such as `0 <= ka + kc - j <= 1`."""

    text: str

    @cached_property
    def sides(self) -> tuple[Expression, ...]:
        """The sums between the signs; raises RatedbError where there is no sign."""
        parts = tuple(Expression(part.strip()) for part in self.text.split("<="))
        if len(parts) < 2:
            raise RatedbError("a condition has no <=", expected="such as ka <= j", got=self.text)
        return parts

    @property
    def names(self) -> set[str]:
        """The quantum numbers that it needs."""
        return set().union(*(side.names for side in self.sides))

    def holds(self, numbers: Mapping[str, FloatArray]) -> BoolArray:
        """Return for which levels it holds, shape (n,); numbers that are not there do not count."""
        count = len(next(iter(numbers.values())))
        if not self.names <= set(numbers):
            return np.ones(count, dtype=np.bool_)
        values = np.array([side.value(numbers) for side in self.sides])
        return np.asarray((np.diff(values, axis=0) >= -_SMALL).all(axis=0))

    def renamed(self, names: Mapping[str, str]) -> Condition:
        """Return the same condition on other names."""
        return Condition(" <= ".join(side.renamed(names).text for side in self.sides))
