"""The sets of shared/data/tops as Rates: tops, and pairs of molecules whose levels are those of both."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.levels import Levels
from ratedb.rates import Rates

_NOT_NUMBERS = ("level", "energy_cm1", "weight", "tau")


def _table(path: Path) -> dict[str, FloatArray]:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    head, *lines = list(csv.reader(text.splitlines()))
    count = min(map(len, lines))  # one file names ka and kc, and has neither
    columns = np.array([[float(word) for word in line[:count]] for line in lines]).T
    return dict(zip(head[:count], columns, strict=True))


def read_top(folder: Path) -> Rates:
    """Return a set as de-excitation rates (the pair's total energy falls, or the target's at least).

    Levels of a pair have the energies and weights of both together, and the partner's quantum numbers under
    names that end in 2; `ortho` of a partner is part of its label. A partner's final state that is not
    resolved is written as its initial one.
    """
    levels, values = _table(folder / "levels.csv"), _table(folder / "values.csv.gz")
    upper, lower = (values[name].astype(np.int64) - 1 for name in ("initial", "final"))
    before, after = (values[name].astype(np.int64) for name in ("partner_initial", "partner_final"))
    after = np.where(after == 0, before, after)
    down = levels["energy_cm1"][upper] > levels["energy_cm1"][lower]
    names = [name for name in values if name.replace(".", "").isdigit()]
    rates = np.stack([values[name] for name in names], axis=1)
    grid = np.array([float(name) for name in names])
    if before.any():
        made, upper, lower = _pair_levels(folder, levels, upper, lower, before, after)
    else:
        numbers = {name: column for name, column in levels.items() if name not in _NOT_NUMBERS}
        made = Levels(folder.name, _labels(numbers), levels["energy_cm1"], levels["weight"], numbers)
    return Rates(made, "partner", upper[down], lower[down], grid, rates[down])


def _pair_levels(folder, levels, upper, lower, before, after):  # type: ignore[no-untyped-def]
    partner = _table(folder / "partner_levels.csv")
    count = len(partner["level"])
    pairs = np.unique(np.concatenate([upper * count + before - 1, lower * count + after - 1]))
    first, second = pairs // count, pairs % count
    numbers = {name: column[first] for name, column in levels.items() if name not in _NOT_NUMBERS}
    numbers |= {f"{name}2": column[second] for name, column in partner.items() if name not in _NOT_NUMBERS}
    made = Levels(
        folder.name,
        _labels(numbers),
        levels["energy_cm1"][first] + partner["energy_cm1"][second],
        levels["weight"][first] * partner["weight"][second],
        numbers,
    )
    place = {int(pair): index for index, pair in enumerate(pairs)}
    ends = [
        [place[int(pair)] for pair in part * count + other - 1]
        for part, other in ((upper, before), (lower, after))
    ]
    return made, np.array(ends[0]), np.array(ends[1])


def _labels(numbers: dict[str, FloatArray]) -> tuple[str, ...]:
    rows = np.stack(list(numbers.values()), axis=1).astype(int)
    labels = ["_".join(map(str, row)) for row in rows.tolist()]
    seen: dict[str, int] = {}
    for place, label in enumerate(labels):  # c3h2 has no ka, kc
        seen[label] = seen.get(label, 0) + 1
        labels[place] = label if seen[label] == 1 else f"{label}({seen[label]})"
    return tuple(labels)
