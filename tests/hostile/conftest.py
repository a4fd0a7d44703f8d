"""The command line inside this process, and which files it opened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Answer, Run
from ratedb_cli.app import main
from synthetic import lamda_text, rotor_levels, rotor_rates

_opened: list[str] | None = None


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _opened is not None and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        _opened.append(os.path.realpath(os.fsdecode(arguments[0])))


sys.addaudithook(_listen)  # it cannot be taken away again


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """Give the list of all files that Python opens during a test, links followed."""
    global _opened
    _opened = []
    yield _opened
    _opened = None


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `ratedb ARGUMENTS` in this process."""

    def call(*arguments: object) -> Answer:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Give a file in a folder that nothing here has a reason to open."""
    (tmp_path / "outside").mkdir()
    secret = tmp_path / "outside" / "secret"
    secret.write_text("the secret")
    return secret


@pytest.fixture(scope="session")
def rotor_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LAMDA file of a made-up rotor AB with He, large enough for a demo."""
    levels = rotor_levels(14, molecule="AB")
    path = tmp_path_factory.mktemp("rotor") / "ab.dat"
    path.write_text(lamda_text([rotor_rates(levels, "He", (10.0, 20.0, 50.0, 100.0), seed=1)]))
    return path
