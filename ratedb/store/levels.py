"""Levels and radiative lines in the store: one identity per level, whatever source names it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import duckdb
import numpy as np
from sqlmodel import Session, select

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.levels import Levels, Lines, vj
from ratedb.store.records import LevelSet

# Two sources of one molecule may differ in the last digits of an energy; more than this and they
# do not speak of the same levels.
_ENERGY_TOLERANCE_CM1 = 1.0
_ENERGY_TOLERANCE_RELATIVE = 0.05
_ENERGY_NOTICE_CM1 = 0.1
_WEIGHT_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class StoredLevels:
    """A molecule's levels in order of energy, their lines, and the store's id of each level, shape (n,)."""

    levels: Levels
    lines: Lines
    level_id: IntArray


def put_levels(
    session: Session,
    connection: duckdb.DuckDBPyConnection,
    levels: Levels,
    lines: Lines,
    *,
    file_name: str,
    file_sha256: str,
) -> tuple[int, IntArray, list[str]]:
    """Store a molecule's levels and lines once; return (level_set_id, level ids of shape (n,), warnings).

    Raises RatedbError where the levels contradict what the store has under this molecule's name.
    """
    level_id, zero_cm1, warnings = _identify(connection, levels)
    weight_factor, about_weights = _compare_weights(connection, levels, level_id)
    warnings += about_weights
    content = _content_sha256(levels, lines)
    known = session.exec(
        select(LevelSet).where(LevelSet.molecule == levels.molecule, LevelSet.content_sha256 == content)
    ).first()
    if known is not None and known.level_set_id is not None:
        return known.level_set_id, level_id, warnings
    record = LevelSet(
        molecule=levels.molecule,
        molecular_weight=levels.molecular_weight,
        content_sha256=content,
        file_name=file_name,
        file_sha256=file_sha256,
    )
    session.add(record)
    session.flush()
    if record.level_set_id is None:
        raise RatedbError("the store gave no id to a level set", where=levels.molecule)
    counted_alike = replace(
        levels, energy_cm1=levels.energy_cm1 - zero_cm1, weight=levels.weight / weight_factor
    )
    _insert_values(connection, record.level_set_id, counted_alike, lines, level_id)
    return record.level_set_id, level_id, warnings


def get_levels(connection: duckdb.DuckDBPyConnection, molecule: str) -> StoredLevels:
    """Return a molecule's levels and lines; raises RatedbError where the store has none."""
    columns = connection.execute(
        "SELECT level_id, label, v, j, energy_cm1, weight FROM levels WHERE molecule = ?"
        " ORDER BY energy_cm1, level_id",
        [molecule],
    ).fetchall()
    if not columns:
        raise RatedbError(
            f"the store has no levels of {molecule}",
            todo="import a file that lists them, such as the molecule's LAMDA file",
        )
    ids, labels, v, j, energy, weight = zip(*columns, strict=True)
    complete = all(number is not None for number in v) and all(number is not None for number in j)
    levels = Levels(
        molecule=molecule,
        label=labels,
        energy_cm1=np.array(energy, dtype=np.float64),
        weight=np.array(weight, dtype=np.float64),
        quantum_numbers=vj(
            np.array(v, dtype=np.int64) if complete else None,
            np.array(j, dtype=np.int64) if complete else None,
        ),
        molecular_weight=_molecular_weight(connection, molecule),
    )
    level_id = np.array(ids, dtype=np.int64)
    return StoredLevels(levels, _get_lines(connection, molecule, level_id), level_id)


def ids_of(connection: duckdb.DuckDBPyConnection, levels: Levels) -> IntArray:
    """Return the ids, shape (n,), of levels that came out of this store; raises RatedbError where not."""
    rows = connection.execute(
        "SELECT label, level_id FROM level WHERE molecule = ?", [levels.molecule]
    ).fetchall()
    by_label = dict(rows)
    unknown = [label for label in levels.label if label not in by_label]
    if unknown:
        raise RatedbError(
            f"the store has no such level of {levels.molecule}",
            expected="levels that came out of this store",
            got=", ".join(unknown[:4]),
        )
    return np.array([by_label[label] for label in levels.label], dtype=np.int64)


def positions(level_id: IntArray, wanted: IntArray) -> IntArray:
    """Return where each id of `wanted`, shape (k,), stands in `level_id`, shape (n,)."""
    order = np.argsort(level_id)
    return np.asarray(order[np.searchsorted(level_id[order], wanted)], dtype=np.int64)


def _get_lines(connection: duckdb.DuckDBPyConnection, molecule: str, level_id: IntArray) -> Lines:
    rows = connection.execute(
        "SELECT upper_id, lower_id, einstein_a_s1, frequency_ghz FROM radiative WHERE molecule = ?",
        [molecule],
    ).fetchnumpy()
    upper = positions(level_id, np.asarray(rows["upper_id"], dtype=np.int64))
    lower = positions(level_id, np.asarray(rows["lower_id"], dtype=np.int64))
    order = np.lexsort([lower, upper])
    return Lines(upper[order], lower[order], rows["einstein_a_s1"][order], rows["frequency_ghz"][order])


def _molecular_weight(connection: duckdb.DuckDBPyConnection, molecule: str) -> float | None:
    row = connection.execute(
        "SELECT molecular_weight FROM level_set JOIN level_set_rank USING (level_set_id)"
        " WHERE level_set.molecule = ? AND molecular_weight IS NOT NULL ORDER BY rank LIMIT 1",
        [molecule],
    ).fetchone()
    return None if row is None else float(row[0])


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
    return digest.hexdigest()


def _keys(levels: Levels) -> list[tuple[int, int] | str]:
    if levels.v is None or levels.j is None:
        return list(levels.label)
    return [(int(v), int(j)) for v, j in zip(levels.v, levels.j, strict=True)]


def _identify(connection: duckdb.DuckDBPyConnection, levels: Levels) -> tuple[IntArray, float, list[str]]:
    """Return the ids of the levels, the energy to take off to count from the store's zero, and warnings."""
    rows = connection.execute(
        "SELECT level_id, label, v, j FROM level WHERE molecule = ?", [levels.molecule]
    ).fetchall()
    by_key: dict[tuple[int, int] | str, int] = {}
    for level_id, label, v, j in rows:
        by_key[(v, j) if levels.has_vj and v is not None else label] = level_id
    keys = _keys(levels)
    _need_distinct(levels, keys)
    known = np.array([by_key.get(key, -1) for key in keys], dtype=np.int64)
    zero_cm1, warnings = _compare_energies(connection, levels, known)
    _need_same_labelling(levels, known, [row[2] is not None for row in rows])
    _add_levels(connection, levels, np.flatnonzero(known < 0), {str(row[1]) for row in rows})
    if (known >= 0).all():
        return known, zero_cm1, warnings
    fresh = dict(
        connection.execute(
            "SELECT label, level_id FROM level WHERE molecule = ?", [levels.molecule]
        ).fetchall()
    )
    ids = [int(k) if k >= 0 else int(fresh[label]) for k, label in zip(known, levels.label, strict=True)]
    return np.array(ids, dtype=np.int64), zero_cm1, warnings


def _need_distinct(levels: Levels, keys: list[tuple[int, int] | str]) -> None:
    if len(set(keys)) == len(keys):
        return
    twice = next(key for key in keys if keys.count(key) > 1)
    raise RatedbError(
        f"two levels of {levels.molecule} have the same quantum numbers",
        where=", ".join(repr(levels.label[i]) for i, key in enumerate(keys) if key == twice),
        expected="each v, j once",
        got=f"v, j = {twice}",
        todo="give the levels of a finer structure labels that are not taken for v and j",
    )


def _need_same_labelling(levels: Levels, known: IntArray, stored_have_vj: list[bool]) -> None:
    """Refuse new levels without v, j among levels with them, or the reverse: neither could be compared."""
    fresh = np.flatnonzero(known < 0)
    if len(fresh) == 0 or not stored_have_vj or all(has == levels.has_vj for has in stored_have_vj):
        return
    ours, theirs = ("v and j", "other labels") if levels.has_vj else ("other labels", "v and j")
    raise RatedbError(
        f"the levels of {levels.molecule} are named in another way than those in the store",
        where=f"level {levels.label[fresh[0]]!r}",
        expected=f"{theirs}, as in the store",
        got=ours,
        todo="bring the labels into one form, or import under another molecule name with --molecule",
    )


def _add_levels(
    connection: duckdb.DuckDBPyConnection, levels: Levels, fresh: IntArray, taken: set[str]
) -> None:
    for i in fresh:
        if levels.label[i] in taken:
            raise RatedbError(
                f"the label {levels.label[i]!r} already names another level of {levels.molecule}",
                expected="labels that agree with those in the store",
                got=f"v, j = {_keys(levels)[i]}",
                todo="import under another molecule name with --molecule",
            )
        v = None if levels.v is None else int(levels.v[i])
        j = None if levels.j is None else int(levels.j[i])
        connection.execute(
            "INSERT INTO level VALUES (nextval('level_ids'), ?, ?, ?, ?)",
            [levels.molecule, levels.label[i], v, j],
        )


def _stored(
    connection: duckdb.DuckDBPyConnection, column: str, molecule: str, level_id: IntArray
) -> tuple[list[int], FloatArray]:
    """Return which of these levels the store has already, and its values of a column for them."""
    rows = connection.execute(f"SELECT level_id, {column} FROM levels WHERE molecule = ?", [molecule])
    values = dict(rows.fetchall())
    shared = [i for i, number in enumerate(level_id) if int(number) in values]
    return shared, np.array([values[int(level_id[i])] for i in shared], dtype=np.float64)


def _compare_energies(
    connection: duckdb.DuckDBPyConnection, levels: Levels, known: IntArray
) -> tuple[float, list[str]]:
    shared, old = _stored(connection, "energy_cm1", levels.molecule, known)
    if not shared:
        return 0.0, []
    new = levels.energy_cm1[shared]
    difference = np.abs((new - new.min()) - (old - old.min()))
    tolerance = np.maximum(_ENERGY_TOLERANCE_CM1, _ENERGY_TOLERANCE_RELATIVE * (old - old.min()))
    worst = int(np.argmax(difference - tolerance))
    if difference[worst] > tolerance[worst]:
        raise RatedbError(
            f"the levels of {levels.molecule} contradict those in the store",
            where=f"level {levels.label[shared[worst]]}",
            expected=f"{old[worst]:.3f} cm-1 above the lowest, as stored",
            got=f"{new[worst]:.3f} cm-1",
            todo="check the file; if it is another species, name it with --molecule",
        )
    _need_same_order(levels, shared, old, new)
    warnings = []
    if difference.max() > _ENERGY_NOTICE_CM1:
        worst = int(np.argmax(difference))
        warnings.append(
            f"level {levels.label[shared[worst]]} of {levels.molecule} differs by {difference[worst]:.3f}"
            " cm-1 from the store; both are kept, the most complete level list is used"
        )
    zero_cm1 = float(new.min() - old.min())
    if abs(zero_cm1) <= _ENERGY_NOTICE_CM1:
        return 0.0, warnings
    warnings.append(
        f"the energies of {levels.molecule} are counted from another zero than in the store;"
        f" {zero_cm1:.3f} cm-1 are taken off them"
    )
    return zero_cm1, warnings


def _compare_weights(
    connection: duckdb.DuckDBPyConnection, levels: Levels, level_id: IntArray
) -> tuple[float, list[str]]:
    """Return the factor between these statistical weights and the store's, 1 where they agree.

    A common factor (nuclear spin counted or not) is no contradiction; anything else is.
    """
    shared, old = _stored(connection, "weight", levels.molecule, level_id)
    if not shared:
        return 1.0, []
    ratio = levels.weight[shared] / old
    factor = float(np.median(ratio))
    worst = int(np.argmax(np.abs(ratio / factor - 1.0)))
    if abs(ratio[worst] / factor - 1.0) > _WEIGHT_TOLERANCE:
        raise RatedbError(
            f"the statistical weights of {levels.molecule} contradict those in the store",
            where=f"level {levels.label[shared[worst]]}",
            expected=f"{levels.weight[shared[worst]] / ratio[worst] * factor:g}, as in the store",
            got=f"{levels.weight[shared[worst]]:g}",
            todo="check the file; if it is another species, name it with --molecule",
        )
    if abs(factor - 1.0) <= _WEIGHT_TOLERANCE:
        return 1.0, []
    return factor, [
        f"the statistical weights of {levels.molecule} are {factor:g} times those in the store;"
        " they are divided by that"
    ]


def _need_same_order(levels: Levels, shared: list[int], old: FloatArray, new: FloatArray) -> None:
    """Refuse a list in which levels have changed places: stored downward rates would run upward."""
    order = np.argsort(old, kind="stable")
    exchanged = np.flatnonzero((np.diff(old[order]) > 0) & (np.diff(new[order]) < 0))
    if len(exchanged):
        first, second = (levels.label[shared[order[exchanged[0] + k]]] for k in (0, 1))
        raise RatedbError(
            f"levels of {levels.molecule} stand in another order of energy than in the store",
            where=f"levels {first} and {second}",
            expected=f"{second} above {first}, as stored",
            got=f"{second} below {first}",
            todo="check the labels of the file; if it is another species, name it with --molecule",
        )


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
    }
    for table, incoming in (("level_value", incoming_levels), ("line", incoming_lines)):
        connection.register("incoming", incoming)
        connection.execute(f"INSERT INTO {table} SELECT {int(level_set_id)}, * FROM incoming")
        connection.unregister("incoming")
