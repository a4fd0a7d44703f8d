"""Keep the scores of an exhaustive search in the store, as they are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ratedb.planning.screening import SetScore, TrialSet
from ratedb.store.store import Store, StoredScore


@dataclass(frozen=True)
class StoredScores:
    """The scores of a system in a store; a dry run adds none."""

    db: Path
    system: str
    dry_run: bool = False

    def scores(self, search: str) -> list[SetScore]:
        """Return the scores that are stored under a search."""
        with Store(self.db) as store:
            stored = store.set_scores(search)
        return [
            SetScore(
                TrialSet(_numbers(one.train_j), _numbers(one.validate_j)),
                one.kernel,
                one.dex_rms,
                one.log10_percent_error,
            )
            for one in stored
        ]

    def save(self, search: str, new: Sequence[SetScore]) -> None:
        """Store new scores."""
        if not self.dry_run:
            rows = [
                StoredScore(
                    one.kernel,
                    ",".join(map(str, one.trial.train_j)),
                    ",".join(map(str, one.trial.validate_j)),
                    one.dex_rms,
                    one.log10_percent_error,
                )
                for one in new
            ]
            with Store(self.db, write=True) as store:
                store.put_set_scores(search, self.system, rows)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))
