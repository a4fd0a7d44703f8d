"""What a demo works on: its file, its systems, and what is planned, imported and trained."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile
from ratedb.io.registry import read_rates
from ratedb.kinds.units import units_of
from ratedb.models.tops.wanted import possible_transitions
from ratedb.options import ImportOptions, PlanOptions, TrainOptions
from ratedb.planning.unit_plan import Landscape, UnitRequest
from ratedb.verbs.demo_file import is_molecule

# The paper's setting: j <= 5 is known, four training j.
_GIVEN_UP_TO, _TRAINING_SETS, _J_MAX = 5, 4, 20
# Of tops the lowest states are known, which cost next to nothing; 40 % of all are computed.
_GIVEN_COST, _SHARE_PERCENT, _LEAST_UNITS = 0.01, 40.0, 12


@dataclass(frozen=True)
class DemoWork:
    """The systems of a demo's file, p-H2 first, what to plan, and the highest j of its exports."""

    systems: list[str]
    wanted: PlanOptions
    j_max: int | None

    @property
    def name(self) -> str:
        """What one explicit calculation is for, in words."""
        return "j" if self.wanted.share is None else "states"

    def few(self, origin: ImportOptions, chosen: dict[str, Any]) -> ImportOptions:
        """Return how the chosen calculations are imported, and no others."""
        if self.wanted.share is not None:
            return replace(origin, units=tuple(chosen["train_units"]))
        j = {*range(_GIVEN_UP_TO + 1), *chosen["train_j"], *chosen["validate_j"]}
        return replace(origin, j=tuple(sorted(j)))

    def training(self, planned: dict[str, Any]) -> TrainOptions:
        """Return what a model is trained on."""
        chosen = planned["chosen"]
        if self.wanted.share is not None:
            return TrainOptions(train_units=tuple(chosen["train_units"]))
        sets = (tuple(chosen["train_j"]), tuple(chosen["validate_j"]))
        return TrainOptions(train_j=sets[0], validate_j=sets[1], j=tuple(planned["target_j"]))


def work_on(path: Path, molecule: str | None) -> DemoWork:
    """Return what a demo does with a file; RatedbError where it is of another molecule or too small."""
    file = read_rates(path)
    if molecule is not None and not is_molecule(file.levels.molecule, molecule):
        raise RatedbError(
            "the demo's file is of another molecule",
            where=str(path),
            expected=molecule,
            got=file.levels.molecule,
        )
    return _of_j(file, path) if file.levels.has_vj else _of_units(file, path)


def _of_j(file: MoleculeFile, path: Path) -> DemoWork:
    v, j = file.levels.need_vj()
    target = tuple(range(_GIVEN_UP_TO, min(_J_MAX, int(j.max())) + 1))
    tables = [partner.rates for partner in file.partners]
    systems = [rates.system for rates in tables if set(target) <= set(rates.initial_j().tolist())]
    if not systems or len(target) < 2 * _TRAINING_SETS:
        raise RatedbError(
            "the file has too few j for the demo",
            where=str(path),
            expected=f"a collider with rates out of every j = {_GIVEN_UP_TO}..12 or more",
            got=f"levels up to j = {int(j.max())}",
            todo="name another LAMDA file with --file",
        )
    wanted = PlanOptions(target, v_max=int(v.max()), given_j=(_GIVEN_UP_TO,), sizes=(_TRAINING_SETS,))
    return DemoWork(_p_h2_first(systems), wanted, _J_MAX)


def _of_units(file: MoleculeFile, path: Path) -> DemoWork:
    units, possible = units_of(file.levels), possible_transitions(file.levels)
    every = len(np.unique(units.of_level[possible.upper]))
    complete = [
        rates.system
        for rates in (partner.rates for partner in file.partners)
        if len(np.unique(units.of_level[rates.upper])) >= every
    ]
    if not complete or every < _LEAST_UNITS:
        raise RatedbError(
            "the file has too few initial states for the demo",
            where=str(path),
            expected=f"a collider with rates out of all initial states, {_LEAST_UNITS} or more",
            got=f"{every} initial states",
            todo="name another LAMDA file with --file",
        )
    systems = _p_h2_first(complete)
    given = _cheapest(Landscape(file.levels, UnitRequest(systems[0])))
    return DemoWork(systems, PlanOptions(share=_SHARE_PERCENT, levels=path, given_units=given), None)


def _cheapest(landscape: Landscape) -> tuple[str, ...]:
    """Return the lowest initial states that together cost little."""
    places = landscape.of_interest.tolist()
    shares = (landscape.costs.share(places[: count + 1]) for count in range(len(places)))
    return landscape.units.named(landscape.of_interest[: sum(share <= _GIVEN_COST for share in shares)])


def _p_h2_first(systems: list[str]) -> list[str]:
    return sorted(systems, key=lambda system: not system.endswith("+p-H2"))
