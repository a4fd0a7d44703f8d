"""Test a model on rates it has not seen, next to interpolation in j, a physical law and the paper's model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.models import dense
from ratedb.models.baselines import interpolate_in_j, physical_law
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.metrics import Metrics, metrics
from ratedb.models.predictor import Predictor
from ratedb.models.training_set import Sets, at_temperatures, complete_curves, rates_of_j, usable_rates
from ratedb.numbers import format_integers
from ratedb.physics.temperatures import interpolated
from ratedb.rates import Rates
from ratedb.results import Result

DENSE = Specification("dense", "M52", "paper", "constant")
"""The paper's model as a baseline: one GPR on flattened points, a single kernel."""


@dataclass(frozen=True)
class Slice:
    """The test for one initial j, one |dj|, one dv or one temperature: `value` says which."""

    value: float
    transitions: int
    model: Metrics
    interpolation: Metrics

    def to_json(self, key: str) -> dict[str, Any]:
        """Return plain JSON values, `value` under the name `key`."""
        return {key if name == "value" else name: value for name, value in asdict(self).items()}


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Result):
    """A held-out test: metrics of the model and of the baselines, and the values behind them.

    `truth` has n transitions and m temperatures; `prediction` and `interpolation_log10` (log10 k, shape
    (n, m)) belong to its rows. `baselines` has `interpolation`, `ios` (the physical law alone) and, if
    requested, `dense` (the paper's model). `paper` has the other columns of the paper's tables I-IV.
    """

    system: str
    model: Metrics
    baselines: dict[str, Metrics]
    by_j: tuple[Slice, ...]
    by_abs_dj: tuple[Slice, ...]
    by_dv: tuple[Slice, ...]
    by_temperature: tuple[Slice, ...]
    truth: Rates
    prediction: Rates
    interpolation_log10: FloatArray
    model_id: int | None = None
    paper: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "model_id": self.model_id,
            "system": self.system,
            "model": self.model.to_json(),
            "baselines": {name: found.to_json() for name, found in self.baselines.items()},
            "by_j": [entry.to_json("j") for entry in self.by_j],
            "by_abs_dj": [entry.to_json("abs_dj") for entry in self.by_abs_dj],
            "by_dv": [entry.to_json("dv") for entry in self.by_dv],
            "by_temperature": [entry.to_json("temperature_k") for entry in self.by_temperature],
            "paper": self.paper,
            "test_transitions": len(self.truth),
            "warnings": list(self.warnings),
        }

    def summary(self) -> str:
        """Return the system and the model's error."""
        return f"{self.system}, {len(self.truth)} held-out transitions, {self.model.dex_rms:.3f} dex rms"


def training_again(known: Rates, sets: Sets, model: Predictor, sha256: str) -> tuple[Rates, list[str]]:
    """Return the rates of the training j, and a warning where they changed since."""
    rates = rates_of_j(usable_rates(known)[0], sets.train_j, "training")
    training, _ = complete_curves(rates)
    if training.sha256() == sha256:
        return training, []
    training, _ = complete_curves(at_temperatures(rates, model.temperature_k))
    if training.sha256() == sha256:  # other j have brought temperatures of their own
        return training, []
    return training, [
        "the rates of the training j have changed since the model was trained: the baselines use the present"
        " ones; train again to use them in the model"
    ]


def given_to(model: Predictor, training: Rates, known: Rates) -> Rates:
    """Return the training rates and those of the other j that a model was given, for the baselines."""
    usable, _ = usable_rates(known)
    other_j = np.setdiff1d(model.train_j, training.initial_j())
    more = at_temperatures(usable.select(np.isin(usable.initial_j(), other_j)), training.temperature_k)
    return Rates.join([training, more.select(np.isfinite(more.rate_cm3_s).all(axis=1))])


def held_out(truth: Rates, sets: Sets, model: Predictor) -> tuple[Rates, list[str]]:
    """Return the transitions of the target j that the model has not seen, and warnings.

    They keep the temperatures of the truth that lie within the model's. A transition without a positive
    truth at any of them is left out. Raises RatedbError where none is left.
    """
    wanted = tuple(j for j in sets.target_j if j not in {*sets.train_j, *sets.validate_j})
    truth, warnings = usable_rates(truth)
    test = truth.select(np.isin(truth.initial_j(), wanted))
    supported = model.supports(test.transitions)
    if not supported.all():
        count = int((~supported).sum())
        warnings.append(f"{count} held-out transitions of a kind that was not trained are left out")
        test = test.select(supported)
    low, high = model.temperature_k[0] * (1 - 1e-9), model.temperature_k[-1] * (1 + 1e-9)
    test = test.select_temperatures((test.temperature_k >= low) & (test.temperature_k <= high))
    usable = (test.rate_cm3_s > 0).any(axis=1)
    if not usable.any():
        raise RatedbError(
            "nothing is held out from the model",
            where=truth.system,
            expected=f"computed rates out of j among {format_integers(wanted)}"
            if wanted
            else "a target with other j",
            got="none",
            todo="import explicit calculations of such j, or name a file that has them with --truth",
        )
    if not usable.all():
        what = "without a rate at the model's temperatures are left out"
        warnings.append(f"{int((~usable).sum())} held-out transitions {what}")
    return test.select(usable), warnings


def evaluate(model: Predictor, given: Rates, truth: Rates, *, dense_on: Rates | None = None) -> Evaluation:
    """Compare a model and baselines, which have the rates it was given, with truth at its temperatures.

    `dense_on` are rates to train the paper's model on; raises RatedbError where it has too many points.
    """
    wanted = truth.transitions
    v, _, v_final, _ = wanted.vj().T
    prediction = model.predict(wanted, truth.temperature_k)

    def at_truth(log10_k: FloatArray, own: Rates) -> FloatArray:
        return np.log10(interpolated(own.temperature_k, 10.0**log10_k, truth.temperature_k))

    naive = at_truth(interpolate_in_j(given, wanted), given)
    baselines = {"interpolation": naive, "ios": at_truth(physical_law(given, wanted), given)}
    if dense_on is not None:
        # Its intervals are not calibrated, so that only its mean is compared.
        curves = dense.fit(TrainingData.of(dense_on), DENSE).curves(wanted)
        baselines["dense"] = at_truth(curves.mean, dense_on)

    def slices(of_value: npt.NDArray[Any]) -> tuple[Slice, ...]:
        return _slices(truth, prediction, naive, np.broadcast_to(of_value, naive.shape))

    return Evaluation(
        truth.system,
        metrics(truth.rate_cm3_s, prediction.log10_rate, prediction.log10_half_width_68),
        {name: metrics(truth.rate_cm3_s, log10_k) for name, log10_k in baselines.items()},
        slices(truth.j[:, None]),
        slices(np.abs(truth.j_final - truth.j)[:, None]),
        slices((v_final - v)[:, None]),
        slices(truth.temperature_k),
        truth,
        prediction,
        naive,
    )


def _slices(
    truth: Rates, prediction: Rates, naive: FloatArray, of_value: npt.NDArray[Any]
) -> tuple[Slice, ...]:
    """Return the test for each value in `of_value`, shape (n, m), that has a positive truth."""
    found = []
    for value in np.unique(of_value).tolist():
        here = of_value == value
        part = np.ix_(here.any(axis=1), here.any(axis=0))
        rates = truth.rate_cm3_s[part]
        if (rates > 0).any():
            half_width = prediction.log10_half_width_68[part]
            model = metrics(rates, prediction.log10_rate[part], half_width)
            found.append(Slice(value, len(rates), model, metrics(rates, naive[part])))
    return tuple(found)
