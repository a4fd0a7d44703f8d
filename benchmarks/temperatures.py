"""Errors of interpolation between temperatures: published grids, every second temperature removed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sets
from report import replace_section
from scipy.interpolate import Akima1DInterpolator, CubicSpline, PchipInterpolator

from ratedb.arrays import FloatArray
from ratedb.io.lamda import read_lamda
from ratedb.physics.temperatures import interpolated
from ratedb.rates import Rates

Method = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


def _of_curves(curve: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]) -> Method:
    """Return a method that interpolates log10 k in ln T."""
    return lambda known_k, rate, wanted_k: 10.0 ** curve(np.log(known_k), np.log10(rate), np.log(wanted_k))


METHODS: dict[str, Method] = {
    "ratedb: spline in T^(1/4)": interpolated,
    "spline in ln T": _of_curves(lambda x, y, at: CubicSpline(x, y, axis=1)(at)),
    "PCHIP in ln T": _of_curves(lambda x, y, at: PchipInterpolator(x, y, axis=1)(at)),
    "Akima in ln T": _of_curves(lambda x, y, at: Akima1DInterpolator(x, y.T)(at).T),
    "straight line in ln T": _of_curves(lambda x, y, at: np.array([np.interp(at, x, row) for row in y])),
}


def data_sets(folder: Path) -> dict[str, Rates]:
    """Return the rates to test on, by name."""
    co = {
        partner.rates.system: partner.rates
        for partner in read_lamda(folder / "co-h2-rot-yang2010/co.dat").partners
    }
    names = ("SiO+p-H2", "SiO+He", "HCN+H2")
    return co | {name: sets.rotational(folder, name) for name in names} | {"H2+H": sets.h2_h(folder)}


def errors(rates: Rates, method: Method) -> FloatArray:
    """Return relative errors at removed temperatures: once the even ones, once the odd; both ends stay."""
    rate, count = rates.rate_cm3_s, len(rates.temperature_k)
    rate = rate[(rate > 0).all(axis=1)]
    found = []
    for first in (0, 1):
        known = np.zeros(count, dtype=np.bool_)
        known[first::2] = known[[0, -1]] = True
        predicted = method(rates.temperature_k[known], rate[:, known], rates.temperature_k[~known])
        found.append(10.0 ** np.abs(np.log10(predicted / rate[:, ~known])) - 1.0)
    return 100.0 * np.concatenate([one.ravel() for one in found])


def table(rates_of: dict[str, Rates]) -> str:
    """Return the errors of all methods on all data sets as a table."""
    lines = [f"| system | temperatures | {' | '.join(METHODS)} |", "|---|---|" + "---|" * len(METHODS)]
    figures = []
    for name, rates in rates_of.items():
        found = [errors(rates, method) for method in METHODS.values()]
        figures.append([(np.sqrt((e**2).mean()), np.quantile(e, 0.95), e.max()) for e in found])
        kelvin = rates.temperature_k
        lines.append(_row(f"{name} | {len(kelvin)}, {kelvin[0]:g}-{kelvin[-1]:g} K", figures[-1]))
    lines.append(_row("geometric mean | ", np.exp(np.log(figures).mean(axis=0))))
    return "\n".join(lines)


def _row(head: str, by_method: list[tuple[float, ...]] | FloatArray) -> str:
    cells = [f"{rms:.2f} / {p95:.2f} / {largest:.1f}" for rms, p95, largest in by_method]
    return f"| {head} | {' | '.join(cells)} |"


def main() -> int:
    """Measure, print the table and write it into docs/benchmarks.md."""
    folder = sets.data_folder()
    if folder is None:
        print("data sets not found: set RATEDB_TEST_DATA to their folder", file=sys.stderr)
        return 1
    measured = table(data_sets(folder))
    print(measured)
    text = "\n".join(
        [
            "Every second temperature of a published grid is removed and predicted, once the even and once",
            "the odd ones; both ends stay. Errors of k in %: rms / 95 % / largest. Zero rates are left out.",
            "Written by `make bench-temperatures`.",
            "",
            measured,
        ]
    )
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "temperatures", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
