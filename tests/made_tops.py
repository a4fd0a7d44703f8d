"""Small tops and pairs with rates made by a law, so that the truth is known."""

from __future__ import annotations

import numpy as np

from ratedb.levels import Levels
from ratedb.models.tops.structure import Jumps, Structure
from ratedb.models.tops.sudden import _EXPECTED, SuddenLaw
from ratedb.physics.rigid_rotor import RotationalConstants, asymmetric_energies
from ratedb.rates import Rates

CONSTANTS = RotationalConstants(9.4, 1.3, 1.13)
GRID = np.array([10.0, 30.0, 100.0, 300.0])


def top_levels(last_j: int = 6, last_ka: int = 3, partner: tuple[float, ...] = ()) -> Levels:
    """Return the ortho levels (odd ka) of a top like H2CO, with each of a partner's energies (j2 = 0, 2)."""
    rows = [
        (j, ka, kc)
        for j in range(last_j + 1)
        for ka in range(1, min(j, last_ka) + 1, 2)
        for kc in (j - ka, j - ka + 1)
    ]
    j, ka, kc = np.array(rows).T
    energy = asymmetric_energies(CONSTANTS, j, ka, kc)
    numbers = {"j": j, "ka": ka, "kc": kc}
    weight = 2.0 * j + 1.0
    if partner:
        count = len(j)
        place = np.repeat(np.arange(len(partner)), count)
        numbers = {name: np.tile(one, len(partner)) for name, one in numbers.items()} | {"j2": 2 * place}
        energy = np.tile(energy, len(partner)) + np.array(partner)[place]
        weight = np.tile(weight, len(partner)) * (4.0 * place + 1.0)
    order = np.argsort(energy, kind="stable")
    table = np.stack(list(numbers.values()), axis=1)[order]
    labels = tuple("_".join(map(str, row)) for row in table.tolist())
    named = {name: one[order].astype(np.float64) for name, one in numbers.items()}
    return Levels("TOP", labels, energy[order], weight[order], named)


def made_rates(levels: Levels, noise_dex: float = 0.03, seed: int = 7, *, law: bool = True) -> Rates:
    """Return rates down in the target by the sudden law and a threshold of the pair, with seeded noise."""
    structure = Structure.of(levels)
    energy = structure.target.energy_cm1[structure.target_of]
    upper, lower = np.nonzero(energy[:, None] > energy[None, :] + 1e-9)
    rates = Rates(levels, "He", upper, lower, GRID, np.ones((len(upper), len(GRID))))
    jumps = Jumps.of(structure, rates.transitions)
    numbers = _EXPECTED.copy()
    numbers[0] = -10.0
    value = SuddenLaw(jumps).value_and_slopes(numbers)[0][:, None] if law else np.full((len(upper), 1), -10.5)
    draw = np.random.default_rng(seed)
    log10_k = value + 0.2 * np.log10(GRID / 30.0) + noise_dex * draw.standard_normal((len(upper), 1))
    log10_k = log10_k - 0.8 * (jumps.partner_initial != jumps.partner_final)[:, None]
    k = 10.0 ** (log10_k + jumps.threshold_dex(GRID))
    return Rates(levels, "He", upper, lower, GRID, k)
