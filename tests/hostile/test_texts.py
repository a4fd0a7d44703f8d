"""Texts that would drive a terminal, look like others or be computed: from files, options and old stores."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Run
from lamda_text import TEXT, changed
from rate_texts import CSV
from seal_again import seal_again
from texts import HIDDEN, SEEN, need_harmless, need_refused, raw

import ratedb
from ratedb.errors import RatedbError
from ratedb.io.columns import rates_of_frame
from ratedb.io.contents import MoleculeFile
from ratedb.io.registry import read_rates
from ratedb.store.store import Store

pytestmark = pytest.mark.slow  # many, of a second each

ALL = HIDDEN | SEEN
COMMANDS = (
    ("systems",),
    ("show", "CO+p-H2"),
    ("sources",),
    ("sources", "CO+p-H2"),
    ("sources", "--history"),
    ("cite", "CO+p-H2"),
    ("cite", "CO+p-H2", "--bibtex"),
    ("check",),
    ("compare", "CO+p-H2", "1", "2"),
    ("sql", "SELECT * FROM sources"),
    ("sql", "SELECT * FROM source_events"),
    ("sql", "SELECT * FROM levels"),
)


# -- from options and files --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store into which every kind of text came as reference, method, reason and name of a file."""
    folder = tmp_path_factory.mktemp("dirty")
    db = ratedb.open(folder / "x.duckdb", create=True)
    for number, (first, second, third) in enumerate(_threes(), start=1):
        in_file = first.replace("\n", " ").replace("\r", " ").replace("\0", "")
        file = folder / f"{number}{third.replace('/', '_')[:40]}.dat".replace("\0", "")
        content = changed(
            ("3.302E-11", f"3.{number:03d}E-11"), ("from Yang et al. (2010)", f"from {in_file}")
        )
        file.write_text(content, encoding="utf-8", errors="surrogateescape")
        given = {"reference": third} if number % 2 else {}
        db.import_(file, method=second, quality="off", **given)
        db.sources("CO+p-H2", prefer=str(number), because=first)
    db.sources("CO+p-H2", correct=(1, f"reference={HIDDEN['colour']}"), because=HIDDEN["clear screen"])
    return db.path


def _threes() -> list[tuple[str, ...]]:
    """Return all texts in threes, each text in one of them."""
    texts = [*ALL.values(), "", ""]
    return [tuple(texts[place : place + 3]) for place in range(0, len(texts) - 2, 3)]


@pytest.mark.parametrize("words", COMMANDS)
def test_texts_from_files_and_options_are_stored_without_hidden_characters(
    dirty: Path, run: Run, words: tuple[str, ...]
) -> None:
    need_harmless(run("--db", dirty, *words))
    found = json.dumps(run("--db", dirty, "--json", *words).json, ensure_ascii=False)
    assert raw(found.replace("\\n", "")) == []
    assert "\\u001b" not in found


def test_texts_that_are_only_strange_are_kept(dirty: Path, run: Run) -> None:
    sources = run("--db", dirty, "--json", "sources", "CO+p-H2").json["sources"]
    methods = {one["method"] for one in sources}
    assert {second for _, second, _ in _threes() if second in SEEN.values()} <= methods
    assert "red[31mtext" in {one["reference"] for one in sources}


def test_an_export_of_such_texts_is_read_back_and_cited(dirty: Path, run: Run, tmp_path: Path) -> None:
    for name in ("o.dat", "o.csv"):
        target = tmp_path / name
        more = ("--format", "csv") if name == "o.csv" else ()
        need_harmless(run("--db", dirty, "export", "CO+p-H2", "-o", target, *more))
        need_harmless(run("cite", target))
        assert raw(target.read_text()) == []
        assert run("--db", tmp_path / "y.duckdb", "import", target).code == 0


@pytest.mark.parametrize("text", [pytest.param(text, id=kind) for kind, text in HIDDEN.items()])
def test_a_name_with_a_hidden_character_is_refused(text: str, run: Run, tmp_path: Path) -> None:
    db, file = tmp_path / "x.duckdb", tmp_path / "a.dat"
    file.write_text(TEXT)
    need_refused(run("--db", db, "import", file, "--molecule", f"X{text}"))
    need_refused(run("--db", db, "import", file, "--collider", f"X{text}"))
    need_refused(run("--db", db, "plan", f"X{text}+He", "--j", "1:9"))
    need_refused(run("--db", db, "show", f"X{text}+He"))
    cell = '"' + text.replace('"', '""') + '"'
    for head, value in (("molecule", "CO"), ("collider", "He")):
        table = (
            CSV.replace(f"{value},", f"{cell},") if head == "molecule" else CSV.replace(",He,", f",{cell},")
        )
        other = tmp_path / "a.csv"
        other.write_bytes(table.encode("utf-8", "surrogateescape"))
        answer = run("--db", db, "import", other)
        need_harmless(answer)
        assert answer.code == 1
    assert not db.exists()


def test_the_label_of_a_level_with_a_hidden_character_is_refused_from_files_and_frames(
    tmp_path: Path,
) -> None:
    pandas = pytest.importorskip("pandas")
    file = tmp_path / "a.dat"
    for text in HIDDEN.values():
        frame = pandas.DataFrame(
            {
                "molecule": "CO",
                "collider": "He",
                "upper_label": ["1"],
                "lower_label": pandas.Series([text], dtype=object),
            }
            | {"upper_energy_cm1": [3.8], "lower_energy_cm1": [0.0], "upper_weight": [3.0]}
            | {"lower_weight": [1.0], "temperature_k": [10.0], "rate_cm3_s": [1e-11]}
        )
        with pytest.raises(RatedbError):
            rates_of_frame(frame)
        if text.split() != [text] or set("\0\udc80") & set(text):  # it ends the word, or is no character
            continue
        file.write_bytes(changed(("5.0     2", f"5.0     {text}")).encode())
        with pytest.raises(RatedbError, match="label"):
            read_rates(file)


def test_levels_of_a_library_call_are_refused_too(tmp_path: Path) -> None:
    file = tmp_path / "a.dat"
    file.write_text(TEXT)
    good = ratedb.read(file)
    for molecule, label in (("C\x1bO", "0"), ("-rf", "0"), ("../x", "0"), ("CO", "0\n!MOLECULE")):
        levels = replace(good.levels, molecule=molecule, label=(label, "1", "2"))
        partner = replace(good.partners[0], rates=replace(good.partners[0].rates, levels=levels))
        bad = replace(good, levels=levels, partners=(partner,))
        with pytest.raises(RatedbError):
            ratedb.write(bad, tmp_path / "o.dat")
    assert not (tmp_path / "o.dat").exists()


@pytest.mark.parametrize(
    "name",
    ["-rf", "--help", "", ".", "..", "/etc/passwd", "a/b", "a\\b", " CO", "=CO", "@CO", "~", "+", "12"],
)
def test_a_molecule_is_no_option_no_path_and_no_formula(name: str, run: Run, tmp_path: Path) -> None:
    file, db = tmp_path / "a.dat", tmp_path / "x.duckdb"
    file.write_text(TEXT)
    need_refused(run("--db", db, "import", file, f"--molecule={name}"))
    with pytest.raises(RatedbError):
        ratedb.read(file, molecule=name)
    file.write_text(CSV.replace("CO,", f'"{name}",'))
    if name and name != name.strip():
        return  # blanks around a cell do not count
    assert run("--db", db, "import", file).code == 1
    assert not db.exists()


@pytest.mark.parametrize("name", ["CO", "o-H2CO", "13CO", "N2H+", "HCO+", "CO(v=1)", "[C]", "c-C3H2", "OH*"])
def test_names_of_molecules_are_names_of_molecules(name: str, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.dat"
    file.write_text(TEXT)
    assert run("--db", tmp_path / "x.duckdb", "import", file, f"--molecule={name}").code == 0
    assert run("--db", tmp_path / "x.duckdb", "show", f"{name}+p-H2").code == 0


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_and_other_line_ends_are_harmless(before: bytes, end: str, tmp_path: Path) -> None:
    file = tmp_path / "a"
    for text in (TEXT, CSV):
        file.write_bytes(before + text.replace("\n", end).encode())
        assert read_rates(file).levels.molecule == "CO"


def test_dashes_and_quotes_of_windows_stay_in_a_reference(tmp_path: Path) -> None:
    file = tmp_path / "a.dat"
    file.write_bytes(TEXT.encode().replace(b"Yang et al. (2010)", b"M\xfcller (2010), ApJ 718, 1062\x961072"))
    assert read_rates(file).partners[0].reference.endswith("Müller (2010), ApJ 718, 1062–1072")


def test_a_bibtex_entry_keeps_its_lines_and_loses_the_rest(run: Run, tmp_path: Path) -> None:
    file, entry, db = tmp_path / "a.dat", tmp_path / "a.bib", tmp_path / "x.duckdb"
    file.write_text(TEXT)
    entry.write_text(
        "@article{x\x1b[2J,\r\n\tauthor = {Doe, J.},\n  title = {A\u202e title},\n  year = 2010\n}\n"
    )
    assert run("--db", db, "import", file, "--bibtex", entry).code == 0
    answer = run("--db", db, "cite", "CO+p-H2", "--bibtex")
    need_harmless(answer)
    assert "  title = {A title},\n" in answer.out


# -- from older stores -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of an earlier version: nothing was refused or cleaned before it was stored."""
    folder = tmp_path_factory.mktemp("old")
    file = folder / "a.dat"
    db = ratedb.open(folder / "x.duckdb", create=True)
    texts = [text.replace("\udc80", "\x80") for text in ALL.values()]
    threes = [texts[place : place + 3] for place in range(0, len(texts) - 2, 3)]
    for number in range(1, len(threes) + 1):
        file.write_text(changed(("3.302E-11", f"3.{number:03d}E-11")))
        db.import_(file, reference=f"number {number}", quality="off")
    db.sources("CO+p-H2", correct=(1, "method=CC"), because="number 1")
    with Store(db.path, write=True) as store:
        for number, said in enumerate(threes, start=1):
            store.rows(
                "UPDATE source SET method = ?, reference = ?, file_name = ? WHERE source_id = ?",
                [*said, number],
            )
        store.rows("UPDATE source_event SET reason = ?, new_value = ?", [texts[0], texts[1]])
        store.rows("UPDATE level SET label = ? WHERE label = '2'", [texts[0]])
        for table in ("source", "source_event", "level", "method_class"):
            seal_again(store.connection, table)
    return db.path


@pytest.mark.parametrize("words", COMMANDS)
def test_texts_in_an_older_store_are_printed_as_escapes(old: Path, run: Run, words: tuple[str, ...]) -> None:
    answer = run("--db", old, *words)
    need_harmless(answer)
    assert answer.code in (0, 1)
    need_harmless(run("--db", old, "--json", *words))


def test_what_is_asked_of_an_older_store_as_json_is_exact(old: Path, run: Run) -> None:
    found = run("--db", old, "--json", "sql", "SELECT method FROM sources ORDER BY source_id").json["rows"]
    assert [one["method"] for one in found][1:8] == list(ALL.values())[3:24:3]


def test_an_export_of_an_older_store_names_the_label_that_cannot_be_written(
    old: Path, run: Run, tmp_path: Path
) -> None:
    answer = run("--db", old, "export", "CO+p-H2", "-o", tmp_path / "o.dat")
    need_refused(answer)
    assert "red\\x1b[31mtext" in answer.err


@pytest.mark.parametrize(
    "words",
    [("sources", "CO+p-H2"), ("sql", "SELECT * FROM sources", "--format", "csv"), ("show", "CO+p-H2")],
)
def test_a_terminal_gets_no_control_character(old: Path, words: tuple[str, ...]) -> None:
    main, other = pty.openpty()
    environment = os.environ | {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "120"}
    command = [sys.executable, "-m", "ratedb_cli", "--db", str(old), *words]
    with subprocess.Popen(command, stdout=other, stderr=other, stdin=other, env=environment) as process:
        os.close(other)
        content = b""
        try:
            while piece := os.read(main, 65536):
                content += piece
        except OSError:
            pass  # the other end is closed
    os.close(main)
    assert process.returncode == 0
    printed = content.decode().replace("\r\n", "\n")
    assert "\\x1b" in printed
    assert raw(printed) == []


# -- tables for spreadsheets ---------------------------------------------------------------------------


def test_cells_of_csv_files_are_no_formulas(dirty: Path, run: Run, tmp_path: Path) -> None:
    target, query = tmp_path / "o.csv", "SELECT source_id - 9 AS n, reference, method FROM sources"
    need_harmless(run("--db", dirty, "sql", query, "-o", target))
    printed = run("--db", dirty, "sql", query, "--format", "csv").out
    for text in (target.read_text(), printed):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [one for one in cells if one[:1] in ("=", "@", "\uff1d") and one]
        assert not [one for one in cells if one[:1] in ("+", "-") and one and not _is_number(one)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


LABELS = ["-1", "+", "-", "=2", "@", "'-", "'=2", "1-", "+1.5", "-1.5e3", "''", "\uff1d", "-1+1"]


@pytest.mark.parametrize("label", LABELS)
def test_a_label_that_a_spreadsheet_would_compute_survives_tables(
    label: str, run: Run, tmp_path: Path
) -> None:
    file, table, db = tmp_path / "a.dat", tmp_path / "a.csv", tmp_path / "x.duckdb"
    file.write_text(changed(("3.0     1\n", "3.0     label\n")))
    labelled = _renamed(ratedb.read(file), label)
    ratedb.write(labelled, table, format="csv")
    assert set(ratedb.read(table).levels.label) == {"0", label, "2"}
    assert run("--db", db, "import", table).code == 0
    query = "SELECT * FROM rates"
    assert run("--db", db, "sql", query, "-o", tmp_path / "sql.csv").code == 0
    (tmp_path / "printed.csv").write_text(run("--db", db, "sql", query, "--format", "csv").out)
    assert run("--db", db, "export", "CO+p-H2", "-o", tmp_path / "export.csv", "--format", "csv").code == 0
    assert set(ratedb.read(tmp_path / "export.csv").levels.label) == {"0", label, "2"}
    for name in ("sql.csv", "printed.csv"):  # these have no energies: the store knows its levels by label
        assert run("--db", db, "import", tmp_path / name).code == 0, name


@pytest.mark.parametrize("label", ["-1", "+1.5", "1-", "2+"])
def test_such_a_label_survives_lamda_files(label: str, tmp_path: Path) -> None:
    file, again = tmp_path / "a.dat", tmp_path / "o.dat"
    file.write_text(changed(("3.0     1\n", f"3.0     {label}\n")))
    ratedb.write(ratedb.read(file), again)
    assert set(ratedb.read(again).levels.label) == {"0", label, "2"}


def _renamed(file: MoleculeFile, label: str) -> MoleculeFile:
    levels = replace(file.levels, label=("0", label, "2"))
    partner = replace(file.partners[0], rates=replace(file.partners[0].rates, levels=levels))
    return replace(file, levels=levels, partners=(partner,))


def test_a_gzip_file_of_such_a_table_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(CSV.encode()))
    assert read_rates(file).levels.molecule == "CO"
