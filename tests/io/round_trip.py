"""What a LAMDA file says before and after a store, by the plain layout of its text: no reader of ratedb."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import ratedb

Pair = tuple[int, int]
NO_RATE = 1e-99
COUNTED = ("energy", "weight", "label", "frequency", "A", "E_u", "rate")


@dataclass(frozen=True)
class Plain:
    """Levels in order of energy as (energy, weight, label); the rest by the places of its two levels.

    `names` are the lines that name the partners.
    """

    levels: list[tuple[float, float, str]]
    lines: dict[Pair, list[float]]
    names: list[str]
    partners: list[dict[Pair, list[float]]]


def plain(path: Path) -> Plain:
    """Return what the lines of a file say, by their order alone; its rows are taken as they are listed."""
    rows = [row.strip() for row in path.read_text("latin-1").splitlines()]
    rows = [row for row in rows if row and row[0] != "!" and not row.startswith("NUMBER OF")]
    listed = [row.split(None, 3) for row in rows[3 : 3 + int(rows[2])]]
    order = sorted(range(len(listed)), key=lambda i: _number(listed[i][1]))
    place = {int(listed[i][0]): at for at, i in enumerate(order)}
    levels = [
        (_number(one[1]), _number(one[2]), " ".join("".join(one[3:]).split("!")[0].split()).strip("'\" "))
        for one in (listed[i] for i in order)
    ]
    rows = rows[3 + len(listed) :]
    count = int(rows[0].split()[0])
    lines = _by_pair(rows[1 : 1 + count], place)
    rows = rows[1 + count :]
    partners, rows = [dict[Pair, list[float]]() for _ in range(int(rows[0].split()[0]))], rows[1:]
    names = []
    for partner in partners:
        names.append(rows[0])
        count = int(rows[1].split()[0])
        partner |= _by_pair(rows[4 : 4 + count], place)
        rows = rows[4 + count :]
    return Plain(levels, lines, names, partners)


def _by_pair(rows: list[str], place: dict[int, int]) -> dict[Pair, list[float]]:
    words = [row.split("!")[0].split() for row in rows]
    return {(place[int(w[1])], place[int(w[2])]): [_number(one) for one in w[3:]] for w in words}


def _number(word: str) -> float:
    return float(word.upper().replace("D", "E"))


def through_a_store(source: Path, folder: Path, name: str = "once", **options: Any) -> Path:
    """Import a file into a fresh store and export all its systems; return the exported file."""
    store, target = folder / f"{name}.duckdb", folder / f"{name}.dat"
    with ratedb.open(store, create=True) as db:
        db.import_(source, quality="off", **options)
        db.export([row["system"] for row in db.systems().dicts()], target)
    return target


def differences(source: Path, target: Path, colliders: list[str]) -> dict[str, int]:
    """Return how many numbers of each kind of a source are others in its export.

    `colliders` are those of the source, in its order. Levels of equal energy are lifted by the writer, lines
    without A and upward rows are not in the export, and neither is compared.
    """
    before, after = plain(source), plain(target)
    provenance = json.loads(target.with_name(f"{target.name}.provenance.json").read_text())
    original = {one["written"]: one["original"] for one in provenance["labels"]}
    tied = {i for a, i in pairwise(range(len(before.levels))) if before.levels[a][0] == before.levels[i][0]}
    count = dict.fromkeys(COUNTED, 0)
    for at, (old, new) in enumerate(zip(before.levels, after.levels, strict=True)):
        count["energy"] += old[0] != new[0] and at not in tied
        count["weight"] += old[1] != new[1]
        count["label"] += old[2] != original.get(new[2], new[2])
    for (up, low), (a, *more) in before.lines.items():
        if a <= 0:
            continue
        new = after.lines.get((up, low)) or after.lines[low, up]
        count["A"] += new[0] != a
        for kind, at in (("frequency", 0), ("E_u", 1)):
            count[kind] += len(more) > at and more[at] > 0 and more[at] != new[at + 1]
    order = [name.split(" + ")[1].split()[0] for name in after.names]
    for collider, rows in zip(colliders, before.partners, strict=True):
        written = after.partners[order.index(collider)]
        for pair, rates in rows.items():
            if pair[0] > pair[1] and pair in written:
                expected = [max(rate, NO_RATE) for rate in rates]
                count["rate"] += sum(a != b for a, b in zip(expected, written[pair], strict=True))
    return count
