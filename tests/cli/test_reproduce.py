"""`reproduce`: the paper's own columns, and its tables and figures for a small made-up system."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import METRIC_KEYS, Run
from ratedb_cli.app import main
from rough import rough_rates
from synthetic import lamda_text, rotor_levels

from ratedb.errors import FitError
from ratedb.models import basis
from ratedb.models import search as search_module
from ratedb.models.engine import Specification, TrainingData
from ratedb.models.kernels import extensions
from ratedb.options import PlanOptions, ReproduceOptions
from ratedb.paper.printed import COLUMNS
from ratedb.paper.reproduction import Reproduction
from ratedb.planning.savings import Candidate
from ratedb.plots.paper import draw_by_j, draw_by_size
from ratedb.verbs import reproduce as reproduce_module
from ratedb.verbs.import_ import import_files
from ratedb.verbs.plan import plan

TARGET = tuple(range(2, 9))
SEED = 9
LEVELS = rotor_levels(8, molecule="AB")
KERNELS = ("M32", "LIN")
OPTIONS = ReproduceOptions(
    j=TARGET, given_j=(2,), sizes=(2, 3), hours_total=100.0, kernels=KERNELS, format="svg"
)
SEARCH = PlanOptions(
    j=TARGET, given_j=(2,), sizes=(2, 3), hours_total=100.0, kernels=KERNELS, strategy="exhaustive"
)
WORDS = ("reproduce", "AB+He", "--j", "2:8", "--given-j", "2", "--sizes", "2:3", "--kernels", "M32,LIN")
SIGNATURES = {"png": b"\x89PNG\r\n", "svg": b"<?xml"}


@pytest.fixture(autouse=True, scope="module")
def _quick() -> Iterator[None]:
    """One round of the composite search."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "_MOST_ROUNDS", 1)
        yield


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with AB+He for every j up to 8."""
    folder = tmp_path_factory.mktemp("known")
    (folder / "ab.dat").write_text(lamda_text([rough_rates(LEVELS, "He", seed=SEED)]))
    import_files(folder / "ab.duckdb", [folder / "ab.dat"])
    return folder / "ab.duckdb"


@pytest.fixture(scope="module")
def figures(db: Path) -> Path:
    return db.parent / "figures"


@pytest.fixture(scope="module")
def tables(db: Path, figures: Path) -> Any:
    """What `reproduce --json` prints of AB+He, with figures as PNG."""
    words = ["--db", str(db), "--json", *WORDS, "--hours-total", "100", "--figures", str(figures)]
    out = io.StringIO()
    with redirect_stdout(out):
        assert main(words) == 0
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def again(db: Path) -> Reproduction:
    """The same from Python, with figures as SVG."""
    folder = db.parent / "again"
    return reproduce_module.reproduce(db, "AB+He", replace(OPTIONS, figures=folder))


@pytest.fixture(scope="module")
def best(db: Path) -> list[Candidate]:
    """The best set of each size, as `plan --strategy exhaustive` finds it."""
    return plan(db, "AB+He", replace(SEARCH, dry_run=True)).candidates


def data() -> TrainingData:
    rates = rough_rates(LEVELS, "He", seed=SEED)
    rates = rates.select(np.isin(rates.initial_j(), TARGET))
    transitions = rates.transitions
    return TrainingData(transitions, rates.temperature_k, np.log10(rates.rate_cm3_s))


def trained(kernel: str, train_j: list[int], j: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Train one kernel on a set, and return what it predicts out of some j, and the truth; in log10."""
    every = data()
    own = every.select(np.flatnonzero(np.isin(every.initial_j(), train_j)))
    wanted = every.select(np.flatnonzero(np.isin(every.initial_j(), j)))
    fitted = basis.fit(own, Specification("basis", kernel, "physics", "linear"))
    return fitted.curves(wanted.transitions).mean, wanted.log10_k


def rms(pair: tuple[np.ndarray, np.ndarray]) -> float:
    return float(np.sqrt(((pair[0] - pair[1]) ** 2).mean()))


def test_without_a_system_the_papers_columns_are_recomputed_next_to_what_is_printed(
    run: Run, tmp_path: Path
) -> None:
    answer = run("--db", tmp_path / "none.duckdb", "--json", "reproduce")
    found = answer.json
    assert (answer.code, answer.err) == (0, "")
    assert (found["system"], found["sizes"], found["neighbours"], found["figures"]) == (None, [], [], [])
    assert len(found["paper"]) == len(COLUMNS) == 5
    for row, column in zip(found["paper"], COLUMNS, strict=True):
        computed, printed = row["computed"], row["printed"]
        assert computed["n"] == len(column.train_j)
        assert tuple(computed["train_j"]) == column.train_j == tuple(printed["train_j"])
        assert tuple(computed["validate_j"]) == column.validate_j == tuple(printed["validate_j"])
        assert computed["training_transitions"] == column.training_transitions
        assert computed["predicted_transitions"] == column.predicted_transitions
        validation = (computed["validation_transitions"], column.validation_transitions)
        assert validation == ((174, 179) if column.train_j == (5, 9, 14, 19) else (171, 171))
        assert round(computed["explicit_hours"], 1) == column.explicit_hours == printed["explicit_hours"]
        assert round(computed["avoided_hours"], 1) == column.avoided_hours == printed["avoided_hours"]
        assert computed["model_hours"] == column.model_hours_optimal
    assert not list(tmp_path.iterdir())


def test_the_papers_columns_are_printed_with_its_figures_in_brackets(run: Run, tmp_path: Path) -> None:
    out = run("--db", tmp_path / "none.duckdb", "reproduce").out
    for text in ("174 (179)", "393 (393)", "87.4", "(250.6)", "(86.08)", "179 for the 81 + 93 transitions"):
        assert text in out
    assert "Table I." not in out


@pytest.mark.slow
def test_the_tables_of_a_known_system_have_the_best_set_of_each_size(
    tables: Any, best: list[Candidate]
) -> None:
    assert tables["system"] == "AB+He"
    plans = [size["plan"] for size in tables["sizes"]]
    assert [plan["n"] for plan in plans] == [2, 3]
    assert [tuple(plan["train_j"]) for plan in plans] == [one.train_j for one in best]
    assert [tuple(plan["validate_j"]) for plan in plans] == [one.validate_j for one in best]


@pytest.mark.slow
def test_the_counts_of_transitions_and_hours_add_up(tables: Any) -> None:
    total = sum(TARGET)  # j transitions leave a j
    for size in tables["sizes"]:
        plan = size["plan"]
        counts = [plan[f"{use}_transitions"] for use in ("training", "validation", "predicted")]
        assert counts == [
            sum(plan["train_j"]),
            sum(plan["validate_j"]),
            total - sum(plan["train_j"]) - sum(plan["validate_j"]),
        ]
        assert plan["explicit_hours"] + plan["avoided_hours"] == pytest.approx(100.0)
        saved = 100.0 - plan["explicit_hours"] - plan["model_hours"]
        assert plan["time_saved_percent"] == pytest.approx(saved)
        assert plan["model_hours"] == pytest.approx(size["optimal"]["seconds"] / 3600.0)
        assert 0 < size["single"]["seconds"] <= size["optimal"]["seconds"]
        for result in (size["single"], size["optimal"]):
            test = result["test"]
            assert set(test) >= METRIC_KEYS
            assert test["transitions"] == counts[2]
            assert test["values"] == 2 * counts[2]  # two temperatures
            many, few = test["transitions_over_10_percent"], test["transitions_below_5_percent"]
            assert 0 <= many + few <= counts[2]


@pytest.mark.slow
def test_kernels_are_chosen_by_validation_error(tables: Any) -> None:
    """The composite search has one round: the best kernel, with each other added and multiplied."""
    for size in tables["sizes"]:
        plan = size["plan"]

        def error(kernel: str, plan: Any = plan) -> float:
            try:
                return rms(trained(kernel, plan["train_j"], plan["validate_j"]))
            except FitError:
                return np.inf

        single = min(KERNELS, key=error)
        assert size["single"]["kernel"] == single
        least = min(error(kernel) for kernel in (*KERNELS, *extensions(single, KERNELS)))
        assert error(size["optimal"]["kernel"]) == pytest.approx(least, rel=1e-6)
    assert any(size["optimal"]["kernel"] not in KERNELS for size in tables["sizes"])


@pytest.mark.slow
def test_each_kernel_is_tested_on_what_neither_trains_nor_validates(tables: Any) -> None:
    every = data()
    for size in tables["sizes"]:
        plan = size["plan"]
        left = sorted(set(TARGET) - {*plan["train_j"], *plan["validate_j"]})
        initial = every.initial_j()[np.isin(every.initial_j(), left)]
        for result in (size["single"], size["optimal"]):
            predicted, truth = trained(result["kernel"], plan["train_j"], left)
            assert result["test"]["dex_rms"] == pytest.approx(rms((predicted, truth)), rel=1e-6)
            percent = 100.0 * np.abs((predicted - truth) / truth).mean(axis=1)
            assert result["test"]["log10_percent_error"] == pytest.approx(percent.mean(), rel=1e-6)
            assert [row["j"] for row in result["by_j"]] == left
            for row in result["by_j"]:
                assert row["percent"] == pytest.approx(percent[initial == row["j"]].mean(), rel=1e-6)
                assert row["worst_percent"] == pytest.approx(percent[initial == row["j"]].max(), rel=1e-6)


@pytest.mark.slow
def test_table_two_has_the_largest_set_and_its_rivals_by_test_error(tables: Any) -> None:
    rivals = tables["neighbours"]
    sets = [tuple(row["train_j"]) for row in rivals]
    assert len(set(sets)) == len(sets) == 7
    assert {len(one) for one in sets} == {3}
    assert tuple(tables["sizes"][-1]["plan"]["train_j"]) in sets
    errors = [row["log10_percent_error"] for row in rivals]
    assert errors == sorted(errors)
    assert len({row["kernel"] for row in rivals}) == 1
    for row in rivals[:2]:
        left = sorted(set(TARGET) - {*row["train_j"], *validation_of(row["train_j"])})
        assert row["dex_rms"] == pytest.approx(rms(trained(row["kernel"], row["train_j"], left)), rel=1e-6)


def validation_of(train_j: list[int]) -> list[int]:
    """Return the validation j of a training set with j = 2: 3 and 6, or the next free ones."""
    first = next(j for j in range(3, 9) if j not in train_j)
    return [first, next(j for j in range(max(6, first + 3), 9) if j not in train_j)]


@pytest.mark.slow
def test_table_two_is_of_the_kernel_that_found_the_best_set(tables: Any, best: list[Candidate]) -> None:
    assert best[-1].kernel == "LIN"  # though M32 has the best score before the best are trained anew
    (row,) = [row for row in tables["neighbours"] if tuple(row["train_j"]) == best[-1].train_j]
    assert row["kernel"] == best[-1].kernel
    assert row["dex_rms"] == pytest.approx(best[-1].test_dex_rms, rel=1e-6)


@pytest.mark.slow
def test_the_paper_is_shown_next_to_every_system(tables: Any, run: Run, tmp_path: Path) -> None:
    assert tables["paper"] == run("--db", tmp_path / "x.duckdb", "--json", "reproduce").json["paper"]


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        timed = ("seconds", "model_hours", "time_saved_percent", "figures")
        return {name: without_times(each) for name, each in value.items() if name not in timed}
    return [without_times(each) for each in value] if isinstance(value, list) else value


@pytest.mark.slow
def test_the_same_request_gives_the_same_tables(tables: Any, again: Reproduction) -> None:
    assert without_times(json.loads(json.dumps(again.to_json()))) == without_times(tables)


@pytest.mark.slow
def test_figures_are_written_as_png_and_svg(tables: Any, again: Reproduction, figures: Path) -> None:
    paths = {"png": [Path(path) for path in tables["figures"]], "svg": list(again.figures)}
    for suffix, files in paths.items():
        assert [path.name for path in files] == [f"figure3.{suffix}", f"figure4.{suffix}"]
        for path in files:
            assert path.read_bytes().startswith(SIGNATURES[suffix])
            assert len(path.read_bytes()) > 5000
    assert sorted(figures.iterdir()) == paths["png"]
    by_size = paths["svg"][0].read_text()
    assert by_size.rstrip().endswith("</svg>")


@pytest.mark.slow
def test_the_same_result_gives_the_same_figures_to_the_byte(
    tables: Any, again: Reproduction, figures: Path
) -> None:
    by_size, by_j = again.figures
    assert by_size.read_bytes() == draw_by_size("AB+He", again.sizes, "svg")
    assert by_j.read_bytes() == draw_by_j("AB+He", again.sizes, "svg")
    assert (figures / "figure4.png").read_bytes() == draw_by_j("AB+He", again.sizes, "png")


@pytest.mark.slow
def test_tables_are_printed_for_people(
    run: Run, db: Path, again: Reproduction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduce_module, "reproduce", lambda *arguments: again)
    out = run("--db", db, *WORDS).out
    for number in ("I. ", "II. ", "III. ", "IV. ", "V. "):
        assert f"Table {number}" in out
    assert "explicit h" in out
    for size in again.sizes:
        assert ",".join(map(str, size.plan.train_j)) in out
        assert size.optimal.kernel in out
    assert all(f"wrote {path}" in out.replace("\n", "") for path in again.figures)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((*WORDS, "--format", "gif"), 2, "unknown format"),
        (("reproduce", "XY+He"), 1, "the store has no system 'XY+He'"),
        (("reproduce", "nonsense"), 1, "the store has no system 'nonsense'"),
        (("reproduce", "AB+He", "--j", "5:20"), 1, "the store has no rates out of some j of the target set"),
        (("reproduce", "AB+He", "--j", "2:8", "--sizes", "1"), 2, "no training set of these sizes"),
        ((*WORDS, "--mean", "magic"), 2, "unknown mean"),
        ((*WORDS, "--kernels", "M99"), 2, "not a kernel"),
        (("reproduce",), 2, "figures need a system"),
        (("reproduce", "AB+He", "--j", "2:3"), 2, "too short to plan"),
    ],
)
def test_bad_input_is_one_message_and_draws_nothing(
    run: Run, db: Path, tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    answer = run("--db", db, "--json", *words, "--figures", tmp_path / "figures")
    assert (answer.code, answer.json["error"]["exit_code"]) == (code, code)
    assert message in answer.json["error"]["what"]
    assert answer.err.count("ratedb: ") == 1
    assert "Traceback" not in answer.err
    assert list(tmp_path.glob("figures/*")) == []
