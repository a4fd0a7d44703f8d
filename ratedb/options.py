"""The options of every verb, declared once: name, default, help, and how a text is read.

Methods of Database take them as keywords, commands as `--name`; the verb gets one frozen object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ratedb.declared import option
from ratedb.numbers import (
    parse_band,
    parse_columns,
    parse_densities,
    parse_ids,
    parse_integers,
    parse_line_widths,
    parse_names,
    parse_temperatures,
)

Progress = Callable[[str], None]
"""What long work tells each step to."""
Integers = tuple[int, ...] | None
Paths = tuple[Path, ...]


def silent(text: str) -> None:
    """Tell nobody."""


def _integers_or_none(text: str) -> tuple[int, ...]:
    return parse_integers(text) if text else ()


def _temperatures_or_auto(text: str) -> tuple[float, ...] | str:
    return "auto" if text == "auto" else parse_temperatures(text)


@dataclass(frozen=True)
class ImportOptions:
    """How files are read, and what is recorded of their origin."""

    format: str = option("auto", "auto, lamda, basecol, vj, matrix, csv, parquet, molscat, hibridon or mqct.")
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
    kind: str = option("computed", "computed, scaled or extrapolated.")
    cross_sections: bool = option(False, "The files hold cross sections: average them together.")
    temperatures: tuple[float, ...] = option(
        (), "Temperatures for cross sections, K, such as 10,20,50 or 10:100:10.", parse_temperatures
    )
    reduced_mass: float | None = option(None, "Reduced mass in u, for cross sections that do not give it.")
    quality: str = option(
        "warn", "Quality control: warn (keep findings, flag errors), strict (refuse errors) or off."
    )
    j: Integers = option(None, "Import only these initial j, such as 5,9 or 1:5.", parse_integers)
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
class PlanOptions:
    """Which initial j are of interest, what they cost, and how training sets are chosen.

    `spread` needs no data; `variance` needs low j of the system, or another known one (`like`); `exhaustive`
    needs the system itself for every j.
    """

    j: Integers = option(None, "Initial j of interest, such as 5:20.", parse_integers)
    v_max: int = option(0, "Highest initial v.")
    given_j: Integers = option(
        None,
        'Initial j that are already computed (default: those in the store); "" for none.',
        _integers_or_none,
    )
    sizes: Integers = option(None, "Numbers of training j, such as 2:6 (default: what fits).", parse_integers)
    strategy: str = option(
        "spread",
        "spread: equal steps in j; variance: least expected error; exhaustive: all sets of a known system.",
    )
    like: str | None = option(None, "variance: a known system in the store to learn from.")
    target_error: float | None = option(None, "variance: error to reach, in % of a rate.")
    budget_hours: float | None = option(None, "variance: hours that may be spent.")
    optimiser: str = option("auto", "variance: greedy, exhaustive or auto.")
    train_j: Integers = option(None, "Your own training set; shows what it costs.", parse_integers)
    validate_j: Integers = option(None, "Your own validation j (default: chosen).", parse_integers)
    cost_exponent: float = option(4.0, "Cost of an initial j grows as j to this power: 4 for CS, 6 for CC.")
    hours_total: float | None = option(None, "Hours for all of --j that are not given.")
    hours_file: Path | None = option(None, "CSV file with measured hours: j,hours.", Path)
    model_hours: float = option(0.0, "Hours that training takes.")
    worklist: Path | None = option(None, "Write the jobs of the chosen set, .csv or .json.", Path)
    kernels: tuple[str, ...] | None = option(None, "exhaustive: kernels to try (default: all).", parse_names)
    mean: str = option("linear", "exhaustive: prior mean, constant, linear, gap, ios or balanced.")
    jobs: int = option(1, "Number of processes.")
    scheduler: str | None = option(None, "Address of a dask scheduler to fit on instead.")
    dry_run: bool = option(False, "Do not store the plan.")


@dataclass(frozen=True)
class NextOptions:
    """Which plan to follow, or what is of interest, and when to stop."""

    plan: int | None = option(None, "Plan to follow (default: the newest of the system).")
    target_error: float | None = option(
        None, "Stop at this error, in % of a rate (with --for-lines: of a line flux)."
    )
    budget_hours: float | None = option(None, "Hours left.")
    for_lines: Path | None = option(None, "Go by line fluxes: a file of `ratedb impact ... -o FILE`.", Path)
    like: str | None = option(None, "A known system in the store to learn from.")
    j: Integers = option(None, "Initial j of interest, where there is no plan.", parse_integers)
    v_max: int = option(0, "Highest initial v, with --j.")
    given_j: Integers = option(
        None,
        'Initial j that were computed before, with --j; "" for none.',
        _integers_or_none,
    )
    validate_j: Integers = option(None, "Validation j, with --j.", parse_integers)
    cost_exponent: float = option(
        4.0, "Cost of an initial j grows as j to this power, with --j: 4 for CS, 6 for CC."
    )
    hours_total: float | None = option(None, "Hours for all of --j that are not given.")
    hours_file: Path | None = option(None, "CSV file with measured hours, with --j: j,hours.", Path)
    worklist: Path | None = option(None, "Write the job of the next j, .csv or .json.", Path)
    jobs: int = option(1, "Number of processes.")
    scheduler: str | None = option(None, "Address of a dask scheduler to fit on instead.")


@dataclass(frozen=True)
class ReproduceOptions:
    """For which sets the tables and figures of Mihalik et al. (2025) are made."""

    j: tuple[int, ...] = option(tuple(range(5, 21)), "Initial j of interest.", parse_integers)
    v_max: int = option(0, "Highest initial v.")
    given_j: tuple[int, ...] = option((5,), 'Initial j in every set; "" for none.', _integers_or_none)
    sizes: tuple[int, ...] = option((2, 3, 4, 5, 6), "Numbers of training j.", parse_integers)
    cost_exponent: float = option(4.0, "Cost of an initial j grows as j to this power: 4 for CS, 6 for CC.")
    hours_total: float | None = option(None, "Hours for all of --j that are not given.")
    kernels: tuple[str, ...] | None = option(None, "Kernels to try (default: all).", parse_names)
    mean: str = option("linear", "Prior mean: constant, linear, gap, ios or balanced.")
    figures: Path | None = option(None, "Draw figures 3 and 4 into this folder.", Path)
    format: str = option("png", "Format of the figures: png or svg.")
    jobs: int = option(1, "Number of processes.")
    scheduler: str | None = option(None, "Address of a dask scheduler to fit on instead.")


@dataclass(frozen=True)
class TrainOptions:
    """What to train on and what to try."""

    plan: int | None = option(None, "Use the sets of a stored plan.")
    train_j: Integers = option(None, "Initial j to train on.", parse_integers)
    validate_j: Integers = option(None, "Initial j that choose the model.", parse_integers)
    j: Integers = option(None, "Initial j the model is for (default: all in the store).", parse_integers)
    kernels: tuple[str, ...] | None = option(
        None, "Kernels to try, such as M32,M52 or M52*EXP (default: all).", parse_names
    )
    features: str = option("auto", "auto, paper, physics, gap, spin; several joined by +.")
    mean: str = option("auto", "Prior mean: auto, constant, linear, gap, ios or balanced.")
    prior: str | None = option(None, "Another system in the store as prior mean, such as SiO+He.")
    search: str = option("single", "single kernels, or composite: also sums and products.")
    criterion: str = option("validation", "validation: error on the validation j; or bic.")
    engine: str = option("auto", "auto, basis, sparse (many transitions) or dense (the paper's).")
    optimiser: str = option("lbfgs", "lbfgs, or rmsprop as in the paper.")
    corpus: str = option(
        "on", "on: use what is known of other molecules, where nothing else is asked for; or off."
    )
    use_marked: bool = option(False, "Train also on values flagged by quality control.")
    seed: int = option(0, "Seed of the random numbers.")
    jobs: int = option(1, "Number of processes.")
    scheduler: str | None = option(None, "Address of a dask scheduler to fit on instead.")
    dry_run: bool = option(False, "Do not store the model.")


@dataclass(frozen=True)
class CorpusOptions:
    """What is added to the store's own corpus, or removed from it."""

    add: str | None = option(None, "Learn from this system of the store; `train` then uses it for others.")
    remove: str | None = option(None, "Leave a system that was added out again.")


@dataclass(frozen=True)
class EvaluateOptions:
    """What a model is tested against."""

    truth: Path | None = option(None, "File with the held-out rates (default: the store).", Path)
    levels: Paths = option((), "A file with the levels of the truth, as for import.", Path, many=True)
    cross_sections: bool = option(False, "The truth holds cross sections: average them.")
    dense: bool = option(False, "Train the paper's dense model too (minutes).")


@dataclass(frozen=True)
class FillOptions:
    """Which model fills which initial j."""

    model: int | None = option(None, "Id of a model (default: the one with the least error).")
    j: Integers = option(None, "Initial j to fill (default: those the model is for).", parse_integers)
    dry_run: bool = option(False, "Show what would be filled; store nothing.")


@dataclass(frozen=True)
class ExportOptions:
    """What to export, and as what."""

    output: Path | None = option(None, "The file to write.", Path)
    format: str = option("lamda", "lamda, basecol, csv or parquet.")
    computed_only: bool = option(False, "Leave predictions out.")
    kind: tuple[str, ...] = option(
        (), "Only values of this kind, such as computed; may be repeated.", many=True
    )
    min_quality: str = option(
        "any", "any, unmarked (no errors of quality control) or unsuspected (no warnings)."
    )
    temperatures: tuple[float, ...] | str | None = option(
        None, "K, such as 10:300:10; or auto: as few as keep --tolerance.", _temperatures_or_auto
    )
    tolerance: float = option(
        0.01, "Relative error that linear interpolation between the temperatures may cause."
    )
    strict: bool = option(False, "Refuse a file with any warning.")
    j_max: int | None = option(None, "Only levels up to this j.")
    dry_run: bool = option(False, "Write nothing.")


@dataclass(frozen=True)
class CiteOptions:
    """How references are printed."""

    bibtex: bool = option(False, "Print BibTeX entries.")


@dataclass(frozen=True)
class ImpactOptions:
    """Conditions, lines and samples for the effect of predicted rates on lines."""

    samples: int = option(200, "Number of samples of the predicted rates.")
    temperatures: tuple[float, ...] | None = option(
        None,
        "Kinetic temperatures, K, such as 10,50 or 10:100:30 (default: 10,20,40,70,100,200,300).",
        parse_temperatures,
    )
    densities: tuple[float, ...] = option(
        (1e2, 1e3, 1e4, 1e5, 1e6, 1e7), "Densities of the collider, cm-3.", parse_densities
    )
    columns: tuple[float, ...] = option((1e14,), "Column densities, cm-2.", parse_columns)
    line_widths: tuple[float, ...] = option((1.0,), "Line widths (FWHM), km/s.", parse_line_widths)
    lines: tuple[str, ...] = option(
        (), "Only these lines, such as 1-0,2-1, by the labels of the exported file.", parse_names
    )
    ghz: tuple[float, float] | None = option(None, "Only lines in this band, such as 84:116.", parse_band)
    j_max: int | None = option(None, "Only levels up to this j.")
    seed: int = option(0, "Seed of the random numbers.")
    output: Path | None = option(None, "Write all lines and conditions as JSON.", Path)
    picture: Path | None = option(None, "Draw the lines and what drives them, PNG, SVG or PDF.", Path)


@dataclass(frozen=True)
class VerifyOptions:
    """Conditions under which two files are compared with RADEX."""

    against: Path | None = option(None, "The LAMDA file to compare with.", Path)
    tolerance: float | None = option(None, "End with code 4 above this flux ratio, such as 1.05.")
    temperatures: tuple[float, ...] | None = option(
        None, "Kinetic temperatures, K (default: 10, 30, 100, 300).", parse_temperatures
    )
    densities: tuple[float, ...] | None = option(
        None, "Densities, cm-3 (default: 1e3 to 1e6; for e and H+ 1 to 1e3).", parse_densities
    )
    columns: tuple[float, ...] = option((1e14,), "Column densities, cm-2.", parse_columns)
    line_widths: tuple[float, ...] = option((1.0,), "Line widths (FWHM), km/s.", parse_line_widths)
    output: Path | None = option(None, "Write all lines and conditions as JSON.", Path)
    picture: Path | None = option(None, "Draw how the fluxes change, PNG, SVG or PDF.", Path)


@dataclass(frozen=True)
class DemoOptions:
    """What the demo works on."""

    file: Path | None = option(None, "Any LAMDA file (default: CO of Yang et al. 2010).", Path)


@dataclass(frozen=True)
class SqlOptions:
    """Where and how the rows of a query are written."""

    format: str | None = option(None, "table, csv, json or parquet (with -o).")
    output: Path | None = option(None, "Write the rows to a file.", Path)


@dataclass(frozen=True)
class RepairOptions:
    """Whether levels are merged or only shown."""

    dry_run: bool = option(False, "Show which levels would be merged; store nothing.")
