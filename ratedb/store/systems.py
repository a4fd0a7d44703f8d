"""Systems in the store: a molecule and its collider."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ratedb.errors import RatedbError, did_you_mean
from ratedb.store.base import OpenStore
from ratedb.store.connection import clear_errors, connect
from ratedb.store.lake_address import is_lake
from ratedb.store.query import QueryResult
from ratedb.store.snapshot import is_snapshot
from ratedb.store.waiting import waiting_up_to

_NAMES = "SELECT name FROM collision_system ORDER BY name"
# The view of best values is kept: DuckDB would plan it twice, which takes longer than to run it.
_LISTED = """
WITH best AS MATERIALIZED (
    SELECT system_id, kind, grid_id, given_k, upper_id, lower_id FROM best_row
), span AS (
    SELECT system_id, predicted, size, coalesce(given_k, temperature_k) AS temperature_k
    FROM (
        SELECT system_id, kind = 'predicted' AS predicted, grid_id, given_k, count(*) AS size
        FROM best GROUP BY ALL
    ) JOIN temperature_grid USING (grid_id)
), pair AS (
    SELECT system_id, count(DISTINCT (upper_id, lower_id)) AS transitions FROM best GROUP BY system_id
), kelvin AS (
    SELECT system_id, min(kelvin) AS lowest, max(kelvin) AS highest, count(DISTINCT kelvin) AS temperatures
    FROM (SELECT system_id, unnest(temperature_k) AS kelvin FROM span) GROUP BY system_id
), total AS (
    SELECT system_id, sum(size * len(temperature_k))::BIGINT AS rates,
           sum(size * len(temperature_k)) FILTER (predicted)::BIGINT AS predicted
    FROM span GROUP BY system_id
)
SELECT s.name AS system, s.molecule, s.collider, coalesce(transitions, 0) AS transitions,
       lowest AS temperature_min_k, highest AS temperature_max_k, coalesce(temperatures, 0) AS temperatures,
       coalesce(rates, 0) AS rates, coalesce(predicted, 0) AS predicted,
       (SELECT count(*) FROM source_now AS now
        WHERE now.system_id = s.system_id AND NOT withdrawn) AS sources
FROM collision_system AS s LEFT JOIN pair USING (system_id) LEFT JOIN kelvin USING (system_id)
LEFT JOIN total USING (system_id)
ORDER BY s.name
"""


@dataclass(frozen=True)
class System:
    """A molecule and its collider, such as CO+p-H2."""

    system_id: int
    name: str
    molecule: str
    collider: str


def names_of_systems(path: Path) -> list[str]:
    """Return the names of all systems of a store as it is, sorted: it waits for nobody and changes nothing.

    None of a lake or a snapshot, which take longer. Raises RatedbError where the store cannot be read.
    """
    if is_lake(path) or is_snapshot(path):
        return []
    with waiting_up_to(0), closing(connect(path, read_only=True)) as connection, clear_errors(path):
        return [str(name) for (name,) in connection.execute(_NAMES).fetchall()]


class SystemStore(OpenStore):
    """The part of a store with the table collision_system."""

    def system_names(self) -> list[str]:
        """Return the names of all systems, sorted."""
        return self.column(_NAMES)

    def has_system(self, name: str) -> bool:
        """Return whether a system of this name exists."""
        return name in self.system_names()

    def system(self, name: str) -> System:
        """Return a system; raises RatedbError where the store does not have it.

        Raises IntegrityError where what decides on its numbers was changed by another program.
        """
        found = self.rows(
            "SELECT system_id, name, molecule, collider FROM collision_system WHERE name = ?", [name]
        )
        if not found:
            known = self.system_names()
            raise RatedbError(
                f"the store has no system {name!r}",
                where=str(self.path),
                expected=", ".join(known) or "a store with systems in it",
                todo=did_you_mean(name, known)
                or "`ratedb systems` lists them; `ratedb import FILE` adds new ones",
            )
        self.need_intact(system_id=found[0][0])
        return System(*found[0])

    def system_name(self, system_id: int) -> str:
        """Return the name of a system by its id, empty where there is none."""
        names = self.column("SELECT name FROM collision_system WHERE system_id = ?", [system_id])
        return str(names[0]) if names else ""

    def put_system(self, molecule: str, collider: str) -> System:
        """Return a system, which is stored if it is new."""
        name = f"{molecule}+{collider}"
        if not self.has_system(name):
            self.rows(
                "INSERT INTO collision_system VALUES (nextval('collision_system_ids'), ?, ?, ?)",
                [name, molecule, collider],
            )
        return self.system(name)

    def list_systems(self) -> QueryResult:
        """List all systems: transitions, temperatures, values, how many are predicted, and sources."""
        return self.table(
            _LISTED,
            name="systems",
        )
