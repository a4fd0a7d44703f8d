"""What one file says, as every reader returns it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import BoolArray
from ratedb.errors import RatedbError, UsageError
from ratedb.findings import Finding
from ratedb.kinds.recognise import as_kind, unknown_kind
from ratedb.kinds.species import other_species
from ratedb.kinds.units import units_of
from ratedb.levels import Levels, Lines
from ratedb.numbers import format_integers
from ratedb.physics.orientation import units_out_of, units_with_rates
from ratedb.physics.rotational_constants import contradicting_energies, molecules_of
from ratedb.rates import Rates

_NAMED = 12


@dataclass(frozen=True, eq=False)
class PartnerRates:
    """The rates for one collision partner as a file gives them, with the reference and kind it names.

    `findings` are what the reader saw that the table no longer shows, such as two directions that contradict
    each other. `exported` are rates that ratedb wrote, with the source of each.
    """

    rates: Rates
    reference: str = ""
    kind: str | None = None
    findings: tuple[Finding, ...] = ()
    method: str = ""
    exported: bool = False


@dataclass(frozen=True, eq=False, repr=False)
class MoleculeFile:
    """All that one file says about a molecule: levels, radiative lines, and rates for each partner.

    `warnings` say what the reader corrected, recomputed or left out.
    """

    levels: Levels
    lines: Lines
    partners: tuple[PartnerRates, ...]
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        colliders = ", ".join(one.rates.collider for one in self.partners) or "no rates"
        levels, lines = len(self.levels), len(self.lines)
        return f"<MoleculeFile of {self.levels.molecule}: {levels} levels, {lines} lines; {colliders}>"


def of_kind(file: MoleculeFile, kind: str | None) -> MoleculeFile:
    """Return a file whose levels are of the kind that the user names, with warnings.

    They say that the kind is unknown, or that energies contradict it.
    Raises UsageError for an unknown kind, RatedbError where the labels of the levels do not fit it, or where
    they are of another nuclear spin species than the name of the molecule says.
    """
    if kind is None:
        _need_own_species(file.levels)
        said = [*unknown_kind(file.levels), *contradicting_energies(file.levels)]
        return replace(file, warnings=(*file.warnings, *said))
    levels = as_kind(file.levels, kind)
    _need_own_species(levels)
    partners = tuple(replace(one, rates=replace(one.rates, levels=levels)) for one in file.partners)
    warnings = (*file.warnings, *contradicting_energies(levels))
    return replace(file, levels=levels, partners=partners, warnings=warnings)


def _need_own_species(levels: Levels) -> None:
    for one in molecules_of(levels):
        if against := other_species(one):
            raise RatedbError(
                f"the levels of {one.molecule} are of the other nuclear spin species",
                where=f"levels such as {', '.join(one.label[:3])}",
                expected=f"levels of {one.molecule}, as its name says",
                got=against,
                todo="correct --molecule or --collider, or name the list of the right species with --levels"
                " or --collider-levels",
            )


@dataclass(frozen=True)
class Wanted:
    """Which rates of a file are imported: those out of some initial j or states, all where both are None."""

    j: tuple[int, ...] | None = None
    units: tuple[str, ...] | None = None


def rates_out_of(
    file: MoleculeFile, wanted: Wanted, where: str
) -> list[tuple[PartnerRates, Rates, list[str]]]:
    """Return each partner with its rates out of what is wanted, and a warning where it lacks some of it.

    Raises RatedbError where no partner has all of it, UsageError for labels that the levels do not have.
    """
    if wanted.j is None and wanted.units is None:
        return [(partner, partner.rates, []) for partner in file.partners]
    found, without, complete = [], [], False
    for partner in file.partners:
        rows, missing, name = _rows_of(partner.rates, wanted)
        complete = complete or not missing
        words = f"{partner.rates.system} has no transitions out of {name} {_shown(missing)}"
        if rows.any():
            found.append((partner, partner.rates.select(rows), [words] if missing else []))
        else:
            without.append(words)
    if not complete:
        _, missing, name = _rows_of(file.partners[0].rates, wanted)
        raise RatedbError(
            f"the file has no transitions out of some {name.removesuffix(' =')}",
            where=f"{where}, {file.partners[0].rates.system}",
            expected=_there(file.partners[0].rates, wanted),
            got=_shown(missing),
        )
    return [(partner, rates, [*warnings, *without]) for partner, rates, warnings in found]


def _rows_of(rates: Rates, wanted: Wanted) -> tuple[BoolArray, list[int] | list[str], str]:
    """Return which transitions are wanted, (n,), what has none, and what that is called."""
    if wanted.j is not None:
        if not rates.levels.has_vj:
            raise UsageError(
                f"the initial states of {rates.levels.molecule} are not given by j alone",
                expected="--units with labels of initial states",
                got="--j",
            )
        initial_j = rates.initial_j()
        return np.isin(initial_j, wanted.j), sorted(set(wanted.j) - set(initial_j.tolist()) - {0}), "j ="
    units = units_of(rates.levels)
    of_row, places = units_out_of(rates.transitions, units), units.places(wanted.units or (), "--units")
    return np.isin(of_row, places), list(units.named(np.setdiff1d(places, of_row))), "initial states"


def _there(rates: Rates, wanted: Wanted) -> str:
    if wanted.j is not None:
        return f"j among {format_integers(sorted(set(rates.initial_j().tolist())))}"
    return f"some of {_shown(list(units_with_rates(rates)))}"


def _shown(values: list[int] | list[str]) -> str:
    more = ", ..." if len(values) > _NAMED else ""
    return ", ".join(map(str, values[:_NAMED])) + more
