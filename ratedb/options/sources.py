"""Options of verbs that bring rates into a store, check them and order their sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratedb.declared import option
from ratedb.numbers import parse_ids, parse_integers, parse_labels, parse_temperatures
from ratedb.options.values import Integers, Paths


@dataclass(frozen=True)
class ImportOptions:
    """How files are read, and what is recorded of their origin."""

    format: str = option(
        "auto", "auto, lamda, basecol, vj, matrix, csv, wide, parquet, molscat, hibridon or mqct."
    )
    molecule: str | None = option(None, "The molecule's name; takes precedence over the file's.")
    collider: str | None = option(None, "The collider, where the file does not say; or the one to read.")
    kind_of_molecule: str | None = option(
        None, "Kind of molecule, such as asymmetric-top (default: what labels and weights prove)."
    )
    levels: Paths = option(
        (), "A file with the levels that the rates refer to; repeat for Einstein A.", Path, many=True
    )
    collider_levels: Path | None = option(None, "The collider's levels, where it changes state too.", Path)
    method: str | None = option(None, "How the rates were calculated, such as CC.")
    reference: str | None = option(None, "What to cite (default: what the file says).")
    doi: str | None = option(None, "The DOI of the reference, such as 10.1088/0004-637X/718/2/1062.")
    bibtex: Path | None = option(None, "A file with the reference as one BibTeX entry.", Path)
    kind: str = option("computed", "computed, scaled, extrapolated or derived.")
    cross_sections: bool = option(False, "The files hold cross sections: average them together.")
    temperatures: tuple[float, ...] = option(
        (), "Temperatures for cross sections, K, such as 10,20,50 or 10:100:10.", parse_temperatures
    )
    reduced_mass: float | None = option(None, "Reduced mass in u, for cross sections that do not give it.")
    quality: str = option(
        "warn", "Quality control: warn (keep findings, flag errors), strict (refuse errors) or off."
    )
    comment: str | None = option(None, "What to say of this source; stored with it and your name.")
    j: Integers = option(None, "Import only these initial j, such as 5,9 or 1:5.", parse_integers)
    units: tuple[str, ...] | None = option(
        None, "Tops and pairs: import only rates out of these initial states, by label.", parse_labels
    )
    dry_run: bool = option(False, "Show what would change; store nothing.")


@dataclass(frozen=True)
class SourcesOptions:
    """An order of precedence for the sources of a system."""

    prefer: tuple[int, ...] | None = option(
        None, "Ids of the sources that take precedence, the best first, such as 3,1.", parse_ids
    )
    join: tuple[int, ...] | None = option(
        None,
        "Ids of sources to join in temperature: each gives what is outside the range of those before it.",
        parse_ids,
    )
    withdraw: int | None = option(None, "Id of a source whose values stop counting; nothing is deleted.")
    restore: int | None = option(None, "Id of a withdrawn source whose values count again.")
    correct: tuple[int, str] | None = option(
        None,
        "ID FIELD=VALUE: correct method, reference, kind, collider, year, doi or grade (A to E) of a source.",
    )
    history: bool = option(False, "List what was corrected, withdrawn and restored, with the old values.")
    because: str = option("not stated", "Reason for this order or change; stored with it.")
    dry_run: bool = option(False, "Show the sources as they would be; store nothing.")


@dataclass(frozen=True)
class CheckOptions:
    """What to do with findings of quality control."""

    mark: bool = option(False, "Store the findings, so that errors flag their values.")
    accept: str | None = option(None, "Accept the stored findings of this rule; they no longer flag values.")
    because: str = option("", "Reason for accepting them; stored with them.")


@dataclass(frozen=True)
class CompareOptions:
    """What a comparison of two sources writes."""

    output: Path | None = option(None, "Write the comparison as JSON.", Path)
    picture: Path | None = option(None, "Draw the ratios, PNG, SVG or PDF.", Path)


@dataclass(frozen=True)
class RepairOptions:
    """Whether levels are merged or only shown."""

    dry_run: bool = option(False, "Show which levels would be merged; store nothing.")
