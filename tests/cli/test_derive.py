"""`ratedb derive`: what scripts read, what people see, exit codes; and the whole way on published data."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Run
from real import shared_folder

from ratedb.radiative.radex import lamda_folder


def lamda(name: str) -> Path:
    folder = lamda_folder()
    if folder is None:
        pytest.skip("spectralradex, which ships LAMDA files, is not installed (Linux, CPython 3.11 only)")
    return folder / name


@pytest.fixture
def hcn(run: Run, tmp_path: Path) -> Path:
    """A store with published hyperfine rates of HCN, and the rotational ones that they give."""
    db = tmp_path / "hcn.duckdb"
    words = ("--molecule", "HCN(hfs)", "--method", "CC")
    assert run("--db", db, "--quiet", "import", lamda("hcn@hfs.dat"), *words).code == 0
    assert run("--db", db, "--quiet", "derive", "HCN(hfs)+p-H2", "--to", "rotational").code == 0
    return db


@pytest.fixture
def water(run: Run, tmp_path: Path) -> Path:
    """A store with published rates of o-H2O and o-H2, both of which change state."""
    folder, db = shared_folder("h2o-h2-twobody-daniel2011"), tmp_path / "water.duckdb"
    names = "H2O-ortho_H2-ortho_statetostate_ID147_v1.kij", "H2O-ortho_IDT1_vt1_IDC94_vc1.lev"
    kij, target, partner = (folder / name for name in (*names, "H2-ortho_IDT16_vt1_IDC149_vc1.lev"))
    words = ("--levels", target, "--collider-levels", partner, "--molecule", "o-H2O", "--collider", "o-H2")
    assert run("--db", db, "--quiet", "import", kij, *words, "--quality", "off").code == 0
    return db


def test_published_hyperfine_rates_of_hcn_are_recoupled_within_15_percent(run: Run, hcn: Path) -> None:
    words = ("derive", "HCN+p-H2", "--to", "hyperfine", "--like", "HCN(hfs)")
    answer = run("--db", hcn, "--json", *words)
    assert answer.code == 0
    found = answer.json
    assert (found["system"], found["transitions"], found["within_j"]) == ("HCN(hfs)+p-H2", 300, 24)
    assert found["details"]["nuclear_spins"] == [1.0]
    of = {one["of"]: one for one in found["against"]["groups"]}
    assert of["change of j"]["factor_median"] < 1.15
    at = {one["of"]: one for one in found["against"]["by_temperature"]}
    assert at["30 K"]["factor_median"] < 1.15


def test_strengths_of_neufeld_and_green_give_their_published_rates_of_hcl(run: Run, tmp_path: Path) -> None:
    db = tmp_path / "hcl.duckdb"
    run("--db", db, "--quiet", "import", lamda("hcl@hfs.dat"), "--molecule", "HCl(hfs)", "--quality", "off")
    assert run("--db", db, "--quiet", "derive", "HCl(hfs)+H2", "--to", "rotational").code == 0
    words = ("--to", "hyperfine", "--like", "HCl(hfs)", "--method", "excitation", "--dry-run")
    found = run("--db", db, "--json", "derive", "HCl+H2", *words).json
    of = {one["of"]: one for one in found["against"]["groups"]}
    assert of["change of j"]["factor_median"] < 1.01
    assert of["within one j"]["factor_median"] < 1.02


def test_an_effective_lamda_file_of_water_comes_out_of_state_to_state_rates(
    run: Run, water: Path, tmp_path: Path
) -> None:
    answer = run("--db", water, "--json", "derive", "o-H2O(o-H2)+o-H2", "--to", "effective")
    found = answer.json
    assert (found["system"], found["transitions"], len(found["details"]["incomplete"])) == (
        "o-H2O+o-H2",
        990,
        800,
    )
    assert "800 of 990 sums are incomplete" in answer.err
    target = tmp_path / "water.dat"
    assert run("--db", water, "export", "o-H2O+o-H2", "-o", target).code == 0
    assert len(target.read_text().splitlines()) > 990


def test_people_see_the_errors_and_where_the_rates_are_from(run: Run, hcn: Path) -> None:
    words = ("derive", "HCN+p-H2", "--to", "hyperfine", "--like", "HCN(hfs)", "--dry-run")
    answer = run("--db", hcn, *words)
    assert answer.code == 0
    assert "HCN(hfs)+p-H2 (dry run)" in answer.out
    assert "Derived from HCN+p-H2 (sources 2)" in answer.out
    assert "Against computed rates (sources 1)" in answer.out
    assert "within one j" in answer.out
    assert "source 2 of HCN+p-H2 was itself derived from HCN(hfs)+p-H2" in answer.err


def test_population_that_is_covered_is_a_table(run: Run, water: Path) -> None:
    answer = run("--db", water, "derive", "o-H2O(o-H2)+o-H2", "--to", "thermal", "--dry-run")
    assert answer.code == 0
    assert "Population of the partner" in answer.out
    assert "cover less than 95%" in answer.err
    assert "no computed rates of this system" in answer.out


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("--to", "nothing"), 2),
        (("--to", "hyperfine"), 2),
        (("--to", "effective"), 1),
        (("--to", "rotational"), 1),
        (("--to", "hyperfine", "--levels", "/nowhere.dat"), 1),
    ],
)
def test_an_error_is_one_message_with_its_exit_code(
    run: Run, imported: Path, words: tuple[str, ...], code: int
) -> None:
    answer = run("--db", imported, "derive", "AB+He", *words)
    assert answer.code == code
    assert "Traceback" not in answer.err


def test_an_unknown_system_is_named(run: Run, imported: Path) -> None:
    answer = run("--db", imported, "--json", "derive", "CD+He", "--to", "rotational")
    assert answer.code == 1
    assert "no system 'CD+He'" in answer.json["error"]["what"]
