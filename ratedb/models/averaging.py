"""Weights of an average of models, from their errors on rates they have not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray

_ROUNDS = 20
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, eq=False)
class UnseenErrors:
    """Errors of candidates on rates they have not seen, in dex.

    `errors` (c, n, m) are NaN where the truth is unknown, `group` (n,) is the initial j of each row, and
    `by_validation` (n,) is true for rows of the validation j; the others are training j left out.
    """

    errors: FloatArray
    group: IntArray
    by_validation: BoolArray

    def scores(self) -> FloatArray:
        """Return the error of each candidate on both sides together, relative to the best of each, (c,)."""
        squares = []
        for side in (self.by_validation, ~self.by_validation):
            errors = self.errors[:, side].reshape(len(self.errors), -1)
            errors = errors[:, np.isfinite(errors).all(axis=0)]
            if errors.shape[1]:
                sizes = (errors**2).mean(axis=1)
                squares.append(sizes / max(float(sizes.min()), 1e-24))
        return np.asarray(np.sqrt(np.mean(squares, axis=0)))

    def weights(self, rows: BoolArray | None = None) -> FloatArray:
        """Return the weights, shape (c,), of the average with the smallest error on some rows.

        Greedy selection with replacement from the best candidate on (Caruana et al. 2004). Errors on the
        validation j and on the left-out training j count the same, each relative to the best candidate's.
        """
        if rows is None:
            rows = np.ones(len(self.group), dtype=np.bool_)
        parts = []
        for side in (self.by_validation, ~self.by_validation):
            errors = self.errors[:, rows & side].reshape(len(self.errors), -1)
            errors = errors[:, np.isfinite(errors).all(axis=0)]
            if errors.shape[1]:
                sizes = np.sqrt((errors**2).mean(axis=1))
                parts.append(errors / max(float(sizes.min()), 1e-12) / np.sqrt(errors.shape[1]))
        scaled = np.concatenate(parts, axis=1)
        # Only products of errors matter: with the Gram matrix a round costs c^2.
        gram = scaled @ scaled.T
        counts = np.zeros(len(scaled))
        for size in range(_ROUNDS):
            current = float(counts @ gram @ counts)
            total = current + 2.0 * (gram @ counts) + np.diag(gram)
            best = int(np.argmin(total))
            if size and total[best] / (size + 1) ** 2 > current / size**2 * (1.0 + _NEGLIGIBLE):
                break
            counts[best] += 1
        share: FloatArray = counts / counts.sum()
        return share
