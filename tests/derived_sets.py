"""Made-up pairs and hyperfine levels for tests of derived rates; every seed is in plain sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ratedb.layers import Kind
from ratedb.levels import Levels
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.rates import Rates

KELVIN = (10.0, 50.0, 200.0)
TARGET_CM1, PARTNER_CM1 = (0.0, 20.0, 70.0), {1: 0.0, 3: 40.0}


def pair_levels(molecule: str = "AB(o-H2)") -> Levels:
    """Return the levels of a linear molecule, j = 0, 1, 2, with a partner in j2 = 1 or 3, by energy."""
    states = [(j, j2, e + PARTNER_CM1[j2]) for j, e in enumerate(TARGET_CM1) for j2 in PARTNER_CM1]
    states.sort(key=lambda one: one[2])
    j, j2, energy = (np.array(one, dtype=np.float64) for one in zip(*states, strict=True))
    return Levels(
        molecule,
        tuple(f"{a:g}_{b:g}" for a, b in zip(j, j2, strict=True)),
        energy + 100.0,
        (2 * j + 1) * (2 * j2 + 1) * 3.0,
        {"j": j, "j2": j2},
        kind="linear x linear",
    )


def pair_rates(levels: Levels | None = None, seed: int = 0) -> Rates:
    """Return rates of all pairs of levels, downward in total energy; some raise the partner."""
    levels = levels or pair_levels()
    upper, lower = np.nonzero(levels.energy_cm1[:, None] > levels.energy_cm1[None, :])
    values = np.random.default_rng(seed).uniform(1e-11, 1e-10, (len(upper), len(KELVIN)))
    layers = {"kind_code": np.full(values.shape, Kind.COMPUTED), "source_id": np.full(values.shape, 7)}
    return Rates(levels, "o-H2", upper, lower, np.array(KELVIN), values, layers)


def slow_effective(rates: Rates, j: int, j_final: int, j2: int) -> np.ndarray:
    """Return k_eff(j -> j'; j2) by the plain sum over the partner's final states."""
    numbers, energy, weight = rates.levels.quantum_numbers, rates.levels.energy_cm1, rates.levels.weight
    place = {(int(a), int(b)): n for n, (a, b) in enumerate(zip(numbers["j"], numbers["j2"], strict=True))}
    rows = {(int(u), int(w)): k for u, w, k in zip(rates.upper, rates.lower, rates.rate_cm3_s, strict=True)}
    total = np.zeros(len(rates.temperature_k))
    for j2_final in PARTNER_CM1:
        first, last = place[j, j2], place[j_final, j2_final]
        if (first, last) in rows:
            total += rows[first, last]
        elif (last, first) in rows:
            gap = energy[last] - energy[first]
            boltzmann = np.exp(-HC_OVER_KB_CM_K * gap / rates.temperature_k)
            total += rows[last, first] * weight[last] / weight[first] * boltzmann
    return total


def split_levels(
    j_max: int = 4, spins: Sequence[float] = (1.0,), b_cm1: float = 1.5, molecule: str = "XYZ(hfs)"
) -> Levels:
    """Return the hyperfine levels of a linear molecule, j = 0..j_max, with one or two nuclear spins."""
    rows = [(float(j), float(j)) for j in range(j_max + 1)]
    chains: list[tuple[float, ...]] = [(j,) for j, _ in rows]
    for spin in spins:
        chains = [
            (*chain, total)
            for chain in chains
            for total in np.arange(abs(chain[-1] - spin), chain[-1] + spin + 0.5)
        ]
    names = ("j", "F") if len(spins) == 1 else ("j", "F1", "F")
    table = np.array(chains)
    j = table[:, 0]
    energy = b_cm1 * j * (j + 1) + 1e-4 * np.arange(len(j))
    order = np.argsort(energy, kind="stable")
    numbers = {name: table[order, n] for n, name in enumerate(names)}
    top = "hyperfine" if len(spins) == 1 else "double hyperfine"
    return Levels(
        molecule,
        tuple("_".join(f"{value:g}" for value in row) for row in table[order]),
        energy[order],
        2.0 * table[order, -1] + 1.0,
        numbers,
        kind=f"linear + {top}",
    )


def as_predicted(rates: Rates, half_width: float) -> Rates:
    """Return the rates as predictions with one half width, in dex."""
    shape = rates.rate_cm3_s.shape
    layers = {
        **rates.layers,
        "kind_code": np.full(shape, Kind.PREDICTED),
        "log10_half_width_68": np.full(shape, half_width),
    }
    return replace(rates, layers=layers)
