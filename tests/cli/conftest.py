"""A store with a synthetic rotor, trained and filled once for all tests of the command line."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest
from commands import COMPUTED, FAST, J_MAX, TRAIN, Answer, Run
from ratedb_cli.app import main
from synthetic import lamda_text, rotor_levels, rotor_rates

from ratedb.options import TrainOptions
from ratedb.verbs import demo as demo_workflow


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `ratedb ARGUMENTS` in this process."""

    def call(*arguments: object) -> Answer:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def rotor_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LAMDA file of a made-up rotor AB with He and p-H2."""
    levels = rotor_levels(J_MAX, molecule="AB")
    tables = [
        rotor_rates(levels, collider, (10.0, 20.0, 50.0, 100.0), seed=number)
        for number, collider in enumerate(("p-H2", "He"))
    ]
    path = tmp_path_factory.mktemp("rotor") / "ab.dat"
    path.write_text(lamda_text(tables))
    return path


@pytest.fixture(scope="session")
def _filled(tmp_path_factory: pytest.TempPathFactory, rotor_file: Path) -> Path:
    db = tmp_path_factory.mktemp("filled") / "filled.duckdb"
    base = ["--quiet", "--db", str(db)]
    assert main([*base, "import", str(rotor_file), "--j", COMPUTED, "--method", "CC"]) == 0
    assert main([*base, "train", "AB+He", *TRAIN, *FAST]) == 0
    assert main([*base, "fill", "AB+He"]) == 0
    return db


@pytest.fixture
def filled(_filled: Path, tmp_path: Path) -> Path:
    """A store of one's own in which AB+He was trained and filled; AB+p-H2 was only imported."""
    return Path(shutil.copy(_filled, tmp_path / "filled.duckdb"))


@pytest.fixture
def quick_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the demo try one kernel only."""
    quick = partial(TrainOptions, kernels=("M32",), features="physics")
    monkeypatch.setattr(demo_workflow, "TrainOptions", quick)


@pytest.fixture
def imported(rotor_file: Path, tmp_path: Path) -> Path:
    """A store of one's own with the whole rotor file."""
    db = tmp_path / "imported.duckdb"
    assert main(["--quiet", "--db", str(db), "import", str(rotor_file)]) == 0
    return db
