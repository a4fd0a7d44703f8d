"""The config file: what it sets, what comes before it, and one message for what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Run
from ratedb_cli.app import app

from ratedb.config import LARGEST_BYTES, OPTIONS, read_config
from ratedb.errors import RatedbError

Write = Callable[[str | bytes], Path]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write the config file that commands then read."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv("RATEDB_CONFIG", str(path))

    def write(text: str | bytes) -> Path:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_the_store_is_that_of_the_config_file(run: Run, config: Write, filled: Path) -> None:
    config(f'db = "{filled}"')
    assert {one["system"] for one in run("--json", "systems").json["systems"]} == {"AB+He", "AB+p-H2"}


def test_an_option_precedes_the_environment_which_precedes_the_config_file(
    run: Run, config: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(f'db = "{tmp_path / "of-config.duckdb"}"')
    assert "of-config.duckdb" in run("systems").err
    monkeypatch.setenv("RATEDB_DB", str(tmp_path / "of-environment.duckdb"))
    assert "of-environment.duckdb" in run("systems").err
    assert "of-option.duckdb" in run("systems", "--db", tmp_path / "of-option.duckdb").err


def test_options_of_commands_have_the_defaults_of_the_config_file(run: Run, config: Write) -> None:
    config('[plan]\nj = "5:20"\ngiven-j = [5]\nsizes = 4\ndry_run = true')
    by_config = run("--json", "plan", "CO+p-H2").json
    config("")
    words = ("--j", "5:20", "--given-j", "5", "--sizes", "4", "--dry-run")
    assert by_config == run("--json", "plan", "CO+p-H2", *words).json
    config('[plan]\nj = "5:20"\ngiven_j = 5\nsizes = 4\ndry_run = true')
    chosen = run("--json", "plan", "CO+p-H2", "--sizes", "3").json["candidates"]
    assert [one["n"] for one in chosen] == [3]


def test_a_repeated_option_takes_a_list(config: Write) -> None:
    config('[export]\nkind = ["computed", "scaled"]\noutput = "~/out.dat"')
    assert read_config().commands["export"] == {
        "kind": ["computed", "scaled"],
        "output": os.path.expanduser("~/out.dat"),
    }


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("wiat = 3", "wiat", "did you mean wait"),
        ("[trian]\njobs = 2", "trian", "did you mean train?"),
        ("[train]\njbos = 2", "[train] jbos", "did you mean jobs?"),
        ("[systems]\nx = 2", "systems", "a known command"),
        ("[train]\njobs = 'two'", "[train] jobs", "an integer"),
        ("[train]\njobs = true", "[train] jobs", "an integer"),
        ("[train]\ndry_run = 1", "[train] dry_run", "true or false"),
        ("[train]\nengine = ['basis']", "[train] engine", "one text"),
        ("[train]\ntrain_j = '5::9'", "[train] train_j", "a range such as 6:20"),
        ("[train]\ntrain_j = [{a = 1}]", "[train] train_j", "a text, a number or a list"),
        ("[train]\ntrain_j = 5\ntrain-j = 6", "[train] train-j", "given twice"),
        ("[export]\ntolerance = 'small'", "[export] tolerance", "a number"),
        ("db = 1", "db", "a text"),
        ("wait = -1", "wait", "0 s or more"),
        ("wait = nan", "wait", "0 s or more"),
        ("wait = 1\nwait = 2", "", "TOML"),
        ("wait = [", "", "TOML"),
        ("wait = " + "[" * 20_000, "", "nested too deeply"),
        ("wait = " + "9" * 20_000, "", "TOML"),
        (b"db = '\xff'", "", "TOML in UTF-8"),
        ("#" * (LARGEST_BYTES + 1), "", "at most 64 kB"),
        ('"a\\u001b[31m" = 1', "\\x1b[31m", "a known name"),
    ],
)
def test_what_is_wrong_is_one_message(run: Run, config: Write, text: str, where: str, said: str) -> None:
    path = config(text)
    answer = run("systems")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("ratedb: the config file is invalid\n")
    assert str(path) in answer.err
    assert where in answer.err
    assert said in answer.err
    assert "\x1b" not in answer.err
    assert len(answer.err) < 2000


def test_a_config_file_that_is_named_but_absent_is_an_error(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATEDB_CONFIG", str(tmp_path / "absent.toml"))
    assert "no such file" in run("systems").err
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("RATEDB_CONFIG", str(tmp_path / "pipe"))
    assert "no such file" in run("systems").err


def test_without_a_config_file_nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RATEDB_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert read_config().path is None
    (tmp_path / "ratedb").mkdir()
    (tmp_path / "ratedb" / "config.toml").write_text("wait = 3")
    assert read_config().shared == {"wait": 3.0}
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")  # invalid, by the XDG specification
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_config().path is None
    (tmp_path / ".config" / "ratedb").mkdir(parents=True)
    (tmp_path / ".config" / "ratedb" / "config.toml").write_text("wait = 4")
    assert read_config().shared == {"wait": 4.0}
    monkeypatch.setenv("RATEDB_CONFIG", os.devnull)
    assert read_config().path is None


def test_doctor_says_which_config_file_is_read_and_what_is_wrong_with_it(run: Run, config: Write) -> None:
    path = config("wait = 3")
    checks = {one["name"]: one for one in run("--json", "doctor").json["checks"]}
    assert (checks["config"]["status"], checks["config"]["detail"]) == ("ok", str(path))
    config("wiat = 3")
    answer = run("--json", "doctor")
    checks = {one["name"]: one for one in answer.json["checks"]}
    assert (answer.code, checks["config"]["status"]) == (1, "problem")
    assert "did you mean wait" in checks["config"]["detail"]


def test_help_and_version_work_with_a_broken_config_file(run: Run, config: Write) -> None:
    config("wiat = 3")
    assert run("--help").code == 0
    assert run("--version").code == 0


def test_every_command_with_options_can_have_a_table() -> None:
    assert set(OPTIONS) <= {command.name for command in app.registered_commands}
    without = {command.name for command in app.registered_commands} - set(OPTIONS)
    assert without == {"systems", "show"}  # which have no options


def test_the_python_interface_reads_no_config_file(config: Write, tmp_path: Path) -> None:
    import ratedb

    config("wiat = 3")
    with pytest.raises(RatedbError, match="no database"):
        ratedb.open(tmp_path / "other.duckdb")
