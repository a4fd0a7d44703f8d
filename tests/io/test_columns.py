from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lamda_text import changed
from rate_texts import CSV, LEVELS_CSV, line_of, need_clear, read_rates, refused, written

from ratedb.errors import RatedbError
from ratedb.io.columns import rates_of_frame
from ratedb.io.columns_rows import ALIASES, contract
from ratedb.io.contents import MoleculeFile
from ratedb.io.registry import read_any
from ratedb.levels import Levels, vj
from ratedb.rates import Rates

NUMBERS = (
    "temperature_k",
    "rate_cm3_s",
    "upper_energy_cm1",
    "lower_energy_cm1",
    "upper_weight",
    "lower_weight",
)
BARE = """\
j,j_final,temperature_k,rate_cm3_s
1,0,10,1.25e-11
1,0,20,1.5e-11
2,1,10,2.25e-11
2,1,20,2.5e-11
"""
ROTOR = Levels(
    "CO",
    tuple(str(j) for j in range(4)),
    1.9225 * np.arange(4) * np.arange(1, 5),
    2 * np.arange(4) + 1,
    vj(np.zeros(4), np.arange(4)),
)

Values = dict[tuple[str, str, str | None, str, str, float], float]


def values(file: MoleculeFile) -> Values:
    """Return every value of a file by molecule, collider, kind, labels and temperature."""
    found = {}
    for partner in file.partners:
        rates = partner.rates
        label = rates.levels.label
        for upper, lower, row in zip(rates.upper, rates.lower, rates.rate_cm3_s, strict=True):
            for kelvin, value in zip(rates.temperature_k.tolist(), row.tolist(), strict=True):
                if not np.isnan(value):
                    key = (
                        rates.levels.molecule,
                        rates.collider,
                        partner.kind,
                        label[upper],
                        label[lower],
                        kelvin,
                    )
                    found[key] = value
    return found


def slow(text: str) -> Values:
    """Return the values of a table with every column, by Python's csv alone."""
    return {
        (
            row["molecule"],
            row["collider"],
            row["kind"],
            row["j"],
            row["j_final"],
            float(row["temperature_k"]),
        ): float(row["rate_cm3_s"])
        for row in csv.DictReader(io.StringIO(text))
    }


def read(folder: Path, text: str | bytes, **options: object) -> MoleculeFile:
    return read_rates(folder, text, **{"molecule": None, "collider": None, **options})  # type: ignore[arg-type]


def with_levels(folder: Path, text: str | bytes, **options: object) -> MoleculeFile:
    return read(folder, text, **{"molecule": "CO", "collider": "He", "levels": (LEVELS_CSV,), **options})


def broken(folder: Path, text: str | bytes, *words: str, line: int | None = None, **options: object) -> None:
    refused(folder, text, *words, line=line, **{"molecule": None, "collider": None, **options})


def parquet_of(folder: Path, text: str, name: str = "rates.parquet") -> Path:
    """Write a CSV text as a Parquet file, with the types that DuckDB finds."""
    source, target = written(folder, "source.csv", text), folder / name
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (FROM read_csv('{source}')) TO '{folder / 'plain.parquet'}' (FORMAT parquet)"
        )
    (folder / "plain.parquet").rename(target)
    return target


def test_the_rates_are_the_printed_numbers(tmp_path: Path) -> None:
    file = read(tmp_path, CSV)
    assert values(file) == slow(CSV)
    assert file.levels.label == ("0", "1", "2")
    assert file.levels.energy_cm1.tolist() == [0.0, 3.845033, 11.53492]
    assert file.levels.weight.tolist() == [1.0, 3.0, 5.0]
    assert file.levels.need_vj()[1].tolist() == [0, 1, 2]
    assert file.warnings == ()


def test_csv_parquet_and_pandas_give_the_same_table(tmp_path: Path) -> None:
    expected = slow(CSV)
    assert values(read(tmp_path, CSV)) == expected
    parquet = read_any(parquet_of(tmp_path, CSV))
    assert values(parquet) == expected
    frame = pd.read_csv(io.StringIO(CSV), float_precision="round_trip")
    assert values(rates_of_frame(frame)) == expected
    assert values(rates_of_frame(frame.astype(object))) == expected
    assert values(rates_of_frame(frame.astype({"kind": "category", "collider": "category"}))) == expected
    assert parquet.levels.energy_cm1.tolist() == read(tmp_path, CSV).levels.energy_cm1.tolist()


def test_arrow_gives_the_same_table() -> None:
    arrow = pytest.importorskip("pyarrow", exc_type=ImportError, reason="pyarrow does not work here")
    frame = pd.read_csv(io.StringIO(CSV), float_precision="round_trip")
    assert values(rates_of_frame(arrow.Table.from_pandas(frame))) == slow(CSV)


def test_molecule_and_collider_may_be_said_and_levels_listed(tmp_path: Path) -> None:
    file = with_levels(tmp_path, BARE)
    expected = {("CO", "He", None, *key[3:]): value for key, value in slow(CSV).items()}
    assert values(file) == expected
    assert file.levels.energy_cm1.tolist() == [0.0, 1.4484, 4.3452]
    assert (
        values(rates_of_frame(pd.read_csv(io.StringIO(BARE)), molecule="CO", collider="He", levels=ROTOR))
        == expected
    )


@pytest.mark.parametrize(
    "text",
    [
        BARE.replace("\n", "\r\n"),
        BARE.replace("\n", "\r"),
        BARE.replace("\n", "\n\n   \n"),
        "\n\n" + BARE,
        BARE.rstrip("\n"),
        BARE.encode("utf-8-sig"),
        b"\xef\xbb\xbf" + BARE.replace("\n", "\r\n").encode(),
        BARE.replace(",", " , "),
        BARE.replace(",", "\t,\t"),
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in BARE.split("\n")[:-1]),
        BARE.replace("j,j_final", "j_initial,j_final"),
        BARE.replace("j,j_final", ' "j" , j_final').replace("1.25e-11", '" 1.25e-11 "'),
        BARE.replace("1.25e-11", "1.25D-11").replace("2.25e-11", "2.25-011"),
        BARE.replace("1,0,10", "1.0,0.,10.0"),
        BARE.replace("rate_cm3_s\n", "rate_cm3_s,Line,line,T,t,\n").replace(
            "e-11\n", 'e-11,1,"a ""b"", c",3,4,\n'
        ),
        BARE.replace("rate_cm3_s\n", "rate_cm3_s,note\n").replace("e-11\n", "e-11,é\n").encode("latin-1"),
        BARE.replace("rate_cm3_s\n", "rate_cm3_s,note\n").replace("e-11\n", 'e-11,"two\nlines"\n'),
        "v,v_final," + BARE.replace("\n", "\n0,0,")[:-4],
        "v_initial,v_final," + BARE.replace("\n", "\n0,0,")[:-4],
        BARE + "1,0,10,1.25e-11\n",
        BARE + "1,0,30,\n" + '2,0,10,""\n' + "2,0,10,nan\n2,0,20,NaN\n",
        BARE + "1,1,10,1e-10\n",
    ],
)
def test_another_way_to_write_the_same_table_gives_the_same_rates(tmp_path: Path, text: str | bytes) -> None:
    assert values(with_levels(tmp_path, text)) == values(with_levels(tmp_path, BARE))


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    text = CSV + "".join(
        [
            "CO,He,0,2,0,0,10,,computed,11.534920,0,5,1\n",
            "CO,He,0,2,0,0,20,NaN,computed,11.534920,0,5,1\n",
            "CO,He,0,2,0,0,10,3e-11,predicted,11.534920,0,5,1\n",
            "CO,He,0,1,0,1,10,3e-10,computed,3.845033,3.845033,3,3\n",
            "CO,He,0,1,0,0,10,1.25e-11,computed,3.845033,0,3,1\n",
        ]
    )
    file = read(tmp_path, text)
    assert values(file) == slow(CSV)
    notes = "\n".join(file.warnings)
    assert "1 predicted rows are left out" in notes
    assert "2 rows have no rate" in notes
    assert "He: 1 elastic row(s)" in notes
    assert "He: 1 duplicate row(s) with equal rates" in notes
    assert any("no line end" in note for note in read(tmp_path, CSV.rstrip("\n")).warnings)


def test_kinds_and_colliders_become_partners_of_their_own(tmp_path: Path) -> None:
    text = changed(("10,2.25e-11,computed", "10,2.25e-11,scaled"), text=CSV)
    text += "".join(line.replace(",He,", ",p-H2,") + "\n" for line in CSV.split("\n")[1:3])
    file = read(tmp_path, text)
    assert [(p.rates.collider, p.kind, len(p.rates)) for p in file.partners] == [
        ("He", "computed", 2),
        ("He", "scaled", 1),
        ("p-H2", "computed", 1),
    ]
    assert values(file) == slow(text)
    chosen = read(tmp_path, text, collider="p-H2")
    assert [p.rates.collider for p in chosen.partners] == ["p-H2"]
    broken(tmp_path, text, "no rates for H2", collider="H2")


def test_a_molecule_that_is_said_overrules_one_and_several_are_refused(tmp_path: Path) -> None:
    assert read(tmp_path, CSV, molecule="13CO").levels.molecule == "13CO"
    two = CSV + CSV.split("\n")[1].replace("CO,", "SiO,") + "\n"
    broken(tmp_path, two, "several molecules", "CO, SiO")
    broken(tmp_path, two, "several molecules", molecule="CO")
    some = CSV + CSV.split("\n")[1].replace("CO,", ",", 1).replace(",10,", ",30,") + "\n"
    broken(tmp_path, some, "does not name its molecule", line=6)
    broken(tmp_path, BARE, "does not say its molecule", collider="He")
    broken(tmp_path, BARE, "does not say its collider", molecule="CO", levels=(LEVELS_CSV,))
    some = CSV + CSV.split("\n")[1].replace("He,", ",", 1).replace(",10,", ",30,") + "\n"
    broken(tmp_path, some, "does not say its collider")
    broken(tmp_path, CSV.replace("He", "p H2"), "not the name of a collider", "p H2")


def test_labels_name_the_levels_where_v_and_j_do_not_exist(tmp_path: Path) -> None:
    text = (
        "initial_label,final_label,temperature_k,rate_cm3_s,j,j_final\n"
        '"b, 1",a,10,2e-11,,\n"b, 1",a,20,3e-11,,\nc,a,10,4e-11,1,0\n'
    )
    levels = 'label,energy_cm1,weight\na,0,1\n"b, 1",5,2\nc,6,4\n'
    file = with_levels(tmp_path, text, levels=(levels,))
    assert {key[3:]: value for key, value in values(file).items()} == {
        ("b, 1", "a", 10.0): 2e-11,
        ("b, 1", "a", 20.0): 3e-11,
        ("c", "a", 10.0): 4e-11,
    }
    broken(tmp_path, text.replace("c,a", ",a"), "does not name its levels", molecule="CO", line=4)


def test_levels_in_the_rows_serve_without_a_list_and_in_place_of_a_list_that_lacks_some(
    tmp_path: Path,
) -> None:
    assert values(read(tmp_path, CSV)) == slow(CSV)
    short = LEVELS_CSV.replace("2,4.3452,5\n", "")
    assert read(tmp_path, CSV, levels=(short,)).levels.energy_cm1.tolist() == [0.0, 3.845033, 11.53492]
    alike = "j,energy_cm1,weight\n0,0.0,1\n1,3.8,3\n2,11.5,5\n"
    assert read(tmp_path, CSV, levels=(alike,)).levels.energy_cm1.tolist() == [0.0, 3.8, 11.5]
    broken(tmp_path, CSV, "j = 1 of CO is another than the one that is known", levels=(LEVELS_CSV,))
    broken(
        tmp_path,
        BARE,
        "not known: v = 0, j = 2",
        "--levels",
        molecule="CO",
        collider="He",
        levels=(short,),
        line=4,
    )
    broken(
        tmp_path, BARE, "energies of the levels of CO are not known", "--levels", molecule="CO", collider="He"
    )
    lacking = changed(("3.845033,0,3,1\nCO,He,0,2", "3.845033,,3,1\nCO,He,0,2"), text=CSV)
    broken(tmp_path, lacking, "energies of the levels of CO are not known")


def test_an_upward_row_is_turned_by_detailed_balance(tmp_path: Path) -> None:
    text = "j,j_final,temperature_k,rate_cm3_s\n0,1,10,1.5e-11\n0,1,20,2.5e-11\n"
    found = values(with_levels(tmp_path, text))
    for kelvin, up in ((10.0, 1.5e-11), (20.0, 2.5e-11)):
        down = up * (1 / 3) * np.exp(1.438776877 * 1.4484 / kelvin)
        assert found["CO", "He", None, "1", "0", kelvin] == pytest.approx(down, rel=1e-12)


def test_a_value_given_only_upward_fills_the_gap_of_the_downward_row(tmp_path: Path) -> None:
    text = "j,j_final,temperature_k,rate_cm3_s\n1,0,10,3e-11\n0,1,10,9e-11\n0,1,20,2.5e-11\n"
    found = values(with_levels(tmp_path, text))
    down = 2.5e-11 * (1 / 3) * np.exp(1.438776877 * 1.4484 / 20.0)
    assert found["CO", "He", None, "1", "0", 10.0] == 3e-11
    assert found["CO", "He", None, "1", "0", 20.0] == pytest.approx(down, rel=1e-12)


def test_a_table_with_elastic_rows_only_is_refused(tmp_path: Path) -> None:
    text = "j,j_final,temperature_k,rate_cm3_s\n1,1,10,3e-11\n"
    with pytest.raises(RatedbError, match="no rates are left"):
        with_levels(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "words", "at"),
    [
        ("1,0,20,1.5e-11", "1,0,20", "3 cells", "1,0,20"),
        ("1,0,20,1.5e-11", "1,0,20,1,5e-11", "5 cells", "1,5e-11"),
        ("1,0,20,1.5e-11", '1,0,20,"1,5e-11"', "rate_cm3_s is not a number", '"1,5e-11"'),
        ("1,0,20,1.5e-11", '1,0,20,"1.5e-11', "a quote is not closed", '20,"1.5e-11'),
        ("1,0,20,1.5e-11", '1,0,"20"x,1.5e-11', "a quote is not closed", '"20"x'),
        ("1,0,20,1.5e-11", "1,0,20,x", "rate_cm3_s is not a number", "20,x"),
        ("1,0,20,1.5e-11", "1,0,20,1_5e-11", "rate_cm3_s is not a number", "1_5e-11"),
        ("1,0,20,1.5e-11", "1,0,20,0x1", "rate_cm3_s is not a number", "0x1"),
        ("1,0,20,1.5e-11", "1,0,20,-1.5e-11", "negative", "-1.5e-11"),
        ("1,0,20,1.5e-11", "1,0,20,inf", "impossibly large", "inf"),
        ("1,0,20,1.5e-11", "1,0,20,1e999", "impossibly large", "1e999"),
        ("1,0,20,1.5e-11", "1,0,20,1.5", "impossibly large", "1,0,20,1.5"),
        ("1,0,20,1.5e-11", "1,0,0,1.5e-11", "temperature is not positive", "1,0,0,"),
        ("1,0,20,1.5e-11", "1,0,-20,1.5e-11", "temperature is not positive", "-20"),
        ("1,0,20,1.5e-11", "1,0,,1.5e-11", "temperature is not positive", "1,0,,"),
        ("1,0,20,1.5e-11", "1,0,nan,1.5e-11", "temperature is not positive", "nan"),
        ("1,0,20,1.5e-11", "1,0,inf,1.5e-11", "temperature is not positive", "inf"),
        ("1,0,20,1.5e-11", "1.5,0,20,1.5e-11", "j is not a whole number", "1.5,0"),
        ("1,0,20,1.5e-11", "1_0,0,20,1.5e-11", "j is not a number", "1_0,0"),
        ("1,0,20,1.5e-11", "1e9,0,20,1.5e-11", "j is not a whole number", "1e9"),
        ("1,0,20,1.5e-11", "-1,0,20,1.5e-11", "negative", "-1,0"),
        ("1,0,20,1.5e-11", ",0,20,1.5e-11", "does not name its levels", ",0,20"),
        ("1,0,20,1.5e-11", "7,0,20,1.5e-11", "not known: v = 0, j = 7", "7,0"),
        ("1,0,20,1.5e-11", "1,0,10,1.5e-11", "at one temperature have different rates", "1,0,10,1.5e-11"),
        ("j,j_final,temp", "j,j,temp", "duplicate column", "j,j,"),
        ("j,j_final,temp", "j_initial,j,temp", "duplicate column", "j_initial,j,"),
        ("j,j_final,temp", "j,jf,temp", "does not name the levels", None),
        ("j,j_final,temp", "j,upper_label,temp", "does not name the levels", None),
        ("1,0,10,1.25e-11\n1,0,20,1.5e-11\n2,1,10,2.25e-11\n2,1,20,2.5e-11\n", "", "no rates", None),
    ],
)
def test_a_broken_table_is_refused_with_its_line_and_a_remedy(
    tmp_path: Path, old: str, new: str, words: str, at: str | None
) -> None:
    # Blank lines between the rows show that lines are counted, and not rows.
    text = "\n" + changed((old, new), text=BARE).replace("\n", "\n\n")
    line = None if at is None else line_of(text, at)
    broken(tmp_path, text, words, line=line, molecule="CO", collider="He", levels=(LEVELS_CSV,))


def test_a_cell_of_several_lines_does_not_shift_the_line_that_is_named(tmp_path: Path) -> None:
    text = (
        BARE.replace("_s\n", "_s,note\n")
        .replace("e-11\n", 'e-11,"two\n\nlines"\n')
        .replace("2.5e-11", "-2.5e-11")
    )
    options = {"molecule": "CO", "collider": "He", "levels": (LEVELS_CSV,)}
    broken(tmp_path, text, "negative", line=line_of(text, "-2.5e-11"), **options)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("computed,3.845033,0,3,1\nCO,He,0,2", "measured,3.845033,0,3,1\nCO,He,0,2", "unknown kind"),
        ("0,1,0,0,20", ",1,0,0,20", "a row has no v"),
        ("0,1,0,0,20", "0,1,,0,20", "a row has no v"),
        ("3.845033,0,3,1\nCO,He,0,2", "3.9,0,3,1\nCO,He,0,2", "several energies"),
        ("3.845033,0,3,1\nCO,He,0,2", "3.845033,0,4,1\nCO,He,0,2", "several energies or weights"),
        ("3.845033,0,3,1\nCO,He,0,2", "3.845033,0,0,1\nCO,He,0,2", "weight is impossible"),
        ("3.845033,0,3,1\nCO,He,0,2", "3.845033,0,-3,1\nCO,He,0,2", "weight is impossible"),
        ("3.845033,0,3,1\nCO,He,0,2", "1e30,0,3,1\nCO,He,0,2", "energy is impossible"),
        ("3.845033,0,3,1\nCO,He,0,2", "inf,0,3,1\nCO,He,0,2", "energy is impossible"),
        ("v_final", "w", "one of v and v_final"),
    ],
)
def test_contradictions_between_rows_are_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    broken(tmp_path, changed((old, new), text=CSV), words)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    text = CSV.replace("rate_cm3_s", "rate")
    with pytest.raises(RatedbError, match="no column rate_cm3_s") as caught:
        read_any(written(tmp_path, "a.csv", text), format="csv")
    need_clear(caught.value, "rate_cm3_s", "upper_label")


@pytest.mark.parametrize(
    "name",
    [
        "a [1]*.csv",
        "it's.csv",
        'say "x".csv',
        "a b.csv",
        "{a,b}.csv",
        "?.csv",
        "é.csv",
        "x.csv.gz",
        "kind=predicted.csv",
    ],
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "collider=p-H2 [a]"
    folder.mkdir()
    # What the names above would match as patterns, in the folder that its name would match.
    other = tmp_path / "collider=p-H2 a"
    other.mkdir()
    wrong = CSV.replace("1.25e-11", "9e-11")
    packed = parquet_of(tmp_path, wrong).read_bytes()
    for decoy in ("a 1 x.csv", "a.csv", "b.csv", "kind=predicted.csv"):
        for place in (folder, other):
            written(place, decoy, wrong)
            written(place, f"{decoy}.parquet", packed)
    assert values(read(folder, CSV, name=name)) == slow(CSV)
    target = parquet_of(tmp_path, CSV).rename(folder / f"{name}.parquet")
    file = read_any(target)
    assert values(file) == slow(CSV)
    broken(folder, changed(("1.25e-11", "-1"), text=CSV), "negative", name=name, line=2)


@pytest.mark.parametrize(
    "content", [b"", b"\n", CSV.encode("utf-16"), b"PAR1 and no more", b"\0" * 99, b"a,b\n1,2\n"]
)
def test_what_is_no_table_is_refused_even_where_the_format_is_said(tmp_path: Path, content: bytes) -> None:
    broken(tmp_path, content)
    broken(tmp_path, content, file_format="csv")
    broken(tmp_path, content, file_format="parquet")


def test_half_a_parquet_file_is_refused(tmp_path: Path) -> None:
    whole = parquet_of(tmp_path, CSV).read_bytes()
    for size in (8, len(whole) // 2, len(whole) - 1):
        broken(tmp_path, whole[:size], "Parquet file cannot be read")


@pytest.mark.parametrize("frame", [[1, 2], {"a": [1]}, "text", 3, None, np.zeros(3)])
def test_what_is_no_frame_is_refused(frame: object) -> None:
    with pytest.raises(RatedbError) as caught:
        rates_of_frame(frame)
    need_clear(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"j": [1.5, 1.0, 2.0, 2.0]}, "j is not a whole number"),
        ({"rate_cm3_s": [True, True, True, True]}, "rate_cm3_s is not a number"),
        ({"rate_cm3_s": [[1e-11], [1e-11], [1e-11], [1e-11]]}, "rate_cm3_s is not a number"),
        ({"temperature_k": pd.to_datetime(["2020-01-01"] * 4)}, "temperature_k is not a number"),
        ({"rate_cm3_s": [1e-11, 2e-11, 3e-11, -4e-11]}, "negative"),
        ({"j_initial": [1, 1, 2, 2]}, "duplicate column"),
    ],
)
def test_a_broken_frame_is_refused(change: dict[str, object], words: str) -> None:
    frame = pd.read_csv(io.StringIO(BARE)).assign(**change)
    with pytest.raises(RatedbError, match=words) as caught:
        rates_of_frame(frame, molecule="CO", collider="He", levels=ROTOR)
    need_clear(caught.value)


def test_a_frame_may_have_gaps_and_columns_called_line() -> None:
    frame = pd.read_csv(io.StringIO(BARE)).assign(line=7, file_row_number=1)
    frame = pd.concat([frame, frame.assign(rate_cm3_s=np.nan)])
    file = rates_of_frame(frame, molecule="CO", collider="He", levels=ROTOR)
    assert len(values(file)) == 4
    assert file.warnings == ("4 rows have no rate and are left out",)


def test_an_empty_frame_is_refused() -> None:
    with pytest.raises(RatedbError, match="no rates"):
        rates_of_frame(pd.read_csv(io.StringIO(BARE)).iloc[:0], molecule="CO", collider="He", levels=ROTOR)


def test_temperatures_that_no_two_rows_share_do_not_fill_the_memory(tmp_path: Path) -> None:
    text = "j,j_final,temperature_k,rate_cm3_s\n" + "".join(f"{k},0,{k}.5,1e-11\n" for k in range(1, 6000))
    levels = "j,energy_cm1\n" + "".join(f"{k},{k}\n" for k in range(6000))
    broken(tmp_path, text, "do not share their temperatures", molecule="CO", collider="He", levels=(levels,))


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_the_numbers_of_a_slow_reader(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    lines = [CSV.split("\n")[0]]
    for upper in range(1, 65):
        for lower in range(upper):
            for kelvin in range(10, 510, 10):
                rate = 10 ** random.uniform(-20, -10)
                energies = f"{upper * (upper + 1)},{lower * (lower + 1)},{2 * upper + 1},{2 * lower + 1}"
                lines.append(f"CO,He,0,{upper},0,{lower},{kelvin},{rate!r},computed,{energies}")
    text = "\n".join(lines) + "\n"
    assert len(lines) > 100_000
    assert values(read(tmp_path, text)) == slow(text)


# -- round trip -----------------------------------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> Rates:
    n = draw(st.integers(2, 6))
    gaps = draw(st.lists(st.floats(0.01, 1e4), min_size=n, max_size=n))
    spins = draw(st.lists(st.sampled_from([1.0, 3.0, 0.5]), min_size=n, max_size=n))
    energy = np.cumsum(gaps)
    states = draw(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=n, max_size=n, unique=True)
    )
    with_v = any(v for v, _ in states)
    levels = Levels(
        "SiO",
        tuple(f"{v}_{j}" if with_v else str(j) for v, j in states),
        energy,
        np.array(spins) * (2 * np.array([j for _, j in states]) + 1),
        vj(np.array([v for v, _ in states]), np.array([j for _, j in states])),
    )
    kelvin = sorted(draw(st.sets(st.floats(0.1, 1e4), min_size=1, max_size=4)))
    # every level occurs: each is the upper one of a pair with the lowest
    pairs = sorted(
        {(k, 0) for k in range(1, n)} | draw(st.sets(st.tuples(st.integers(2, n), st.integers(1, 2))))
    )
    pairs = [(a, b) for a, b in pairs if b < a < n]
    size = len(pairs) * len(kelvin)
    rates = np.array(draw(st.lists(st.floats(0, 1e-8), min_size=size, max_size=size)))
    table = rates.reshape(len(pairs), len(kelvin))
    return Rates(levels, "He", [a for a, _ in pairs], [b for _, b in pairs], kelvin, table)  # type: ignore[arg-type]


def rows_of(table: Rates) -> list[dict[str, object]]:
    levels = table.levels
    v, j = levels.need_vj()
    return [
        {
            "molecule": levels.molecule,
            "collider": table.collider,
            "v": int(v[u]),
            "j": int(j[u]),
            "v_final": int(v[w]),
            "j_final": int(j[w]),
            "temperature_k": float(kelvin),
            "rate_cm3_s": float(rate),
            "upper_energy_cm1": float(levels.energy_cm1[u]),
            "lower_energy_cm1": float(levels.energy_cm1[w]),
            "upper_weight": float(levels.weight[u]),
            "lower_weight": float(levels.weight[w]),
        }
        for u, w, row in zip(table.upper, table.lower, table.rate_cm3_s, strict=True)
        for kelvin, rate in zip(table.temperature_k, row, strict=True)
    ]


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(), shuffle=st.randoms(use_true_random=False))
def test_a_table_written_as_rows_is_read_back_digit_for_digit(
    tmp_path: Path, table: Rates, shuffle: object
) -> None:
    rows = rows_of(table)
    shuffle.shuffle(rows)  # type: ignore[attr-defined]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    for file in (read(tmp_path, text.getvalue()), rates_of_frame(pd.DataFrame(rows))):
        back = file.partners[0].rates
        assert file.levels.label == table.levels.label
        assert file.levels.energy_cm1.tolist() == table.levels.energy_cm1.tolist()
        assert file.levels.weight.tolist() == table.levels.weight.tolist()
        assert back.sha256() == table.sha256()


# -- the contract ---------------------------------------------------------------------------------

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "rates.schema.json").read_text())
VIEW = [
    *("system", "molecule", "collider", "v", "j", "v_final", "j_final", "upper_label", "lower_label"),
    *("temperature_k", "rate_cm3_s", "log10_std", "kind", "source_id", "model_id", "extrapolated"),
]


def store_row(**changes: object) -> dict[str, object]:
    """Return a row as the view `rates` of a store has it."""
    row = dict.fromkeys(VIEW)
    row |= {
        "system": "CO+He",
        "molecule": "CO",
        "collider": "He",
        "v": 0,
        "j": 1,
        "v_final": 0,
        "j_final": 0,
        "upper_label": "1",
        "lower_label": "0",
        "temperature_k": 10.0,
        "rate_cm3_s": 1.25e-11,
        "kind": "computed",
        "source_id": 1,
        "extrapolated": False,
    }
    return row | changes


def test_the_view_of_the_store_has_these_columns() -> None:
    sql = (Path(__file__).parents[2] / "schemas" / "migrations" / "0002_views.sql").read_text()
    body = sql.partition("CREATE VIEW rates AS\nSELECT\n")[2].partition("\nFROM")[0]
    names = [column.split()[-1].split(".")[-1] for column in body.replace("\n", " ").split(",")]
    assert names == VIEW


def test_the_contract_is_what_the_reader_knows(tmp_path: Path) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert contract()["properties"].keys() == SCHEMA["properties"].keys()
    assert set(ALIASES.values()) <= SCHEMA["properties"].keys()
    assert not set(ALIASES) & SCHEMA["properties"].keys()
    for alias, name in ALIASES.items():
        assert f"also read as {alias}" in SCHEMA["properties"][name]["description"]
    assert set(CSV.split("\n")[0].split(",")) | {"upper_label", "lower_label"} == SCHEMA["properties"].keys()
    for column in (*NUMBERS, "v", "j", "v_final", "j_final", "kind", "collider"):
        row = CSV.split("\n")[1].split(",")
        row[CSV.split("\n")[0].split(",").index(column)] = "wr*ng"
        broken(tmp_path, CSV + ",".join(row) + "\n")  # the reader looks at each of them


@pytest.mark.parametrize(
    ("row", "valid"),
    [
        (store_row(), True),
        (store_row(kind="predicted", log10_std=0.1), True),
        (
            store_row(
                quantum_numbers={}, v_final=None, j_final=None, upper_label="1_0_1", lower_label="0_0_0"
            ),
            True,
        ),
        ({"j": 1, "j_final": 0, "temperature_k": 10, "rate_cm3_s": 0}, True),
        ({"upper_label": "a", "lower_label": "b", "temperature_k": 10, "rate_cm3_s": 0}, True),
        (store_row(rate_cm3_s=None), True),
        ({"v": 0, "j": 1, "j_final": 0, "temperature_k": 10, "rate_cm3_s": 0}, False),
        (store_row(temperature_k=0), False),
        (store_row(rate_cm3_s=-1e-11), False),
        (store_row(collider="H2O"), True),
        (store_row(collider="p H2"), False),
        (store_row(kind="measured"), False),
        (store_row(j=-1), False),
        (store_row(j=1.5), False),
        (store_row(upper_weight=0), False),
        ({"j": 1, "temperature_k": 10, "rate_cm3_s": 0}, False),
        ({"j": 1, "lower_label": "0", "temperature_k": 10, "rate_cm3_s": 0}, False),
        ({"j": 1, "j_final": 0, "temperature_k": 10}, False),
    ],
)
def test_rows_of_the_store_are_rows_of_the_contract(row: dict[str, object], valid: bool) -> None:
    assert Draft202012Validator(SCHEMA).is_valid(row) is valid


def test_a_csv_with_the_columns_of_the_store_is_read_back(tmp_path: Path) -> None:
    rows = [
        store_row(j=j, upper_label=str(j), temperature_k=kelvin, rate_cm3_s=j * 1.1e-11 + kelvin * 1e-14)
        for j in (1, 2)
        for kelvin in (10.0, 20.0)
    ]
    rows.append(store_row(j=3, upper_label="3", kind="predicted", log10_std=0.1))
    text = io.StringIO()
    writer = csv.DictWriter(text, VIEW)
    writer.writeheader()
    writer.writerows(rows)
    file = read(tmp_path, text.getvalue(), levels=(LEVELS_CSV,))
    expected = {
        (
            row["molecule"],
            row["collider"],
            row["kind"],
            row["upper_label"],
            row["lower_label"],
            row["temperature_k"],
        ): row["rate_cm3_s"]
        for row in rows[:-1]
    }
    assert values(file) == expected
    assert values(rates_of_frame(pd.DataFrame(rows), levels=ROTOR)) == expected


def test_a_parquet_file_that_denies_its_gaps_is_read_row_by_row(tmp_path: Path) -> None:
    path = parquet_of(tmp_path, CSV)
    content, present = path.read_bytes(), np.float64(3.845033).tobytes()
    # One bit: no value of upper_energy_cm1 is there any more, but its statistics still say that all are.
    path.write_bytes(content.replace(b"\x08\x01" + present, b"\x08\x00" + present, 1))
    with pytest.raises(RatedbError, match="energies of the levels of CO are not known"):
        read_rates(tmp_path, path.read_bytes(), molecule=None, collider=None)
