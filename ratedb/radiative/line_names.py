"""Find lines by the names that people use, such as CO(3-2) or o-H2CO 2_1_2-1_1_1, or by frequency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError, UsageError, did_you_mean

NEAREST = 1.0e-3
"""A frequency names the nearest line within this distance, relative to it."""

_SHOWN = 3
_ALL_LINES = "`ratedb lines {molecule}` lists all lines; --j-max may have cut some"
_SPECIES = re.compile(r"^(?:ortho|para|[op])-")
_OTHER = re.compile(r"(?P<molecule>(?:[op]-)?(?!J\b|N\b)[A-Z0-9]*[A-Z][A-Za-z0-9]*\+?)[ (]")
_ARROWS = re.compile(r"\s*(?:-+>|=>|→|–|—|−|\s-\s)\s*")


@dataclass(frozen=True, eq=False)
class NamedLines:
    """The lines of a molecule as people name them: labels of both levels, and `frequency_ghz`, shape (n,)."""

    molecule: str
    upper: Sequence[str]
    lower: Sequence[str]
    frequency_ghz: FloatArray

    def names(self) -> list[str]:
        """Return the names of the lines by their labels, such as `3-2`."""
        return [f"{upper}-{lower}" for upper, lower in zip(self.upper, self.lower, strict=True)]

    def full_name(self, row: int) -> str:
        """Return the name of a line with its molecule, such as `CO(3-2)`."""
        return f"{self.molecule}({self.upper[row]}-{self.lower[row]})"

    def chosen(self, names: Sequence[str], ghz: tuple[float, ...] | None) -> BoolArray:
        """Return which lines are named and in a band, or next to a frequency, (n,); all are by default.

        `ghz` is a band of two, or one frequency. Raises RatedbError where there is no such line.
        """
        near = self._by_frequency(ghz)
        if not names:
            return near
        wanted = np.zeros(len(self.upper), dtype=np.bool_)
        wanted[[self.row_of(name) for name in names]] = True
        if not (wanted & near).any():
            raise RatedbError(
                "none of the chosen lines is in this band",
                expected=f"lines at {':'.join(f'{one:g}' for one in ghz or ())} GHz",
                got=", ".join(names),
            )
        return wanted & near

    def row_of(self, name: str) -> int:
        """Return the row of a line by its name; raises RatedbError where none or several have it."""
        asked = self._of_molecule(name)
        for form in (str.strip, _plain, _bare):
            same = [row for row, one in enumerate(self.names()) if form(one) == form(asked)]
            if same and len({self.names()[row] for row in same}) == 1:
                return same[0]
            if same:
                several = ", ".join(self.full_name(row) for row in same[:_SHOWN])
                raise RatedbError("several lines have this name", expected=f"one of {several}", got=name)
        raise self._unknown(name, asked)

    def _of_molecule(self, name: str) -> str:
        """Return what a name says of the levels; raises RatedbError where it is of another molecule."""
        text = name.strip()
        if text in self.names():
            return text
        whole = text if _SPECIES.match(self.molecule) else _SPECIES.sub("", text)
        bare = _SPECIES.sub("", self.molecule)
        for own in dict.fromkeys([self.molecule, bare, bare.removesuffix("(hfs)")]):
            rest = whole.removeprefix(own)
            if rest != whole and rest[:1] in ("(", " "):
                inside = rest.strip()
                return inside[1:-1] if inside[:1] == "(" and inside[-1:] == ")" else inside
        if other := _OTHER.match(text):
            raise RatedbError(
                f"this is a line of {other['molecule']}, and the rates are of {self.molecule}",
                expected=f"a line such as {', '.join(self._examples())}",
                got=name,
            )
        return text

    def _by_frequency(self, ghz: tuple[float, ...] | None) -> BoolArray:
        if ghz is None:
            return np.ones(len(self.upper), dtype=np.bool_)
        if len(ghz) == 1:
            return self._nearest(ghz[0])
        low, high = ghz
        band = (self.frequency_ghz >= low) & (self.frequency_ghz <= high)
        if not band.any():
            span = f"{self.frequency_ghz.min():g} to {self.frequency_ghz.max():g} GHz"
            raise RatedbError(
                "no line in this band", expected=f"lines from {span}", got=f"{low:g}:{high:g} GHz"
            )
        return band

    def _nearest(self, ghz: float) -> BoolArray:
        distance = np.abs(self.frequency_ghz - ghz)
        order: IntArray = np.argsort(distance, kind="stable")
        if distance[order[0]] > NEAREST * ghz:
            nearest = [f"{self.full_name(row)} at {self.frequency_ghz[row]:.9g}" for row in order[:_SHOWN]]
            raise RatedbError(
                "no line is near this frequency",
                expected=f"a line within {NEAREST:.1%}; the nearest are {', '.join(nearest)} GHz",
                got=f"{ghz:.9g} GHz",
                todo="name the frequency of a line, or a band such as 84:116",
            )
        near = np.zeros(len(distance), dtype=np.bool_)
        near[order[0]] = True
        return near

    def _examples(self) -> list[str]:
        return [self.full_name(row) for row in range(min(_SHOWN, len(self.upper)))]

    def _unknown(self, name: str, asked: str) -> RatedbError:
        every = [self.full_name(row) for row in range(len(self.upper))]
        mean = did_you_mean(f"{self.molecule}({_plain(asked)})", every)
        return RatedbError(
            "there is no such line",
            expected=f"a name such as {', '.join(self._examples())}",
            got=name,
            todo=" ".join([*([mean] if mean else []), _ALL_LINES.format(molecule=self.molecule)]),
        )


def check_ghz(ghz: tuple[float, ...] | None) -> None:
    """Raise UsageError where this is neither a frequency nor a band."""
    if ghz is not None and not (
        len(ghz) in (1, 2) and all(0.0 <= one < 1e9 for one in ghz) and sorted(set(ghz)) == list(ghz)
    ):
        raise UsageError(
            "not a frequency or band", expected="GHz such as 345.796, or 84:116", got=str(tuple(ghz))
        )


def _plain(name: str) -> str:
    """Return the name of a line with one sign between the numbers of a level, without zeros before them.

    A level of a linear molecule in v = 0 is named by its j, so that 0_3 is 3.
    """
    text = re.sub(r"^\s*J\s*=?\s*(?=\d)", "", name.strip())
    text = _ARROWS.sub("-", text).replace("{", "").replace("}", "")
    text = re.sub(r"[\s_,()]+", "_", text)
    levels = [re.sub(r"(?<![\d.])0+(?=\d)", "", one.strip("_")) for one in text.split("-")]
    return "-".join(re.sub(r"^0_(\d+)$", r"\1", one) for one in levels)


def _bare(name: str) -> str:
    """Return the name of a line without any sign between the numbers of a level, as 212-111."""
    return _plain(name).replace("_", "")
