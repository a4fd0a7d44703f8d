"""From the command line: plan what is not known, import its jobs, ask what is next; and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import Answer, Run
from ratedb_cli.app import main
from rough import rough_rates
from synthetic import lamda_text, rotor_levels

J = ("--j", "2:10")
VARIANCE = (*J, "--strategy", "variance", "--hours-total", "100")
TOTAL = sum(j**4 for j in range(5, 11))


@pytest.fixture(scope="module")
def rough_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LAMDA file of a made-up rotor AB with He and p-H2, j = 0..10."""
    levels = rotor_levels(10, molecule="AB")
    path = tmp_path_factory.mktemp("rough") / "ab.dat"
    path.write_text(lamda_text([rough_rates(levels, "He", seed=1), rough_rates(levels, "p-H2", seed=2)]))
    return path


@pytest.fixture(scope="module")
def _low(rough_file: Path) -> Path:
    db = rough_file.with_name("low.duckdb")
    base = ["--quiet", "--db", str(db), "import", str(rough_file)]
    assert main([*base, "--j", "1:4", "--collider", "He"]) == 0
    assert main([*base, "--collider", "p-H2"]) == 0
    return db


@pytest.fixture
def low(_low: Path, tmp_path: Path) -> Path:
    """A store of one's own with AB+He out of j = 1..4 and all of AB+p-H2."""
    return Path(shutil.copy(_low, tmp_path / "low.duckdb"))


def test_a_plan_is_followed_from_its_worklist_to_the_last_import(
    run: Run, low: Path, rough_file: Path, tmp_path: Path
) -> None:
    jobs = tmp_path / "jobs.json"
    budget = ("--budget-hours", "60", "--worklist", jobs)
    plan = run("--db", low, "--json", "plan", "AB+He", *VARIANCE, *budget)
    assert plan.code == 0
    assert plan.err.count("warning:") == 1
    chosen = plan.json["chosen"]
    assert (plan.json["strategy"], plan.json["plan_id"]) == ("variance", 1)
    assert plan.json["request"]["given"] == [0, 1, 2, 3, 4]
    assert chosen["explicit_hours"] <= 60
    assert chosen["expected_error"] == min(
        c["expected_error"] for c in plan.json["candidates"] if c["expected_error"] is not None
    )
    worklist = [job["j"] for job in json.loads(jobs.read_text())]
    assert worklist == sorted({*chosen["train_j"], *chosen["validate_j"]} - {1, 2, 3, 4})
    assert len(worklist) > 2

    def done(*j: int) -> Answer:
        words = ("import", rough_file, "--collider", "He", "--j", ",".join(map(str, j)))
        return run("--db", low, "--json", *words)

    def following(*more: object) -> dict:
        return dict(run("--db", low, "--json", "next", "AB+He", *more).json)

    first, second = chosen["validate_j"]
    assert following()["next_j"] == first
    (system,) = done(first).json["systems"]
    left = [j for j in worklist if j != first]
    assert system["plan"] == {"plan_id": 1, "done_j": [first], "left_j": left}
    found = following("--worklist", jobs)
    assert (found["plan_id"], found["next_j"], found["stop"]) == (1, second, False)
    assert json.loads(jobs.read_text()) == [
        {
            "order": 1,
            "system": "AB+He",
            "v": 0,
            "j": second,
            "use": "validate",
            "expected_hours": pytest.approx(100.0 * second**4 / TOTAL),
        }
    ]
    (system,) = done(*left).json["systems"]
    assert system["plan"] == {"plan_id": 1, "done_j": worklist, "left_j": []}
    found = following("--budget-hours", "0.1")
    assert (found["next_j"], found["stop"], found["measured"]) == (None, True, True)
    assert found["validate_j"] == chosen["validate_j"]
    assert found["expected_error"] > 0
    assert set(found["unknown_j"]) == set(range(5, 11)) - set(worklist)
    assert [c["planned"] for c in found["candidates"]] == [False] * len(found["unknown_j"])


def test_what_is_next_is_a_table_and_a_sentence(run: Run, low: Path, rough_file: Path) -> None:
    own = ("--train-j", "4,7,10", "--hours-total", "100", "--given-j", "2:4")
    assert run("--db", low, "plan", "AB+He", *J, *own).code == 0
    answer = run("--db", low, "import", rough_file, "--collider", "He", "--j", "5,6")
    assert "7,8,10 left. `ratedb next AB+He`" in " ".join(answer.out.split())
    answer = run("--db", low, "next", "AB+He")
    assert answer.code == 0
    assert "AB+He: one more j" in answer.out
    assert "Expected error now: " in answer.out
    assert "no model can be trained yet" in answer.out
    assert "Next: j = 8, it validates" in answer.out
    answer = run("--db", low, "next", "AB+He", "--budget-hours", "0.1")
    assert "Stop: no j that is left costs 0.1 h or less." in answer.out


def test_the_curve_is_a_table_with_expected_errors(run: Run, low: Path) -> None:
    answer = run("--db", low, "plan", "AB+He", *VARIANCE, "--target-error", "50", "--dry-run")
    assert answer.code == 0
    assert "AB+He: variance (not stored)" in answer.out
    assert "expected dex" in answer.out
    assert "Chosen: N = " in answer.out


def test_an_import_without_a_plan_of_its_system_speaks_of_none(run: Run, low: Path, rough_file: Path) -> None:
    assert run("--db", low, "plan", "AB+He", *J, "--train-j", "4,7,10").code == 0
    answer = run("--db", low, "--json", "import", rough_file, "--j", "7", "--method", "CC")
    plans = {system["system"]: system["plan"] for system in answer.json["systems"]}
    assert plans == {"AB+He": {"plan_id": 1, "done_j": [7], "left_j": [5, 8, 10]}, "AB+p-H2": None}
    answer = run("--db", low, "--json", "import", rough_file, "--j", "8", "--dry-run")
    assert [system["plan"] for system in answer.json["systems"]] == [None, None]


@pytest.mark.parametrize(
    "ignored",
    [
        ("--validate-j", "5,8"),
        ("--given-j", "2"),
        ("--v-max", "1"),
        ("--cost-exponent", "6"),
        ("--hours-total", "10"),
        ("--hours-file", "hours.csv"),
    ],
    ids=lambda ignored: ignored[0],
)
def test_options_without_effect_on_a_stored_plan_are_refused(
    run: Run, tmp_path: Path, ignored: tuple[str, ...]
) -> None:
    answer = run("--db", tmp_path / "none.duckdb", "next", "AB+He", *ignored)
    assert answer.code == 2
    assert f"{ignored[0]} has no effect without --j" in answer.err
    assert not list(tmp_path.iterdir())


def test_the_old_plan_next_names_the_command_next(run: Run, tmp_path: Path) -> None:
    for words in (("AB+He", "--next"), ("AB+He", "--plan", "3", "--next"), ("--next", "AB+He", *J)):
        answer = run("--db", tmp_path / "none.duckdb", "plan", *words)
        assert (answer.code, "ratedb next" in answer.err) == (2, True)


def test_next_without_a_plan_takes_its_range_and_costs_from_the_command_line(run: Run, low: Path) -> None:
    words = (*J, "--given-j", "2:4", "--hours-total", "100", "--validate-j", "6,9")
    found = run("--db", low, "--json", "next", "AB+He", *words).json
    assert (found["plan_id"], found["next_j"]) == (None, 6)
    hours = {c["j"]: c["hours"] for c in found["candidates"]}
    assert hours == pytest.approx({j: 100.0 * j**4 / TOTAL for j in range(5, 11)})


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("plan",), 2, "the initial j of interest are missing"),
        (("next",), 2, "there is no plan for AB+He"),
        (("next", "--plan", "3"), 1, "the store has no plan 3"),
        (("next", *J), 2, "--j needs --given-j"),
        (("plan", *J, "--plan", "3"), 2, "No such option"),
        (("plan", *VARIANCE, "--budget-hours", "-5"), 2, "invalid --budget-hours"),
        (("plan", *VARIANCE, "--budget-hours", "1e-6"), 2, "the budget is too small"),
        (("plan", *VARIANCE, "--budget-hours", "much"), 2, "Invalid value for '--budget-hours'"),
        (("plan", *VARIANCE, "--target-error", "-1"), 2, "invalid --target-error"),
        (("plan", *VARIANCE, "--target-error", "1e-6"), 1, "no set is expected to meet the target"),
        (("plan", *VARIANCE, "--optimiser", "magic"), 2, "unknown --optimiser"),
        (("plan", *VARIANCE, "--like", "CD+He"), 1, "the store has no system 'CD+He'"),
        (("plan", *VARIANCE, "--like", "AB+He"), 2, "a system cannot be its own reference"),
        (("plan", *VARIANCE, "--like", "AB+p-H2", "--v-max", "1"), 1, "does not have the quantum numbers"),
        (("plan", *VARIANCE, "--train-j", "4,8"), 2, "--train-j has no effect with --strategy variance"),
        (("plan", *J, "--like", "AB+p-H2"), 2, "--like has no effect with --strategy spread"),
        (("plan", *J, "--target-error", "9"), 2, "--target-error has no effect with --strategy spread"),
        (("plan", *J, "--budget-hours", "9"), 2, "--budget-hours has no effect with --strategy spread"),
        (("plan", *VARIANCE, "--worklist", "jobs.csv"), 2, "a worklist needs one chosen set"),
    ],
)
def test_bad_input_is_one_message_and_stores_no_plan(
    run: Run, low: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    before = low.read_bytes()
    command, *options = words
    answer = run("--db", low, "--json", command, "AB+He", *options)
    assert answer.code == code
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert answer.json["error"]["exit_code"] == code
    assert low.read_bytes() == before
    assert not Path("jobs.csv").exists()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for a scheduler for long."""
    monkeypatch.setattr("ratedb.models.workers._CONNECT_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
def test_a_scheduler_that_does_not_answer_is_one_message_and_stores_no_plan(run: Run, low: Path) -> None:
    before = low.read_bytes()
    words = (*VARIANCE, "--sizes", "2", "--like", "AB+p-H2", "--scheduler", "tcp://127.0.0.1:1")
    answer = run("--db", low, "plan", "AB+He", *words)
    assert answer.code == 1
    assert answer.err.startswith("ratedb: no dask scheduler answers\n  where: tcp://127.0.0.1:1\n")
    assert answer.err.count("\n") == 5
    assert low.read_bytes() == before


@pytest.fixture
def halfway(run: Run, low: Path, rough_file: Path) -> Path:
    """A store whose plan has its validation j, so that a model can be trained."""
    run("--db", low, "plan", "AB+He", *J, "--given-j", "2:4", "--train-j", "4,7,10")
    assert run("--db", low, "import", rough_file, "--collider", "He", "--j", "5,7,8").code == 0
    return low


@pytest.mark.usefixtures("impatient")
def test_next_says_too_that_a_scheduler_does_not_answer(run: Run, halfway: Path) -> None:
    answer = run("--db", halfway, "next", "AB+He", "--scheduler", "tcp://127.0.0.1:1")
    assert (answer.code, "ratedb: no dask scheduler answers" in answer.err) == (1, True)


def test_next_refuses_no_jobs_as_a_plan_does(run: Run, tmp_path: Path, halfway: Path) -> None:
    assert run("--db", halfway, "plan", "AB+He", *J, "--jobs", "0").code == 2
    assert run("--db", halfway, "next", "AB+He", "--jobs", "0").code == 2
