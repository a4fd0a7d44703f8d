"""What one file says, as every reader returns it."""

from __future__ import annotations

from dataclasses import dataclass

from ratedb.findings import Finding
from ratedb.levels import Levels, Lines
from ratedb.rates import Rates


@dataclass(frozen=True, eq=False)
class PartnerRates:
    """The rates for one collision partner as a file gives them, with the reference and kind it names.

    `findings` are what the reader saw that the table no longer shows, such as two directions that contradict
    each other.
    """

    rates: Rates
    reference: str = ""
    kind: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class MoleculeFile:
    """All that one file says about a molecule: levels, radiative lines, and rates for each partner.

    `warnings` are sentences for people: what the reader mended, recomputed or left out.
    """

    levels: Levels
    lines: Lines
    partners: tuple[PartnerRates, ...]
    warnings: tuple[str, ...] = ()
