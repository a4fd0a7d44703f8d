"""Show what a store contains: its systems, levels and findings, and the coverage of one system."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.kinds.recognise import why
from ratedb.layers import KINDS, temperatures_text
from ratedb.physics.rotational_constants import MoleculeReport, report_of
from ratedb.planning.coverage import coverage
from ratedb.quality.precedence import only_newer
from ratedb.results import Result
from ratedb.store.query import QueryResult
from ratedb.store.store import Store

_OF_SOURCE = ("source_id", "kind", "method", "reference", "file_name", "model_id", "imported_at", "withdrawn")


@dataclass(frozen=True, repr=False)
class SystemReport(Result):
    """Levels, temperatures, sources, models and coverage of a system.

    `molecule_kind` is what the molecule is, and `why_kind` what in its levels says so. `molecules` has its
    rotational constants in cm-1, with their residual, and its nuclear spin species; for two molecules that
    change state, those of both. `kinds` and `coverage` count transitions by their best kind; `computed` is
    any kind but predicted, and `missing` are downward pairs of levels without rates. `coverage` is empty
    where levels have no j.
    `sources` are in order of precedence, each with the number of transitions that it gives.
    """

    system: str
    molecule_kind: str
    why_kind: str
    levels: int
    transitions: int
    temperatures_k: list[float]
    kinds: dict[str, int]
    coverage: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    warnings: list[str]
    models: list[dict[str, Any]]
    molecules: tuple[MoleculeReport, ...]

    def summary(self) -> str:
        """Return in a few words what is in the store."""
        kelvin = temperatures_text(np.array(self.temperatures_k))
        return f"{self.system}, {self.levels} levels, {self.transitions} transitions, {kelvin}"


def systems(db: Path) -> QueryResult:
    """List the systems: transitions, temperatures and values by kind."""
    with Store(db) as store:
        return store.list_systems()


def levels(db: Path, molecule: str) -> QueryResult:
    """List the levels of a molecule by energy; raises RatedbError for an unknown molecule."""
    with Store(db) as store:
        return store.list_levels(molecule)


def findings(db: Path, system: str | None = None) -> QueryResult:
    """List stored findings about all systems or one; raises RatedbError for an unknown system."""
    with Store(db) as store:
        return store.list_findings(system)


def show(db: Path, system: str) -> SystemReport:
    """Return what the store contains of a system; raises RatedbError for an unknown system."""
    with Store(db) as store:
        best = store.best_kinds(system)
        listed = store.list_sources(system).dicts()
        rows = {row["source_id"]: row for row in store.sources(system)}
        models = store.list_models(system)
    levels = best.transitions.levels
    return SystemReport(
        system=system,
        molecule_kind=levels.kind,
        why_kind=why(levels),
        levels=len(levels),
        transitions=len(best.transitions),
        temperatures_k=best.temperature_k.tolist(),
        kinds={kind: int((best.kind_code == number).sum()) for number, kind in enumerate(KINDS)},
        coverage=coverage(best.transitions, best.kind_code),
        sources=[
            {name: rows[one["source_id"]][name] for name in _OF_SOURCE}
            | {"transitions": one["best_transitions"]}
            for one in listed
        ],
        warnings=only_newer(system, listed),
        models=models,
        molecules=report_of(levels),
    )
