"""The first part of a merge: molecules, levels and lines of the other store under the ids of this one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import numpy as np

from ratedb.arrays import IntArray, positions
from ratedb.levels import Levels, Lines
from ratedb.physics.level_matching import structure_suffix
from ratedb.store.connection import run
from ratedb.store.level_identity import KnownLevels, known_levels
from ratedb.store.levels import LevelStore

if TYPE_CHECKING:
    from sqlmodel import Session

_SUFFIX = re.compile(r"\((?:hfs|fs|rot)\)$")
_MAPS = """
CREATE OR REPLACE TEMP TABLE of_molecule (theirs VARCHAR, ours VARCHAR);
CREATE OR REPLACE TEMP TABLE of_level (theirs INTEGER, ours INTEGER);
CREATE OR REPLACE TEMP TABLE of_level_set (theirs INTEGER, ours INTEGER, warnings VARCHAR[]);
"""


class _TheirSet(NamedTuple):
    """A list of levels as the other store has it: its row, and what was read of it."""

    level_set_id: int
    levels: Levels
    lines: Lines
    level_id: IntArray
    file: tuple[str, str]
    kept: dict[str, str | datetime]


def merge_levels(store: LevelStore, session: Session, molecules: Sequence[str]) -> list[str]:
    """Store the levels and lines of these molecules of the attached store `other`; return what to say.

    The temporary tables of_molecule, of_level and of_level_set then give each name and id of the other store
    here. Levels are told apart as in an import. Raises RatedbError where they contradict those here.
    """
    store.connection.execute(_MAPS)
    known: dict[str, KnownLevels] = {}
    notes = []
    for molecule in molecules:
        name = ""
        for their in _sets(store.connection, molecule):
            name = name or _name_here(store.connection, their.levels, molecules)
            levels = replace(their.levels, molecule=name)
            level_set_id, level_id, warnings = store.put_levels(
                session, levels, their.lines, their.file, known, their.kept
            )
            _remember(store.connection, their, level_id)
            row = [their.level_set_id, level_set_id, warnings]
            run(store.connection, "INSERT INTO of_level_set VALUES (?, ?, ?::VARCHAR[])", row)
        run(store.connection, "INSERT INTO of_molecule VALUES (?, ?)", [molecule, name or molecule])
        if name not in ("", molecule):
            notes.append(
                f"{molecule} of the other store is {name} here: its levels resolve another structure"
            )
    return notes


def _name_here(connection: duckdb.DuckDBPyConnection, levels: Levels, molecules: Sequence[str]) -> str:
    """Return the name that levels have here: as in an import, those of another structure get a suffix."""
    base = _SUFFIX.sub("", levels.molecule)
    # A name such as HCN(hfs) was given by an import only where there is HCN too; else somebody chose it.
    base = base if base in molecules else levels.molecule
    stored = known_levels(connection, base).levels
    suffix = "" if stored is None else structure_suffix(levels, stored)
    if stored is None:
        return levels.molecule
    return f"{base}({suffix})" if suffix else base


def _sets(connection: duckdb.DuckDBPyConnection, molecule: str) -> list[_TheirSet]:
    """Return the lists of levels of a molecule of the other store, the first first."""
    rows = run(
        connection,
        "SELECT level_set_id, molecular_weight, file_name, file_sha256, content_sha256, imported_at, kind"
        " FROM other.level_set JOIN other.molecule USING (molecule) WHERE molecule = ? ORDER BY level_set_id",
        [molecule],
    ).fetchall()
    return [_set(connection, molecule, row) for row in rows]


def _set(connection: duckdb.DuckDBPyConnection, molecule: str, row: tuple[Any, ...]) -> _TheirSet:
    number, weight, file_name, file_sha256, content, imported_at, kind = row
    values = run(
        connection,
        "SELECT level_id, label, energy_cm1, weight, quantum_numbers FROM other.level_value"
        " JOIN other.level USING (level_id) WHERE level_set_id = ? ORDER BY position",
        [number],
    ).fetchall()
    ids, labels, energy, weights, numbers = zip(*values, strict=True) if values else ((),) * 5
    names = dict.fromkeys(name for one in numbers for name in one or {})
    named = {name: np.array([(one or {}).get(name) for one in numbers], dtype=np.float64) for name in names}
    levels = Levels(molecule, labels, np.array(energy), np.array(weights), named, weight, kind)
    level_id = np.array(ids, dtype=np.int64)
    kept = {"content_sha256": content, "imported_at": imported_at}
    lines = _lines(connection, number, level_id)
    return _TheirSet(number, levels, lines, level_id, (file_name, file_sha256), kept)


def _lines(connection: duckdb.DuckDBPyConnection, number: int, level_id: IntArray) -> Lines:
    rows = run(
        connection,
        "SELECT upper_id, lower_id, einstein_a_s1, frequency_ghz,"
        " coalesce(upper_energy_k, 'nan'::DOUBLE) AS upper_energy_k,"
        " coalesce(frequency_computed, false) AS frequency_computed"
        " FROM other.line WHERE level_set_id = ? ORDER BY position",
        [number],
    ).fetchnumpy()
    upper, lower = positions(level_id, rows["upper_id"]), positions(level_id, rows["lower_id"])
    names = ("einstein_a_s1", "frequency_ghz", "upper_energy_k", "frequency_computed")
    return Lines(upper, lower, *(rows[name] for name in names))


def _remember(connection: duckdb.DuckDBPyConnection, their: _TheirSet, level_id: IntArray) -> None:
    connection.register("incoming", {"theirs": their.level_id, "ours": level_id})
    connection.execute("INSERT INTO of_level SELECT * FROM incoming EXCEPT SELECT * FROM of_level")
    connection.unregister("incoming")
