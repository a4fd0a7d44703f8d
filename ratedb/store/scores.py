"""Scores of training sets in the store, so that an exhaustive search can continue where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ratedb.store.base import OpenStore


class StoredScore(NamedTuple):
    """The test error of one training set with one kernel; j are lists such as 5,9,14,19."""

    kernel: str
    train_j: str
    validate_j: str
    dex_rms: float
    log10_percent_error: float


class ScoreTable(OpenStore):
    """The table set_score."""

    def put_set_scores(self, search: str, system: str, scores: Sequence[StoredScore]) -> None:
        """Store scores of training sets; `search` names what was asked."""
        columns = [[score[place] for score in scores] for place in range(len(StoredScore._fields))]
        self.rows(
            "INSERT INTO set_score SELECT ?, ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]),"
            " unnest(?::VARCHAR[]), unnest(?::DOUBLE[]), unnest(?::DOUBLE[])",
            [search, system, *columns],
        )

    def set_scores(self, search: str) -> list[StoredScore]:
        """Return the scores that are stored for a search."""
        rows = self.rows(
            "SELECT kernel, train_j, validate_j, dex_rms, log10_percent_error FROM set_score"
            " WHERE search = ?",
            [search],
        )
        return [StoredScore(*row) for row in rows]
