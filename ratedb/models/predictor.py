"""One or more fitted models of a system, averaged, with calibrated intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.levels import Levels, Transitions
from ratedb.models.calibration import Calibration
from ratedb.models.corpus.intervals import Intervals
from ratedb.models.engine import Curves, Fitted, TrainingData
from ratedb.models.features import is_homonuclear
from ratedb.models.reference import ReferenceRates
from ratedb.rates import Rates


@dataclass(frozen=True, eq=False)
class Predictor:
    """A weighted average of fitted models of one system, with calibrated intervals.

    `max_abs_dj` and `train_j` bound what it is conditioned on, the training and validation j; `levels` are
    the molecule's at training time. `intervals`, measured on other molecules, come before the calibration.
    """

    levels: Levels
    collider: str
    train_j: tuple[int, ...]
    max_abs_dj: int
    temperature_k: FloatArray
    members: tuple[Fitted, ...]
    weights: tuple[float, ...]
    calibration: Calibration
    reference: ReferenceRates | None = None
    intervals: Intervals | None = None

    def names(self, field: str) -> str:
        """Return what the members have as kernel, features, mean or engine, the heaviest first."""
        order = np.argsort([-weight for weight in self.weights], kind="stable")
        names = [getattr(self.members[index].specification, field) for index in order]
        return ", ".join(dict.fromkeys(names))

    def predict(self, wanted: Transitions, temperature_k: FloatArray | None = None) -> Rates:
        """Return predicted rates with the half widths of their 68 % intervals.

        At other temperatures than the model's they are what `Rates.at` gives; raises RatedbError outside.
        """
        curves = average([member.curves(wanted) for member in self.members], self.weights)
        half_width, shape = self.half_width(wanted, curves.variance), curves.mean.shape
        if not (np.isfinite(curves.mean) & np.isfinite(half_width)).all():
            system = f"{wanted.levels.molecule}+{self.collider}"
            raise RatedbError(f"a prediction for {system} is not finite", expected="numbers", got="NaN")
        layers = {
            "kind_code": np.full(shape, Kind.PREDICTED),
            "log10_half_width_68": half_width,
            "extrapolated": np.repeat(self._extrapolated(wanted)[:, None], shape[1], axis=1),
        }
        rates = Rates(
            wanted.levels,
            self.collider,
            wanted.upper,
            wanted.lower,
            self.temperature_k,
            10.0**curves.mean,
            layers,
        )
        return rates if temperature_k is None else rates.at(temperature_k)

    def covariance(self, wanted: Transitions) -> FloatArray:
        """Return the covariance of log10 k between the model's temperatures, shape (n, m, m), in dex^2.

        Its diagonal is the square of `predict`'s half width. At other temperatures it is A C A' with the
        operator A of `physics.temperatures.interpolation`.
        """
        each = [member.covariance(wanted) for member in self.members]
        means = [member.curves(wanted).mean for member in self.members]
        centre = sum(weight * mean for weight, mean in zip(self.weights, means, strict=True))
        total = np.zeros_like(each[0])
        for weight, covariance, mean in zip(self.weights, each, means, strict=True):
            off = mean - centre
            total += weight * (covariance + off[:, :, None] * off[:, None, :])
        stretch, floor = self.stretch(wanted), self.floor(wanted)
        of_model = stretch[:, :, None] * stretch[:, None, :] * total
        return np.asarray(of_model + floor[:, :, None] * floor[:, None, :])

    def stretch(self, wanted: Transitions) -> FloatArray:
        """Return what the standard deviation of the members is multiplied by, shape (n, m)."""
        if self.intervals is None:
            return np.asarray(
                self.calibration.scale * self._at_ends(wanted) * np.ones(len(self.temperature_k))
            )
        return self.intervals.stretch(wanted, self.temperature_k)

    def half_width(self, wanted: Transitions, variance: FloatArray) -> FloatArray:
        """Return the half width of the 68 % interval in dex for the members' variances, shape (n, m) both."""
        return np.asarray(np.sqrt(self.stretch(wanted) ** 2 * variance + self.floor(wanted) ** 2))

    def floor(self, wanted: Transitions) -> FloatArray:
        """Return the part of half widths that all transitions out of one j share, in dex, shape (n, m)."""
        return np.asarray(self._at_ends(wanted) * self.calibration.floor)

    def _at_ends(self, wanted: Transitions) -> FloatArray:
        """Return by how much wider intervals are for j below and above the computed ones, shape (n, 1)."""
        initial_j, calibration = wanted.initial_j(), self.calibration
        factor = np.where(initial_j < min(self.train_j), calibration.below, 1.0)
        return np.where(initial_j > max(self.train_j), calibration.above, factor)[:, None]

    def given(self, members: Sequence[Fitted], data: TrainingData) -> Predictor:
        """Return the predictor with its members conditioned on other curves, such as more computed j."""
        _, initial, _, final = data.transitions.vj().T
        return replace(
            self,
            train_j=tuple(np.unique(initial).tolist()),
            max_abs_dj=int(np.abs(final - initial).max()),
            members=tuple(members),
        )

    def supports(self, wanted: Transitions) -> BoolArray:
        """Return which transitions are of a kind that was trained, shape (n,).

        A kind is (v, v', parity of dj), with the parity of j for a homonuclear molecule.
        """
        trained = {kind for member in self.members for kind in self._kinds(member.training)}
        return np.array([kind in trained for kind in self._kinds(wanted)], dtype=np.bool_)

    def _kinds(self, transitions: Transitions) -> list[tuple[int, int, int, int]]:
        spin = is_homonuclear(self.levels.molecule)
        return [
            (v, v_final, abs(j_final - j) % 2, j % 2 if spin else 0)
            for v, j, v_final, j_final in transitions.vj().tolist()
        ]

    def _extrapolated(self, wanted: Transitions) -> BoolArray:
        _, initial, _, final = wanted.vj().T
        low, high = min(self.train_j), max(self.train_j)
        outside: BoolArray = (np.abs(final - initial) > self.max_abs_dj) | (initial > high) | (initial < low)
        return outside


def average(curves: Sequence[Curves], weights: Sequence[float]) -> Curves:
    """Return the weighted mean of predictions; the variance includes how far they lie apart."""
    mean = np.zeros_like(curves[0].mean)
    for weight, one in zip(weights, curves, strict=True):
        mean += weight * one.mean
    variance = np.zeros_like(mean)
    for weight, one in zip(weights, curves, strict=True):
        variance += weight * (one.variance + (one.mean - mean) ** 2)
    return Curves(mean, variance)
