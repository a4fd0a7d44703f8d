"""Rotational constants fitted to levels, and energies that contradict every choice of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from real import shared_folder

from ratedb.io.level_lists import read_levels_of
from ratedb.io.pair_levels import pair_levels
from ratedb.kinds.recognise import recognised
from ratedb.kinds.species import kind_of, species_in_words
from ratedb.levels import Levels
from ratedb.physics import rotational_constants
from ratedb.physics.rigid_rotor import RotationalConstants, asymmetric_energies
from ratedb.physics.rotational_constants import contradicting_energies, report_of, rotation_of

WATER = RotationalConstants(27.88, 14.52, 9.28)
MEASURED = {
    "ph2o-h2o-mqct": {"A": 27.88, "B": 14.52, "C": 9.28},
    "oh2co-ph2": {"A": 9.405, "B": 1.295, "C": 1.134},
    "so2xpol-h2": {"A": 2.027, "B": 0.344, "C": 0.2935},
    "onh3-ph2": {"C": 6.2, "B": 9.94},
}


def linear(count: int = 8, b: float = 1.92, d: float = 6e-6) -> Levels:
    j = np.arange(count)
    energy = b * j * (j + 1.0) - d * (j * (j + 1.0)) ** 2
    return recognised(Levels("CO", tuple(map(str, j.tolist())), energy, 2 * j + 1))


def symmetric() -> Levels:
    names = [(j, k, inv) for j in range(1, 5) for k in range(1, j + 1) for inv in (0, 1) if k % 3]
    j, k, inv = np.array(names, dtype=float).T
    energy = 9.94 * j * (j + 1) - 3.7 * k**2 + 0.8 * inv
    labels = tuple(f"{a}_{b}_{c}" for a, b, c in names)
    return recognised(Levels("p-NH3", labels, energy, 2 * (2 * j + 1)), "J_K_inv")


def asymmetric(highest: int = 4) -> Levels:
    names = [
        (j, ka, kc)
        for j in range(highest + 1)
        for ka in range(j + 1)
        for kc in (j - ka, j - ka + 1)
        if kc <= j and (ka + kc) % 2 == 0
    ]
    j, ka, kc = np.array(names).T
    labels = tuple(f"{a}_{b}_{c}" for a, b, c in names)
    return recognised(Levels("p-H2O", labels, asymmetric_energies(WATER, j, ka, kc), 2 * j + 1))


@pytest.mark.parametrize(
    ("levels", "constants"),
    [
        (linear(), {"B": 1.92, "D": 6e-6}),
        (linear(3, d=0.0), {"B": 1.92}),
        (symmetric(), {"C": 6.24, "B": 9.94}),
        (asymmetric(), {"A": 27.88, "B": 14.52, "C": 9.28}),
    ],
)
def test_constants_are_those_that_made_the_levels(levels: Levels, constants: dict[str, float]) -> None:
    (report,) = report_of(levels)
    assert dict(report.constants_cm1) == pytest.approx(constants, rel=1e-4)
    assert report.residual_cm1 == pytest.approx(0.0, abs=1e-3)
    assert report.fitted_levels == len(levels)
    assert contradicting_energies(levels) == []


def test_inversion_is_fitted_whether_it_has_a_number_or_a_parity() -> None:
    levels = symmetric()
    with_parity = recognised(
        replace(
            levels,
            label=tuple(f"{one[:-1]}{'-' if one[-1] == '1' else '+'}" for one in levels.label),
            quantum_numbers={},
            kind="",
        ),
        "J K parity",
    )
    assert set(with_parity.quantum_numbers) == {"j", "k", "parity"}
    for one in (levels, with_parity):
        assert report_of(one)[0].residual_cm1 == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("levels", [asymmetric(), symmetric(), linear()])
def test_one_wrong_energy_is_named_with_the_one_that_is_expected(levels: Levels) -> None:
    energy = levels.energy_cm1.copy()
    at = len(levels) // 2
    energy[at] *= 1.6
    (said,) = contradicting_energies(replace(levels, energy_cm1=energy))
    expected = float(said.split("expected about ")[1].split()[0])
    assert f"level {levels.label[at]} its energy" in said
    assert expected == pytest.approx(levels.energy_cm1[at], rel=0.02)
    assert f"given {energy[at]:.6g} cm-1" in said


def test_energies_of_another_molecule_are_a_contradiction() -> None:
    levels = asymmetric()
    shuffled = levels.energy_cm1[np.random.default_rng(3).permutation(len(levels))]
    assert len(contradicting_energies(replace(levels, energy_cm1=shuffled))) == 1


def test_few_levels_and_levels_of_no_rotor_have_no_constants() -> None:
    assert rotation_of(asymmetric().select([0, 1, 2])) is None
    carbon = recognised(Levels("C", ("0", "1", "2"), (0.0, 16.42, 43.41), (1, 3, 5)))
    assert rotation_of(carbon) is None
    assert report_of(carbon)[0].constants_cm1 == {}


def test_levels_of_one_energy_or_of_very_high_j_have_no_constants() -> None:
    levels = asymmetric()
    assert rotation_of(replace(levels, energy_cm1=np.full(len(levels), 5.0))) is None
    numbers = {name: values + 9e5 * (name != "ka") for name, values in levels.quantum_numbers.items()}
    assert rotation_of(replace(levels, quantum_numbers=numbers)) is None


def test_constants_that_a_kind_knows_are_given_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = kind_of(asymmetric())
    assert kind is not None
    known = replace(kind, given_cm1=(("A", 27.88),))
    monkeypatch.setattr(rotational_constants, "kind_of", lambda _: known)
    (report,) = report_of(asymmetric())
    assert report.given_cm1 == {"A": 27.88}
    assert set(report.constants_cm1) == {"A", "B", "C"}


def test_pairs_have_the_constants_and_species_of_both_molecules() -> None:
    first, second = asymmetric(), replace(linear(4, b=59.3, d=0.0), molecule="H2")
    names = [(a, b) for a in range(1, len(first) + 1) for b in range(1, len(second) + 1)]
    own, other = report_of(pair_levels(first, second, names))
    assert (own.molecule, own.kind, other.molecule, other.kind) == (
        "p-H2O",
        "asymmetric top",
        "H2",
        "linear",
    )
    assert dict(own.constants_cm1) == pytest.approx({"A": 27.88, "B": 14.52, "C": 9.28}, rel=1e-4)
    assert dict(other.constants_cm1) == pytest.approx({"B": 59.3}, rel=1e-6)
    assert own.spin_species.startswith(f"one nuclear spin species: ka + kc even in {len(first)} levels")


def test_species_are_told_in_words() -> None:
    assert species_in_words(symmetric()).startswith("one nuclear spin species: |k| mod 3 is not 0 in")
    assert species_in_words(linear()) == ""
    j, ka, kc = np.array([(0, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0), (2, 0, 2), (2, 1, 2)]).T
    labels = tuple(f"{a}_{b}_{c}" for a, b, c in zip(j, ka, kc, strict=True))
    weights = (2 * j + 1) * np.where((ka + kc) % 2, 3, 1)
    both = recognised(Levels("H2O", labels, asymmetric_energies(WATER, j, ka, kc), weights))
    assert "species that collisions do not mix: ka + kc even in 3, ka + kc odd in 3" in species_in_words(both)


@pytest.mark.parametrize("name", MEASURED)
def test_published_levels_give_published_constants(name: str) -> None:
    levels = read_levels_of([shared_folder("tops") / name / "levels.csv"], name).levels
    (report,) = report_of(levels)
    assert dict(report.constants_cm1) == pytest.approx(MEASURED[name], rel=5e-3)


def test_no_set_of_tops_contradicts_its_kind_but_one_level_of_a_lamda_file_does() -> None:
    spectralradex = pytest.importorskip("spectralradex")
    for path in sorted(shared_folder("tops").glob("*/levels.csv")):
        if path.parent.name not in ("oc3h2-h2", "pc3h2-h2", "oh3op-ph2", "ph3op-ph2"):
            assert contradicting_energies(read_levels_of([path], "X").levels) == [], path
    path = Path(spectralradex.__file__).parent / "radex" / "data" / "oh2s.dat"
    (said,) = contradicting_energies(read_levels_of([path], "o-H2S").levels)
    assert "level 4_4_1 its energy; expected about 195" in said
