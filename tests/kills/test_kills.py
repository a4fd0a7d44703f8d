"""Kill -9 at the N-th write: nothing half, nothing acknowledged lost, nothing left over (killing.py)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import COMMANDS, Command, Commands, Trial, commands

SEED = 20241127
KILLS = 3  # of each command; `make bench-kills` makes 200


@pytest.fixture(scope="module")
def running() -> Iterator[Commands]:
    with commands() as found:
        if found is None:
            pytest.skip("killing at a write needs Linux and a C compiler, `cc`")
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kills")


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_kill_at_any_write_leaves_what_was_before_or_after(
    command: Command, running: Commands, folder: Path
) -> None:
    trial = Trial(command, running, folder)
    assert trial.calls > 5, "the layer that kills sees no writes"
    assert [(at, wrong) for at, wrong in trial.kills(KILLS, random.Random(SEED)) if wrong] == []
