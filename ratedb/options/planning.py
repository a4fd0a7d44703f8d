"""Options of `plan`, `next` and `reproduce`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratedb.declared import option
from ratedb.numbers import parse_integers, parse_labels, parse_names
from ratedb.options.values import Integers, integers_or_none, labels_or_none


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
        integers_or_none,
    )
    sizes: Integers = option(None, "Numbers of training j, such as 2:6 (default: what fits).", parse_integers)
    strategy: str = option(
        "spread",
        "spread: equal steps; variance: least expected error; exhaustive: all sets of a known system;"
        " random (tops and pairs).",
    )
    like: str | None = option(None, "variance: a known system in the store to learn from.")
    target_error: float | None = option(None, "variance: error to reach, in % of a rate.")
    budget_hours: float | None = option(None, "variance: hours that may be spent.")
    optimiser: str = option("auto", "variance: greedy, exhaustive or auto.")
    train_j: Integers = option(None, "Your own training set; shows what it costs.", parse_integers)
    validate_j: Integers = option(None, "Your own validation j (default: chosen).", parse_integers)
    cost_exponent: float = option(4.0, "Cost of an initial j grows as j to this power: 4 for CS, 6 for CC.")
    hours_total: float | None = option(None, "Hours for all of --j that are not given.")
    hours_file: Path | None = option(
        None, "CSV file with measured hours: j,hours, or unit,hours for tops and pairs.", Path
    )
    model_hours: float = option(0.0, "Hours that training takes.")
    share: float | None = option(
        None, "Tops and pairs: share of the initial states to compute, in % (default: 25)."
    )
    train_units: tuple[str, ...] | None = option(
        None, "Tops and pairs: your own training set, labels such as 1_0_1,2_1_2.", parse_labels
    )
    validate_units: tuple[str, ...] | None = option(
        None, "Tops and pairs: initial states to test the model on.", parse_labels
    )
    given_units: tuple[str, ...] | None = option(
        None,
        'Tops and pairs: initial states that are computed (default: those in the store); "" for none.',
        labels_or_none,
    )
    cost_by: str = option("j", "Tops and pairs: cost by j or by channels (cube of the open ones).")
    seed: int = option(0, "Tops and pairs: seed of the choice.")
    levels: Path | None = option(
        None, "Tops and pairs: a file with the levels, where the store has none.", Path
    )
    worklist: Path | None = option(None, "Write the jobs of the chosen set, .csv or .json.", Path)
    kernels: tuple[str, ...] | None = option(None, "exhaustive: kernels to try (default: all).", parse_names)
    mean: str = option("linear", "exhaustive: prior mean, constant, linear, gap, ios or balanced.")
    jobs: int = option(1, "Number of processes.")
    scheduler: str | None = option(None, "Address of a dask scheduler to fit on instead.")
    dry_run: bool = option(False, "Do not store the plan.")


@dataclass(frozen=True)
class NextOptions:
    """Which plan to follow, or what is of interest, and when to stop.

    Of tops and pairs all initial states are of interest.
    """

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
        integers_or_none,
    )
    validate_j: Integers = option(None, "Validation j, with --j.", parse_integers)
    cost_exponent: float = option(
        4.0, "Cost of an initial j grows as j to this power, with --j: 4 for CS, 6 for CC."
    )
    hours_total: float | None = option(None, "Hours for all of --j that are not given.")
    hours_file: Path | None = option(
        None, "CSV file with measured hours: j,hours, with --j; unit,hours for tops and pairs.", Path
    )
    levels: Path | None = option(
        None, "Tops and pairs: a file with the levels, where the store has none.", Path
    )
    worklist: Path | None = option(None, "Write the next job, .csv or .json.", Path)
    jobs: int = option(1, "Number of processes.")
    scheduler: str | None = option(None, "Address of a dask scheduler to fit on instead.")


@dataclass(frozen=True)
class ReproduceOptions:
    """For which sets the tables and figures of Mihalik et al. (2025) are made."""

    j: tuple[int, ...] = option(tuple(range(5, 21)), "Initial j of interest.", parse_integers)
    v_max: int = option(0, "Highest initial v.")
    given_j: tuple[int, ...] = option((5,), 'Initial j in every set; "" for none.', integers_or_none)
    sizes: tuple[int, ...] = option((2, 3, 4, 5, 6), "Numbers of training j.", parse_integers)
    cost_exponent: float = option(4.0, "Cost of an initial j grows as j to this power: 4 for CS, 6 for CC.")
    hours_total: float | None = option(None, "Hours for all of --j that are not given.")
    kernels: tuple[str, ...] | None = option(None, "Kernels to try (default: all).", parse_names)
    mean: str = option("linear", "Prior mean: constant, linear, gap, ios or balanced.")
    figures: Path | None = option(None, "Draw figures 3 and 4 into this folder.", Path)
    format: str = option("png", "Format of the figures: png or svg.")
    jobs: int = option(1, "Number of processes.")
    scheduler: str | None = option(None, "Address of a dask scheduler to fit on instead.")
