"""Which level is which: one identity for each level of a molecule, whatever source names it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import duckdb
import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.kinds.recognise import impossible_as
from ratedb.levels import UNKNOWN_KIND, Levels
from ratedb.physics.level_matching import Match, match_levels, structure_suffix
from ratedb.store.connection import run
from ratedb.store.seals import changing
from ratedb.store.spin_species import need_same_species

# Two sources of one molecule may differ in the last digits of an energy; beyond this levels are others.
_ENERGY_TOLERANCE_CM1 = 1.0
_ENERGY_TOLERANCE_RELATIVE = 0.05
_ENERGY_NOTICE_CM1 = 0.1
_WEIGHT_TOLERANCE = 0.01
_KIND = "name it with --kind-of-molecule, or import under another molecule name with --molecule"
_CHECK = "check the file; if it is another species, name it with --molecule"


def put_molecule_kind(connection: duckdb.DuckDBPyConnection, levels: Levels, level_id: IntArray) -> None:
    """Store what kind of molecule it is; raises RatedbError where the store has another kind.

    Levels, with these ids (n,), that were stored without quantum numbers get those that are known now.
    """
    found = run(connection, "SELECT kind FROM molecule WHERE molecule = ?", [levels.molecule]).fetchall()
    if not found:
        run(connection, "INSERT INTO molecule VALUES (?, ?)", [levels.molecule, levels.kind])
    elif found[0][0] == UNKNOWN_KIND != levels.kind:
        with changing(connection, "molecule", [levels.molecule]):
            run(connection, "UPDATE molecule SET kind = ? WHERE molecule = ?", [levels.kind, levels.molecule])
        with changing(connection, "level", level_id.tolist()):
            put_numbers(connection, levels, level_id, where="cardinality(quantum_numbers) = 0")
    elif levels.kind not in (UNKNOWN_KIND, found[0][0]):
        what = f"{levels.molecule} is another kind of molecule in the store"
        raise RatedbError(what, expected=found[0][0], got=levels.kind, todo=_KIND)


def put_numbers(
    connection: duckdb.DuckDBPyConnection, levels: Levels, level_id: IntArray, where: str = "true"
) -> None:
    """Store the quantum numbers of levels, with these ids (n,), `where` SQL says so."""
    names = list(levels.quantum_numbers)
    rows = np.array([levels.quantum_numbers[name] for name in names]).T.tolist() or [[]] * len(level_id)
    for number, row in zip(level_id.tolist(), rows, strict=True):
        values = [None if math.isnan(one) else one for one in row]
        run(
            connection,
            "UPDATE level SET quantum_numbers = map(?::VARCHAR[], ?::DOUBLE[])"
            f" WHERE level_id = ? AND {where}",
            [names, values, number],
        )


@dataclass(frozen=True, eq=False)
class KnownLevels:
    """The levels that a store has of a molecule, and their ids, shape (n,)."""

    ids: IntArray
    levels: Levels | None

    @property
    def kind(self) -> str | None:
        """The kind of molecule that the levels are of; None without levels."""
        return None if self.levels is None else self.levels.kind


def identify(
    connection: duckdb.DuckDBPyConnection, levels: Levels, known_levels: KnownLevels
) -> tuple[IntArray, Levels, list[str], KnownLevels]:
    """Return the ids of levels, shape (n,), which are stored if they are new; the levels; and warnings.

    The levels returned have energies from the zero of the store and weights with its common factor. Last come
    the known levels with the new ones. Raises RatedbError where the levels contradict those in the store.
    """
    ids, stored = known_levels.ids, known_levels.levels
    _need_distinct(levels)
    if stored is None:
        place, notes = np.full(len(levels), -1, dtype=np.int64), []
    else:
        _need_same_structure(levels, stored)
        notes = need_same_species(levels, stored)
        match = match_levels(levels, stored)
        place = match.place
        notes = [*notes, *_matched_note(levels, match), *_impossible_labels(levels, stored, place)]
    known = np.where(place >= 0, ids[place] if len(ids) else -1, -1)
    shared = np.flatnonzero(place >= 0)
    zero_cm1, warnings = _compare_energies(levels, stored, shared, place)
    if stored is not None:
        _need_same_labelling(levels, known, stored)
    fresh = np.flatnonzero(known < 0)
    level_id = known.copy()
    level_id[fresh] = _add_levels(connection, levels, fresh, set() if stored is None else set(stored.label))
    factor, about_weights = _compare_weights(levels, stored, shared, place)
    alike = replace(levels, energy_cm1=levels.energy_cm1 - zero_cm1, weight=levels.weight / factor)
    now_known = _with_new(known_levels, level_id[fresh], alike.select(fresh))
    return level_id, alike, [*notes, *warnings, *about_weights], now_known


def _with_new(known: KnownLevels, ids: IntArray, new: Levels) -> KnownLevels:
    """Return known levels with new ones, whose quantum numbers may have other names."""
    if not len(ids) or known.levels is None:
        return known if not len(ids) else KnownLevels(ids, new)
    old = known.levels
    nothing = [np.full(len(one), np.nan) for one in (old, new)]
    numbers = {
        name: np.concatenate(
            [one.quantum_numbers.get(name, none) for one, none in zip((old, new), nothing, strict=True)]
        )
        for name in {**old.quantum_numbers, **new.quantum_numbers}
    }
    energy_cm1, weight = (
        np.concatenate([getattr(one, name) for one in (old, new)]) for name in ("energy_cm1", "weight")
    )
    kind = old.kind if old.kind == new.kind else ""
    levels = Levels(old.molecule, (*old.label, *new.label), energy_cm1, weight, numbers, kind=kind)
    return KnownLevels(np.concatenate([known.ids, ids]), levels)


def known_levels(connection: duckdb.DuckDBPyConnection, molecule: str) -> KnownLevels:
    """Return the levels of a molecule that the store has."""
    rows = run(
        connection,
        "SELECT level_id, label, energy_cm1, weight, quantum_numbers, molecule_kind FROM levels"
        " WHERE molecule = ? ORDER BY level_id",
        [molecule],
    ).fetchall()
    if not rows:
        return KnownLevels(np.empty(0, dtype=np.int64), None)
    ids, labels, energy, weight, numbers, kinds = zip(*rows, strict=True)
    names = dict.fromkeys(name for one in numbers for name in one or {})
    named = {name: np.array([(one or {}).get(name) for one in numbers], dtype=np.float64) for name in names}
    levels = Levels(molecule, labels, np.array(energy), np.array(weight), named, kind=kinds[0])
    return KnownLevels(np.array(ids, dtype=np.int64), levels)


def _need_same_structure(levels: Levels, stored: Levels) -> None:
    suffix = structure_suffix(levels, stored)
    if suffix:
        raise RatedbError(
            f"the store has levels of {levels.molecule} that resolve another structure",
            expected=", ".join(stored.quantum_numbers) or f"levels such as {stored.label[0]!r}",
            got=", ".join(levels.quantum_numbers) or f"levels such as {levels.label[0]!r}",
            todo=f"import them as another molecule, such as --molecule '{levels.molecule}({suffix})'",
        )


def _matched_note(levels: Levels, match: Match) -> list[str]:
    ways = [(match.by_numbers, "quantum numbers"), (match.by_energy, "energy and weight")]
    said = [f"{count} by {way}" for count, way in ways if count]
    if not said:
        return []
    return [
        f"levels of {levels.molecule} have other labels than in the store, which are kept; "
        f"matched: {', '.join(said)}"
    ]


def _impossible_labels(levels: Levels, stored: Levels, place: IntArray) -> list[str]:
    """Return a warning of each label that no level of the stored kind can have, and what it is taken for."""
    warnings = []
    for label, at in zip(levels.label, place.tolist(), strict=True):
        if label in stored.places or not (against := impossible_as(stored.kind, label)):
            continue
        other = f"level {stored.label[at]} of the store, by energy and weight" if at >= 0 else "a new level"
        warnings.append(
            f"label {label!r} of {levels.molecule} is of no {stored.kind}: {against}; it is taken for"
            f" {other}: check"
        )
    return warnings


def _by_vj(levels: Levels) -> bool:
    """Return whether v and j alone name the levels."""
    return levels.has_vj and set(levels.quantum_numbers) == {"v", "j"}


def _keys(levels: Levels) -> list[tuple[int, int] | str]:
    """Return what each level is found by: its v and j where these are all there is, else its label."""
    if not _by_vj(levels):
        return list(levels.label)
    v, j = levels.need_vj()
    return list(zip(v.tolist(), j.tolist(), strict=True))


def _need_distinct(levels: Levels) -> None:
    if not _by_vj(levels):
        return
    keys = _keys(levels)
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


def _need_same_labelling(levels: Levels, known: IntArray, stored: Levels) -> None:
    """Refuse new levels without v and j among levels with them, or the reverse."""
    fresh = np.flatnonzero(known < 0)
    if len(fresh) == 0 or stored.has_vj == _by_vj(levels):
        return
    ours, theirs = ("v and j", "other labels") if _by_vj(levels) else ("other labels", "v and j")
    raise RatedbError(
        f"the levels of {levels.molecule} are named in another way than those in the store",
        where=f"level {levels.label[fresh[0]]!r} at {levels.energy_cm1[fresh[0]]:.10g} cm-1",
        expected=f"{theirs}, as in the store, or energies and weights of its levels",
        got=ours,
        todo="bring the labels into one form, or import under another molecule name with --molecule",
    )


def _add_levels(
    connection: duckdb.DuckDBPyConnection, levels: Levels, fresh: IntArray, taken: set[str]
) -> list[int]:
    """Store new levels and return their ids; raises RatedbError where a label is taken."""
    for i in fresh:
        if levels.label[i] in taken:
            raise RatedbError(
                f"the label {levels.label[i]!r} already names another level of {levels.molecule}",
                expected="labels that agree with those in the store",
                got=f"v, j = {_keys(levels)[i]}",
                todo="import under another molecule name with --molecule",
            )
    if not len(fresh):
        return []
    names = list(levels.quantum_numbers)
    numbers = np.array([levels.quantum_numbers[name][fresh] for name in names]).T.tolist()
    none = [None] * len(fresh)
    run(
        connection,
        "INSERT INTO level SELECT nextval('level_ids'), ?, label, v, j, map(?::VARCHAR[], numbers) FROM ("
        "SELECT unnest(?::VARCHAR[]) AS label, unnest(?::INTEGER[]) AS v, unnest(?::INTEGER[]) AS j,"
        " unnest(?::DOUBLE[][]) AS numbers)",
        [
            levels.molecule,
            names,
            [levels.label[i] for i in fresh],
            none if levels.v is None else levels.v[fresh].tolist(),
            none if levels.j is None else levels.j[fresh].tolist(),
            [[None if math.isnan(one) else one for one in row] for row in numbers] or [[]] * len(fresh),
        ],
    )
    stored = run(connection, "SELECT label, level_id FROM level WHERE molecule = ?", [levels.molecule])
    ids = dict(stored.fetchall())
    return [ids[levels.label[i]] for i in fresh]


def _compare_energies(
    levels: Levels, known: Levels | None, shared: IntArray, place: IntArray
) -> tuple[float, list[str]]:
    """Return what is to be taken off the energies, cm-1; `shared` are the levels known at `place`."""
    if known is None or not len(shared):
        return 0.0, []
    new, old = levels.energy_cm1[shared], known.energy_cm1[place[shared]]
    difference = np.abs((new - new.min()) - (old - old.min()))
    tolerance = np.maximum(_ENERGY_TOLERANCE_CM1, _ENERGY_TOLERANCE_RELATIVE * (old - old.min()))
    worst = int(np.argmax(difference - tolerance))
    if difference[worst] > tolerance[worst]:
        what = f"the levels of {levels.molecule} contradict those in the store"
        stored = f"{old[worst]:.3f} cm-1 above the lowest, as stored"
        where = f"level {levels.label[shared[worst]]}"
        got = f"{new[worst]:.3f} cm-1"
        raise RatedbError(what, where=where, expected=stored, got=got, todo=_CHECK)
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
    levels: Levels, known: Levels | None, shared: IntArray, place: IntArray
) -> tuple[float, list[str]]:
    """Return the factor between these statistical weights and the store's, 1 where they agree.

    A common factor (nuclear spin counted or not) is no contradiction; anything else is.
    """
    if known is None or not len(shared):
        return 1.0, []
    old = known.weight[place[shared]]
    ratio = levels.weight[shared] / old
    factor = float(np.median(ratio))
    worst = int(np.argmax(np.abs(ratio / factor - 1.0)))
    if abs(ratio[worst] / factor - 1.0) > _WEIGHT_TOLERANCE:
        what = f"the statistical weights of {levels.molecule} contradict those in the store"
        stored = f"{old[worst] * factor:g}, as in the store"
        where = f"level {levels.label[shared[worst]]}"
        got = f"{levels.weight[shared[worst]]:g}"
        raise RatedbError(what, where=where, expected=stored, got=got, todo=_CHECK)
    if abs(factor - 1.0) <= _WEIGHT_TOLERANCE:
        return 1.0, []
    return factor, [
        f"the statistical weights of {levels.molecule} are {factor:g} times those in the store;"
        " they are divided by that"
    ]


def _need_same_order(levels: Levels, shared: IntArray, old: FloatArray, new: FloatArray) -> None:
    """Refuse a list in which two levels are exchanged: stored downward rates would be upward rates."""
    order = np.argsort(old, kind="stable")
    exchanged = np.flatnonzero((np.diff(old[order]) > 0) & (np.diff(new[order]) < 0))
    if len(exchanged):
        first, second = (levels.label[shared[order[exchanged[0] + k]]] for k in (0, 1))
        what = f"the levels of {levels.molecule} have another order of energy than in the store"
        stored = f"{second} above {first}, as stored"
        where, got = f"levels {first} and {second}", f"{second} below {first}"
        raise RatedbError(what, where=where, expected=stored, got=got, todo=_CHECK)
