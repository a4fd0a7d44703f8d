"""Tables of rate coefficients with one row for each value: CSV, Parquet, and pandas or Arrow objects.

The columns are those of schemas/rates.schema.json. DuckDB reads them, in a database in memory.
"""

from __future__ import annotations

import csv
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from ratedb.arrays import IntArray
from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.findings import Finding
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.level_lists import levels_if_known, open_end, vj_label
from ratedb.io.rate_rows import downward_table
from ratedb.io.registry import ReadOptions, rate_reader
from ratedb.io.text import Line, numbered_lines, refuse
from ratedb.levels import Levels, Lines, vj
from ratedb.physics.plausibility import IMPOSSIBLE_CM3_S
from ratedb.systems import COLLIDERS

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
_OTHER_ENERGY_CM1, _OTHER_ENERGY, _OTHER_WEIGHT = 1.0, 0.05, 0.01

LevelsOf = Callable[[str], Levels | None]

# Numbers in Fortran style, as 1.0D-10 and 6.070-102.
_WITH_D = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)[dD][+-]?[0-9]{1,4}"
_NO_LETTER = r"([+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+))([+-][0-9]{1,3})"
_NUMERIC_TYPE = re.compile(r"(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\))")
_BLANKS = "E' \\t\\r\\n'"
_LARGEST_INTEGER = 999_999
_LARGEST_CM1 = 1e8
_LARGEST_WEIGHT = 1e6
_LARGEST_MATRIX = 20_000_000
_OF_PARTNER = "coalesce(collider, ?) = ? AND kind IS NOT DISTINCT FROM ?"
_LARGE_BYTES = 10_000_000
_SHOWN = 90
_COLUMN_TWICE = "keep one of the two columns; " + ", ".join(f"{a} is also {n}" for a, n in ALIASES.items())


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


@rate_reader("csv", recognises=looks_like_csv, order=30)
def read_csv(file: InputFile, options: ReadOptions) -> MoleculeFile:
    """Return the rates of a CSV file with the columns of the contract; raises RatedbError."""
    path, content = file.path, file.content
    names = _header(content)
    numbered = numbered_lines(content, path)
    lines = [line.text for line in numbered]
    _need_once(names, f"{path}:{next((line.number for line in numbered if line.text.strip()), 1)}")
    columns = {f"c{place}": "VARCHAR" for place in range(len(names))}
    chosen = {name: f"c{place}" for place, name in enumerate(names) if name in contract()["properties"]}
    with _database() as connection, tempfile.TemporaryDirectory() as folder:
        # DuckDB wants UTF-8 and one sort of line ends, and unpacks by the end of the name; so it gets a copy.
        copy = Path(folder) / "table.csv"
        copy.write_text("\n".join([text for text in lines if text.strip()]) + "\n", "utf-8", newline="")
        try:
            connection.execute(
                "CREATE TEMP TABLE given AS SELECT row_number() OVER () AS line"
                + "".join(f", {column} AS {_quoted(name)}" for name, column in chosen.items())
                + f" FROM read_csv('{_literal(copy)}', header = true, auto_detect = false, delim = ',',"
                " quote = '\"', escape = '\"', strict_mode = true, columns = ?)",
                [columns],
            )
            table = _Table(connection, str(path), lines)
            found = table.read(options.molecule, options.collider, partial(levels_if_known, options))
        except duckdb.Error as error:
            raise _bad_csv(path, lines, len(names), error) from error
    return replace(found, warnings=(*open_end(numbered), *found.warnings))


@rate_reader("parquet", recognises=looks_like_parquet, order=10)
def read_parquet(file: InputFile, options: ReadOptions) -> MoleculeFile:
    """Return the rates of a Parquet file with the columns of the contract; raises RatedbError."""
    path = file.path
    threads = 1 if len(file.content) < _LARGE_BYTES else os.cpu_count() or 1
    with _database(threads) as connection:
        # a damaged file may lie about its smallest and largest values; no row may be passed over for that
        connection.execute("SET disabled_optimizers = 'filter_pushdown,statistics_propagation'")
        try:
            connection.execute(
                "CREATE TEMP VIEW given AS SELECT file_row_number + 1 AS line, * EXCLUDE (file_row_number)"
                f" FROM read_parquet('{_literal(path)}', hive_partitioning = false, file_row_number = true)"
            )
            table = _Table(connection, str(path))
            return table.read(options.molecule, options.collider, partial(levels_if_known, options))
        except duckdb.Error as error:
            raise RatedbError(
                "the Parquet file cannot be read",
                where=str(path),
                expected="a whole Parquet file with the columns of the contract",
                got=str(error).splitlines()[0],
                todo="write the file again; it may be cut short",
            ) from error


def rates_of_frame(
    frame: object,
    *,
    molecule: str | None = None,
    collider: str | None = None,
    levels: Levels | None = None,
) -> MoleculeFile:
    """Return the rates of a pandas or Arrow table with the columns of the contract; raises RatedbError."""
    with _database() as connection:
        try:
            connection.register("frame", frame)
            connection.execute("CREATE TEMP VIEW given AS SELECT row_number() OVER () AS line, * FROM frame")
            return _Table(connection, "table").read(molecule, collider, lambda name: levels)
        except (duckdb.Error, TypeError, ImportError) as error:
            raise RatedbError(
                "not a table that can be read",
                where="table",
                expected="a pandas or Arrow table with the columns of the contract",
                got=f"{type(frame).__name__}: {str(error).splitlines()[0][:_SHOWN]}",
                todo="give a pandas.DataFrame or pyarrow.Table",
            ) from error


def _database(threads: int = 1) -> duckdb.DuckDBPyConnection:
    """Return a database in memory; small queries wait for more threads longer than these save."""
    return duckdb.connect(config={"threads": threads})


def _literal(path: Path) -> str:
    """Return the name of a file for SQL, so that DuckDB takes no part of it for a pattern or an end."""
    return re.sub(r"([*?\[])", r"[\1]", str(path.absolute())).replace("'", "''")


def _header(content: bytes) -> list[str]:
    first = re.split(
        rb"[\r\n]", content[:65536].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \t"), maxsplit=1
    )[0]
    try:
        names = next(csv.reader([first.decode("latin-1")], skipinitialspace=True), [])
    except csv.Error:
        return []
    return [ALIASES.get(name.strip(), name.strip()) for name in names]


def _need_once(names: Sequence[str], where: str) -> None:
    known = [*contract()["properties"], *ALIASES]
    twice = sorted({name for name in names if name in known and names.count(name) > 1})
    if twice:
        raise RatedbError(
            "a column stands twice",
            where=where,
            expected="each column once",
            got=", ".join(twice),
            todo=_COLUMN_TWICE,
        )


def _records(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row of a CSV file, the header too, with the number of the line where it starts."""
    kept = [(number, text) for number, text in enumerate(lines, start=1) if text.strip()]
    reader = csv.reader((text + "\n" for _, text in kept), skipinitialspace=True, strict=True)
    start = 0
    for row in reader:
        yield kept[start][0], row
        start = reader.line_num


def _bad_csv(path: Path, lines: Sequence[str], columns: int, error: duckdb.Error) -> RatedbError:
    """Return the error for the first row that a CSV file with so many columns cannot have."""
    expected = f"{columns} cells, as the first line names them"
    todo = "correct the row; a decimal comma must be a point, and a comma within a cell needs quotes"
    at = 0
    try:
        for number, row in _records(lines):
            if len(row) != columns:
                return refuse(
                    path, Line(number, lines[number - 1]), f"a row has {len(row)} cells", expected, todo
                )
            at = number
    except csv.Error:
        number = next(number for number, text in enumerate(lines, start=1) if number > at and text.strip())
        what = "a quote is not closed, or stands within a cell"
        return refuse(path, Line(number, lines[number - 1]), what, expected, todo)
    got = str(error).splitlines()[0][:_SHOWN]
    return RatedbError("the table cannot be read", where=str(path), expected=expected, got=got, todo=todo)


@dataclass(frozen=True)
class _Rule:
    """What no row may be: a condition in SQL, the column to show, and the words of the refusal."""

    condition: str
    column: str
    what: str
    expected: str
    todo: str = "correct the row"


def _rules_of_numbers(texts: Sequence[str]) -> Iterator[_Rule]:
    for name in texts:
        condition = f"lower({name}_text) <> 'nan' AND {name} IS NULL"
        yield _Rule(condition, f"{name}_text", f"{name} is not a number", "a number such as 1.5e-10")
    for name in _INTEGERS:
        condition = f"NOT isnan({name}) AND ({name} <> floor({name}) OR abs({name}) > {_LARGEST_INTEGER})"
        yield _Rule(condition, name, f"{name} is not a whole number", f"0 to {_LARGEST_INTEGER}")
        yield _Rule(f"{name} < 0", name, f"{name} is negative", f"0 to {_LARGEST_INTEGER}")


_RULES = (
    _Rule(
        "temperature_k IS NULL OR NOT isfinite(temperature_k) OR temperature_k <= 0",
        "temperature_k",
        "a temperature is not positive",
        "K > 0",
    ),
    _Rule("rate_cm3_s < 0", "rate_cm3_s", "a rate coefficient is negative", "numbers >= 0 in cm3 s-1"),
    _Rule(
        f"isinf(rate_cm3_s) OR (rate_cm3_s > {IMPOSSIBLE_CM3_S} AND NOT isnan(rate_cm3_s))",
        "rate_cm3_s",
        "a rate coefficient is impossibly large",
        f"at most {IMPOSSIBLE_CM3_S:g} cm3 s-1",
    ),
    _Rule(
        "kind IS NOT NULL AND kind NOT IN ('computed', 'scaled', 'extrapolated', 'predicted')",
        "kind",
        "an unknown kind",
        "computed, scaled, extrapolated or predicted",
    ),
    *(
        _Rule(
            f"NOT isnan({name}) AND NOT abs({name}) <= {_LARGEST_CM1}",
            name,
            "an energy is impossible",
            f"cm-1, under {_LARGEST_CM1:g}",
        )
        for name in ("upper_energy_cm1", "lower_energy_cm1")
    ),
    *(
        _Rule(
            f"NOT isnan({name}) AND NOT ({name} > 0 AND {name} <= {_LARGEST_WEIGHT})",
            name,
            "a statistical weight is impossible",
            f"0 < weight < {_LARGEST_WEIGHT:g}",
        )
        for name in ("upper_weight", "lower_weight")
    ),
)
_RULES_OF_V = (
    _Rule(
        "(v IS NULL AND j IS NOT NULL) OR (v_final IS NULL AND j_final IS NOT NULL)",
        "v",
        "a row has no v",
        "v and v_final in every row, or in none",
    ),
)


@dataclass(frozen=True, eq=False)
class _Table:
    """The table `given` of a connection: a column `line` that counts its rows, and those of the contract.

    `lines` are the lines of a CSV file, and empty for other tables.
    """

    connection: duckdb.DuckDBPyConnection
    name: str
    lines: Sequence[str] = ()

    def read(self, molecule: str | None, collider: str | None, levels_of: LevelsOf) -> MoleculeFile:
        self._type()
        notes: list[str] = []
        self._leave_out(notes)
        molecule = self._only("molecule", molecule)
        ids = self._place_levels()
        levels = self._levels(molecule, ids, levels_of)
        partners = [self._partner(levels, ids, name, kind, notes) for name, kind in self._partners(collider)]
        return MoleculeFile(levels, Lines.empty(), tuple(partners), tuple(notes))

    # -- columns ------------------------------------------------------------------------------------

    def _type(self) -> None:
        """Make the table `typed`, with all columns of the contract, NULL where the table has none.

        Numbers are DOUBLE; beside each that was read from text stands that text.
        """
        described = self.connection.execute("DESCRIBE given").fetchall()[1:]
        columns = [(ALIASES.get(str(row[0]).strip(), str(row[0]).strip()), row) for row in described]
        named = list(contract()["properties"])
        _need_once([name for name, _ in columns], self.name)
        given = {name: (_quoted(str(row[0])), str(row[1])) for name, row in columns}
        self._need_columns(set(given), named)
        inner, chosen, from_text = [], [], []
        for name in named:
            numeric = name in (*_NUMBERS, *_INTEGERS)
            column, of = given.get(name, ("NULL", "DOUBLE" if numeric else "VARCHAR"))
            text = f"{name}_text"
            if numeric and _NUMERIC_TYPE.fullmatch(of):
                inner.append(f"{column}::DOUBLE AS {name}_number")
                number = f"{name}_number"
            else:
                inner.append(f"nullif(trim({column}::VARCHAR, {_BLANKS}), '') AS {text}")
                number = _number(text)
                if numeric:
                    chosen.append(text)
                    from_text.append(name)
            if name in _INTEGERS:
                number = f"nullif({number}, 'nan'::DOUBLE)"  # pandas has no other gap for numbers
            chosen.append(f"{number if numeric else text} AS {name}")
        # what was text is read once; numbers are quicker read again than copied
        self.connection.execute(
            f"CREATE TEMP {'TABLE' if from_text else 'VIEW'} typed AS SELECT line, {', '.join(chosen)}"
            f" FROM (SELECT line, {', '.join(inner)} FROM given)"
        )
        self._none_where(
            "typed", [*_rules_of_numbers(from_text), *_RULES, *(_RULES_OF_V if "v" in given else ())]
        )

    def _need_columns(self, given: set[str], named: Sequence[str]) -> None:
        got = ", ".join(sorted(given))
        for name in ("temperature_k", "rate_cm3_s"):
            if name not in given:
                raise self._refuse(
                    f"the table has no column {name}", ", ".join(named), got, f"add the column {name}"
                )
        if not ({"j", "j_final"} <= given or {"upper_label", "lower_label"} <= given):
            raise self._refuse(
                "the table does not name the levels",
                "columns j and j_final, or upper_label and lower_label",
                got,
                "add them",
            )
        if len({"v", "v_final"} & given) == 1:
            raise self._refuse(
                "the table has one of v and v_final",
                "both, or none where v is 0",
                got,
                "add the other column",
            )

    def _leave_out(self, notes: list[str]) -> None:
        """Make the view `kept`: the rows with a rate that are not predicted."""
        predicted, empty = "coalesce(kind = 'predicted', false)", "coalesce(isnan(rate_cm3_s), true)"
        self.connection.execute(
            f"CREATE TEMP VIEW kept AS SELECT * FROM typed WHERE NOT {predicted} AND NOT {empty}"
        )
        for condition, what in (
            (predicted, "predicted rows are left out: a store predicts its own"),
            (f"NOT {predicted} AND {empty}", "rows have no rate and are left out"),
        ):
            count = self._one(f"SELECT count(*) FROM typed WHERE {condition}")
            if count:
                notes.append(f"{count} {what}")
        if not self._one("SELECT count(*) FROM kept"):
            raise self._refuse(
                "the table has no rates",
                "rows with temperature_k and rate_cm3_s",
                "; ".join(notes) or "no rows",
                "give rates that were computed",
            )

    def _only(self, column: str, given: str | None) -> str:
        found = [
            str(row[0])
            for row in self.connection.execute(
                f"SELECT DISTINCT {column} FROM kept WHERE {column} IS NOT NULL ORDER BY 1"
            ).fetchall()
        ]
        if given is None and len(found) == 1:
            expected = f"{column} in every row, or --{column}"
            what = f"a row does not name its {column}"
            self._none_where("kept", [_Rule(f"{column} IS NULL", "line", what, expected)])
            return found[0]
        if given is not None and (not found or found == [given] or len(found) == 1):
            return given
        raise self._refuse(
            f"the table does not say its {column}" if not found else f"the table has several {column}s",
            f"one {column}, in the column or by --{column}",
            ", ".join(found) or "none",
            f"say --{column}" if not found else f"give one table for each {column}",
        )

    # -- levels -------------------------------------------------------------------------------------

    def _place_levels(self) -> list[tuple[int, int] | str]:
        """Number the levels of the table; return their v and j, or labels, in the order of the numbers."""
        no_vj = self._one("SELECT count(*) FROM kept WHERE j IS NULL OR j_final IS NULL")
        if no_vj:
            unlabelled = "(upper_label IS NULL OR lower_label IS NULL)"
            what = "a row does not name its levels"
            expected = "j and j_final in every row, or upper_label and lower_label in every row"
            conditions = (f"{unlabelled} AND (j IS NULL OR j_final IS NULL)", unlabelled)
            self._none_where("kept", [_Rule(condition, "line", what, expected) for condition in conditions])
            ends = ("upper_label", "NULL::BIGINT"), ("lower_label", "NULL::BIGINT")
        else:
            ends = (
                ("coalesce(v, 0)::BIGINT", "j::BIGINT"),
                ("coalesce(v_final, 0)::BIGINT", "j_final::BIGINT"),
            )
        (first, second), (first_final, second_final) = ends
        self.connection.execute(
            f"""
            CREATE TEMP TABLE place AS
            SELECT first, second, row_number() OVER (ORDER BY first, second) - 1 AS number
            FROM (
                SELECT {first} AS first, {second} AS second FROM kept
                UNION SELECT {first_final}, {second_final} FROM kept
            )
            """
        )
        self.connection.execute(
            f"""
            CREATE TEMP VIEW placed AS
            SELECT kept.*, a.number AS initial, b.number AS final
            FROM kept
            JOIN place AS a ON a.first = {first} AND a.second IS NOT DISTINCT FROM {second}
            JOIN place AS b ON b.first = {first_final} AND b.second IS NOT DISTINCT FROM {second_final}
            """
        )
        rows = self.connection.execute("SELECT first, second FROM place ORDER BY number").fetchall()
        return [str(row[0]) if no_vj else (int(row[0]), int(row[1])) for row in rows]

    def _levels(self, molecule: str, ids: list[tuple[int, int] | str], levels_of: LevelsOf) -> Levels:
        known = levels_of(molecule)
        lacking = self._one(
            "SELECT count(*) FROM kept WHERE "
            + " OR ".join(f"{name} IS NULL OR isnan({name})" for name in _IN_ROWS)
        )
        if known is not None and lacking:
            return known
        if lacking:
            raise self._refuse(
                f"the energies of the levels of {molecule} are not known",
                "columns " + ", ".join(_IN_ROWS) + ", a list of levels, or levels in the store",
                "none of them",
                "name a list of levels with --levels",
            )
        own = self._own_levels(molecule, ids)
        if known is None or self._missing(known, ids):
            return own
        self._need_alike(known, own, ids)
        return known

    def _need_alike(self, known: Levels, own: Levels, ids: Sequence[tuple[int, int] | str]) -> None:
        """Refuse rows whose energies or weights are not those of the levels that are known."""
        at, here = self._keys(known, ids), self._keys(own, ids)
        where = np.array([[at[key], here[key]] for key in ids]).T
        energy = own.energy_cm1[where[1]] - known.energy_cm1[where[0]]
        energy = np.abs(
            energy - energy[np.argmin(known.energy_cm1[where[0]])]
        )  # they may count from other zeros
        weight = own.weight[where[1]] / known.weight[where[0]]
        wrong = energy > np.maximum(_OTHER_ENERGY_CM1, _OTHER_ENERGY * known.energy_cm1[where[0]])
        wrong |= np.abs(weight / np.median(weight) - 1.0) > _OTHER_WEIGHT
        if wrong.any():
            first = int(np.argmax(wrong))
            old, new = where[:, first]
            raise self._refuse(
                f"the level {_name(ids[first])} of {known.molecule} is another than the one that is known",
                f"{known.energy_cm1[old]:.10g} cm-1, weight {known.weight[old]:g}",
                f"{own.energy_cm1[new]:.10g} cm-1, weight {own.weight[new]:g}",
                "correct the rows or the list of levels; another species needs another --molecule",
            )

    def _own_levels(self, molecule: str, ids: list[tuple[int, int] | str]) -> Levels:
        """Return the levels as the rows give them; raises RatedbError where they contradict each other."""
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
                    f"{low:.10g} to {high:.10g} cm-1, weights {light:g} to {heavy:g}",
                    "correct the rows, or name a list of levels with --levels",
                )
        order = sorted(range(len(ids)), key=lambda number: (rows[number][1], number))
        pairs = [pair for pair in (ids[number] for number in order) if not isinstance(pair, str)]
        with_v = any(v for v, _ in pairs)
        return Levels(
            molecule,
            tuple(
                key if isinstance(key, str) else vj_label(*key, with_v=with_v)
                for key in (ids[number] for number in order)
            ),
            np.array([rows[number][1] for number in order]),
            np.array([rows[number][3] for number in order]),
            vj(
                np.array([v for v, _ in pairs]) if pairs else None,
                np.array([j for _, j in pairs]) if pairs else None,
            ),
        )

    @staticmethod
    def _keys(levels: Levels, ids: Sequence[tuple[int, int] | str]) -> dict[tuple[int, int] | str, int]:
        by_key: dict[tuple[int, int] | str, int] = {label: i for i, label in enumerate(levels.label)}
        if any(not isinstance(key, str) for key in ids):
            v, j = levels.need_vj()
            by_key |= {pair: i for i, pair in enumerate(zip(v.tolist(), j.tolist(), strict=True))}
        return by_key

    def _missing(self, levels: Levels, ids: Sequence[tuple[int, int] | str]) -> list[tuple[int, int] | str]:
        if not levels.has_vj and any(not isinstance(key, str) for key in ids):
            return list(ids)
        by_key = self._keys(levels, ids)
        return [key for key in ids if key not in by_key]

    def _index(self, levels: Levels, ids: list[tuple[int, int] | str]) -> IntArray:
        """Return the index in `levels` of each numbered level; raises RatedbError for an unknown one."""
        by_key = self._keys(levels, ids)
        missing = [number for number, key in enumerate(ids) if key not in by_key]
        if missing:
            number = missing[0]
            rule = _Rule(
                f"initial = {number} OR final = {number}",
                "line",
                f"a rate refers to a level of {levels.molecule} that is not known: {_name(ids[number])}",
                "the levels " + ", ".join(levels.label[:5]) + (", ..." if len(levels) > 5 else ""),
                "name a complete list with --levels",
            )
            self._none_where("placed", [rule])
        return np.array([by_key[key] for key in ids], dtype=np.int64)

    # -- rates --------------------------------------------------------------------------------------

    def _partners(self, collider: str | None) -> list[tuple[str | None, str | None]]:
        """Return each (collider, kind) of the table; a collider that is given selects or names one."""
        found = self.connection.execute("SELECT DISTINCT collider, kind FROM kept ORDER BY 1, 2").fetchall()
        names = {row[0] for row in found}
        if None in names and (len(names) > 1 or collider is None):
            raise self._refuse(
                "the table does not say its collider",
                "one of " + " ".join(COLLIDERS),
                "none",
                "say --collider",
            )
        if names == {None} and collider is not None:
            return [(collider, row[1]) for row in found]
        wrong = sorted(str(name) for name in names - set(COLLIDERS))
        if wrong:
            raise self._refuse(
                "unknown collider", " ".join(COLLIDERS), wrong[0], "correct the column collider"
            )
        if collider is not None and collider not in names:
            raise self._refuse(
                f"the table has no rates for {collider}",
                ", ".join(sorted(names)),
                collider,
                "say one of these with --collider, or none",
            )
        return [(row[0], row[1]) for row in found if collider in (None, row[0])]

    def _partner(
        self,
        levels: Levels,
        ids: list[tuple[int, int] | str],
        collider: str | None,
        kind: str | None,
        notes: list[str],
    ) -> PartnerRates:
        findings: list[Finding] = []
        columns = self.connection.execute(
            f"SELECT initial, final, temperature_k, rate_cm3_s FROM placed WHERE {_OF_PARTNER}",
            [collider, collider, kind],
        ).fetchnumpy()
        index = self._index(levels, ids)
        initial, final = (index[np.asarray(columns[name], dtype=np.int64)] for name in ("initial", "final"))
        pairs, row = np.unique(initial * len(levels) + final, return_inverse=True)
        temperature_k, column = np.unique(
            np.asarray(columns["temperature_k"], dtype=np.float64), return_inverse=True
        )
        value = np.asarray(columns["rate_cm3_s"], dtype=np.float64)
        shape = (len(pairs), len(temperature_k))
        if shape[0] * shape[1] > max(_LARGEST_MATRIX, 100 * len(value)):
            raise self._refuse(
                "the transitions do not share their temperatures",
                "rates on a common grid of temperatures",
                f"{shape[0]} transitions and {shape[1]} temperatures, but {len(value)} values",
                "interpolate the rates to one grid, or look whether two columns are exchanged",
            )
        matrix = np.full(shape, np.nan)
        matrix[row, column] = value
        other = np.flatnonzero(matrix[row, column] != value)
        if len(other):
            names = ("initial", "final", "temperature_k")
            raise self._twice(collider, kind, [columns[name][other[0]].item() for name in names])
        again = len(value) - int(np.isfinite(matrix).sum())
        if again:
            notes.append(f"{collider}: {again} row(s) stand twice with equal rates and are read once")
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
        return PartnerRates(table, "", kind, tuple(findings))

    def _twice(self, collider: str | None, kind: str | None, where: list[float]) -> RatedbError:
        """Return the error for the rows of one initial and final level and temperature that differ."""
        places = self.connection.execute(
            f"SELECT line, rate_cm3_s FROM placed WHERE {_OF_PARTNER}"
            " AND initial = ? AND final = ? AND temperature_k = ? ORDER BY line",
            [collider, collider, kind, *where],
        ).fetchall()
        listed = ", ".join(f"{rate:g} in {self._place(line)}" for line, rate in places)
        return RatedbError(
            "a transition stands twice at one temperature with different rates",
            where=f"{self.name}{self._place(places[-1][0])}",
            expected="each transition once at each temperature",
            got=listed,
            todo="remove one of the rows",
        )

    # -- queries and errors -------------------------------------------------------------------------

    def _one(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def _none_where(self, table: str, rules: Sequence[_Rule]) -> None:
        """Refuse the first row that breaks a rule, in the order of the rules; show its line or its column."""
        firsts = ", ".join(f"min(line) FILTER (WHERE {rule.condition})" for rule in rules)
        found = self.connection.execute(f"SELECT {firsts} FROM {table}").fetchone() or ()
        for rule, row in zip(rules, found, strict=True):
            if row is not None:
                raise self._broken(table, rule, int(row))

    def _broken(self, table: str, rule: _Rule, row: int) -> RatedbError:
        at = self._line(row)
        shown = self.connection.execute(f"SELECT {rule.column} FROM {table} WHERE line = {row}").fetchone()
        text = str(shown[0] if shown else row) if at is None else self.lines[at - 1]
        where = f"{self.name}{self._place(row)}"
        got = f"`{text}`" if len(text) <= _SHOWN else f"`{text[:_SHOWN]}...`"
        return RatedbError(rule.what, where=where, expected=rule.expected, got=got, todo=rule.todo)

    def _line(self, row: int) -> int | None:
        """Return the number of the line where a row of a CSV file starts, None for other tables."""
        try:
            return next((at for place, (at, _) in enumerate(_records(self.lines)) if place == row), None)
        except csv.Error:  # a cell too long for Python's reader
            return None

    def _place(self, row: int) -> str:
        at = self._line(row)
        return f" row {row}" if at is None else f":{at}"

    def _refuse(self, what: str, expected: str, got: str, todo: str) -> RatedbError:
        return RatedbError(what, where=self.name, expected=expected, got=got, todo=todo)


def _number(text: str) -> str:
    """Return the SQL of a text as DOUBLE, NULL where it is no number; Fortran exponents are read too."""
    # DuckDB's own cast takes 1_000 for a thousand.
    fast = f"CASE WHEN NOT contains({text}, '_') THEN try_cast({text} AS DOUBLE) END"
    slow = (
        f"CASE WHEN regexp_full_match({text}, '{_WITH_D}')"
        f" THEN try_cast(translate({text}, 'dD', 'ee') AS DOUBLE)"
        f" WHEN regexp_full_match({text}, '{_NO_LETTER}')"
        f" THEN try_cast(regexp_replace({text}, '{_NO_LETTER}', '\\1e\\2') AS DOUBLE) END"
    )
    return f"coalesce({fast}, {slow})"


def _name(key: tuple[int, int] | str) -> str:
    return key if isinstance(key, str) else f"v = {key[0]}, j = {key[1]}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
