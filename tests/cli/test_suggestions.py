"""Did you mean: for systems, commands, options and molecules."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Run

import ratedb
from ratedb.errors import RatedbError, UsageError


@pytest.mark.parametrize(
    "words",
    [
        ("show", "AB+pH2"),
        ("fill", "ab+p-h2"),
        ("train", "AB+He", "--prior", "AB+pH2", "--train-j", "3,6,9,12", "--validate-j", "4,7"),
        ("export", "AB+pH2", "-o", "out.dat"),
        ("cite", "AB+pH2"),
        ("check", "AB+pH2"),
    ],
)
def test_a_system_that_the_store_has_under_a_name_like_it_is_suggested(
    run: Run, filled: Path, words: tuple[str, ...]
) -> None:
    answer = run("--db", filled, *words)
    assert answer.code == 1
    assert "did you mean AB+p-H2" in answer.err


def test_a_command_and_an_option_are_suggested(run: Run) -> None:
    answer = run("tarin", "CO+p-H2")
    assert (answer.code, "Did you mean 'train'" in answer.err) == (2, True)
    answer = run("train", "CO+p-H2", "--job", "2")
    assert (answer.code, "--jobs" in answer.err) == (2, True)


def test_options_and_molecules_are_suggested_in_python(filled: Path) -> None:
    db = ratedb.open(filled)
    with pytest.raises(UsageError, match="did you mean jobs"):
        db.train("AB+He", job=2)
    with pytest.raises(RatedbError, match="did you mean AB"):
        db.levels("ab")
    with pytest.raises(UsageError, match="did you mean balanced"):
        db.train("AB+He", mean="balancd", train_j="3,6,9,12", validate_j="4,7")
