"""Made-up rates that are as smooth in j and T as calculated ones, and real sets where they are at hand."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from synthetic import rotor_levels

from ratedb.findings import Finding
from ratedb.io.lamda import read_lamda
from ratedb.rates import Rates

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))  # loaders of real sets that are no LAMDA files
import sets

EVEN_GRID = tuple(np.arange(10.0, 310.0, 20.0))
UNEVEN_GRID = (5.0, 10.0, 20.0, 30.0, 50.0, 70.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1000.0)


def smooth_rates(
    j_max: int = 16,
    temperature_k: tuple[float, ...] = UNEVEN_GRID,
    *,
    v_max: int = 0,
    odd_dj: float = 0.3,
    odd_j: float = 1.0,
    noise: float = 0.003,
) -> Rates:
    """Return rates that fall with dj and rise with T, each transition in its own way.

    `odd_dj` multiplies those of odd j - j', `odd_j` those of odd dj out of odd j, as nuclear spin does;
    `noise` is the scatter in ln k from one transition to the next, in height and in shape.
    """
    levels = rotor_levels(j_max, v_max=v_max)
    upper, lower = np.nonzero(levels.energy_cm1[:, None] > levels.energy_cm1[None, :])
    v, j = levels.need_vj()
    dj, dv = np.abs(j[upper] - j[lower]), v[upper] - v[lower]
    kelvin = np.array(temperature_k)
    level = -23.0 - 0.35 * dj - 0.004 * dj**2 + 0.02 * j[upper] - 3.0 * dv
    level = level + np.log(odd_dj) * (dj % 2) + np.log(odd_j) * (dj % 2) * (j[upper] % 2)
    level = level + noise * np.random.default_rng(1).normal(size=len(upper))
    rise = (0.1 + 0.05 * dj + 0.01 * j[lower])[:, None] * np.log(kelvin / 50.0)
    x = np.log(kelvin / 50.0)
    rise = rise + noise * np.random.default_rng(2).normal(size=(len(upper), 4)) @ [
        x,
        x**2,
        x**3,
        np.sin(3 * x),
    ]
    bend = (-2.0 - 1.2 * dj)[:, None] / (kelvin + 20.0)
    return Rates(levels, "He", upper, lower, kelvin, np.exp(level[:, None] + rise + bend))


def changed(rates: Rates, rate_cm3_s: npt.ArrayLike) -> Rates:
    """Return the table with other values."""
    return replace(rates, rate_cm3_s=np.asarray(rate_cm3_s, dtype=np.float64))


def without_vj(rates: Rates) -> Rates:
    """Return the table with labels that say nothing."""
    label = tuple(f"L{number}" for number in range(len(rates.levels)))
    return replace(rates, levels=replace(rates.levels, label=label, quantum_numbers={}))


def row_of(rates: Rates, name: str) -> int:
    """Return the row of a transition such as `5 -> 3`."""
    return next(row for row in range(len(rates)) if rates.transition_name(row) == name)


def named(findings: list[Finding], *severities: str) -> set[str | None]:
    """Return the transitions that findings of these severities (default: error and warning) name."""
    return {f.transition for f in findings if f.severity in (severities or ("error", "warning"))}


def real_folder() -> Path:
    """Return the folder of real data sets, or skip."""
    folder = sets.data_folder()
    if folder is None:
        pytest.skip("no folder with real data; name it in RATEDB_TEST_DATA")
    return folder


def lamda_rates(path: str, collider: str) -> Rates:
    """Return one partner of a real LAMDA file, or skip."""
    partners = read_lamda(real_folder() / path).partners
    return next(partner.rates for partner in partners if partner.rates.collider == collider)


def kij_rates(path: str, molecule: str, levels: int, collider: str) -> Rates:
    """Return a real table of molpop-cep with the levels of a rigid rotor, or skip."""
    folder, j = real_folder(), np.arange(levels)
    return sets.read_kij(folder / path, sets.rotor(molecule, 1.0 * j * (j + 1)), collider)
