"""Levels and radiative lines in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from ratedb.arrays import IntArray, positions
from ratedb.errors import RatedbError, did_you_mean
from ratedb.levels import UNKNOWN_KIND, Levels, Lines
from ratedb.safe_text import clean
from ratedb.store.base import OpenStore, need_id
from ratedb.store.connection import run
from ratedb.store.level_identity import KnownLevels, identify, known_levels, put_molecule_kind
from ratedb.store.query import QueryResult
from ratedb.systems import need_level_names

if TYPE_CHECKING:
    from sqlmodel import Session


_ENDS = "v, j, v_final, j_final"


@dataclass(frozen=True, eq=False)
class StoredLevels:
    """A molecule's levels in order of energy, their lines, and the store's id of each level, shape (n,)."""

    levels: Levels
    lines: Lines
    level_id: IntArray


class LevelStore(OpenStore):
    """The part of a store with the tables level, level_set, level_value, line and molecule."""

    def has_molecule(self, molecule: str) -> bool:
        """Return whether levels of this molecule are stored."""
        return bool(self.rows("SELECT 1 FROM molecule WHERE molecule = ?", [molecule]))

    def levels(self, molecule: str) -> StoredLevels:
        """Return the levels and lines of a molecule; raises RatedbError where there are none.

        Raises IntegrityError where another program changed them.
        """
        self.need_intact(molecule=molecule)
        rows = self.rows(
            "SELECT level_id, label, energy_cm1, weight, molecule_kind, quantum_numbers FROM levels"
            " WHERE molecule = ? ORDER BY energy_cm1, level_id",
            [molecule],
        )
        if not rows:
            raise RatedbError(
                f"the store has no levels of {molecule}",
                todo=did_you_mean(molecule, self.column("SELECT molecule FROM molecule"))
                or "import a file that lists them, such as the molecule's LAMDA file",
            )
        ids, labels, energy, weight, kinds, numbers = zip(*rows, strict=True)
        names = dict.fromkeys(name for one in numbers for name in one)
        levels = Levels(
            molecule=molecule,
            label=labels,
            energy_cm1=np.array(energy, dtype=np.float64),
            weight=np.array(weight, dtype=np.float64),
            quantum_numbers={
                name: np.array([one.get(name) for one in numbers], dtype=np.float64) for name in names
            },
            molecular_weight=self._molecular_weight(molecule),
            kind=kinds[0],
        )
        level_id = np.array(ids, dtype=np.int64)
        return StoredLevels(levels, self._lines(molecule, level_id), level_id)

    def list_levels(self, molecule: str) -> QueryResult:
        """List the levels of a molecule by energy; raises RatedbError where there are none."""
        own = [] if (levels := self.levels(molecule).levels).has_vj else list(levels.quantum_numbers)
        columns = ", ".join(_column("quantum_numbers", name) for name in own) or "v, j"
        return self.table(
            f"SELECT label, {columns}, energy_cm1, weight, quantum_numbers, molecule_kind FROM levels"
            " WHERE molecule = ? ORDER BY energy_cm1, level_id",
            [molecule],
            name="levels",
        )

    def list_lines(self, molecule: str) -> QueryResult:
        """List the lines of a molecule by frequency; raises RatedbError where there are no levels."""
        own = [] if (levels := self.levels(molecule).levels).has_vj else list(levels.quantum_numbers)
        ends = [_column("quantum_numbers", name) for name in own]
        ends += [_column("quantum_numbers_final", name, f"{name}_final") for name in own]
        return self.table(
            f"SELECT upper_label, lower_label, {', '.join(ends) or _ENDS}, frequency_ghz, einstein_a_s1,"
            " upper_energy_k, frequency_computed FROM radiative WHERE molecule = ?"
            " ORDER BY frequency_ghz, upper_id, lower_id",
            [molecule],
            name="lines",
        )

    def put_levels(
        self,
        session: Session,
        levels: Levels,
        lines: Lines,
        file: tuple[str, str],
        known: dict[str, KnownLevels],
        kept: Mapping[str, Any] | None = None,
    ) -> tuple[int, IntArray, list[str]]:
        """Store a molecule's levels and lines once; return (level_set_id, level ids (n,), warnings).

        `file` is its name and SHA-256; `known` remembers the levels of each molecule in one transaction.
        `kept` are the hash and time of levels that come out of another store.
        Raises RatedbError where the levels contradict what the store has under this molecule's name.
        """
        from ratedb.store.records import LevelSetRow

        molecule = _named(levels)
        before = known.get(molecule) or known_levels(self.connection, molecule)
        level_id, alike, warnings, now_known = identify(self.connection, levels, before)
        if molecule not in known or levels.kind != before.kind:
            put_molecule_kind(self.connection, levels, level_id)
        known[molecule] = now_known
        kept = kept or {"content_sha256": _content_sha256(levels, lines)}
        same = self.column(
            "SELECT level_set_id FROM level_set WHERE molecule = ? AND content_sha256 = ?",
            [molecule, kept["content_sha256"]],
        )
        if same:
            return same[0], level_id, warnings
        about: dict[str, Any] = {"file_name": clean(file[0]), "file_sha256": file[1], **kept}
        record = LevelSetRow(molecule=molecule, molecular_weight=levels.molecular_weight, **about)
        session.add(record)
        session.flush()
        level_set_id = need_id(record.level_set_id)
        _insert_values(self.connection, level_set_id, alike, lines, level_id)
        return level_set_id, level_id, warnings

    def level_ids(self, levels: Levels) -> IntArray:
        """Return the ids, shape (n,), of levels of this store; raises RatedbError for other levels."""
        by_label = dict(self.rows("SELECT label, level_id FROM level WHERE molecule = ?", [levels.molecule]))
        unknown = [label for label in levels.label if label not in by_label]
        if unknown:
            raise RatedbError(
                f"the store has no such level of {levels.molecule}",
                expected="levels that came out of this store",
                got=", ".join(unknown[:4]),
            )
        return np.array([by_label[label] for label in levels.label], dtype=np.int64)

    def _lines(self, molecule: str, level_id: IntArray) -> Lines:
        rows = run(
            self.connection,
            "SELECT upper_id, lower_id, einstein_a_s1, frequency_ghz,"
            " coalesce(upper_energy_k, 'nan'::DOUBLE) AS upper_energy_k, frequency_computed"
            " FROM radiative WHERE molecule = ?",
            [molecule],
        ).fetchnumpy()
        upper, lower = positions(level_id, rows["upper_id"]), positions(level_id, rows["lower_id"])
        order = np.lexsort([lower, upper])
        names = ("einstein_a_s1", "frequency_ghz", "upper_energy_k", "frequency_computed")
        return Lines(upper[order], lower[order], *(rows[name][order] for name in names))

    def _molecular_weight(self, molecule: str) -> float | None:
        found = self.column(
            "SELECT molecular_weight FROM level_set JOIN level_set_rank USING (level_set_id)"
            " WHERE level_set.molecule = ? AND molecular_weight IS NOT NULL ORDER BY rank LIMIT 1",
            [molecule],
        )
        return found[0] if found else None


def _column(numbers: str, name: str, title: str = "") -> str:
    """Return SQL for the quantum number `name` in a column of maps, under its name or a title."""
    text, column = name.replace("'", "''"), (title or name).replace('"', '""')
    return f"{numbers}['{text}'] AS \"{column}\""


def _named(levels: Levels) -> str:
    """Return the molecule of levels; raises RatedbError where it or a label has a name that none may have."""
    need_level_names(levels.molecule, levels.label)
    return levels.molecule


def _content_sha256(levels: Levels, lines: Lines) -> str:
    digest = hashlib.sha256(
        "\n".join([levels.molecule, str(levels.molecular_weight), *levels.label]).encode()
    )
    arrays = [
        levels.energy_cm1,
        levels.weight,
        lines.upper,
        lines.lower,
        lines.einstein_a_s1,
        lines.frequency_ghz,
    ]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    if np.isfinite(lines.upper_energy_k).any() or lines.frequency_computed.any():  # for the same reason
        digest.update(lines.upper_energy_k.tobytes() + lines.frequency_computed.tobytes())
    more = {name: array for name, array in levels.quantum_numbers.items() if name not in ("v", "j")}
    if more:  # else the hash is as in older stores; their kind was unknown
        digest.update("\n".join([UNKNOWN_KIND, *more]).encode())
        for array in more.values():
            digest.update(array.tobytes())
    return digest.hexdigest()


def _insert_values(
    connection: duckdb.DuckDBPyConnection,
    level_set_id: int,
    levels: Levels,
    lines: Lines,
    level_id: IntArray,
) -> None:
    incoming_levels = {
        "position": np.arange(len(levels)),
        "level_id": level_id,
        "energy_cm1": levels.energy_cm1,
        "weight": levels.weight,
    }
    incoming_lines = {
        "position": np.arange(len(lines)),
        "upper_id": level_id[lines.upper],
        "lower_id": level_id[lines.lower],
        "einstein_a_s1": lines.einstein_a_s1,
        "frequency_ghz": lines.frequency_ghz,
        "upper_energy_k": lines.upper_energy_k,
        "frequency_computed": lines.frequency_computed,
    }
    for table, incoming in (("level_value", incoming_levels), ("line", incoming_lines)):
        connection.register("incoming", incoming)
        connection.execute(f"INSERT INTO {table} SELECT {int(level_set_id)}, * FROM incoming")
        connection.unregister("incoming")
