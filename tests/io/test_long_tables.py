"""Tables that are too large for memory give the same rates, notes and errors as those that are not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ratedb import files
from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.contents import MoleculeFile
from ratedb.io.registry import read_rates
from ratedb.store import long_tables

HEAD = (
    "molecule,collider,v,j,v_final,j_final,upper_label,lower_label,upper_energy_cm1,lower_energy_cm1,"
    "upper_weight,lower_weight,temperature_k,rate_cm3_s,kind,reference"
)


def row(
    j: int, j_final: int, kelvin: float, rate: object, collider: str = "He", kind: str = "computed"
) -> str:
    energies = f"{2.0 * j * (j + 1)},{2.0 * j_final * (j_final + 1)}"
    labels = f"{j},{j_final},{energies},{2 * j + 1},{2 * j_final + 1}"
    return f"AB,{collider},0,{j},0,{j_final},{labels},{kelvin},{rate},{kind},somebody"


def table(seed: int = 0) -> list[str]:
    """Return rows of two colliders, shuffled, some upward, with a gap and predicted ones."""
    chance = np.random.default_rng(seed)
    rows = [
        row(j, j_final, kelvin, f"{1e-11 * (1 + chance.random()):.6e}", collider, kind)
        for collider, kind in (("He", "computed"), ("p-H2", "scaled"), ("p-H2", "predicted"))
        for j in range(5)
        for j_final in range(5)
        if j > j_final or (j == 0 and collider == "He")
        for kelvin in (10.0, 20.0, 50.5)
        if (j, kelvin) != (4, 20.0)
    ]
    return [rows[place] for place in chance.permutation(len(rows))]


def changed(change: Callable[[list[str]], list[str]]) -> str:
    return "\n".join([HEAD, *change(table())]) + "\n"


GOOD = {
    "plain": changed(lambda rows: rows),
    "without line end": changed(lambda rows: rows).rstrip("\n"),
    "duplicates": changed(lambda rows: [*rows, *rows[:7]]),
    "empty rates": changed(lambda rows: [*rows, row(4, 1, 20.0, ""), row(4, 2, 99.0, "nan")]),
    "Fortran numbers": changed(lambda rows: [one.replace("e-11", "D-11") for one in rows]),
    "blank lines": changed(lambda rows: [*rows[:9], "", *rows[9:], ""]),
    "carriage returns": changed(lambda rows: rows).replace("\n", "\r\n"),
}
BAD = {
    "negative": changed(lambda rows: [*rows[:30], row(3, 1, 20.0, -1e-11), *rows[30:]]),
    "too large": changed(lambda rows: [*rows, row(3, 1, 20.0, 1.0)]),
    "no number": changed(lambda rows: [*rows[:5], row(3, 1, 20.0, "1.5x"), *rows[5:]]),
    "no temperature": changed(lambda rows: [*rows[:5], row(3, 1, -20.0, 1e-11), *rows[5:]]),
    "another value": changed(lambda rows: [*rows[:5], row(3, 1, 20.0, 7e-11), *rows[5:]]),
    "another energy": changed(lambda rows: [*rows, row(2, 1, 99.0, 1e-11).replace(",12.0,", ",13.0,")]),
    "unknown kind": changed(lambda rows: [*rows[:5], row(3, 1, 20.0, 1e-11, kind="guessed"), *rows[5:]]),
    "half a level": changed(lambda rows: [*rows[:5], rows[5].replace(",0,", ",,", 1), *rows[6:]]),
    "a cell too many": changed(lambda rows: [*rows[:5], rows[5] + ",7", *rows[6:]]),
    "no collider": changed(lambda rows: [*rows[:5], rows[5].replace("He", "").replace("p-H2", "")]),
    "nothing": HEAD + "\n",
}


@pytest.fixture(params=["csv", "parquet"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Path]:
    """Give a function that writes a CSV text as a file of each format."""

    def written(text: str) -> Path:
        path = tmp_path / "rates.csv"
        path.write_bytes(text.encode())
        if request.param == "csv":
            return path
        target = tmp_path / "rates.parquet"
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (FROM read_csv('{path}', null_padding = true)) TO '{target}' (FORMAT parquet)"
            )
        return target

    return written


def read(path: Path) -> MoleculeFile | str:
    try:
        return read_rates(InputFile.read(path))
    except RatedbError as error:
        return str(error)


def both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[MoleculeFile | str, MoleculeFile | str]:
    """Return what a file gives from memory, and in pieces of a few values."""
    small = read(path)
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    monkeypatch.setattr(long_tables, "_PIECE", 7)
    assert InputFile.read(path).is_large
    return small, read(path)


@pytest.mark.parametrize("name", GOOD)
def test_a_large_table_has_the_same_rates_and_notes(
    name: str, write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    small, large = both(write(GOOD[name]), monkeypatch)
    assert isinstance(small, MoleculeFile)
    assert isinstance(large, MoleculeFile)
    assert large.warnings == small.warnings
    assert large.levels.label == small.levels.label
    assert [one.rates.system for one in large.partners] == ["AB+He", "AB+p-H2"]
    for one, other in zip(large.partners, small.partners, strict=True):
        assert (one.kind, one.reference, one.findings) == (other.kind, other.reference, other.findings)
        for part in ("upper", "lower", "temperature_k", "rate_cm3_s"):
            np.testing.assert_array_equal(getattr(one.rates, part), getattr(other.rates, part))


@pytest.mark.parametrize("name", BAD)
def test_a_large_table_is_refused_with_the_same_words(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rates.csv"
    path.write_text(BAD[name])
    small, large = both(path, monkeypatch)
    assert isinstance(small, str)
    assert large == small


def test_a_large_file_has_the_hash_of_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rates.csv"
    path.write_text(GOOD["plain"])
    small = InputFile.read(path).sha256
    monkeypatch.setattr(files, "LARGE_BYTES", 0)
    assert InputFile.read(path).sha256 == small
