"""What a store knows of a system that is planned: its rates, and scores of training sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ratedb.planning.exhaustive import ScoreBook
from ratedb.planning.knowledge import KnownRates
from ratedb.planning.screening import SetScore, TrialSet
from ratedb.rates import Rates
from ratedb.store.store import Store, StoredScore
from ratedb.systems import split_system


def known_rates(db: Path, system: str) -> Rates:
    """Return the rates of a system that are neither predicted nor flagged; RatedbError if it is unknown."""
    with Store(db) as store:
        return store.known_rates(system).known()


def rates_to_plan(db: Path, system: str, like: str | None) -> KnownRates:
    """Return what is known of a system, of its molecule and of a similar system.

    Raises RatedbError for an unknown similar system.
    """
    molecule, _ = split_system(system)
    with Store(db) as store:
        return KnownRates(
            own=store.known_rates(system).known() if store.has_system(system) else None,
            levels=store.levels(molecule).levels if store.has_molecule(molecule) else None,
            like=None if like is None else store.known_rates(like).known(),
        )


@dataclass(frozen=True)
class StoredScores(ScoreBook):
    """The scores of a system in a store; a dry run adds none."""

    db: Path
    system: str
    dry_run: bool = False

    def scores(self, search: str) -> list[SetScore]:
        """Return the scores that are stored under a search."""
        with Store(self.db) as store:
            stored = store.set_scores(search)
        return [
            SetScore(TrialSet(_numbers(train_j), _numbers(validate_j)), kernel, dex_rms, percent)
            for kernel, train_j, validate_j, dex_rms, percent in stored
        ]

    def save(self, search: str, new: Sequence[SetScore]) -> None:
        """Store new scores."""
        if self.dry_run:
            return
        rows = [
            StoredScore(kernel, _text(trial.train_j), _text(trial.validate_j), dex_rms, percent)
            for trial, kernel, dex_rms, percent in new
        ]
        with Store(self.db, write=True) as store:
            store.put_set_scores(search, self.system, rows)


def _text(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))
