"""Options of `train`, `evaluate`, `fill` and `corpus`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratedb.declared import option
from ratedb.numbers import parse_integers, parse_labels, parse_names
from ratedb.options.values import Integers, Paths


@dataclass(frozen=True)
class TrainOptions:
    """What to train on and what to try."""

    plan: int | None = option(None, "Use the sets of a stored plan.")
    train_j: Integers = option(None, "Initial j to train on.", parse_integers)
    validate_j: Integers = option(None, "Initial j that choose the model.", parse_integers)
    train_units: tuple[str, ...] | None = option(
        None, "Tops and pairs: initial states to train on (default: all computed).", parse_labels
    )
    validate_units: tuple[str, ...] | None = option(
        None, "Tops and pairs: initial states to test on (default: each left out in turn).", parse_labels
    )
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
    collider_levels: Path | None = option(
        None, "The collider's levels, where the truth has its states too.", Path
    )
    cross_sections: bool = option(False, "The truth holds cross sections: average them.")
    dense: bool = option(False, "Train the paper's dense model too (minutes).")


@dataclass(frozen=True)
class FillOptions:
    """Which model fills which initial j."""

    model: int | None = option(
        None,
        "Id of a model (default: that with the least error; of tops and pairs, with most initial states).",
    )
    j: Integers = option(None, "Initial j to fill (default: those the model is for).", parse_integers)
    dry_run: bool = option(False, "Show what would be filled; store nothing.")
