"""What a page says of one system, as the store has it: the input of everything else in this room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.kinds.species import kind_of
from ratedb.kinds.units import units_of
from ratedb.physics.orientation import units_out_of
from ratedb.rates import Rates

if TYPE_CHECKING:
    from ratedb.models.evaluation import Evaluation
    from ratedb.models.tops.evaluation import UnitEvaluation
    from ratedb.report.affected import AffectedLines
    from ratedb.store.plans import Plan


@dataclass(frozen=True, eq=False)
class SystemContents:
    """One system of a page.

    `best` are the rates that an export writes, `curves` all rates of each source that counts, by its id.
    `sources` are the rows of the view `sources`. `test` is the held-out test of the newest model, or why
    there is none.
    """

    best: Rates
    curves: Mapping[int, Rates]
    sources: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    models: Sequence[Mapping[str, Any]]
    plan: Plan | None
    test: Evaluation | UnitEvaluation | str
    affected: AffectedLines | None = None

    @property
    def system(self) -> str:
        """The name of the system, such as CO+p-H2."""
        return self.best.system

    @cached_property
    def temperature_k(self) -> FloatArray:
        """The temperatures of all sources, K, shape (m,), increasing."""
        every = [self.best.temperature_k, *(rates.temperature_k for rates in self.curves.values())]
        kelvin: FloatArray = np.unique(np.concatenate(every))
        return kelvin

    @cached_property
    def level_order(self) -> IntArray:
        """The levels with rates, in the order of energy, as indices into the levels, shape (l,)."""
        used: IntArray = np.unique(np.concatenate([self.best.upper, self.best.lower]))
        order: IntArray = used[np.argsort(self.best.levels.energy_cm1[used], kind="stable")]
        return order


def initial_states(rates: Rates) -> tuple[tuple[str, ...], IntArray]:
    """Return the initial states by name, and that of each transition, shape (n,).

    They are the initial j of a linear molecule, the initial states of a kind that is known, else levels.
    """
    levels = rates.levels
    if levels.has_vj:
        every, place = np.unique(rates.initial_j(), return_inverse=True)
        return tuple(map(str, every.tolist())), np.ravel(place)
    if kind_of(levels) is not None:
        units = units_of(levels)
        every, place = np.unique(units_out_of(rates.transitions, units), return_inverse=True)
        return units.named(every), np.ravel(place)
    order = np.argsort(levels.energy_cm1, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    every, place = np.unique(rank[rates.upper], return_inverse=True)
    return tuple(levels.label[order[one]] for one in every), np.ravel(place)
