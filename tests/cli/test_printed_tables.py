"""Tables of many rows: every cell is there, in columns, and nothing harms a terminal."""

from __future__ import annotations

import pytest
from ratedb_cli.output import table
from ratedb_cli.terminal import SafeConsole

ROWS = [(f"M{n}+He", n, "a long reference " * 12 if n == 7 else "x\x1b[2J") for n in range(3000)]


@pytest.mark.parametrize("count", [10, 3000])
def test_no_cell_of_a_table_is_cut_and_no_control_character_is_printed(
    count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    console = SafeConsole(width=400)
    console.print(table("Sources", ["system", "source", "reference"], ROWS[:count], text=(0, 2)))
    lines = capsys.readouterr().out.splitlines()
    words = [line.split() for line in lines]
    for n, (system, source, reference) in enumerate(ROWS[:count]):
        shown = reference.replace("\x1b", "\\x1b").split()
        assert [system, str(source), *shown] in words, n
    assert not any("\x1b" in line for line in lines)


def test_a_long_table_is_as_wide_as_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    SafeConsole(width=60).print(table("", ["system", "source", "reference"], ROWS, text=(0, 2)))
    assert ("a long reference " * 12).strip() in capsys.readouterr().out
