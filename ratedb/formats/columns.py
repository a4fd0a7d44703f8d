"""Tables of rate coefficients with one row for each value: CSV, Parquet, and pandas or Arrow objects.

The columns are those of schemas/rates.schema.json. DuckDB reads them, in a database in memory.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np

from ratedb.errors import RatedbError
from ratedb.files import read_bytes
from ratedb.formats.level_lists import vj_label
from ratedb.formats.rate_rows import IMPOSSIBLE_CM3_S, downward_table
from ratedb.tables import (
    COLLIDERS,
    Finding,
    FloatArray,
    IntArray,
    LevelTable,
    LineTable,
    MoleculeFile,
    PartnerRates,
)

ALIASES = {
    "j_initial": "j",
    "v_initial": "v",
    "initial_label": "upper_label",
    "final_label": "lower_label",
}
"""Other names under which columns of the contract are read."""

_NUMBERS = (
    "temperature_k",
    "rate_cm3_s",
    "upper_energy_cm1",
    "lower_energy_cm1",
    "upper_weight",
    "lower_weight",
)
_INTEGERS = ("v", "j", "v_final", "j_final")
_IN_ROWS = ("upper_energy_cm1", "lower_energy_cm1", "upper_weight", "lower_weight")
_SAME_ENERGY_CM1 = 1e-6

LevelsOf = Callable[[str], LevelTable | None]


def contract() -> dict[str, Any]:
    """Return the JSON Schema of a row."""
    text = (resources.files("ratedb_schemas") / "rates.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def looks_like_parquet(content: bytes) -> bool:
    """Return whether a file is a Parquet file."""
    return content[:4] == b"PAR1"


def looks_like_csv(content: bytes) -> bool:
    """Return whether the first line of a file names the columns of the contract."""
    names = _header(content)
    return "temperature_k" in names and "rate_cm3_s" in names


def read_csv(path: Path, *, molecule: str | None, collider: str | None, levels_of: LevelsOf) -> MoleculeFile:
    """Return the rates of a CSV file with the columns of the contract; raises RatedbError."""
    names = _header(read_bytes(path))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RatedbError("a column stands twice", where=f"{path}:1", got=", ".join(twice))
    columns = {name or f"column{place}": "VARCHAR" for place, name in enumerate(names)}
    with duckdb.connect() as connection:
        try:
            connection.execute(
                "CREATE TEMP TABLE given AS SELECT row_number() OVER () + 1 AS line, * FROM read_csv("
                "?, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
                " strict_mode = true, columns = ?)",
                [str(path), columns],
            )
        except duckdb.Error as error:
            raise RatedbError(
                "the table cannot be read",
                where=str(path),
                expected=f"{len(names)} columns in each row, as the first line names them",
                got=str(error).splitlines()[0],
            ) from error
        return _Table(connection, str(path), ":").read(molecule, collider, levels_of)


def read_parquet(
    path: Path, *, molecule: str | None, collider: str | None, levels_of: LevelsOf
) -> MoleculeFile:
    """Return the rates of a Parquet file with the columns of the contract; raises RatedbError."""
    with duckdb.connect() as connection:
        try:
            connection.execute(
                "CREATE TEMP VIEW given AS SELECT file_row_number + 1 AS line, * EXCLUDE (file_row_number)"
                f" FROM read_parquet('{str(path).replace(chr(39), chr(39) * 2)}', file_row_number = true)"
            )
            return _Table(connection, str(path), " row ").read(molecule, collider, levels_of)
        except duckdb.Error as error:
            raise RatedbError(
                "the Parquet file cannot be read", where=str(path), got=str(error).splitlines()[0]
            ) from error


def rates_of_frame(
    frame: object,
    *,
    molecule: str | None = None,
    collider: str | None = None,
    levels: LevelTable | None = None,
) -> MoleculeFile:
    """Return the rates of a pandas or Arrow table with the columns of the contract; raises RatedbError."""
    with duckdb.connect() as connection:
        try:
            connection.register("frame", frame)
        except (duckdb.Error, TypeError) as error:
            raise RatedbError(
                "not a table", expected="a pandas or Arrow table", got=type(frame).__name__
            ) from error
        connection.execute("CREATE TEMP TABLE given AS SELECT row_number() OVER () AS line, * FROM frame")
        return _Table(connection, "table", " row ").read(molecule, collider, lambda name: levels)


def _header(content: bytes) -> list[str]:
    first = content[:65536].removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0]
    try:
        names = next(csv.reader([first.decode("utf-8").rstrip("\r")]), [])
    except (UnicodeDecodeError, csv.Error):
        return []
    return [ALIASES.get(name.strip(), name.strip()) for name in names]


@dataclass(frozen=True, eq=False)
class _Table:
    """The table or view `given` of a connection: a column `line` and the columns of the contract."""

    connection: duckdb.DuckDBPyConnection
    name: str
    mark: Literal[":", " row "]

    def read(self, molecule: str | None, collider: str | None, levels_of: LevelsOf) -> MoleculeFile:
        self._type()
        notes: list[str] = []
        self._leave_out(notes)
        molecule = self._only("molecule", molecule)
        ids = self._place_levels()
        levels = self._levels(molecule, ids, levels_of)
        findings: list[Finding] = []
        partners = [
            self._partner(levels, ids, name, kind, notes, findings) for name, kind in self._partners(collider)
        ]
        return MoleculeFile(levels, LineTable.empty(), tuple(partners), tuple(notes), tuple(findings))

    # -- columns ------------------------------------------------------------------------------------

    def _columns(self, table: str) -> list[str]:
        return [str(row[0]) for row in self.connection.execute(f"DESCRIBE {table}").fetchall()]

    def _type(self) -> None:
        """Make the table `typed`, with all columns of the contract, NULL where the table has none."""
        given = {ALIASES.get(name, name): name for name in self._columns("given")}
        named = contract()["properties"]
        for name in ("temperature_k", "rate_cm3_s"):
            if name not in given:
                raise self._refuse(f"the table has no column {name}", ", ".join(named), ", ".join(given))
        if not ({"j", "j_final"} <= set(given) or {"upper_label", "lower_label"} <= set(given)):
            raise self._refuse(
                "the table does not name the levels",
                "columns j and j_final, or upper_label and lower_label",
                ", ".join(given),
            )
        for name in (*_NUMBERS, *_INTEGERS):
            if name in given:
                self._need_numbers(name, given[name], "BIGINT" if name in _INTEGERS else "DOUBLE")
        chosen = ["line"]
        for name in named:
            of = "BIGINT" if name in _INTEGERS else "DOUBLE" if name in _NUMBERS else "VARCHAR"
            source = _quoted(given[name]) if name in given else "NULL"
            chosen.append(f"try_cast({source} AS {of}) AS {name}")
        self.connection.execute(f"CREATE TEMP TABLE typed AS SELECT {', '.join(chosen)} FROM given")

    def _need_numbers(self, name: str, column: str, of: str) -> None:
        quoted = _quoted(column)
        self._none_where(
            "given",
            f"{quoted} IS NOT NULL AND trim({quoted}::VARCHAR) <> '' AND try_cast({quoted} AS {of}) IS NULL",
            quoted,
            f"{name} is not a number",
            "an integer" if of == "BIGINT" else "a number",
        )

    def _leave_out(self, notes: list[str]) -> None:
        """Refuse impossible values, and leave out rows without a rate and predicted ones."""
        for condition, column, what, expected in (
            (
                "temperature_k IS NULL OR NOT isfinite(temperature_k) OR temperature_k <= 0",
                "temperature_k",
                "a temperature is not positive",
                "K > 0",
            ),
            ("rate_cm3_s < 0", "rate_cm3_s", "a rate coefficient is negative", "numbers >= 0 in cm3 s-1"),
            (
                f"isinf(rate_cm3_s) OR (rate_cm3_s > {IMPOSSIBLE_CM3_S} AND NOT isnan(rate_cm3_s))",
                "rate_cm3_s",
                "a rate coefficient is impossibly large",
                f"at most {IMPOSSIBLE_CM3_S:g} cm3 s-1",
            ),
            (
                "kind IS NOT NULL AND kind NOT IN ('computed', 'scaled', 'extrapolated', 'predicted')",
                "kind",
                "an unknown kind",
                "computed, scaled, extrapolated or predicted",
            ),
        ):
            self._none_where("typed", condition, column, what, expected)
        for condition, what in (
            ("kind = 'predicted'", "predicted rows are left out: a store predicts its own"),
            ("rate_cm3_s IS NULL OR isnan(rate_cm3_s)", "rows have no rate and are left out"),
        ):
            count = self._one(f"SELECT count(*) FROM typed WHERE {condition}")
            if count:
                notes.append(f"{count} {what}")
                self.connection.execute(f"DELETE FROM typed WHERE {condition}")
        if not self._one("SELECT count(*) FROM typed"):
            raise self._refuse("the table has no rates", "rows with temperature_k and rate_cm3_s", "none")

    def _only(self, column: str, given: str | None) -> str:
        found = [
            str(row[0])
            for row in self.connection.execute(
                f"SELECT DISTINCT {column} FROM typed WHERE {column} IS NOT NULL ORDER BY 1"
            ).fetchall()
        ]
        if given is None and len(found) == 1:
            return found[0]
        if given is not None and (not found or found == [given] or len(found) == 1):
            return given
        raise self._refuse(
            f"the table does not say its {column}" if not found else f"the table has several {column}s",
            f"one {column}, in the column or by --{column}",
            ", ".join(found) or "none",
        )

    # -- levels -------------------------------------------------------------------------------------

    def _place_levels(self) -> list[tuple[int, int] | str]:
        """Number the levels of the table; return their v and j, or labels, in the order of the numbers."""
        no_vj = self._one("SELECT count(*) FROM typed WHERE j IS NULL OR j_final IS NULL")
        if no_vj:
            self._none_where(
                "typed",
                "coalesce(upper_label, '') = '' OR coalesce(lower_label, '') = ''",
                "line",
                "a row does not name its levels",
                "j and j_final in every row, or upper_label and lower_label",
            )
            ends = ("upper_label", "NULL::BIGINT"), ("lower_label", "NULL::BIGINT")
        else:
            self._none_where(
                "typed",
                "least(coalesce(v, 0), j, coalesce(v_final, 0), j_final) < 0",
                "line",
                "v and j cannot be negative",
                "numbers >= 0",
            )
            ends = ("coalesce(v, 0)", "j"), ("coalesce(v_final, 0)", "j_final")
        (first, second), (first_final, second_final) = ends
        self.connection.execute(
            f"""
            CREATE TEMP TABLE place AS
            SELECT first, second, row_number() OVER (ORDER BY first, second) - 1 AS number
            FROM (
                SELECT {first} AS first, {second} AS second FROM typed
                UNION SELECT {first_final}, {second_final} FROM typed
            )
            """
        )
        self.connection.execute(
            f"""
            CREATE TEMP TABLE placed AS
            SELECT typed.*, a.number AS initial, b.number AS final
            FROM typed
            JOIN place AS a ON a.first = {first} AND a.second IS NOT DISTINCT FROM {second}
            JOIN place AS b ON b.first = {first_final} AND b.second IS NOT DISTINCT FROM {second_final}
            """
        )
        rows = self.connection.execute("SELECT first, second FROM place ORDER BY number").fetchall()
        return [str(row[0]) if no_vj else (int(row[0]), int(row[1])) for row in rows]

    def _levels(self, molecule: str, ids: list[tuple[int, int] | str], levels_of: LevelsOf) -> LevelTable:
        known = levels_of(molecule)
        if known is not None:
            return known
        lacking = self._one(
            "SELECT count(*) FROM typed WHERE " + " OR ".join(f"{name} IS NULL" for name in _IN_ROWS)
        )
        if lacking:
            raise self._refuse(
                f"the energies of the levels of {molecule} are not known",
                "columns " + ", ".join(_IN_ROWS) + ", a list of levels, or levels in the store",
                "none of them",
                "name a list of levels with --levels",
            )
        rows = self.connection.execute(
            """
            SELECT number, min(energy), max(energy), min(weight), max(weight) FROM (
                SELECT initial AS number, upper_energy_cm1 AS energy, upper_weight AS weight FROM placed
                UNION ALL SELECT final, lower_energy_cm1, lower_weight FROM placed
            ) GROUP BY number ORDER BY number
            """
        ).fetchall()
        for number, low, high, light, heavy in rows:
            if high - low > _SAME_ENERGY_CM1 or heavy - light > _SAME_ENERGY_CM1:
                raise self._refuse(
                    f"the level {_name(ids[number])} has several energies or weights",
                    "the same in all rows",
                    f"{low:g} to {high:g} cm-1, weights {light:g} to {heavy:g}",
                )
        order = sorted(range(len(ids)), key=lambda number: (rows[number][1], number))
        pairs = [pair for pair in (ids[number] for number in order) if not isinstance(pair, str)]
        with_v = any(v for v, _ in pairs)
        return LevelTable(
            molecule,
            tuple(
                key if isinstance(key, str) else vj_label(*key, with_v=with_v)
                for key in (ids[number] for number in order)
            ),
            np.array([rows[number][1] for number in order]),
            np.array([rows[number][3] for number in order]),
            np.array([v for v, _ in pairs]) if pairs else None,
            np.array([j for _, j in pairs]) if pairs else None,
        )

    def _index(self, levels: LevelTable, ids: list[tuple[int, int] | str]) -> IntArray:
        """Return the index in `levels` of each numbered level; raises RatedbError for an unknown one."""
        by_key: dict[tuple[int, int] | str, int] = {label: i for i, label in enumerate(levels.label)}
        if any(not isinstance(key, str) for key in ids):
            v, j = levels.need_vj()
            by_key |= {pair: i for i, pair in enumerate(zip(v.tolist(), j.tolist(), strict=True))}
        missing = [key for key in ids if key not in by_key]
        if missing:
            raise self._refuse(
                f"a rate refers to a level of {levels.molecule} that is not known",
                "the levels " + ", ".join(levels.label[:5]) + (", ..." if len(levels) > 5 else ""),
                _name(missing[0]),
                "name a complete list with --levels",
            )
        return np.array([by_key[key] for key in ids], dtype=np.int64)

    # -- rates --------------------------------------------------------------------------------------

    def _partners(self, collider: str | None) -> list[tuple[str | None, str | None]]:
        """Return each (collider, kind) of the table; a collider that is given selects or names one."""
        found = self.connection.execute("SELECT DISTINCT collider, kind FROM typed ORDER BY 1, 2").fetchall()
        names = {row[0] for row in found}
        if None in names and (len(names) > 1 or collider is None):
            raise self._refuse(
                "the table does not say its collider",
                "one of " + " ".join(COLLIDERS),
                "none",
                "say --collider",
            )
        if names == {None} and collider is not None:
            self.connection.execute(f"UPDATE placed SET collider = '{collider}'")
            return [(collider, row[1]) for row in found]
        wrong = sorted(str(name) for name in names - set(COLLIDERS))
        if wrong:
            raise self._refuse("unknown collider", " ".join(COLLIDERS), wrong[0])
        if collider is not None and collider not in names:
            raise self._refuse(f"the table has no rates for {collider}", ", ".join(sorted(names)), collider)
        return [(row[0], row[1]) for row in found if collider in (None, row[0])]

    def _partner(
        self,
        levels: LevelTable,
        ids: list[tuple[int, int] | str],
        collider: str | None,
        kind: str | None,
        notes: list[str],
        findings: list[Finding],
    ) -> PartnerRates:
        columns = self.connection.execute(
            "SELECT line, initial, final, temperature_k, rate_cm3_s FROM placed"
            " WHERE collider = ? AND kind IS NOT DISTINCT FROM ?",
            [collider, kind],
        ).fetchnumpy()
        index = self._index(levels, ids)
        initial, final = (index[np.asarray(columns[name], dtype=np.int64)] for name in ("initial", "final"))
        pairs, row = np.unique(initial * len(levels) + final, return_inverse=True)
        temperature_k, column = np.unique(
            np.asarray(columns["temperature_k"], dtype=np.float64), return_inverse=True
        )
        value = np.asarray(columns["rate_cm3_s"], dtype=np.float64)
        matrix = self._matrix(columns, row, column, value, (len(pairs), len(temperature_k)))
        table = downward_table(
            levels,
            collider or "",
            temperature_k,
            pairs // len(levels),
            pairs % len(levels),
            matrix,
            notes,
            findings,
        )
        return PartnerRates(table, "", kind)

    def _matrix(
        self,
        columns: dict[str, Any],
        row: IntArray,
        column: IntArray,
        value: FloatArray,
        shape: tuple[int, int],
    ) -> FloatArray:
        matrix = np.full(shape, np.nan)
        matrix[row, column] = value
        other = np.flatnonzero(matrix[row, column] != value)
        if len(other):
            at = int(other[0])
            same = np.flatnonzero((row == row[at]) & (column == column[at]))
            lines = ", ".join(str(columns["line"][place]) for place in same)
            raise RatedbError(
                "a transition stands twice at one temperature with different rates",
                where=f"{self.name}{self.mark}{columns['line'][at]}",
                expected="each transition once at each temperature",
                got=f"{value[same[0]]:g} and {value[same[-1]]:g} cm3 s-1 in rows {lines}",
                todo="remove one of the two rows",
            )
        return matrix

    # -- queries and errors -------------------------------------------------------------------------

    def _one(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _none_where(self, table: str, condition: str, column: str, what: str, expected: str) -> None:
        row = self.connection.execute(
            f"SELECT line, {column} FROM {table} WHERE {condition} ORDER BY line LIMIT 1"
        ).fetchone()
        if row is not None:
            raise RatedbError(
                what,
                where=f"{self.name}{self.mark}{row[0]}",
                expected=expected,
                got=str(row[1]),
                todo="correct the row",
            )

    def _refuse(self, what: str, expected: str, got: str, todo: str | None = None) -> RatedbError:
        return RatedbError(what, where=self.name, expected=expected, got=got, todo=todo)


def _name(key: tuple[int, int] | str) -> str:
    return key if isinstance(key, str) else f"v = {key[0]}, j = {key[1]}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
