"""Which transitions and initial j drive the uncertainty of lines, over joint samples of the rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import STD_OVER_MAD, FloatArray, IntArray
from ratedb.kinds.units import units_of
from ratedb.physics.orientation import units_out_of
from ratedb.rates import Rates

_NAMED = 10
_REACH = 3.0


@dataclass(frozen=True)
class Driver:
    """A transition and its share of the variance of the logarithm of all line fluxes.

    Shares of correlated transitions overlap: their sum may exceed one.
    """

    system: str
    name: str
    share: float


@dataclass(frozen=True)
class JImpact:
    """An initial j and the share of the lines' variance that all its transitions explain.

    Of tops and pairs `j` is the label of the initial state.
    `uncertainty_after` is what 95 of 100 lines and conditions would stay below if this j were computed.
    """

    system: str
    j: int | str
    share: float
    uncertainty_after: float


def find_drivers(
    tables: Sequence[Rates], deviations: Sequence[FloatArray], flux: FloatArray, uncertainty: FloatArray
) -> tuple[tuple[Driver, ...], tuple[JImpact, ...]]:
    """Return the transitions and the initial j that explain most of the variance of the lines' ln flux.

    `deviations` are those of each table in the samples, shape (samples, n, m), in dex; `flux`, shape
    (samples, lines), and `uncertainty`, shape (lines,), are of the lines of interest.
    """
    responses = Responses.of(flux)
    drivers, each_j = [], []
    for rates, deviation in zip(tables, deviations, strict=True):
        uncertain = np.flatnonzero(deviation.any(axis=(0, 2)))
        if not len(uncertain):
            continue
        of_row = tamed(deviation[:, uncertain].mean(axis=2))
        for row, share in zip(uncertain, responses.share_of_each(of_row), strict=True):
            drivers.append(Driver(rates.system, rates.transition_name(int(row)), float(share)))
        names, initial = _initial_states(rates)
        for one in np.unique(initial[uncertain]).tolist():
            explained = responses.explained_together(of_row[:, initial[uncertain] == one])
            left = p95(uncertainty * np.sqrt(1.0 - explained))
            each_j.append(JImpact(rates.system, names[one], responses.mean_share(explained), left))
    return (
        tuple(sorted(drivers, key=lambda one: -one.share)[:_NAMED]),
        tuple(sorted(each_j, key=lambda one: -one.share)),
    )


def _initial_states(rates: Rates) -> tuple[dict[int, int | str], IntArray]:
    """Return j, or the labels of initial states of tops, and which of them each transition goes out of."""
    if rates.levels.has_vj:
        return {one: one for one in rates.j.tolist()}, rates.j
    units = units_of(rates.levels)
    return dict(enumerate(units.label)), units_out_of(rates.transitions, units)


def p95(values: FloatArray) -> float:
    """Return what 95 of 100 values stay below."""
    return float(np.quantile(values, 0.95))


@dataclass(frozen=True, eq=False)
class Responses:
    """Logarithms of the fluxes of lines in samples, shape (s, l), without their far tails."""

    log_flux: FloatArray

    @staticmethod
    def of(flux: FloatArray) -> Responses:
        """Return the responses of fluxes, shape (s, l); one that is not positive counts as zero."""
        return Responses(tamed(np.log(np.maximum(flux, np.finfo(np.float64).tiny))))

    @property
    def _centred(self) -> FloatArray:
        return np.asarray(self.log_flux - self.log_flux.mean(axis=0))

    def share_of_each(self, causes: FloatArray) -> FloatArray:
        """Return the share of the lines' variance that each cause (s, n) explains alone, shape (n,).

        The squared correlation, less that expected by chance, weighted by the variance of each line.
        """
        count = len(causes)
        x, y = causes - causes.mean(axis=0), self._centred
        size = np.sqrt((x**2).sum(axis=0))[:, None] * np.sqrt((y**2).sum(axis=0))
        with np.errstate(invalid="ignore", divide="ignore"):
            square = np.where(size > 0, (x.T @ y / size) ** 2, 0.0)
        adjusted = np.maximum(square - (1.0 - square) / (count - 2), 0.0)
        return np.asarray(adjusted @ _weights(y))

    def explained_together(self, causes: FloatArray) -> FloatArray:
        """Return the share of each line's variance that causes (s, n) explain together, shape (l,).

        The adjusted R^2 of a regression on their principal components, a fifth as many as samples at most.
        """
        count = len(causes)
        vectors, size, _ = np.linalg.svd(causes - causes.mean(axis=0), full_matrices=False)
        used = int(min((size > 1e-6 * max(size[0], 1e-300)).sum(), count // 5))
        y = self._centred
        whole = (y**2).sum(axis=0)
        explained = ((vectors[:, :used].T @ y) ** 2).sum(axis=0)
        part = np.divide(explained, whole, out=np.zeros_like(whole), where=whole > 0)
        return np.asarray(np.clip(1.0 - (1.0 - part) * (count - 1) / (count - used - 1), 0.0, 1.0))

    def mean_share(self, explained: FloatArray) -> float:
        """Return the share of the variance of all lines, from the share of each, shape (l,)."""
        return float(explained @ _weights(self._centred))


def tamed(values: FloatArray) -> FloatArray:
    """Return samples (s, n) without their far tails, so that a few draws of Student's t do not dominate."""
    centre = np.median(values, axis=0)
    reach = _REACH * STD_OVER_MAD * np.median(np.abs(values - centre), axis=0)
    return np.asarray(np.clip(values, centre - reach, centre + reach))


def _weights(centred: FloatArray) -> FloatArray:
    variance = centred.var(axis=0)
    total = variance.sum()
    return np.asarray(variance / total if total > 0 else np.zeros(len(variance)))
