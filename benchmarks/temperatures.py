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
from ratedb.errors import RatedbError
from ratedb.io.lamda import read_lamda
from ratedb.physics.temperatures import interpolated
from ratedb.radiative.radex import lamda_folder
from ratedb.rates import Rates

_LEAST = 8
Method = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


def _of_curves(curve: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]) -> Method:
    """Return a method that interpolates log10 k in ln T."""
    return lambda known_k, rate, wanted_k: 10.0 ** curve(np.log(known_k), np.log10(rate), np.log(wanted_k))


METHODS: dict[str, Method] = {
    "ratedb: spline in ln T": interpolated,
    "spline in T^(1/4)": _of_curves(lambda x, y, at: CubicSpline(np.exp(x / 4), y, axis=1)(np.exp(at / 4))),
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


def other_grids() -> list[Rates]:
    """Return the rates of all other LAMDA files that spectralradex ships, on eight temperatures or more."""
    found = []
    for path in sorted((lamda_folder() or Path()).glob("*.dat")):
        if path.name.startswith(("co.", "sio", "hcn")):
            continue
        try:
            found += [partner.rates for partner in read_lamda(path).partners]
        except RatedbError as error:
            print(f"{path.name} is left out: {error.what}", file=sys.stderr)
    return [
        one for one in found if len(one.temperature_k) >= _LEAST and (one.rate_cm3_s > 0).all(axis=1).any()
    ]


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


def figures_of(rates: Rates) -> list[tuple[float, float, float]]:
    """Return rms, 95 % and largest error of each method, in percent."""
    found = [errors(rates, method) for method in METHODS.values()]
    return [(float(np.sqrt((e**2).mean())), float(np.quantile(e, 0.95)), float(e.max())) for e in found]


def table(rates_of: dict[str, Rates], others: list[Rates]) -> str:
    """Return errors of all methods on named data sets, with geometric means of these and of others."""
    lines = [f"| system | temperatures | {' | '.join(METHODS)} |", "|---|---|" + "---|" * len(METHODS)]
    figures = []
    for name, rates in rates_of.items():
        figures.append(figures_of(rates))
        kelvin = rates.temperature_k
        lines.append(_row(f"{name} | {len(kelvin)}, {kelvin[0]:g}-{kelvin[-1]:g} K", figures[-1]))
    lines.append(_row("geometric mean | ", np.exp(np.log(figures).mean(axis=0))))
    found = np.array([figures_of(rates) for rates in others])
    found = found[(found > 0).all(axis=(1, 2))]
    name = f"geometric mean of {len(found)} other LAMDA grids | {_LEAST} or more"
    lines.append(_row(name, np.exp(np.log(found).mean(axis=0))))
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
    measured = table(data_sets(folder), other_grids())
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
