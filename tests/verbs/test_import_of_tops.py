"""The wide tables of tops and pairs in the shared data: which are imported, as what, with which values."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from real import shared_folder

import ratedb
from ratedb.errors import RatedbError
from ratedb.options import ImportOptions
from ratedb.rates import Rates
from ratedb.verbs.import_ import import_files

ASYMMETRIC = [
    "hdo-oh2", "hdo-ph2", "hnco-he", "oh2co-oh2", "oh2co-ph2", "oh2o-eff-oh2", "oh2o-eff-ph2", "onh2d-oh2",
    "onh2d-ph2-thermal", "osic2-h2", "ph2o-eff-oh2", "ph2o-eff-ph2", "pnh2d-ph2-thermal", "so2xpol-h2",
]  # fmt: skip
SYMMETRIC = ["onh3-ph2", "pnh3-ph2"]
PAIRS = {
    "oh2o-oh2-daniel2011": ("o-H2O", "o-H2", "H2O-ortho_H2-ortho", "H2O-ortho_IDT", "H2-ortho"),
    "ph2o-oh2-daniel2011": ("p-H2O", "o-H2", "H2O-para_H2-ortho", "H2O-para_IDT", "H2-ortho"),
    "ph2o-ph2-daniel2011": ("p-H2O", "p-H2", "H2O-para_H2-para", "H2O-para_IDT", "H2-para"),
}
REFUSED = {
    "oc3h2-h2": "does not tell the levels of X apart",
    "pc3h2-h2": "does not tell the levels of X apart",
    "oh3op-ph2": "does not tell the levels of X apart",
    "ph3op-ph2": "does not tell the levels of X apart",
    "ph2o-h2o-mqct": "too large for a rate coefficient",
}


def options_of(folder: Path, molecule: str = "X", collider: str = "p-H2") -> ImportOptions:
    partner = folder / "partner_levels.csv"
    return ImportOptions(
        molecule=molecule,
        collider=collider,
        levels=(folder / "levels.csv",),
        collider_levels=partner if partner.is_file() else None,
        quality="off",
    )


def imported(folder: Path, db: Path, molecule: str = "X", collider: str = "p-H2") -> Rates:
    (system,) = import_files(db, [folder / "values.csv.gz"], options_of(folder, molecule, collider)).systems
    assert system.new == system.rates
    return ratedb.open(db).rates(system.system)


def columns(path: Path) -> dict[str, np.ndarray]:
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    names, *rows = csv.reader(text.splitlines())
    return {name: np.array([float(row[at] or "nan") for row in rows]) for at, name in enumerate(names)}


def label_of(folder: Path, file: str) -> list[str]:
    table = columns(folder / file)
    names = [name for name in table if name not in ("level", "energy_cm1", "weight", "tau")]
    return ["_".join(f"{table[name][row]:g}" for name in names) for row in range(len(table["level"]))]


def rows_of(folder: Path) -> tuple[list[tuple[str, str]], np.ndarray, np.ndarray]:
    """Return the labels of both ends of each row of a table, its temperatures and values (n, m)."""
    table = columns(folder / "values.csv.gz")
    initial, final, first, second = (table[name].astype(int) - 1 for name in list(table)[:4])
    own = label_of(folder, "levels.csv")
    other = label_of(folder, "partner_levels.csv") if (first >= 0).all() else []
    names = []
    for a, b, c, d in zip(initial, final, first, second, strict=True):
        more = (f"_{other[c]}", f"_{other[d]}") if other else ("", "")
        names.append((own[a] + more[0], own[b] + more[1]))
    kelvin = np.array([float(name) for name in list(table)[4:]])
    return names, kelvin, np.stack(list(table.values())[4:], axis=1)


@pytest.mark.parametrize("name", [*ASYMMETRIC, *SYMMETRIC, *PAIRS])
def test_a_set_is_imported_with_its_kind_and_no_value_is_changed(tmp_path: Path, name: str) -> None:
    folder = shared_folder("tops") / name
    names = PAIRS[name][:2] if name in PAIRS else ("X", "p-H2")
    rates = imported(folder, tmp_path / "s.duckdb", *names)
    kind = "asymmetric top x linear" if name in PAIRS else "asymmetric top"
    assert rates.levels.kind == ("symmetric top" if name in SYMMETRIC else kind)
    names, kelvin, values = rows_of(folder)
    np.testing.assert_array_equal(rates.temperature_k, kelvin)
    stored = {pair: row for row, pair in enumerate(rates.transitions.names())}
    down = np.array([pair in stored for pair in names])
    rows = [stored[pair] for pair, here in zip(names, down, strict=True) if here]
    np.testing.assert_array_equal(rates.rate_cm3_s[rows], values[down])
    turned = [stored[pair[::-1]] for pair, here in zip(names, down, strict=True) if not here]
    assert len(rates) == len(names) == len(rows) + len(turned)
    upward = rates.upward_rate_cm3_s[turned]
    known = np.isfinite(upward)
    np.testing.assert_allclose(upward[known], values[~down][known], rtol=1e-12)


@pytest.mark.parametrize("name", REFUSED)
def test_a_set_that_cannot_be_read_is_refused_with_one_message(tmp_path: Path, name: str) -> None:
    folder = shared_folder("tops") / name
    with pytest.raises(RatedbError, match=REFUSED[name]) as caught:
        import_files(tmp_path / "s.duckdb", [folder / "values.csv.gz"], options_of(folder))
    assert all([caught.value.expected, caught.value.got, caught.value.todo])


def test_every_set_has_an_outcome() -> None:
    found = {path.name for path in shared_folder("tops").iterdir() if path.is_dir()}
    assert found == {*ASYMMETRIC, *SYMMETRIC, *PAIRS, *REFUSED}


@pytest.mark.parametrize("name", PAIRS)
def test_a_set_of_pairs_is_that_of_the_files_of_basecol(tmp_path: Path, name: str) -> None:
    tops, basecol, db = (
        shared_folder("tops"),
        shared_folder("h2o-h2-twobody-daniel2011"),
        tmp_path / "s.duckdb",
    )
    molecule, collider, *starts = PAIRS[name]
    table, levels, others = (next(basecol.glob(f"{start}*")) for start in starts)
    options = ImportOptions(
        molecule=molecule, collider=collider, levels=(levels,), collider_levels=others, quality="off"
    )
    (system,) = import_files(db, [table], options).systems
    first = ratedb.open(db).rates(system.system)
    again = imported(tops / name, tmp_path / "t.duckdb", molecule, collider)
    assert again.levels.kind == first.levels.kind
    np.testing.assert_array_equal(again.levels.energy_cm1, first.levels.energy_cm1)
    assert {*again.levels.quantum_numbers} == {*first.levels.quantum_numbers}
    for number, values in first.levels.quantum_numbers.items():
        np.testing.assert_array_equal(again.levels.quantum_numbers[number], values)
    np.testing.assert_array_equal(again.transitions.keys(), first.transitions.keys())
    np.testing.assert_allclose(again.rate_cm3_s, first.rate_cm3_s, rtol=1e-12)
    assert imported(tops / name, db, molecule, collider).levels.label == first.levels.label  # none is added


def test_a_linear_table_by_v_and_j_has_the_printed_rates(tmp_path: Path) -> None:
    folder = shared_folder("xs-xo-like-he-rovib-molscat-2026")
    options = ImportOptions(molecule="XO", collider="He", levels=(folder / "levels.csv",), quality="off")
    import_files(tmp_path / "s.duckdb", [folder / "rates.csv"], options)
    rates = ratedb.open(tmp_path / "s.duckdb").rates("XO+He")
    table = columns(folder / "rates.csv")
    ends = np.stack([table[name] for name in ("v", "j", "v_final", "j_final")], axis=1).astype(int).tolist()
    values = np.stack(list(table.values())[4:], axis=1)
    stored = {tuple(row): place for place, row in enumerate(rates.transitions.vj().tolist())}
    down = [at for at, row in enumerate(ends) if tuple(row) in stored]
    assert len(stored) == len(down)
    rows = [stored[tuple(ends[at])] for at in down]
    np.testing.assert_array_equal(rates.rate_cm3_s[rows], values[down])
