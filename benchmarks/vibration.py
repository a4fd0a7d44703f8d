"""Ro-vibrational sets from few initial j: errors by dv next to interpolation in j, intervals, seconds.

`make bench-vibration` writes the section `vibration` of docs/benchmarks.md.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import sets
from planner import BENCHMARKS
from report import replace_section

import ratedb
from ratedb.arrays import FloatArray, IntArray
from ratedb.layers import RATIO_95_68
from ratedb.levels import Levels, vj
from ratedb.models.baselines import interpolate_in_j
from ratedb.models.search import search
from ratedb.models.training_set import at_temperatures, complete_curves
from ratedb.rates import Rates

_XO = "xs-xo-like-he-rovib-molscat-2026"
_H2_LEVELS = "h2-h-rovib-lique2015/energy_X.dat"
_H2 = {
    "H2+H (Lique)": ("H", "h2-h-rovib-lique2015/coll_rates_H_15.dat"),
    "H2+H (Wrathmall)": ("H", "h2-h-rovib-wrathmall2007/coll_rates_H_07.dat"),
    "H2+p-H2 (Le Bourlot)": ("p-H2", "h2-ph2-rovib-lebourlot1999/coll_rates_H2para_LeBourlot.dat"),
}
_FEW, _MORE = ((5, 9, 14, 18), (6, 10)), ((5, 8, 11, 14, 17), (6, 9))
_OF_H2 = ((2, 3, 6, 7, 12, 13), ())
_PAPER = {
    2: ((5, 18), (6, 9)),
    3: ((5, 16, 18), (6, 9)),
    4: _FEW,
    5: _MORE,
    6: ((5, 8, 11, 14, 16, 18), (6, 9)),
}
Split = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Predicted:
    """What one split gives: errors and those of interpolation in dex, which are inside 95 %, by row."""

    name: str
    split: Split
    error: FloatArray
    naive: FloatArray
    inside: FloatArray
    width: float
    dv: IntArray
    abs_dj: IntArray
    seconds: float

    def __str__(self) -> str:
        j = ["none" if not part else ",".join(map(str, part)) for part in self.split]
        factor, naive = (10.0 ** np.abs(one) for one in (self.error, self.naive))
        return (
            f"| {self.name} | {j[0]} | {j[1]} | **{rms(self.error):.4f}** | {np.median(factor):.3f} |"
            f" {np.quantile(factor, 0.95):.3f} | {rms(self.naive):.3f} | {np.median(naive):.3f} |"
            f" {np.quantile(naive, 0.95):.2f} | {self.inside.mean():.1%} |"
            f" {self.width / rms(self.error):.2f} | {self.seconds:.0f} |"
        )

    def rows_by_dv(self) -> list[str]:
        """Return rows of the table by dv and |dj|: errors here and by interpolation, and coverage."""
        rows = []
        for dv in np.unique(self.dv):
            for low, high in ((0, 0), (1, 2), (3, 5), (6, 99)):
                here = (self.dv == dv) & (self.abs_dj >= low) & (self.abs_dj <= high)
                if not here.any():
                    continue
                dj = str(low) if low == high else f"{low}-{high}" if high < 99 else f"{low} up"
                rows.append(
                    f"| {self.name}, N = {len(self.split[0])} | {dv} | {dj} | {here.sum()} |"
                    f" **{rms(self.error[here]):.4f}** | {rms(self.naive[here]):.4f} |"
                    f" {self.inside[here].mean():.1%} |"
                )
        return rows


def rms(error: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt((error**2).mean()))


def xo_like(folder: Path) -> Rates:
    """Return the set of the paper's size: a light rotor with He, v <= 2, j <= 18."""
    with (folder / _XO / "levels.csv").open(encoding="utf-8") as file:
        rows = [[float(word) for word in row] for row in list(csv.reader(file))[1:]]
    table = np.array(rows)
    v, j = table[:, 0].astype(int), table[:, 1].astype(int)
    labels = tuple(f"{one}_{other}" for one, other in zip(v, j, strict=True))
    levels = Levels("XO-like", labels, table[:, 2], table[:, 3], vj(v, j))
    at = {pair: number for number, pair in enumerate(zip(v.tolist(), j.tolist(), strict=True))}
    with (folder / _XO / "rates.csv").open(encoding="utf-8") as file:
        head, *lines = list(csv.reader(file))
    pairs = [(at[int(a), int(b)], at[int(c), int(d)]) for a, b, c, d, *_ in lines]
    values = np.array([[float(word or "nan") for word in line[4:]] for line in lines])
    down = np.array([table[upper, 2] > table[lower, 2] for upper, lower in pairs]) & (values > 0).all(axis=1)
    upper, lower = np.array(pairs).T
    temperature_k = np.array([float(word) for word in head[4:]])
    return Rates(levels, "He", upper, lower, temperature_k, values).select(down)


def h2(folder: Path, name: str) -> Rates:
    """Return a set of H2 with v <= 3 and j <= 17, up to 5000 K, as `import` reads it."""
    collider, path = _H2[name]
    with TemporaryDirectory() as store:
        db = ratedb.open(Path(store) / "h2.duckdb", create=True)
        db.import_(
            folder / path,
            molecule="H2",
            collider=collider,
            levels=[folder / _H2_LEVELS],
            quality="off",
        )
        rates = db.rates(f"H2+{collider}")
    v, j = rates.levels.need_vj()
    rates = rates.select((v[rates.upper] <= 3) & (j[rates.upper] <= 17) & (j[rates.lower] <= 17))
    return rates.select_temperatures(rates.temperature_k <= 5000.0)


def measure(name: str, rates: Rates, split: Split, first_j: int) -> Predicted:
    """Return what `train` makes of one split, tested on every other j from `first_j` on."""
    j = rates.initial_j()
    training, _ = complete_curves(rates.select(np.isin(j, split[0])))
    grid = training.temperature_k
    validation = at_temperatures(rates.select(np.isin(j, split[1])), grid)
    test = rates.select((j >= first_j) & ~np.isin(j, (*split[0], *split[1])))
    start = perf_counter()
    predictor = search(training, validation).predictor
    seconds = perf_counter() - start
    test = at_temperatures(test.select(predictor.supports(test.transitions)), grid)
    truth = np.log10(test.rate_cm3_s)
    prediction = predictor.predict(test.transitions)
    error, half = prediction.log10_rate - truth, RATIO_95_68 * prediction.log10_half_width_68
    both, _ = complete_curves(rates.select(np.isin(j, (*split[0], *split[1]))))
    v, initial, v_final, final = test.transitions.vj().T
    return Predicted(
        name,
        split,
        error,
        interpolate_in_j(both, test.transitions) - truth,
        np.abs(error) <= half,
        float(np.median(half)),
        v_final - v,
        np.abs(final - initial),
        seconds,
    )


def cases(folder: Path) -> list[tuple[str, Rates, Sequence[Split], int]]:
    """Return the sets, their splits and the first j that is tested."""
    return [
        ("XO-like+He", xo_like(folder), list(_PAPER.values()), 5),
        *((name, h2(folder, name), [_OF_H2], 2) for name in _H2),
    ]


def main() -> int:
    """Measure all and write the tables."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    found = []
    for name, rates, splits, first_j in cases(folder):
        for split in splits:
            found.append(measure(name, rates, split, first_j))
            print(found[-1], flush=True)
    by_dv = [
        row for one in found if one.split in (_FEW, _MORE) or one.split == _OF_H2 for row in one.rows_by_dv()
    ]
    text = "\n".join(
        [
            "XO-like+He is of the paper's size and has the paper's protocol (v = 0, 1, 2; N = 2..6; its last",
            "j is 18); no corpus has vibration. Naive is interpolation in j, of the validation j too.",
            "",
            "| system | train j | validate j | **dex** | median | p95 | naive dex | median | p95 |"
            " inside 95 % | half width / rms | s |",
            "|---" * 12 + "|",
            *map(str, found),
            "",
            "| system | dv | abs(dj) | rows | **dex** | naive | inside 95 % |",
            "|---" * 7 + "|",
            *by_dv,
        ]
    )
    replace_section(Path(BENCHMARKS), "vibration", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
