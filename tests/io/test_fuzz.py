from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import SEEDS, outcomes

SEED = 20260101
COUNT = {"csv": 40, "parquet": 40}
FAST = ("lamda", "vj", "molscat")
READERS = [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in SEEDS]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("reader", READERS)
def test_a_broken_file_is_read_or_refused_and_never_a_traceback(reader: str, tmp_path: Path) -> None:
    results = list(outcomes(reader, COUNT.get(reader, 200), SEED, tmp_path))
    refused = [error for _, error in results if error is not None]
    # Both occur, else the changes are too weak or too strong; few broken Parquet files can be read.
    assert refused
    assert len(refused) < len(results) or reader == "parquet"
    assert all(error.where for error in refused)


@pytest.mark.parametrize("reader", SEEDS)
def test_what_the_changes_start_from_is_valid(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzzing.broken_content", lambda content, draw: content)
    read = [error for _, error in outcomes(reader, 2 * len(SEEDS[reader]), SEED, tmp_path) if error is None]
    assert len(read) >= len(SEEDS[reader]), reader
