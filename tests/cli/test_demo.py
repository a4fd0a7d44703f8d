"""The demo does the whole job on real data, goes on where it stopped, and the README tells what it prints."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import METRIC_KEYS, Run
from ratedb_cli.app import main
from real import co_file

from ratedb.files import sha256
from ratedb.io.lamda import read_lamda
from ratedb.options import DemoOptions
from ratedb.radiative import solving
from ratedb.verbs import demo as demo_workflow
from ratedb.verbs import demo_file

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one demo, run once."""
    co_file()
    path = tmp_path_factory.mktemp("demo") / "work"
    assert main(["--quiet", "demo", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def found(folder: Path) -> dict[str, Any]:
    """What the demo found, as a second run gives it again."""
    return demo_workflow.demo(folder, DemoOptions()).to_json()


@pytest.mark.slow
def test_the_demo_plans_four_training_j_and_says_what_they_save(found: dict[str, Any]) -> None:
    chosen = found["plan"]["chosen"]
    assert (chosen["train_j"], chosen["validate_j"]) == ([5, 9, 14, 19], [6, 10])
    assert chosen["time_saved_percent"] == pytest.approx(74.1, abs=0.1)


@pytest.mark.slow
def test_the_demo_holds_out_what_was_not_planned(found: dict[str, Any], folder: Path) -> None:
    from ratedb.store.store import Store

    with Store(folder / "demo.duckdb") as store:
        computed = store.rates("CO+p-H2").of_kinds(["computed"])
    assert sorted(set(computed.initial_j().tolist())) == [1, 2, 3, 4, 5, 6, 9, 10, 14, 19]
    assert found["fill"]["CO+p-H2"]["filled_transitions"] == 7 + 8 + 11 + 12 + 13 + 15 + 16 + 17 + 18 + 20


@pytest.mark.slow
@pytest.mark.parametrize("system", ["CO+p-H2", "CO+o-H2"])
def test_the_model_beats_naive_interpolation_on_dex_rms_and_p95(found: dict[str, Any], system: str) -> None:
    model = found["evaluate"][system]["model"]
    naive = found["evaluate"][system]["baselines"]["interpolation"]
    assert set(model) >= METRIC_KEYS
    assert model["dex_rms"] < 0.5 * naive["dex_rms"]
    assert model["factor_p95"] < 0.6 * naive["factor_p95"]
    assert len(found["train"][system]["tried"]) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("system", ["CO+p-H2", "CO+o-H2"])
def test_the_stated_95_percent_intervals_hold_for_most_rates(found: dict[str, Any], system: str) -> None:
    assert found["evaluate"][system]["model"]["coverage_95"] > 0.85


@pytest.mark.slow
def test_the_filled_file_is_complete_and_has_its_provenance(found: dict[str, Any]) -> None:
    file = read_lamda(Path(found["export"]["path"]))
    assert [(p.rates.collider, len(p.rates)) for p in file.partners] == [("p-H2", 210), ("o-H2", 210)]
    assert Path(found["export"]["provenance_path"]).exists()
    assert sha256(Path(found["export"]["path"]).read_bytes()) == found["export"]["sha256"]
    assert found["export"]["predicted_fraction"] == pytest.approx(137 / 210)


@pytest.mark.slow
def test_radex_sees_nearly_the_same_lines_in_the_true_and_the_filled_file(found: dict[str, Any]) -> None:
    assert found["verify"]["lines_compared"] > 200
    assert 1.0 < found["verify"]["median_flux_ratio"] < 1.02
    assert found["verify"]["max_population_difference"] < 0.01


@pytest.mark.slow
def test_the_picture_is_drawn(found: dict[str, Any]) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib (the plots extra) is not installed")
    assert Path(found["picture"]).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_demo_ends_by_making_a_page_and_says_where(found: dict[str, Any], folder: Path) -> None:
    pytest.importorskip("bokeh", reason="Bokeh (the report extra) is not installed")
    page = (folder / "report.html").read_bytes()
    assert found["report"] == {
        "path": str(folder / "report.html"),
        "bytes": len(page),
        "sha256": sha256(page),
        "systems": ["CO+p-H2", "CO+o-H2"],
    }


@pytest.mark.slow
def test_a_demo_that_was_stopped_goes_on_where_it_was(folder: Path, tmp_path: Path, run: Run) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    state = json.loads((copy / "demo.json").read_text())
    del state["steps"]["verify"]
    (copy / "demo.json").write_text(json.dumps(state))
    answer = run("demo", copy)
    assert answer.code == 0
    assert answer.out.count("(done before)") == 11
    assert "11  run RADEX on the true and the filled file\n" in answer.out


@pytest.mark.slow
def test_the_readme_quotes_what_the_demo_finds(found: dict[str, Any]) -> None:
    """Numbers may differ in the last digit between processors, not more."""
    for row in found["summary"]:
        words = re.escape(row["question"]).replace(r"\ ", r"\s")
        line = re.search(rf"^ {words} +(.*)$", README, flags=re.MULTILINE)
        assert line is not None, f"run `make generate`: {row['question']}"
        quoted = [float(number) for number in re.findall(r"\d+\.?\d*", line[1])]
        ours = [float(n) for n in re.findall(r"\d+\.?\d*", row["answer"] + " " + row["interpolation"])]
        assert quoted == pytest.approx(ours, rel=0.15), row["question"]


def test_any_lamda_file_will_do_and_missing_parts_are_left_out_with_a_word(
    run: Run, rotor_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_demo: None
) -> None:
    monkeypatch.setattr(solving, "radex_available", lambda: False)
    monkeypatch.setattr(demo_workflow, "plots_available", lambda: False)
    monkeypatch.setattr(demo_workflow, "report_available", lambda: False)
    answer = run("demo", tmp_path / "work", "--file", rotor_file)
    assert answer.code == 0
    assert "ratedb's escape-probability solver at 30 K" in answer.out
    assert "matplotlib is not installed" in answer.out
    assert "Bokeh is not installed (pip install 'ratedb[report]')" in answer.out
    assert (tmp_path / "work" / "filled.dat").exists()
    pytest.importorskip("matplotlib", reason="matplotlib (the plots extra) is not installed")
    monkeypatch.setattr(demo_workflow, "plots_available", lambda: True)
    assert run("demo", tmp_path / "work", "--file", rotor_file).code == 0
    assert len(list((tmp_path / "work").glob("*.png"))) == 2


def test_without_a_file_and_without_the_package_it_says_what_to_do(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_file, "lamda_folder", lambda: None)
    answer = run("demo", tmp_path / "work")
    assert (answer.code, "ratedb demo --file co.dat" in answer.err) == (1, True)
    assert not (tmp_path / "work").exists()


@pytest.mark.slow
def test_a_folder_with_something_else_in_it_is_refused(
    run: Run, folder: Path, rotor_file: Path, tmp_path: Path
) -> None:
    before = (folder / "demo.json").read_bytes()
    answer = run("demo", folder, "--file", rotor_file)
    assert (answer.code, "another file" in answer.err) == (1, True)
    assert (folder / "demo.json").read_bytes() == before
    (tmp_path / "demo.json").write_text("{}")
    assert run("demo", tmp_path, "--file", rotor_file).code == 1
    (tmp_path / "file").touch()
    assert "cannot make" in run("demo", tmp_path / "file", "--file", rotor_file).err
