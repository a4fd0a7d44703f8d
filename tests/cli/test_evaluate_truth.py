"""`evaluate --truth` takes every file that `import` takes, with the levels of the store."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from synthetic import lamda_text, rotor_levels, rotor_rates

import ratedb
from ratedb.database import Database
from ratedb.errors import RatedbError
from ratedb.models.evaluation import Evaluation
from ratedb.rates import Rates

KELVIN = (20.0, 50.0, 100.0)


@pytest.fixture
def db(filled: Path) -> Database:
    return ratedb.open(filled)


@pytest.fixture(scope="module")
def truth() -> Rates:
    """The whole system at three temperatures of the model."""
    return rotor_rates(rotor_levels(14, molecule="AB"), "He", KELVIN, seed=1)


@pytest.fixture
def by_lamda(db: Database, truth: Rates, tmp_path: Path) -> Evaluation:
    path = tmp_path / "truth.dat"
    path.write_text(lamda_text([truth]))
    return db.evaluate(1, truth=path)


def vj_rows(truth: Rates) -> str:
    """Return rows of v J v' J', which name neither molecule nor collider nor levels."""
    v, j, v_final, j_final = truth.transitions.vj().T.tolist()
    head = " ".join(f"{t:g}" for t in truth.temperature_k)
    rows = [
        f"{a} {b} {c} {d} " + " ".join(f"{k:.3e}" for k in curve)
        for a, b, c, d, curve in zip(v, j, v_final, j_final, truth.rate_cm3_s, strict=True)
    ]
    return "\n".join([head, *rows]) + "\n"


def csv_rows(truth: Rates, *, collider: str | None = None) -> str:
    """Return a table with one rate in each row, with or without its collider."""
    v, j, v_final, j_final = truth.transitions.vj().T.tolist()
    lines = ["v,j,v_final,j_final,temperature_k,rate_cm3_s" + (",collider" if collider else "")]
    for row in range(len(truth)):
        for column, kelvin in enumerate(truth.temperature_k):
            numbers = f"{v[row]},{j[row]},{v_final[row]},{j_final[row]},{kelvin:g}"
            value = f"{truth.rate_cm3_s[row, column]:.3e}"
            lines.append(f"{numbers},{value}" + (f",{collider}" if collider else ""))
    return "\n".join(lines) + "\n"


def equal(found: Evaluation, other: Evaluation) -> None:
    assert found.model.values == other.model.values > 100
    assert found.model.dex_rms == pytest.approx(other.model.dex_rms, rel=1e-3)


@pytest.mark.parametrize(("name", "write"), [("truth.txt", vj_rows), ("truth.csv", csv_rows)])
def test_a_file_without_levels_and_names_gets_those_of_the_model(
    db: Database, truth: Rates, by_lamda: Evaluation, tmp_path: Path, name: str, write: object
) -> None:
    path = tmp_path / name
    path.write_text(write(truth))  # type: ignore[operator]
    equal(db.evaluate(1, truth=path), by_lamda)


def test_a_numbered_table_has_the_levels_that_are_named(
    db: Database, truth: Rates, by_lamda: Evaluation, tmp_path: Path
) -> None:
    (tmp_path / "truth.dat").write_text(lamda_text([truth]))
    whole = ratedb.open(tmp_path / "whole.duckdb", create=True)
    whole.import_(tmp_path / "truth.dat", quality="off")
    whole.export("AB+He", tmp_path / "ab.kij", format="basecol")
    (levels,) = tmp_path.glob("*.molecule")
    table = levels.with_suffix(".kij").rename(tmp_path / "table.kij")
    with pytest.raises(RatedbError, match="levels"):
        db.evaluate(1, truth=table)
    equal(db.evaluate(1, truth=table, levels=(levels,)), by_lamda)


def test_a_file_of_another_collider_is_refused(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "other.dat"
    path.write_text(lamda_text([rotor_rates(rotor_levels(14, molecule="AB"), "H", KELVIN, seed=1)]))
    with pytest.raises(RatedbError, match="no rates of AB"):
        db.evaluate(1, truth=path)


def test_a_file_of_another_molecule_is_refused(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "other.dat"
    path.write_text(lamda_text([rotor_rates(rotor_levels(14, molecule="XY"), "He", KELVIN, seed=1)]))
    with pytest.raises(RatedbError, match="no rates of AB"):
        db.evaluate(1, truth=path)


def test_a_file_that_names_another_molecule_but_no_collider_is_refused(db: Database, tmp_path: Path) -> None:
    text = lamda_text([rotor_rates(rotor_levels(14, molecule="XY"), "He", KELVIN, seed=1)])
    unnamed = re.sub(r"(?m)^6 XY-He.*$", "9 something", text)
    assert unnamed != text
    path = tmp_path / "unnamed.dat"
    path.write_text(unnamed)
    with pytest.raises(RatedbError, match="no rates of AB"):
        db.evaluate(1, truth=path)


def test_evaluating_stores_nothing(db: Database, truth: Rates, tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(csv_rows(truth))
    before = hashlib.sha256(Path(db.path).read_bytes()).hexdigest()
    db.evaluate(1, truth=path)
    assert hashlib.sha256(Path(db.path).read_bytes()).hexdigest() == before
