"""Levels and rates of one nuclear spin species are not taken for those of the other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from real import shared_folder

import ratedb
from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile, PartnerRates, of_kind
from ratedb.io.pair_levels import pair_levels
from ratedb.kinds.recognise import recognised
from ratedb.kinds.species import other_species
from ratedb.levels import Levels, Lines, vj
from ratedb.options import ImportOptions
from ratedb.quality.check import check_source
from ratedb.rates import Rates
from ratedb.verbs.import_ import import_files

ORTHO = ("1_0_1", "1_1_0", "2_1_2", "2_2_1", "3_0_3")
PARA = ("0_0_0", "1_1_1", "2_0_2", "2_1_1", "2_2_0")
CM1 = {
    "0_0_0": 0.0, "1_0_1": 23.8, "1_1_1": 37.1, "1_1_0": 42.4, "2_0_2": 70.1, "2_1_2": 79.5, "2_1_1": 95.2,
    "2_2_1": 134.9, "2_2_0": 136.2, "3_0_3": 136.8,
}  # fmt: skip


def water(labels: tuple[str, ...], molecule: str = "H2O", ortho_weight: int = 3) -> Levels:
    weights = [(2 * int(one[0]) + 1) * (ortho_weight if one in ORTHO else 1) for one in labels]
    return recognised(Levels(molecule, labels, [CM1[one] for one in labels], weights))


def rates_of(levels: Levels, collider: str = "He", *, mixed: float = 1e-11) -> Rates:
    pairs = levels.downward_pairs()
    ortho = np.array(["_".join(label.split("_")[:3]) in ORTHO for label in levels.label])
    value = np.where(ortho[pairs.upper] == ortho[pairs.lower], 1e-11, mixed)
    grid = value[:, None] * np.array([1.0, 1.1, 1.3, 1.4])
    return Rates(levels, collider, pairs.upper, pairs.lower, np.array([10.0, 20.0, 50.0, 100.0]), grid)


def mixing(rates: Rates) -> list[str]:
    found = check_source(rates, Lines.empty(), "")
    return [one.detail for one in found if one.rule == "spin-species"]


def test_rates_between_ortho_and_para_levels_are_found() -> None:
    (detail,) = mixing(rates_of(water(PARA + ORTHO)))
    assert "such as 1_1_1 -> 1_0_1, connect nuclear spin species of H2O" in detail


@pytest.mark.parametrize(
    "rates",
    [
        rates_of(water(PARA + ORTHO), mixed=0.0),  # they are zero, as they must be
        rates_of(water(PARA + ORTHO), "H"),  # which exchanges nuclei
        rates_of(water(PARA)),
        rates_of(water(PARA + ORTHO, ortho_weight=1)),  # nothing says that these are two species
    ],
)
def test_rates_that_mix_no_species_are_not(rates: Rates) -> None:
    assert mixing(rates) == []


def test_species_of_both_molecules_of_a_pair_are_kept_apart() -> None:
    partner = Levels("p-H2", ("0", "2"), (0.0, 354.35), (1, 5), vj(np.zeros(2), (0, 2)))
    first = water(PARA + ORTHO)
    names = [(a, b) for a in range(1, len(first) + 1) for b in (1, 2)]
    levels = pair_levels(first, partner, names)
    assert levels.kind == "asymmetric top x linear"
    (detail,) = mixing(rates_of(levels, "p-H2"))
    assert "of H2O that collisions do not mix" in detail
    assert mixing(rates_of(levels, "p-H2", mixed=0.0)) == []


@pytest.mark.parametrize(
    ("levels", "right"),
    [
        (water(PARA, "o-H2O"), "p-H2O"),
        (water(ORTHO, "para-H2O"), "o-H2O"),
        (Levels("p-H2", ("1", "3"), (118.5, 705.5), (9, 21), vj(np.zeros(2), (1, 3))), "o-H2"),
    ],
)
def test_a_name_of_the_other_species_is_refused(levels: Levels, right: str) -> None:
    rates = Rates(levels, "He", np.array([1]), np.array([0]), np.array([10.0]), np.array([[1e-11]]))
    file = MoleculeFile(levels, Lines.empty(), (PartnerRates(rates),))
    with pytest.raises(RatedbError, match="other nuclear spin species") as caught:
        of_kind(file, None)
    assert caught.value.todo
    assert other_species(replace(levels, molecule=right)) == ""


def test_the_other_species_is_not_added_to_levels_in_the_store(tmp_path: Path) -> None:
    db, tables = tmp_path / "s.duckdb", {}
    for name, labels in (("ortho", ORTHO), ("para", PARA)):
        tables[name] = tmp_path / f"{name}.csv"
        rates_of(water(labels, "X-H2Se")).to_pandas().to_csv(tables[name], index=False)
    for molecule, word in (("H2Se", ""), ("p-H2Se", "another nuclear spin species")):
        options = ImportOptions(molecule=molecule, quality="off")
        frames = {}
        for name, path in tables.items():
            frames[name] = tmp_path / f"{molecule}-{name}.csv"
            frames[name].write_text(path.read_text().replace("X-H2Se", molecule))
        import_files(db, [frames["para"]], options)
        if word:
            with pytest.raises(RatedbError, match=word):
                import_files(db, [frames["ortho"]], options)
        else:
            (system,) = import_files(db, [frames["ortho"]], options).systems
            assert any("another nuclear spin species" in text for text in system.warnings)
    assert len(ratedb.open(db).rates("p-H2Se+He").levels) == len(PARA)


def test_published_pairs_under_the_wrong_collider_are_refused(tmp_path: Path) -> None:
    folder = shared_folder("tops") / "oh2o-oh2-daniel2011"
    options = ImportOptions(
        molecule="o-H2O",
        collider="p-H2",
        levels=(folder / "levels.csv",),
        collider_levels=folder / "partner_levels.csv",
    )
    with pytest.raises(RatedbError, match="the levels of p-H2 are of the other nuclear spin species"):
        import_files(tmp_path / "s.duckdb", [folder / "values.csv.gz"], options)
