"""What two molecules that both change state keep when they are exported and imported again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real import shared_folder

import ratedb
from ratedb.errors import RatedbError
from ratedb.io.level_lists import read_levels_of
from ratedb.io.pair_levels import pair_levels
from ratedb.kinds.recognise import recognised, with_kind
from ratedb.layers import Kind
from ratedb.levels import Levels, Lines, vj
from ratedb.options import ExportOptions, ImportOptions
from ratedb.physics.pairs import taken_apart
from ratedb.rates import Rates
from ratedb.store.sources import Incoming
from ratedb.store.staging import SourceInfo
from ratedb.store.store import Store
from ratedb.verbs.export import export
from ratedb.verbs.import_ import import_files

pytestmark = pytest.mark.slow  # many, of a second each

NUMBERS = {"j": (1, 1, 2, 2, 3), "ka": (0, 1, 0, 1, 0), "kc": (1, 0, 2, 1, 3), "tau": (-1, 1, -2, 0, -3)}
WATER = with_kind(
    Levels(
        "H2O",
        ("1_0_1", "1_1_0", "2_0_2", "2_1_1", "3_0_3"),
        (23.794356, 42.371741, 70.090805, 95.175936, 136.761664),
        (9, 9, 5, 5, 21),
        {name: np.array(values, dtype=float) for name, values in NUMBERS.items()},
    )
)
AMMONIA = recognised(
    Levels(
        "NH3",
        ("1_1_0", "1_1_1", "2_1_0", "2_1_1", "2_2_0"),
        (15.38, 16.17, 55.94, 56.71, 44.0),
        (6, 6, 10, 10, 10),
    ),
    "J_K_inv",
)
HYDROGEN = Levels("o-H2", ("1", "3"), (118.5, 705.54), (9, 21), vj(np.zeros(2), (1, 3)))
OTHER_NUMBERS = {"j": (0, 1, 2), "ka": (0, 1, 0), "kc": (0, 1, 2), "ortho": (0, 0, 0)}
OTHER_WATER = with_kind(
    Levels(
        "p-H2O",
        ("0_0_0", "1_1_1", "2_0_2"),
        (0.0, 37.137, 70.09),
        (1, 3, 5),
        {name: np.array(values, dtype=float) for name, values in OTHER_NUMBERS.items()},
    )
)
CO = recognised(Levels("CO", ("0", "1", "2"), (0.0, 3.845, 11.535), (1, 3, 5)))
MADE = {
    "top and linear": (WATER, HYDROGEN, "asymmetric top x linear"),
    "symmetric top and linear": (AMMONIA, HYDROGEN, "symmetric top x linear"),
    "two tops": (WATER, OTHER_WATER, "asymmetric top x asymmetric top"),
    "two linear molecules": (CO, HYDROGEN, "linear x linear"),
}


def rates_of(first: Levels, second: Levels) -> Rates:
    names = [(a, b) for a in range(1, len(first) + 1) for b in range(1, len(second) + 1)]
    levels = pair_levels(first, second, names)
    pairs = levels.downward_pairs()
    kelvin = np.array([10.0, 20.0, 50.0, 100.0])
    values = np.random.default_rng(1).uniform(1e-13, 1e-10, (len(pairs), len(kelvin)))
    return Rates(levels, second.molecule, pairs.upper, pairs.lower, kelvin, values)


def stored(folder: Path, rates: Rates) -> Path:
    db = folder / "first.duckdb"
    info = SourceInfo(Kind.COMPUTED.text, "CC", "Somebody 2020", "made.csv", "0" * 64)
    with Store(db, write=True, create=True) as store:
        store.put_rates([Incoming(Lines.empty(), ((rates, info),))])
    return db


def again(db: Path, system: str, folder: Path, file_format: str) -> Rates:
    """Export a system, forget the provenance, and import the files into a store of their own."""
    target = folder / f"out.{'kij' if file_format == 'basecol' else file_format}"
    export(db, [system], target, ExportOptions(format=file_format))
    Path(f"{target}.provenance.json").unlink()
    options = ImportOptions(quality="off")
    if file_format == "basecol":
        pair, collider = system.rsplit("+", 1)
        options = ImportOptions(
            quality="off",
            molecule=pair.removesuffix(f"({collider})"),
            collider=collider,
            levels=(folder / "out.levels.csv",),
            collider_levels=folder / "out.collider_levels.csv",
        )
    import_files(folder / "again.duckdb", [target], options)
    return ratedb.open(folder / "again.duckdb").rates(system)


def need_same(before: Rates, after: Rates) -> None:
    one, two = before.levels, after.levels
    used = np.isin(np.arange(len(one)), [before.upper, before.lower])
    one = one.select(np.flatnonzero(used))
    assert two.label == one.label
    assert two.kind == one.kind
    np.testing.assert_allclose(two.energy_cm1, one.energy_cm1, rtol=0, atol=1e-9)
    np.testing.assert_allclose(two.weight, one.weight, rtol=1e-12)
    assert {*two.quantum_numbers} == {*one.quantum_numbers}
    for name, values in one.quantum_numbers.items():
        np.testing.assert_array_equal(two.quantum_numbers[name], values)
    assert after.transitions.names() == before.transitions.names()
    np.testing.assert_array_equal(after.rate_cm3_s, before.rate_cm3_s)


@pytest.mark.parametrize("file_format", ["csv", "parquet", "basecol"])
@pytest.mark.parametrize("name", MADE)
def test_pairs_come_back_from_a_file_as_they_were(tmp_path: Path, name: str, file_format: str) -> None:
    first, second, kind = MADE[name]
    rates = rates_of(first, second)
    assert rates.levels.kind == kind
    db = stored(tmp_path, rates)
    need_same(ratedb.open(db).rates(rates.system), again(db, rates.system, tmp_path, file_format))


@pytest.mark.parametrize("name", MADE)
def test_pairs_are_taken_apart_into_their_molecules(name: str) -> None:
    first, second, _ = MADE[name]
    both = taken_apart(rates_of(first, second).levels, second.molecule)
    for one, levels in ((both.first, first), (both.second, second)):
        assert (one.molecule, one.kind) == (levels.molecule, levels.kind)
        order = [levels.label.index(label) for label in one.label]
        ratio = one.weight / levels.weight[order]  # a nuclear spin weight of all is the molecule's
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
        shift = one.energy_cm1 - levels.energy_cm1[order]
        np.testing.assert_allclose(shift, shift[0], atol=1e-9)


def test_levels_that_are_no_sums_are_not_taken_apart() -> None:
    levels = rates_of(WATER, HYDROGEN).levels
    wrong = Levels(
        levels.molecule, levels.label, levels.energy_cm1 + np.eye(len(levels))[3], levels.weight,
        levels.quantum_numbers, kind=levels.kind,
    )  # fmt: skip
    with pytest.raises(RatedbError, match="no pairs of levels of two molecules"):
        taken_apart(wrong, "o-H2")


def test_a_lamda_file_of_pairs_is_refused_with_what_to_do(tmp_path: Path) -> None:
    rates = rates_of(WATER, HYDROGEN)
    with pytest.raises(RatedbError, match="ratedb derive 'H2O\\(o-H2\\)\\+o-H2' --to effective"):
        export(stored(tmp_path, rates), [rates.system], tmp_path / "x.dat", ExportOptions())


@pytest.mark.parametrize("file_format", ["csv", "parquet", "basecol"])
@pytest.mark.parametrize("species", ["ortho", "para"])
def test_a_published_set_comes_back_from_a_file(tmp_path: Path, species: str, file_format: str) -> None:
    folder, db = shared_folder("h2o-h2-twobody-daniel2011"), tmp_path / "first.duckdb"
    letter = species[0]
    options = ImportOptions(
        molecule=f"{letter}-H2O",
        collider=f"{letter}-H2",
        levels=(next(folder.glob(f"H2O-{species}_IDT*.lev")),),
        collider_levels=next(folder.glob(f"H2-{species}*.lev")),
        quality="off",
    )
    (system,) = import_files(db, [next(folder.glob(f"H2O-{species}_H2-{species}*.kij"))], options).systems
    before = ratedb.open(db).rates(system.system)
    after = again(db, system.system, tmp_path, file_format)
    if file_format == "basecol":  # its lists have the levels without rates too
        assert after.levels.label == before.levels.label
        before = before.select(np.arange(len(before)))
        assert read_levels_of([tmp_path / "out.levels.csv"], "X").levels.kind == "asymmetric top"
        assert read_levels_of([tmp_path / "out.collider_levels.csv"], "X").levels.kind == "linear"
        np.testing.assert_allclose(after.rate_cm3_s, before.rate_cm3_s, rtol=1e-12)
        np.testing.assert_allclose(after.levels.energy_cm1, before.levels.energy_cm1, atol=1e-9)
        for name, values in before.levels.quantum_numbers.items():
            np.testing.assert_array_equal(after.levels.quantum_numbers[name], values)
    else:
        need_same(before, after)
