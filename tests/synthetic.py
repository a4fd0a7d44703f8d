"""A rigid rotor with smooth, made-up rates for tests: no real data; every seed is in plain sight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ratedb.layers import Kind
from ratedb.levels import Levels, Lines, vj
from ratedb.rates import Rates
from ratedb.systems import COLLIDERS

B_CM1 = 2.0
VIBRATION_CM1 = 1000.0
GHZ_PER_CM1 = 29.9792458


def rotor_levels(
    j_max: int = 5, *, molecule: str = "XY", v_max: int = 0, prefix: str = "", zero_cm1: float = 0.0
) -> Levels:
    """Return levels j = 0..j_max of v = 0..v_max in order of energy; labels are `j` or `v_j`."""
    v = np.repeat(np.arange(v_max + 1), j_max + 1)
    j = np.tile(np.arange(j_max + 1), v_max + 1)
    energy = zero_cm1 + VIBRATION_CM1 * v + B_CM1 * j * (j + 1)
    order = np.argsort(energy, kind="stable")
    v, j = v[order], j[order]
    label = tuple(prefix + (f"{a}_{b}" if v_max else str(b)) for a, b in zip(v, j, strict=True))
    return Levels(molecule, label, energy[order], 2.0 * j + 1.0, vj(v, j), 28.0)


def rotor_lines(levels: Levels) -> Lines:
    """Return the lines j -> j-1 within each v."""
    v, j = levels.need_vj()
    upper, lower = np.nonzero((v[:, None] == v[None, :]) & (j[:, None] == j[None, :] + 1))
    frequency = (levels.energy_cm1[upper] - levels.energy_cm1[lower]) * GHZ_PER_CM1
    return Lines(upper, lower, 1e-7 * j[upper].astype(np.float64) ** 3, frequency)


def rotor_rates(
    levels: Levels,
    collider: str = "He",
    temperature_k: Sequence[float] = (10.0, 20.0, 50.0),
    *,
    seed: int = 0,
) -> Rates:
    """Return rates of all downward pairs, smooth in the drop of energy and temperature, of shape (n, m).

    `seed` scales each transition by up to ten per cent, so that tables of different seeds differ in
    every value.
    """
    upper, lower = np.nonzero(levels.energy_cm1[:, None] > levels.energy_cm1[None, :])
    kelvin = np.array(temperature_k, dtype=np.float64)
    drop = levels.energy_cm1[upper] - levels.energy_cm1[lower]
    scale = np.random.default_rng(seed).uniform(1.0, 1.1, len(upper))
    rate = (1e-11 * scale * np.exp(-drop / 100.0))[:, None] * (kelvin / 10.0) ** 0.3
    return Rates(levels, collider, upper, lower, kelvin, rate)


def with_missing(rates: Rates, missing: npt.ArrayLike) -> Rates:
    """Return the rates with NaN where `missing`, shape (n, m), is true."""
    holes = np.where(np.asarray(missing, dtype=np.bool_), np.nan, rates.rate_cm3_s)
    return Rates(rates.levels, rates.collider, rates.upper, rates.lower, rates.temperature_k, holes)


def prediction_of(rates: Rates, *, seed: int = 0) -> Rates:
    """Return a prediction that is off by some 0.1 dex; the last transition is marked as extrapolated."""
    shape = rates.rate_cm3_s.shape
    error = np.random.default_rng(seed).normal(0.0, 0.1, shape)
    flags = np.arange(len(rates)) == len(rates) - 1
    return Rates(
        rates.levels,
        rates.collider,
        rates.upper,
        rates.lower,
        rates.temperature_k,
        rates.rate_cm3_s * 10.0**error,
        {
            "kind_code": np.full(shape, Kind.PREDICTED),
            "log10_half_width_68": np.full(shape, 0.1),
            "extrapolated": np.repeat(flags[:, None], shape[1], axis=1),
        },
    )


def lamda_text(rates: Sequence[Rates], lines: Lines | None = None) -> str:
    """Return a LAMDA file with one partner per table; all tables have the same levels."""
    levels = rates[0].levels
    lines = rotor_lines(levels) if lines is None else lines
    header = "LEVEL + ENERGIES(cm^-1) + WEIGHT + " + ("v_J" if "_" in levels.label[0] else "J")
    text = ["!MOLECULE", levels.molecule, "!MOLECULAR WEIGHT", f"{levels.molecular_weight}"]
    text += ["!NUMBER OF ENERGY LEVELS", str(len(levels)), f"!{header}"]
    for i in range(len(levels)):
        energy, weight = float(levels.energy_cm1[i]), float(levels.weight[i])
        text.append(f"{i + 1} {energy!r} {weight!r} {levels.label[i]}")
    text += ["!NUMBER OF RADIATIVE TRANSITIONS", str(len(lines))]
    text.append("!TRANS + UP + LOW + EINSTEINA(s^-1) + FREQ(GHz) + E_u(K)")
    for i in range(len(lines)):
        up, low = int(lines.upper[i]), int(lines.lower[i])
        values = f"{float(lines.einstein_a_s1[i])!r} {float(lines.frequency_ghz[i])!r}"
        text.append(f"{i + 1} {up + 1} {low + 1} {values} {float(levels.energy_cm1[up]) * 1.4388:.4f}")
    text += ["!NUMBER OF COLL PARTNERS", str(len(rates))]
    for table in rates:
        text += _partner(table)
    return "\n".join(text) + "\n"


def _partner(table: Rates) -> list[str]:
    number = COLLIDERS.index(table.collider) + 1
    text = ["!COLLISIONS BETWEEN", f"{number} {table.system.replace('+', '-', 1)} made up for tests"]
    text += ["!NUMBER OF COLL TRANS", str(len(table)), "!NUMBER OF COLL TEMPS"]
    text += [str(len(table.temperature_k)), "!COLL TEMPS"]
    text.append(" ".join(repr(float(t)) for t in table.temperature_k))
    text.append("!TRANS + UP + LOW + COLLRATES(cm^3 s^-1)")
    for i in range(len(table)):
        values = " ".join(repr(float(rate)) for rate in table.rate_cm3_s[i])
        text.append(f"{i + 1} {table.upper[i] + 1} {table.lower[i] + 1} {values}")
    return text
