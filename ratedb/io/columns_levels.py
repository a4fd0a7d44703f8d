"""Make levels and rates of the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ratedb.arrays import FloatArray, IntArray, distinct
from ratedb.io.columns_partners import partner_of, partners_of
from ratedb.io.columns_rows import OF_LEVELS, TableRows
from ratedb.io.contents import MoleculeFile
from ratedb.io.listed_levels import vj_label
from ratedb.kinds.recognise import with_kind
from ratedb.layers import Kind
from ratedb.levels import Levels, Lines, vj
from ratedb.store.long_tables import LongTable
from ratedb.store.tabular import Objects

LevelsOf = Callable[[str], Levels | None]
Key = tuple[int, int] | str

_SAME_ENERGY_CM1 = 1e-6
_OTHER_ENERGY_CM1, _OTHER_ENERGY, _OTHER_WEIGHT = 1.0, 0.05, 0.01


def file_of_rows(
    rows: TableRows,
    molecule: str | None,
    collider: str | None,
    levels_of: LevelsOf,
    below: LongTable | None = None,
) -> MoleculeFile:
    """Return the levels and rates of a table; with `below` the rows are the heads of that table.

    `levels_of` gives the levels of a molecule that are known from elsewhere. Raises RatedbError where the
    table does not name its molecule, colliders or levels, or where rows contradict each other.
    """
    notes: list[str] = []
    rows = _with_rates(rows, notes, below)
    molecule = _molecule(rows, molecule)
    keys, initial, final = _numbered_levels(rows)
    levels = _levels(rows, molecule, keys, initial, final, levels_of)
    index = _index(rows, levels, keys, initial, final)
    partners = []
    for name, kind, chosen in partners_of(rows, collider):
        ends = index[initial[chosen]], index[final[chosen]]
        partners.append(partner_of(rows.select(chosen), levels, ends, name, kind, notes, below))
    return MoleculeFile(levels, Lines.empty(), tuple(partners), tuple(notes))


def _with_rates(rows: TableRows, notes: list[str], below: LongTable | None) -> TableRows:
    """Return the rows with a rate that are not predicted."""
    predicted = rows.texts["kind"] == Kind.PREDICTED.text
    empty = np.isnan(rows.numbers["rate_cm3_s"]) & ~predicted
    counts = predicted, empty
    if below is not None:
        counts = np.where(predicted, below.size, 0), np.where(predicted, 0, below.size - below.known)
    for count, what in zip(
        counts,
        ("predicted rows are left out: a store predicts its own", "rows have no rate and are left out"),
        strict=True,
    ):
        if count.any():
            notes.append(f"{int(count.sum())} {what}")
    kept = rows.select(~predicted & ~empty)
    if not len(kept):
        expected = "rows with temperature_k and rate_cm3_s"
        got = "; ".join(notes) or "no rows"
        raise rows.refuse("the table has no rates", expected, got, "give rates that were computed")
    return kept


def _molecule(rows: TableRows, given: str | None) -> str:
    texts = rows.texts["molecule"]
    found = sorted(set(texts.tolist()) - {None})
    if given is None and len(found) == 1:
        expected = "molecule in every row, or --molecule"
        rows.need(texts == None, "a row does not name its molecule", expected)  # noqa: E711
        return str(found[0])
    if given is not None and len(found) <= 1:
        return given
    raise rows.refuse(
        "the table has several molecules" if found else "the table does not say its molecule",
        "one molecule, in the column or by --molecule",
        ", ".join(found) or "none",
        "give one table for each molecule" if found else "name it with --molecule",
    )


# -- levels ------------------------------------------------------------------------------------------


def _numbered_levels(rows: TableRows) -> tuple[list[Key], IntArray, IntArray]:
    """Return the v and j, or labels, of the levels in order, and the initial and final level of each row."""
    number, text = rows.numbers, rows.texts
    no_j = np.isnan(number["j"]) | np.isnan(number["j_final"])
    if not no_j.any() and not rows.by_label:
        j, j_final = number["j"], number["j_final"]
        with_v = not np.isnan(number["v"]).all()
        v, v_final = (np.nan_to_num(number[name]) if with_v else 0.0 for name in ("v", "v_final"))
        step = int(max(j.max(), j_final.max())) + 1
        ends = [v * step + j, v_final * step + j_final]
        codes, place = distinct(np.concatenate(ends).astype(np.int64))
        keys: list[Key] = [divmod(code, step) for code in codes.tolist()]
        return keys, place[: len(rows)], place[len(rows) :]
    what, todo = "a row does not name its levels", "correct the row"
    expected = "j and j_final in every row, or upper_label and lower_label in every row"
    upper, lower = text["upper_label"], text["lower_label"]
    unlabelled = (upper == None) | (lower == None)  # noqa: E711
    rows.need(unlabelled & no_j, what, expected, todo=todo)
    rows.need(unlabelled, what, expected, todo=todo)
    labels = sorted({*upper.tolist(), *lower.tolist()})
    at = {label: number for number, label in enumerate(labels)}
    return list(labels), _looked_up(at, upper), _looked_up(at, lower)


def _looked_up(at: dict[str, int], texts: Objects) -> IntArray:
    return np.array([at[text] for text in texts.tolist()], dtype=np.int64)


def _levels(
    rows: TableRows,
    molecule: str,
    keys: Sequence[Key],
    initial: IntArray,
    final: IntArray,
    levels_of: LevelsOf,
) -> Levels:
    """Return the levels that are known from elsewhere or, where these lack one, those of the rows."""
    known = levels_of(molecule)
    incomplete = any(np.isnan(rows.numbers[name]).any() for name in OF_LEVELS)
    if incomplete:
        if known is not None:
            return known
        raise rows.refuse(
            f"the energies of the levels of {molecule} are not known",
            "columns " + ", ".join(OF_LEVELS) + ", a list of levels, or levels in the store",
            "none of them",
            "name a list of levels with --levels",
        )
    own = _own_levels(rows, molecule, keys, initial, final)
    if known is None or _missing(known, keys):
        return own
    _need_alike(rows, known, own, keys)
    return known


def _own_levels(
    rows: TableRows, molecule: str, keys: Sequence[Key], initial: IntArray, final: IntArray
) -> Levels:
    """Return the levels as the rows give them; raises RatedbError where they contradict each other."""
    place = np.concatenate([initial, final])
    (low, high), (light, heavy) = (
        _extremes(place, np.concatenate([rows.numbers[name] for name in pair]), len(keys))
        for pair in (OF_LEVELS[:2], OF_LEVELS[2:])
    )
    differ = np.maximum(high - low, heavy - light) > _SAME_ENERGY_CM1
    if differ.any():
        at = int(np.argmax(differ))
        raise rows.refuse(
            f"the level {_name(keys[at])} has several energies or weights",
            "the same in all rows",
            f"{low[at]:.10g} to {high[at]:.10g} cm-1, weights {light[at]:g} to {heavy[at]:g}",
            "correct the rows, or name a list of levels with --levels",
        )
    order = np.argsort(low, kind="stable")
    ordered = [keys[at] for at in order]
    pairs = [key for key in ordered if not isinstance(key, str)]
    with_v = any(v for v, _ in pairs)
    labels = tuple(key if isinstance(key, str) else vj_label(*key, with_v=with_v) for key in ordered)
    v, j = np.array(pairs).T if pairs else (None, None)
    levels = Levels(molecule, labels, low[order], light[order], vj(v, j))
    return levels if pairs else _with_numbers(rows, levels, place, order)


def _with_numbers(rows: TableRows, levels: Levels, place: IntArray, order: IntArray) -> Levels:
    """Return levels with the quantum numbers that columns have; `place` is the level at each end of a row."""
    numbers: dict[str, FloatArray] = {}
    for name in ("v", "j", *rows.further):
        ends = np.concatenate([rows.numbers[name], rows.numbers[f"{name}_final"]])
        if np.isnan(ends).all():
            continue
        low, high = _extremes(place, ends, len(levels))
        differ = (high != low) & ~(np.isnan(low) & np.isnan(high))
        if differ.any():
            at = int(np.argmax(differ))
            raise rows.refuse(
                f"the level {levels.label[int(np.flatnonzero(order == at)[0])]} has several values of {name}",
                "the same in all rows",
                f"{low[at]:g} to {high[at]:g}",
                "correct the rows",
            )
        numbers[name] = low[order]
    return with_kind(replace(levels, quantum_numbers=numbers, kind=""))


def _extremes(place: IntArray, values: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Return the smallest and the largest of the values at each of `count` places, each (count,)."""
    one = np.empty(count)
    one[place] = values
    if np.array_equal(one[place], values):  # nearly always, and far quicker than to sort
        return one, one
    order = np.lexsort([values, place])
    start = np.searchsorted(place[order], np.arange(count + 1))
    ordered: FloatArray = values[order]
    return ordered[start[:-1]], ordered[start[1:] - 1]


def _need_alike(rows: TableRows, known: Levels, own: Levels, keys: Sequence[Key]) -> None:
    """Refuse rows whose energies or weights are not those of the levels that are known."""
    by_known, by_own = _by_key(known, keys), _by_key(own, keys)
    old, new = (np.array([by[key] for key in keys]) for by in (by_known, by_own))
    there = known.energy_cm1[old]
    energy = own.energy_cm1[new] - there
    energy = np.abs(energy - energy[np.argmin(there)])  # the two may count from other zeros
    weight = own.weight[new] / known.weight[old]
    wrong = energy > np.maximum(_OTHER_ENERGY_CM1, _OTHER_ENERGY * there)
    wrong |= np.abs(weight / np.median(weight) - 1.0) > _OTHER_WEIGHT
    if wrong.any():
        at = int(np.argmax(wrong))
        raise rows.refuse(
            f"the level {_name(keys[at])} of {known.molecule} is another than the one that is known",
            f"{there[at]:.10g} cm-1, weight {known.weight[old[at]]:g}",
            f"{own.energy_cm1[new[at]]:.10g} cm-1, weight {own.weight[new[at]]:g}",
            "correct the rows or the list of levels; another species needs another --molecule",
        )


def _by_key(levels: Levels, keys: Sequence[Key]) -> dict[Key, int]:
    """Return the index of each level, by its label and, where the keys are v and j, by these."""
    found: dict[Key, int] = {label: at for at, label in enumerate(levels.label)}
    if not isinstance(keys[0], str):
        v, j = levels.need_vj()
        found |= {pair: at for at, pair in enumerate(zip(v.tolist(), j.tolist(), strict=True))}
    return found


def _missing(levels: Levels, keys: Sequence[Key]) -> bool:
    if not levels.has_vj and not isinstance(keys[0], str):
        return True
    by_key = _by_key(levels, keys)
    return any(key not in by_key for key in keys)


def _index(
    rows: TableRows, levels: Levels, keys: Sequence[Key], initial: IntArray, final: IntArray
) -> IntArray:
    """Return the index in `levels` of each numbered level; raises RatedbError for an unknown one."""
    by_key = _by_key(levels, keys)
    for number, key in enumerate(keys):
        if key not in by_key:
            rows.need(
                (initial == number) | (final == number),
                f"a rate refers to a level of {levels.molecule} that is not known: {_name(key)}",
                "the levels " + ", ".join(levels.label[:5]) + (", ..." if len(levels) > 5 else ""),
                todo="name a complete list with --levels",
            )
    return np.array([by_key[key] for key in keys], dtype=np.int64)


def _name(key: Key) -> str:
    return key if isinstance(key, str) else f"v = {key[0]}, j = {key[1]}"
