"""Lists of levels of one molecule: other label styles, other structures, and stores with twins."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_lamda import lamda_text

import ratedb
from ratedb.database import Database
from ratedb.errors import RatedbError

LEVELS = ((0.0, 2, "0 1/2"), (20.0, 4, "1 3/2"), (20.9, 6, "1 5/2"))
OTHER_STYLE = ((0.0, 2, "0_0.5"), (20.0, 4, "1_1.5"), (20.9, 6, "1_2.5"))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "a.dat", tmp_path / "b.dat"
    first.write_text(lamda_text("XH", LEVELS, "J F", "2 XH + p-H2"))
    second.write_text(lamda_text("XH", OTHER_STYLE, "J_F", "6 XH + He"))
    return first, second


def opened(tmp_path: Path) -> Database:
    return ratedb.open(tmp_path / "s.duckdb", create=True)


def test_two_label_styles_become_one_set_of_levels(tmp_path: Path, files: tuple[Path, Path]) -> None:
    db = opened(tmp_path)
    for file in files:
        result = db.import_(file)
    assert any("3 by quantum numbers" in warning for warning in result.warnings)
    assert [row["label"] for row in db.levels("XH").dicts()] == ["0 1/2", "1 3/2", "1 5/2"]
    exported = db.export(["XH+p-H2", "XH+He"], tmp_path / "both.dat")
    assert exported.levels == 3


@pytest.mark.parametrize("form", ["lamda", "csv", "parquet"])
def test_quantum_numbers_come_with_an_export_into_another_store(
    tmp_path: Path, files: tuple[Path, Path], form: str
) -> None:
    db = opened(tmp_path)
    db.import_(files[0])
    db.export("XH+p-H2", tmp_path / "o.dat", format=form)
    other = ratedb.open(tmp_path / "t.duckdb", create=True)
    other.import_(tmp_path / "o.dat")
    found = other.levels("XH").column("quantum_numbers")
    assert found == db.levels("XH").column("quantum_numbers")
    assert found[1] == {"j": 1.0, "F": 1.5}


def test_an_export_read_back_brings_no_new_levels(tmp_path: Path, files: tuple[Path, Path]) -> None:
    db = opened(tmp_path)
    db.import_(files[0])
    db.export("XH+p-H2", tmp_path / "out.dat")
    (tmp_path / "out.dat.provenance.json").unlink()  # the labels of the file are all that is left
    db.import_(tmp_path / "out.dat")
    assert len(db.levels("XH").dicts()) == 3


def test_an_export_read_back_brings_nothing_new_and_keeps_each_source_apart(tmp_path: Path) -> None:
    levels = ((0.0, 1, "0"), (3.0, 3, "1"), (9.0, 5, "2"))
    few, all_levels = tmp_path / "few.dat", tmp_path / "all.dat"
    few.write_text(lamda_text("XY", levels[:2], "J", "2 XY + p-H2 Doe 2010"))
    all_levels.write_text(lamda_text("XY", levels, "J", "2 XY + p-H2 Roe 2020"))
    db = opened(tmp_path)
    db.import_(few, method="CC")
    db.import_(all_levels, kind="extrapolated")
    assert [one["transitions"] for one in db.export("XY+p-H2", tmp_path / "a.dat").sources] == [2, 1]
    again = db.import_(tmp_path / "a.dat")
    assert [one.new for one in again.systems] == [0, 0]
    other = ratedb.open(tmp_path / "t.duckdb", create=True)
    other.import_(tmp_path / "a.dat")
    found = other.sql("SELECT kind, method, reference FROM sources ORDER BY kind").rows
    assert [row[:2] for row in found] == [("computed", "CC"), ("extrapolated", "not stated")]
    other.export("XY+p-H2", tmp_path / "b.dat")
    assert (tmp_path / "a.dat").read_bytes() == (tmp_path / "b.dat").read_bytes()


def test_a_source_that_was_corrected_or_cut_to_fewer_temperatures_is_not_new(tmp_path: Path) -> None:
    levels = ((0.0, 1, "0"), (3.0, 3, "1"), (9.0, 5, "2"))
    few, more = tmp_path / "few.dat", tmp_path / "more.dat"
    few.write_text(
        lamda_text("XY", levels[:2], "J", "2 XY + p-H2 Doe 2010").replace("10.0 50.0", "20.0 50.0")
    )
    more.write_text(lamda_text("XY", levels, "J", "2 XY + p-H2 Roe 2020"))
    db = opened(tmp_path)
    db.import_(few, method="CC")
    db.import_(more, method="CS")
    db.sources("XY+p-H2", correct=(2, "method=coupled states"), because="the paper says so")
    db.export("XY+p-H2", tmp_path / "a.dat")
    assert "10.0 50.0" not in (tmp_path / "a.dat").read_text()  # 10 K is not that of both sources
    assert [one.new for one in db.import_(tmp_path / "a.dat").systems] == [0, 0]


@pytest.mark.parametrize("reverse", [False, True])
def test_hyperfine_and_rotational_lists_stand_side_by_side(tmp_path: Path, reverse: bool) -> None:
    rotor, fine = tmp_path / "rotor.dat", tmp_path / "fine.dat"
    rotor.write_text(lamda_text("XY", ((0.0, 1, "0"), (3.1073, 3, "1")), "J", "2 XY + p-H2"))
    split = ((0.0, 3, "0_1"), (3.1072, 1, "1_0"), (3.1073, 5, "1_2"), (3.1074, 3, "1_1"))
    fine.write_text(lamda_text("XY", split, "J_F", "2 XY + p-H2"))
    db = opened(tmp_path)
    order = (fine, rotor) if reverse else (rotor, fine)
    for file in order:
        result = db.import_(file)
    suffix = "rot" if reverse else "hfs"
    assert [one.system for one in result.systems] == [f"XY({suffix})+p-H2"]
    assert any(f"XY({suffix})" in warning for warning in result.warnings)
    counts = {name: len(db.levels(name).dicts()) for name in ("XY", f"XY({suffix})")}
    assert counts == ({"XY": 4, "XY(rot)": 2} if reverse else {"XY": 2, "XY(hfs)": 4})
    together = ratedb.open(tmp_path / "t.duckdb", create=True)
    found = together.import_(*order)
    assert [one.system for one in found.systems] == ["XY+p-H2", f"XY({suffix})+p-H2"]
    again = db.import_(order[1])
    assert [(one.system, one.new) for one in again.systems] == [(f"XY({suffix})+p-H2", 0)]


def with_twins(tmp_path: Path, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Database:
    """Return a store that matched levels by their labels only, as versions up to 0.1 did."""
    from ratedb.physics import level_matching
    from ratedb.store import level_identity

    def by_label(new: ratedb.Levels, stored: ratedb.Levels) -> level_matching.Match:
        place = level_matching._matched(list(new.label), list(stored.label))
        return level_matching.Match(place)

    db = opened(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(level_identity, "match_levels", by_label)
        for file in files:
            db.import_(file)
    assert len(db.levels("XH").dicts()) == 6
    return db


def test_repair_merges_twins_to_what_a_fresh_import_gives(
    tmp_path: Path, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    db = with_twins(tmp_path, files, monkeypatch)
    planned = db.repair("XH", dry_run=True)
    assert [(one.kept, one.merged) for one in planned.merged] == [
        ("0 1/2", "0_0.5"),
        ("1 3/2", "1_1.5"),
        ("1 5/2", "1_2.5"),
    ]
    assert len(db.levels("XH").dicts()) == 6
    assert db.repair().merged == planned.merged
    fresh = ratedb.open(tmp_path / "fresh.duckdb", create=True)
    for file in files:
        fresh.import_(file)
    for query in (
        "SELECT * EXCLUDE (level_id) FROM levels ORDER BY ALL",
        "SELECT * EXCLUDE (upper_id, lower_id) FROM radiative ORDER BY ALL",
        "SELECT * FROM rates ORDER BY ALL",
    ):
        assert db.sql(query).dicts() == fresh.sql(query).dicts()
    assert db.repair().merged == ()


def test_repair_leaves_other_levels_alone(tmp_path: Path, files: tuple[Path, Path]) -> None:
    db = opened(tmp_path)
    db.import_(files[0])
    before = db.sql("SELECT * FROM levels ORDER BY ALL").dicts()
    assert db.repair("XH").merged == ()
    assert db.sql("SELECT * FROM levels ORDER BY ALL").dicts() == before
    with pytest.raises(RatedbError, match="no levels of CO"):
        db.repair("CO")


TOP = ((0.0, 1, "0_0_0"), (37.1, 3, "1_1_1"), (70.1, 5, "2_0_2"), (95.2, 5, "2_1_1"), (136.2, 5, "2_2_0"))


# Numbers that a header names contradict those of the level at this energy; without a header energy is all.
@pytest.mark.parametrize(
    ("header", "taken_for", "count"), [("QNUM", "level 2_1_1 of the store", 5), ("J_Ka_Kc", "a new level", 6)]
)
def test_a_label_that_the_kind_cannot_have_is_named_with_the_level_it_is_taken_for(
    tmp_path: Path, header: str, taken_for: str, count: int
) -> None:
    first, second, third = (tmp_path / name for name in ("a.dat", "b.dat", "c.dat"))
    wrong = [(energy, weight, label.replace("2_1_1", "2_2_2")) for energy, weight, label in TOP]
    other_style = [(energy, weight, label.replace("_", " ")) for energy, weight, label in TOP]
    first.write_text(lamda_text("p-H2O", TOP, "J_Ka_Kc", "2 p-H2O + p-H2"))
    second.write_text(lamda_text("p-H2O", wrong, header, "6 p-H2O + He"))
    third.write_text(lamda_text("p-H2O", other_style, "J Ka Kc", "1 p-H2O + H2"))
    db = opened(tmp_path)
    for file in (first, third):
        assert not any("label '" in text for text in db.import_(file).warnings)
    (said,) = (text for text in db.import_(second).warnings if "label '" in text)
    assert "'2_2_2'" in said
    assert "ka + kc - j" in said
    assert taken_for in said
    assert len(db.levels("p-H2O").dicts()) == count
