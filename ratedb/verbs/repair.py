"""Merge levels that a store has twice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratedb.options import Progress, RepairOptions, silent
from ratedb.results import Result
from ratedb.store.level_repair import Twin
from ratedb.store.store import Store


@dataclass(frozen=True, repr=False)
class RepairResult(Result):
    """The levels that were merged, or that a dry run would merge.

    `unclear` are pairs of equal energy and weight that fit other levels too: they stay two levels.
    """

    merged: tuple[Twin, ...]
    unclear: tuple[Twin, ...] = ()
    dry_run: bool = False

    def summary(self) -> str:
        """Return how many levels were merged."""
        return f"{len(self.merged)} levels {'would be' if self.dry_run else 'were'} merged"


def repair(
    db: Path, molecule: str | None, options: RepairOptions, progress: Progress = silent
) -> RepairResult:
    """Merge levels of a molecule, or of all, that differ only in their labels.

    Raises RatedbError for an unknown molecule.
    """
    with Store(db, write=not options.dry_run) as store:
        merged: list[Twin] = []
        unclear: list[Twin] = []
        for name in store.molecules() if molecule is None else [molecule]:
            progress(f"comparing the levels of {name}")
            done, open_pairs = store.merge_twins(name, dry_run=options.dry_run)
            merged += done
            unclear += open_pairs
    return RepairResult(tuple(merged), tuple(unclear), options.dry_run)
