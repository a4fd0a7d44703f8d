"""Choose kernel and features: fit each candidate on the training j, keep the best on the validation j."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

from ratedb.errors import FitError, RatedbError
from ratedb.models import basis
from ratedb.models.basis import BasisModel
from ratedb.models.features import Transitions
from ratedb.models.metrics import Metrics, calibration_factor, metrics
from ratedb.tables import RateTable


@dataclass(frozen=True)
class Tried:
    """One candidate of a search: what it was and how it did on the validation set."""

    kernel: str
    features: str
    validation_dex_rms: float | None
    log_marginal_likelihood: float | None
    training_dex_rms: float | None
    seconds: float
    failure: str | None = None


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The chosen model, calibrated on the validation set, its validation metrics, and all that was tried."""

    model: BasisModel
    validation: Metrics
    tried: tuple[Tried, ...]


def search(
    training: RateTable,
    validation: RateTable,
    kernels: Sequence[str],
    features: Sequence[str],
    seed: int = 0,
    report: Callable[[str], None] = lambda text: None,
) -> SearchResult:
    """Fit every kernel with every feature map and keep the one with the lowest validation dex_rms.

    `training` must be complete and positive; `validation` has the same temperatures, NaN where unknown.
    `report` is called before each fit. Raises RatedbError where no candidate can be fitted.
    """
    tried: list[Tried] = []
    best: tuple[float, BasisModel] | None = None
    wanted = Transitions(validation.levels, validation.upper, validation.lower)
    total = len(features) * len(kernels)
    for feature_name in features:
        for kernel in kernels:
            where = f"{len(tried) + 1} of {total}, {len(training)} transitions"
            report(f"fitting {kernel} with {feature_name} features ({where})")
            start = perf_counter()
            try:
                model = basis.fit(training, kernel, feature_name, seed)
            except FitError as error:
                tried.append(
                    Tried(kernel, feature_name, None, None, None, perf_counter() - start, error.what)
                )
                continue
            score = metrics(validation.rate_cm3_s, basis.predict(model, wanted).log10_mean).dex_rms
            seconds = perf_counter() - start
            tried.append(
                Tried(
                    kernel,
                    feature_name,
                    score,
                    model.log_marginal_likelihood,
                    model.training_dex_rms,
                    seconds,
                )
            )
            if best is None or score < best[0]:
                best = (score, model)
    if best is None:
        raise RatedbError(
            "no candidate could be fitted",
            where=training.system,
            expected="at least one kernel that explains the training data",
            got="; ".join(f"{t.kernel}, {t.features}" for t in tried),
            todo="check the training rates, or train on more j",
        )
    model = replace(best[1], calibration=_calibration(best[1], training, validation))
    prediction = basis.predict(model, wanted)
    return SearchResult(
        model,
        metrics(validation.rate_cm3_s, prediction.log10_mean, prediction.log10_std),
        tuple(tried),
    )


def _calibration(model: BasisModel, training: RateTable, validation: RateTable) -> float:
    """Return the factor that makes intervals hold on the validation j and on each j from the others.

    The larger of the two: the validation j are few and low, and the other test shows how the model does
    at high j and over wide gaps. With two training j only the first is possible.
    """
    prediction = basis.predict(model, Transitions(validation.levels, validation.upper, validation.lower))
    factor = calibration_factor(validation.rate_cm3_s, prediction.log10_mean, prediction.log10_std)
    if len(model.train_j) < 3:
        return factor
    mean, std = basis.predict_each_j_from_others(model, training.initial_j())
    return max(factor, calibration_factor(training.rate_cm3_s, mean, std))
