from __future__ import annotations

from dataclasses import replace

import numpy as np
from made_tops import CONSTANTS, GRID, top_levels

from ratedb.levels import Levels, Transitions
from ratedb.models.tops.features import resonances
from ratedb.models.tops.structure import Jumps, Structure
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.rigid_rotor import RotationalConstants, asymmetric_energies


def test_energies_of_pairs_are_taken_apart() -> None:
    alone, pairs = top_levels(4), top_levels(4, partner=(0.0, 354.0, 1170.0))
    structure = Structure.of(pairs)
    own = structure.target.energy_cm1
    np.testing.assert_allclose(np.sort(own), np.sort(alone.energy_cm1 - alone.energy_cm1.min()), atol=1e-8)
    assert structure.partner is not None
    np.testing.assert_allclose(structure.partner.energy_cm1, [0.0, 354.0, 1170.0], atol=1e-8)
    total = own[structure.target_of] + structure.partner.energy_cm1[structure.partner_of]
    np.testing.assert_allclose(total, pairs.energy_cm1 - pairs.energy_cm1.min(), atol=1e-8)


def test_constants_come_from_the_levels() -> None:
    found = Structure.of(top_levels()).target.constants
    assert found is not None
    np.testing.assert_allclose(
        (found.a_cm1, found.b_cm1, found.c_cm1),
        (CONSTANTS.a_cm1, CONSTANTS.b_cm1, CONSTANTS.c_cm1),
        rtol=1e-4,
    )


def test_energies_of_no_rigid_rotor_leave_no_wavefunctions() -> None:
    levels = top_levels()
    shuffled = np.random.default_rng(3).permutation(levels.energy_cm1)
    broken = Levels("TOP", levels.label, shuffled, levels.weight, levels.quantum_numbers)
    assert Structure.of(broken).target.states is None


def test_alignment_of_a_k_1_doublet_is_half_of_either_sign() -> None:
    levels = top_levels()
    alignment = Structure.of(levels).target.alignment
    assert alignment is not None
    doublet = [levels.places["1_1_1"], levels.places["1_1_0"]]
    np.testing.assert_allclose(alignment[doublet], [-0.5, 0.5], atol=1e-9)


def test_the_threshold_is_the_energy_that_the_pair_has_to_gain() -> None:
    levels = top_levels(3, partner=(0.0, 354.0))
    structure = Structure.of(levels)
    upper, lower = levels.places["3_1_2_0"], levels.places["1_1_1_2"]
    jumps = Jumps.of(structure, Transitions(levels, np.array([upper, lower]), np.array([lower, upper])))
    needed = levels.energy_cm1[lower] - levels.energy_cm1[upper]
    expected = np.log10(np.exp(-HC_OVER_KB_CM_K * needed / GRID))
    np.testing.assert_allclose(jumps.threshold_dex(GRID), [expected, np.zeros(4)], atol=1e-9)


def test_resonances_count_jumps_of_the_own_species_only() -> None:
    j2 = np.arange(6)
    target = top_levels(3)
    count = len(target)
    first = np.repeat(np.arange(count), 6)
    second = np.tile(np.arange(6), count)
    numbers = {name: one[first] for name, one in target.quantum_numbers.items()}
    numbers |= {"j2": j2[second].astype(float), "ortho2": (j2 % 2)[second].astype(float)}
    energy = target.energy_cm1[first] + 4.0 * (j2 * (j2 + 1))[second]
    labels = tuple(f"{a}-{b}" for a, b in zip(first, second, strict=True))
    levels = Levels("TOP", labels, energy, np.ones(len(first)), numbers)
    structure = Structure.of(levels)
    upper, lower = np.array([levels.places["3-2"]]), np.array([levels.places["0-2"]])
    jumps = Jumps.of(structure, Transitions(levels, upper, lower))
    partner = structure.partner
    assert partner is not None
    found = resonances(jumps)[0]
    assert jumps.strengths is not None
    defects = []
    for place, (order, width) in enumerate(
        (order, width) for order in (1, 2) for width in (8.0, 40.0, 200.0)
    ):
        total = 0.0
        for final in range(6):
            states = partner.amplitudes(jumps.partner_initial, np.array([final]))
            assert states is not None
            if partner.numbers["ortho"][final] == partner.numbers["ortho"][jumps.partner_initial[0]]:
                lost = partner.energy_cm1[jumps.partner_initial[0]] - partner.energy_cm1[final]
                strength = float((states[0][0, order] ** 2).sum())
                total += strength * np.exp(-abs(jumps.gap_cm1[0] + lost) / width)
                defects += [abs(jumps.gap_cm1[0] + lost)] if order == 1 and strength > 0.01 else []
        of_target = jumps.strengths[0, order] + 0.02
        assert np.isclose(found[place], np.log10(of_target * total + 1e-3))
    assert np.isclose(found[6], np.log(min([1e4, *defects]) + 3.0))


def water(**species: np.ndarray) -> Levels:
    """Return some levels of H2O as a target, each with eight states of H2O as a partner."""
    j, ka, kc = np.array(
        [(0, 0, 0), (1, 1, 1), (2, 0, 2), (2, 1, 1), (1, 0, 1), (1, 1, 0), (2, 1, 2), (2, 2, 1)]
    ).T
    energy = asymmetric_energies(RotationalConstants(27.9, 14.5, 9.3), j, ka, kc)
    first, second = (one.ravel() for one in np.divmod(np.arange(64), 8))
    numbers = {"j": j[first], "ka": ka[first], "kc": kc[first]}
    numbers |= {"j2": j[second], "ka2": ka[second], "kc2": kc[second]}
    numbers |= {name: one[second] for name, one in species.items()}
    nuclear = 1.0 + 2.0 * ((ka + kc) % 2)
    weight = (2.0 * j[first] + 1) * (2.0 * j[second] + 1) * (nuclear[first] * nuclear[second])
    labels = tuple(f"{a}-{b}" for a, b in zip(first, second, strict=True))
    floats = {name: one.astype(np.float64) for name, one in numbers.items()}
    return Levels("WATER", labels, energy[first] + energy[second], weight, floats)


def test_species_of_a_partner_that_names_none_follow_from_its_kind_and_weights() -> None:
    named = water(ortho2=np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    of_levels = [Structure.of(one) for one in (named, water())]
    partners = [one.partner for one in of_levels if one.partner is not None]
    np.testing.assert_array_equal(partners[0].numbers["ortho"], partners[1].numbers["ortho"])
    pairs = named.downward_pairs()
    np.testing.assert_allclose(*(resonances(Jumps.of(one, pairs)) for one in of_levels))


def test_weights_of_one_factor_say_nothing_of_species() -> None:
    levels = water()
    numbers = levels.quantum_numbers
    plain = replace(levels, weight=(2.0 * numbers["j"] + 1) * (2.0 * numbers["j2"] + 1))
    partner = Structure.of(plain).partner
    assert partner is not None
    assert "ortho" not in partner.numbers
