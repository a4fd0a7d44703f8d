"""What drives the spread of lines over joint samples of rates: shares of variance, and what would be left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray

_REACH = 3.0
_NORMAL_MAD = 1.4826  # a normal distribution's standard deviation over its median absolute deviation


@dataclass(frozen=True, eq=False)
class Responses:
    """Logarithms of the fluxes of lines in samples, shape (s, l), without their far tails."""

    log_flux: FloatArray

    @staticmethod
    def of(flux: FloatArray) -> Responses:
        """Return the responses of fluxes, shape (s, l); what is not positive counts as vanishing."""
        return Responses(tamed(np.log(np.maximum(flux, np.finfo(np.float64).tiny))))

    @property
    def _centred(self) -> FloatArray:
        return np.asarray(self.log_flux - self.log_flux.mean(axis=0))

    def share_of_each(self, causes: FloatArray) -> FloatArray:
        """Return the share of the lines' variance that each cause (s, n) explains alone, shape (n,).

        The square of the correlation, less what chance gives, weighted by the variance of each line.
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
    """Return samples (s, n) without their far tails, which a few draws of Student's t would rule by."""
    centre = np.median(values, axis=0)
    reach = _REACH * _NORMAL_MAD * np.median(np.abs(values - centre), axis=0)
    return np.asarray(np.clip(values, centre - reach, centre + reach))


def _weights(centred: FloatArray) -> FloatArray:
    variance = centred.var(axis=0)
    total = variance.sum()
    return np.asarray(variance / total if total > 0 else np.zeros(len(variance)))
