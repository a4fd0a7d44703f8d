"""Readers on real files: every cross section, rates within stated errors, seconds.

`RATEDB_TEST_DATA=FOLDER python benchmarks/readers.py` writes its tables into docs/benchmarks.md (minutes).
"""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np
from report import replace_section
from sets import data_folder, rotor

from ratedb.arrays import FloatArray
from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError
from ratedb.io.cross_sections import join
from ratedb.io.lamda import read_lamda
from ratedb.io.registry import ReadOptions, read_cross_sections
from ratedb.levels import Levels
from ratedb.options import ImportOptions
from ratedb.physics.thermal import thermal_rates
from ratedb.verbs.import_ import import_files

SCATTERING = "xs-sio-like-he-molscat-2026"
OUTPUTS = 500
LEVELS = 900

LAMDA = (
    "co-h2-rot-yang2010/co.dat",
    "so-h2-rot-lique2006/so@lique.dat",
    "nacl-h2-rovib-ios/nacl.dat",
    "co-h2-rot-neufeld-extrapolated/co@neufeld.dat",
)


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Return how long some work takes."""
    start = perf_counter()
    work(*arguments)
    return perf_counter() - start


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open() as handle:
        return list(csv.DictReader(handle))


def sio_levels(folder: Path) -> Levels:
    """Return the levels of the SiO-like molecule."""
    return rotor("SiO", np.array([float(row["energy_cm1"]) for row in rows_of(folder / "levels.csv")]))


def cross_sections(folder: Path, method: str) -> CrossSections:
    """Return the cross sections of all outputs of a method, joined."""
    levels = sio_levels(folder)
    options = ReadOptions("SiO", "He", known_levels=lambda molecule: levels)
    paths = sorted((folder / "output").glob(f"{method}*"))
    return join([read_cross_sections(path, options) for path in paths]).tables[0]


def equal_cross_sections(folder: Path, method: str) -> str:
    """Return how many of the published cross sections the outputs gave, to the printed digits."""
    table = cross_sections(folder, method)
    label, energy = table.levels.label, table.levels.energy_cm1
    found = {}
    for row, (start, end) in enumerate(zip(table.initial, table.final, strict=True)):
        for kinetic, sigma in zip(table.kinetic_cm1[row], table.sigma_angstrom2[row], strict=True):
            at = kinetic if method == "IOS" else kinetic + energy[start]
            found[round(float(at), 4), label[start], label[end]] = float(sigma)
    equal = count = 0
    for at, start, end, sigma in (row.values() for row in rows_of(folder / f"sigma_{method}.csv")):
        count += 1
        value = found.get((round(float(at), 4), start, end), np.nan)
        equal += bool(abs(value - float(sigma)) <= 2e-6 * float(sigma))
    return f"{equal} of {count}"


def agreeing_rates(folder: Path, method: str) -> tuple[str, str]:
    """Return how many published rates are met within their stated errors, and what of the others."""
    published, stated = (
        rows_of(folder / f"rates_{method}.csv"),
        rows_of(folder / f"rates_{method}_errors.csv"),
    )
    kelvin = sorted({float(row["temperature_k"]) for row in published})
    rates = thermal_rates(cross_sections(folder, method), kelvin).rates
    ends = zip(rates.upper, rates.lower, strict=True)
    place = {(rates.levels.label[up], rates.levels.label[low]): row for row, (up, low) in enumerate(ends)}
    over, unconverged = [], 0
    for row, error in zip(published, stated, strict=True):
        at = place[row["j_initial"], row["j_final"]], kelvin.index(float(row["temperature_k"]))
        apart = abs(float(rates.rate_cm3_s[at]) / float(row["rate_cm3_s"]) - 1.0)
        unconverged += bool(np.isnan(apart))
        over.append(apart - float(error["tail_fraction"]) - float(error["halfgrid_change"]))
    outside = [value for value in over if value > 0]
    others = f"{unconverged} not converged by our own estimate, so not given"
    if outside:
        others += f"; {len(outside)} outside, by {min(outside):.2%} to {max(outside):.2%}"
    return f"{len(published) - unconverged - len(outside)} of {len(published)}", others


def scattering_table(folder: Path) -> str:
    """Return the table of the MOLSCAT set."""
    lines = ["| MOLSCAT outputs of the SiO-like set | measured |", "|---|---|"]
    for method in ("CC", "CS", "IOS"):
        lines.append(f"| {method}: cross sections as published | {equal_cross_sections(folder, method)} |")
    for method in ("CC", "CS"):
        inside, others = agreeing_rates(folder, method)
        lines.append(f"| {method}: rates within the stated error of their row | {inside}; {others} |")
    paths = [path for path in sorted((folder / "output").iterdir()) if "wrong" not in path.name]
    levels = sio_levels(folder)
    options = ReadOptions("SiO", "He", known_levels=lambda molecule: levels)
    chosen = (paths * OUTPUTS)[:OUTPUTS]
    spent = seconds(lambda: [read_cross_sections(path, options) for path in chosen])
    lines.append(f"| {OUTPUTS} outputs read | {spent:.0f} s |")
    try:
        read_cross_sections(folder / "output" / "trap_order_wrong.out", options)
        refusal = "read"
    except RatedbError as error:
        refusal = f"refused: {error.what}"
    lines.append(f"| `trap_order_wrong.out` | {refusal} |")
    return "\n".join(lines)


def lamda_table(data: Path, folder: Path) -> str:
    """Return the table of seconds for LAMDA files."""
    lines = [
        "| LAMDA file | transitions | read, per s | whole import, per s | with `--quality off` |",
        "|---|---|---|---|---|",
    ]
    import_files(folder / "warm.duckdb", [data / LAMDA[0]], ImportOptions())
    for name in LAMDA:
        file = read_lamda(data / name)
        count = sum(len(partner.rates) for partner in file.partners)
        spent = [seconds(read_lamda, data / name)]
        for quality in ("warn", "off"):
            store = folder / f"{Path(name).stem}-{quality}.duckdb"
            spent.append(seconds(import_files, store, [data / name], ImportOptions(quality=quality)))
        lines.append(
            f"| {Path(name).name} | {count} | " + " | ".join(f"{count / s:.0f}" for s in spent) + " |"
        )
    return "\n".join(lines)


def large_parquet(folder: Path) -> tuple[Path, int]:
    """Write a Parquet file of 1e7 made-up values; return it and their number."""
    j = np.arange(LEVELS)
    energy, kelvin = 0.05 * j * (j + 1.0), np.geomspace(10.0, 3000.0, 25)
    upper, lower = np.nonzero(j[:, None] > j[None, :])
    rate = 1e-11 * np.exp(-(upper - lower) / 50.0)[:, None] * (kelvin / 10.0) ** 0.3
    rate *= 1.0 + 0.1 * np.sin(upper + 0.7 * lower)[:, None]
    columns: dict[str, FloatArray] = {
        "j": np.repeat(upper, len(kelvin)),
        "j_final": np.repeat(lower, len(kelvin)),
        "temperature_k": np.tile(kelvin, len(upper)),
        "rate_cm3_s": rate.ravel(),
        "upper_energy_cm1": np.repeat(energy[upper], len(kelvin)),
        "lower_energy_cm1": np.repeat(energy[lower], len(kelvin)),
        "upper_weight": np.repeat(2.0 * upper + 1.0, len(kelvin)),
        "lower_weight": np.repeat(2.0 * lower + 1.0, len(kelvin)),
    }
    path = folder / "large.parquet"
    with duckdb.connect() as connection:
        connection.register("columns", columns)
        connection.execute(f"COPY (SELECT * FROM columns) TO '{path}' (FORMAT parquet)")
    return path, rate.size


def parquet_table(folder: Path) -> str:
    """Return the table of seconds for a large Parquet file."""
    path, count = large_parquet(folder)
    lines = [f"| {count:,} values from Parquet into a store | s |", "|---|---|"]
    for quality in ("off", "warn"):
        options = ImportOptions(molecule="XY", collider="He", quality=quality)
        store = folder / f"large-{quality}.duckdb"
        lines.append(f"| `--quality {quality}` | {seconds(import_files, store, [path], options):.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Write all tables."""
    data = data_folder()
    if data is None:
        sys.exit("no folder of real data; name it in RATEDB_TEST_DATA")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [
            "Written by `make bench-readers`.",
            scattering_table(data / SCATTERING),
            lamda_table(data, folder),
            parquet_table(folder),
        ]
    text = "\n\n".join(parts)
    print(text)
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "readers", text)


if __name__ == "__main__":
    main()
