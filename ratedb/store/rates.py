"""Rates out of the store: the best ones of a system, or those of one source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray, IntArray, distinct, positions
from ratedb.errors import RatedbError
from ratedb.layers import LAYERS
from ratedb.levels import Transitions
from ratedb.rates import Rates
from ratedb.store.connection import clear_errors, run
from ratedb.store.levels import LevelStore, StoredLevels
from ratedb.store.models import ModelStore
from ratedb.store.seals import need_intact_rates
from ratedb.store.sources import SourceStore
from ratedb.store.systems import System

_BEST = """
SELECT upper_id, lower_id, temperature_k, rate_cm3_s, rank AS kind_code, source_id,
       coalesce(log10_half_width_68, 'nan'::DOUBLE) AS log10_half_width_68, extrapolated, marked
FROM {view} WHERE {which}
"""
# The transitions, and below them the temperatures.
_BEST_KINDS = """
WITH part AS MATERIALIZED (
    SELECT upper_id, lower_id, rank, grid_id, given_k FROM best_row WHERE system = ?
)
SELECT upper_id, lower_id, min(rank) AS kind_code, 'nan'::DOUBLE AS temperature_k
FROM part GROUP BY upper_id, lower_id
UNION ALL
SELECT DISTINCT -1, -1, -1, unnest(coalesce(given_k, temperature_k))
FROM (SELECT DISTINCT grid_id, given_k FROM part) JOIN temperature_grid USING (grid_id)
"""
_OF_SOURCE = """
SELECT upper_id, lower_id, temperature_k, rate_cm3_s FROM rate_value
WHERE source_id = ? AND rate_cm3_s IS NOT NULL
"""
_OF_ALL_SOURCES = """
SELECT upper_id, lower_id, temperature_k, rate_cm3_s, rank AS kind_code, source_id,
       coalesce(log10_half_width_68, 'nan'::DOUBLE) AS log10_half_width_68, extrapolated, marked
FROM rate_value WHERE system = ? AND rate_cm3_s IS NOT NULL
"""


@dataclass(frozen=True, eq=False)
class BestKinds:
    """The transitions of a system that have rates, n of them, and the temperatures of any, shape (m,).

    `kind_code`, shape (n,), is the Kind of the best value of each transition.
    """

    transitions: Transitions
    kind_code: IntArray
    temperature_k: FloatArray


@dataclass(frozen=True)
class Part:
    """A part of the rates of a system: one transition by labels, up to a highest j, some kinds; else all.

    The store reads no more than that. A highest j leaves out levels without a whole j.
    """

    upper: str | None = None
    lower: str | None = None
    j_max: int | None = None
    kinds: tuple[str, ...] = ()

    def condition(self, system: str) -> tuple[str, list[Any]]:
        """Return the condition of a query for this part of a system, and its values."""
        asked = {
            "system = ?": system,
            "upper_label = ?": self.upper,
            "lower_label = ?": self.lower,
            "greatest(j, j_final) <= ?": self.j_max,
            "list_contains(?::VARCHAR[], kind)": list(self.kinds) or None,
        }
        wanted = {text: value for text, value in asked.items() if value is not None}
        return " AND ".join(wanted), list(wanted.values())

    def rows(self, system: System) -> tuple[str, list[Any]]:
        """Return the condition for the rows of the table rate that the values of this part are among."""
        conditions = ["source_id IN (SELECT source_id FROM source_now WHERE system_id = ?)"]
        values: list[Any] = [system.system_id]
        for end, label in (("upper_id", self.upper), ("lower_id", self.lower)):
            if label is not None:
                conditions.append(f"{end} IN (SELECT level_id FROM level WHERE molecule = ? AND label = ?)")
                values += [system.molecule, label]
            if self.j_max is not None:
                of_j = "SELECT level_id FROM level_named WHERE molecule = ? AND j <= ?"
                conditions.append(f"{end} IN ({of_j})")
                values += [system.molecule, self.j_max]
        return " AND ".join(conditions), values


class RateStore(SourceStore, ModelStore, LevelStore):
    """The part of a store with the views of the table rate, as arrays."""

    def rates(self, name: str, part: Part | None = None) -> Rates:
        """Return the best rates of a system, or a part of them; raises RatedbError for an unknown system.

        Each curve is that of one source from its lowest to its highest temperature; values beyond, and in the
        place of flagged ones, come from the next source. (The view `rates` chooses at each temperature.)
        """
        return self._best(name, "best_curve", part or Part())

    def known_rates(self, name: str, part: Part | None = None) -> Rates:
        """Return the best rates of a system from files, or a part; raises RatedbError for an unknown system.

        Values that quality control flagged are included where files have no other.
        """
        return self._best(name, "known_curve", part or Part())

    def _best(self, name: str, view: str, part: Part) -> Rates:
        system = self.system(name)
        molecule = self.levels(system.molecule)
        self._need_intact_rates(*part.rows(system))
        which, values = part.condition(name)
        rates = self._read(_BEST.format(view=view, which=which), values, system.collider, molecule)
        used = set(np.unique(rates.source_id).tolist())
        sources = {row["source_id"]: row for row in self.sources(name) if row["source_id"] in used}
        made = {row["model_id"] for row in sources.values()} - {None}
        return replace(rates, sources=sources, models={number: self.model(number) for number in sorted(made)})

    def best_kinds(self, name: str) -> BestKinds:
        """Return which transitions have which kind of rates; reads no rates.

        Raises RatedbError for an unknown system.
        """
        molecule = self.levels(self.system(name).molecule)
        found = self._columns(_BEST_KINDS, [name])
        there = found["upper_id"] >= 0
        upper, lower = (positions(molecule.level_id, found[end][there]) for end in ("upper_id", "lower_id"))
        kinds = found["kind_code"][there].astype(np.int64)
        kelvin = np.sort(found["temperature_k"][~there])
        return BestKinds(Transitions(molecule.levels, upper, lower), kinds, kelvin)

    def source_rates(self, name: str, source_id: int) -> Rates:
        """Return all rates of one source of a system, NaN where it has none.

        Raises RatedbError for a source of another system or without rates.
        """
        system = self.system(name)
        known = self.source_ids(name, predicted=True)
        if source_id not in known:
            raise RatedbError(
                f"{name} has no source {source_id}, or it is withdrawn",
                where=str(self.path),
                expected="one of " + ", ".join(map(str, known)),
                todo=f"`ratedb sources {name}` lists them",
            )
        self._need_intact_rates("source_id = ?", [source_id])
        rates = self._read(_OF_SOURCE, [source_id], system.collider, self.levels(system.molecule))
        if not len(rates):
            raise RatedbError(
                f"source {source_id} has no rates", todo=f"`ratedb show {name}` lists the sources"
            )
        return rates

    def rates_by_source(self, name: str) -> dict[int, Rates]:
        """Return the rates of each source of a system that is not withdrawn by its id, predictions too.

        Each has all that is said of its values. Raises RatedbError for an unknown system.
        """
        system = self.system(name)
        molecule = self.levels(system.molecule)
        self._need_intact_rates(*Part().rows(system))
        found = self._columns(_OF_ALL_SOURCES, [name])
        order = np.argsort(found["source_id"], kind="stable")
        every, first = np.unique(found["source_id"][order], return_index=True)
        parts = {column: np.split(values[order], first[1:]) for column, values in found.items()}
        return {
            number: _as_rates({column: part[at] for column, part in parts.items()}, system.collider, molecule)
            for at, number in enumerate(every.tolist())
        }

    def _need_intact_rates(self, condition: str, values: Sequence[Any]) -> None:
        with clear_errors(self.path):
            need_intact_rates(self.connection, condition, values)

    def _read(self, sql: str, asked: Sequence[Any], collider: str, molecule: StoredLevels) -> Rates:
        return _as_rates(self._columns(sql, asked), collider, molecule)

    def _columns(self, sql: str, asked: Sequence[Any]) -> dict[str, npt.NDArray[Any]]:
        with clear_errors(self.path):
            return run(self.connection, sql, asked).fetchnumpy()


def _as_rates(columns: Mapping[str, npt.NDArray[Any]], collider: str, molecule: StoredLevels) -> Rates:
    """Return values with their levels' ids and temperatures, shape (k,) each, as a table."""
    size = len(molecule.levels)
    upper, lower = (positions(molecule.level_id, columns[name]) for name in ("upper_id", "lower_id"))
    pairs, row = distinct(upper * size + lower)
    temperature_k, column = distinct(np.asarray(columns["temperature_k"]))

    def matrix(name: str, empty: float, dtype: type) -> npt.NDArray[Any]:
        values: npt.NDArray[Any] = np.full((len(pairs), len(temperature_k)), empty, dtype=dtype)
        values[row, column] = columns[name]
        return values

    layers = {
        name: matrix(name, layer.empty, layer.dtype) for name, layer in LAYERS.items() if name in columns
    }
    rate_cm3_s = matrix("rate_cm3_s", np.nan, np.float64)
    return Rates(molecule.levels, collider, pairs // size, pairs % size, temperature_k, rate_cm3_s, layers)
