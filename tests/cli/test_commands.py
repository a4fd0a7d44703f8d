"""The command line and Database say the same: names, options, defaults, words."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from ratedb_cli.app import app
from typer.main import get_command

import ratedb
from ratedb import options
from ratedb.database import Database
from ratedb.declared import build
from ratedb.errors import UsageError

COMMANDS: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]


def method_of(name: str) -> Any:
    return getattr(Database, "import_" if name == "import" else name)


def test_every_command_is_a_method_of_database() -> None:
    assert [name for name in COMMANDS if not callable(method_of(name))] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_takes_the_options_of_its_method(name: str) -> None:
    method = method_of(name)
    declared = {one.name for one in fields(method.options)} if hasattr(method, "options") else set()
    named = {
        one.name
        for one in inspect.signature(method).parameters.values()
        if one.kind is inspect.Parameter.KEYWORD_ONLY and one.name not in ("progress", "report")
    }
    offered = {one.name for one in COMMANDS[name].params if one.param_type_name == "option"} - {"help"}
    assert offered == declared
    assert named <= declared


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_of_a_command_begins_as_the_docstring_of_its_method(name: str) -> None:
    first = inspect.cleandoc(method_of(name).__doc__ or "").split("\n\n")[0]
    assert " ".join(COMMANDS[name].help.split()).startswith(" ".join(first.split()))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_what_a_command_offers_by_default_is_the_default_of_the_method(run: Run, name: str) -> None:
    """A command passes on only what is given, so that a default exists once."""
    for one in COMMANDS[name].params:
        if one.param_type_name == "option" and one.name != "help":
            assert one.default in (None, False)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (("plan", "CO+p-H2", "--j", "5,6:x,9"), 2),
        (("fill", "CO+p-H2", "--j", "5:2x"), 0),
        (("export", "CO+p-H2", "-o", "x.dat", "--temperatures", "10,20,-5"), 6),
        (("impact", "CO+p-H2", "--densities", "1e3,thin"), 4),
    ],
)
def test_an_invalid_list_is_refused_by_the_parser_with_a_caret_under_it(
    run: Run, tmp_path: Path, words: tuple[str, ...], place: int
) -> None:
    answer = run("--db", tmp_path / "none.duckdb", *words)
    assert answer.code == 2
    lines = answer.err.splitlines()
    text = next(number for number, line in enumerate(lines) if line.strip() == words[-1])
    assert lines[text + 1] == lines[text][: len(lines[text]) - len(words[-1])] + " " * place + "^"


def test_lists_are_read_alike_from_texts_and_from_sequences() -> None:
    by_text = build(options.PlanOptions, {"j": "5:8", "kernels": "M32,RBF", "worklist": "jobs.csv"})
    by_list = build(
        options.PlanOptions, {"j": [5, 6, 7, 8], "kernels": ("M32", "RBF"), "worklist": Path("jobs.csv")}
    )
    assert by_text == by_list
    assert build(options.PlanOptions, {"j": range(5, 9)}).j == by_text.j
    assert build(options.FillOptions, {"j": 7}).j == (7,)
    assert build(options.ImportOptions, {"levels": "a.lev"}).levels == (Path("a.lev"),)


def test_an_unknown_option_is_a_usage_error_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="unknown option 'kernel'") as caught:
        build(options.TrainOptions, {"kernel": "M32"})
    assert "kernels" in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("jobs", "2"), ("plan", "first"), ("seed", "0")])
def test_a_text_for_a_number_is_a_usage_error(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{name} must be a number"):
        build(options.TrainOptions, {name: value})


def test_a_store_opened_read_only_refuses_what_writes(small_co: Path) -> None:
    db = ratedb.open(small_co, read_only=True)
    for write in (
        lambda: db.import_("x.dat"),
        lambda: db.train("CO+p-H2"),
        lambda: db.fill("CO+p-H2"),
        lambda: db.plan("CO+p-H2", j="5:20"),
        lambda: db.sources("CO+p-H2", prefer="1"),
        lambda: db.check("CO+p-H2", mark=True),
    ):
        with pytest.raises(UsageError, match="read-only"):
            write()
    assert len(db.rates("CO+p-H2"))


def test_a_store_is_made_only_where_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ratedb.RatedbError, match="no database"):
        ratedb.open(tmp_path / "new.duckdb")
    assert len(ratedb.open(tmp_path / "new.duckdb", create=True).systems()) == 0
    assert (tmp_path / "new.duckdb").exists()
