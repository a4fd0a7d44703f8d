"""The real data sets of the model benchmark, read from RATEDB_TEST_DATA or ../shared/data."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.io.lamda import read_lamda
from ratedb.levels import Levels, vj
from ratedb.rates import Rates

LAST_J = 20


def data_folder() -> Path | None:
    """Return the folder of real data sets, or None where there is none."""
    named = os.environ.get("RATEDB_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


def rotor(molecule: str, energy_cm1: FloatArray) -> Levels:
    """Return the rotational levels j = 0, 1, ... of a linear molecule."""
    j = np.arange(len(energy_cm1))
    labels = tuple(str(number) for number in j)
    return Levels(molecule, labels, energy_cm1, 2.0 * j + 1.0, vj(np.zeros_like(j), j))


def read_kij(path: Path, levels: Levels, collider: str) -> Rates:
    """Read a table of molpop-cep: level numbers from 1, then rates by temperature."""
    lines = path.read_text(encoding="utf-8").splitlines()
    head = next(number for number, line in enumerate(lines) if "emperature columns" in line)
    count = int(lines[head].split("=")[1])
    rows = [line.split() for line in lines[head + 1 :]]
    temperature_k = next(
        [float(word) for word in row] for row in rows if len(row) == count and _number(row[0])
    )
    table = np.array(
        [[float(word) for word in row] for row in rows if len(row) == count + 2 and _number(row[0])]
    )
    upper, lower = table[:, 0].astype(int) - 1, table[:, 1].astype(int) - 1
    return Rates(levels, collider, upper, lower, np.array(temperature_k), table[:, 2:])


def _number(word: str) -> bool:
    return word.replace(".", "").isdigit()


def read_energies(path: Path) -> list[list[str]]:
    """Return the rows (number, weight, energy in cm-1, ...) of the level table of a file of molpop-cep."""
    sections = path.read_text(encoding="utf-8").split(">")
    after = next(number for number, section in enumerate(sections) if "Energy in cm" in section) + 1
    rows = []
    for line in sections[after].splitlines():
        words = line.split()
        if rows and not words:
            break
        if words:
            rows.append(words)
    return rows


def rotational(folder: Path, name: str) -> Rates:
    """Return a rotational set by its name, j <= 20."""
    readers: dict[str, Callable[[], Rates]] = {
        "CO+p-H2": lambda: _lamda(folder / "co-h2-rot-yang2010/co.dat", "p-H2", 10.0, 1000.0),
        "CO+o-H2": lambda: _lamda(folder / "co-h2-rot-yang2010/co.dat", "o-H2", 10.0, 1000.0),
        "SiO+p-H2": lambda: _sio(folder, "SiO_100.kij", "p-H2"),
        "SiO+He": lambda: _sio(folder, "SiO_95.kij", "He"),
        "SiS+He": lambda: read_kij(
            folder / "sis-he-rot-vincent2007/SiS_119.kij.svn-base", rotor("SiS", _rigid(26, 0.3035)), "He"
        ),
        "HCN+H2": lambda: _lamda(folder / "hcn-h2-rot-dumouchel2010/hcn.dat", "H2", 0.0, np.inf),
        "HCO++H2": lambda: read_kij(
            folder / "hcop-h2-rot-flower1999/HCO+_11.kij.svn-base", rotor("HCO+", _rigid(21, 1.4875)), "H2"
        ),
    }
    rates = readers[name]()
    return rates.select(rates.initial_j() <= LAST_J)


def _rigid(levels: int, rotational_constant_cm1: float) -> FloatArray:
    j = np.arange(levels, dtype=np.float64)
    return rotational_constant_cm1 * j * (j + 1.0)


def _sio(folder: Path, name: str, collider: str) -> Rates:
    rows = read_energies(folder / "sio-rot-dayou2006/SiO_rotation.molecule")
    energy_cm1 = np.array([float(row[2]) for row in rows])
    return read_kij(folder / "sio-rot-dayou2006" / name, rotor("SiO", energy_cm1), collider)


def _lamda(path: Path, collider: str, low_k: float, high_k: float) -> Rates:
    partners = read_lamda(path).partners
    rates = next(partner.rates for partner in partners if partner.rates.collider == collider)
    columns = (rates.temperature_k >= low_k) & (rates.temperature_k <= high_k)
    return rates.select_temperatures(columns)


def h2_h(folder: Path, low_k: float = 300.0) -> Rates:
    """Return H2 + H of Lique (2015), ro-vibrational, from `low_k` to 5000 K."""
    lines = (folder / "h2-h-rovib-lique2015/energy_X.dat").read_text(encoding="utf-8").splitlines()
    energies = {
        (int(words[0]), int(words[1])): float(words[2])
        for words in (line.split() for line in lines)
        if len(words) >= 3 and words[0].isdigit() and words[1].isdigit() and _number(words[2].lstrip("-"))
    }
    rows = [
        line.split()
        for line in (folder / "h2-h-rovib-lique2015/coll_rates_H_15.dat")
        .read_text(encoding="utf-8")
        .splitlines()
        if line and not line.startswith("#") and "magic" not in line
    ]
    temperature_k = np.array([float(word) for word in rows[0]])
    table = np.array([[float(word) for word in row] for row in rows[1:]])
    pairs = table[:, :4].astype(int)
    states = sorted(
        {(v, j) for v, j in np.vstack([pairs[:, :2], pairs[:, 2:]]).tolist()}, key=energies.__getitem__
    )
    index = {state: number for number, state in enumerate(states)}
    v, j = np.array(states).T
    levels = Levels(
        "H2",
        tuple(f"{one}_{other}" for one, other in states),
        np.array([energies[state] for state in states]),
        np.where(j % 2, 3.0, 1.0) * (2.0 * j + 1.0),
        vj(v, j),
    )
    upper = np.array([index[(row[0], row[1])] for row in pairs.tolist()])
    lower = np.array([index[(row[2], row[3])] for row in pairs.tolist()])
    rates = Rates(levels, "H", upper, lower, temperature_k, table[:, 4:])
    return rates.select_temperatures(temperature_k >= low_k)


def molscat(folder: Path, approximation: str) -> Rates:
    """Return the SiO-like + He set, CC or CS: j <= 12, 10-50 K."""
    folder = folder / "xs-sio-like-he-molscat-2026"
    with (folder / "levels.csv").open(encoding="utf-8") as file:
        levels = rotor("SiO-like", np.array([float(row["energy_cm1"]) for row in csv.DictReader(file)]))
    values: dict[tuple[int, int], dict[float, float]] = {}
    with (folder / f"rates_{approximation}.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            upper, lower = int(row["j_initial"]), int(row["j_final"])
            temperature_k = float(row["temperature_k"])
            if lower < upper <= 12 and temperature_k <= 50.0:
                values.setdefault((upper, lower), {})[temperature_k] = float(row["rate_cm3_s"])
    grid = sorted({temperature_k for row in values.values() for temperature_k in row})
    pairs = sorted(pair for pair, row in values.items() if len(row) == len(grid))
    rates = np.array([[values[pair][temperature_k] for temperature_k in grid] for pair in pairs])
    return Rates(
        levels,
        "He",
        np.array([pair[0] for pair in pairs]),
        np.array([pair[1] for pair in pairs]),
        np.array(grid),
        rates,
    )


def sio_vibrational(folder: Path, temperature_k: FloatArray, v_max: int) -> Rates:
    """Return SiO + H2 of Bieniek & Green, v <= v_max, with its curves interpolated to these temperatures.

    Semi-analytic (two temperature shapes): for size and time only, not for accuracy.
    """
    folder = folder / "sio-h2-rovib-bieniek-green"
    rows = read_energies(folder / "SiO_vib.lev")
    labels_of = [" ".join(row[3:]).replace(",", " ").replace("'", " ").split() for row in rows]
    v = np.array([int(words[2]) for words in labels_of])
    j = np.array([int(words[5]) for words in labels_of])
    energy_cm1 = np.array([float(row[2]) for row in rows])
    labels = tuple(f"{one}_{other}" for one, other in zip(v, j, strict=True))
    levels = Levels("SiO", labels, energy_cm1, 2.0 * j + 1.0, vj(v, j))
    rates = read_kij(folder / "SiO_H2_vib.kij", levels, "H2")
    rates = rates.select(v[rates.upper] <= v_max)
    log10_k = np.log10(rates.rate_cm3_s)
    known = np.log(rates.temperature_k)
    onto = np.array([np.interp(np.log(temperature_k), known, curve) for curve in log10_k])
    return Rates(levels, "H2", rates.upper, rates.lower, temperature_k, 10.0**onto)


ROTATIONAL = ("CO+p-H2", "SiO+p-H2", "SiO+He", "SiS+He", "HCN+H2", "HCO++H2")
