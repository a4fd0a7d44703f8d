"""A snapshot has what the store has, for any tool that reads Parquet, and never changes."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
from merged import contents, said
from small_co import make_small_store
from stores import table_names
from synthetic import lamda_text, rotor_levels, rotor_rates

import ratedb
from ratedb.database import Database
from ratedb.errors import RatedbError
from ratedb.store import migrations, publishing, snapshot
from ratedb.store.store import Store

SCHEMA = json.loads((resources.files("ratedb_schemas") / "snapshot.schema.json").read_text())


@pytest.fixture(scope="module")
def published(small_co: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the small store; for reading only."""
    folder = tmp_path_factory.mktemp("published")
    more = {"licence": "CC-BY-4.0", "doi": "10.5281/zenodo.1", "creator": ["A. Author", "B. Author"]}
    result = Database(small_co).publish(folder / "co", version="1.0", title="Rates of CO", **more)
    assert Path(result.path) == folder / "co" / "1.0"
    return Path(result.path)


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return found


@pytest.mark.parametrize("view", publishing.VIEWS)
def test_duckdb_reads_from_each_file_what_the_view_of_the_store_has(
    view: str, published: Path, small_co: Path
) -> None:
    columns = [row[0] for row in said(small_co, f"DESCRIBE {view}")]
    kept = ", ".join(name for name in columns if name not in ("user_name", "comment"))
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {kept} FROM '{published / view}.parquet'").fetchall()
    assert sorted(map(repr, found)) == sorted(map(repr, said(small_co, f"SELECT {kept} FROM {view}")))


def test_pandas_and_arrow_read_the_same_rates(published: Path, small_co: Path) -> None:
    pandas, parquet = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    names = ["system", "upper_label", "lower_label", "temperature_k", "rate_cm3_s", "kind"]
    expected = sorted(said(small_co, f"SELECT {', '.join(names)} FROM rates"))
    frame = pandas.read_parquet(published / "rates.parquet")
    assert sorted(frame[names].itertuples(index=False, name=None)) == expected
    table = parquet.read_table(published / "rates.parquet", columns=names)
    assert sorted(tuple(row.values()) for row in table.to_pylist()) == expected


def test_the_manifest_is_what_its_schema_says_and_names_every_file(published: Path) -> None:
    said_of = manifest(published)
    jsonschema.validate(said_of, SCHEMA)
    files = {str(path.relative_to(published)) for path in published.rglob("*") if path.is_file()}
    assert {file["path"] for file in said_of["files"]} == files - {"manifest.json"}
    for file in said_of["files"]:
        content = (published / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), snapshot.sha256(content))
    units = {c["name"]: c.get("unit") for f in said_of["files"] for c in f.get("columns", ())}
    assert (units["temperature_k"], units["rate_cm3_s"], units["energy_cm1"]) == ("K", "cm3 s-1", "cm-1")


def test_the_sources_to_cite_are_named_in_manifest_bibtex_and_readme(published: Path) -> None:
    references = {one["reference"] for one in manifest(published)["citations"]}
    assert {"First et al. 2010", "Second et al. 2020", "Third et al. 2000"} <= references
    assert any("Mihalik" in one for one in references)  # of the predictions
    bibtex, readme = ((published / name).read_text() for name in ("references.bib", "README.md"))
    assert bibtex.count("@") == len(references)
    assert all(one in readme for one in references)
    cff = (published / "CITATION.cff").read_text()
    assert all(text in cff for text in ('"Rates of CO"', '"10.5281/zenodo.1"', '"B. Author"', "CC-BY-4.0"))


def test_the_same_store_gives_the_same_bytes_of_parquet(
    published: Path, small_co: Path, tmp_path: Path
) -> None:
    again = Path(Database(small_co).publish(tmp_path, version="2").path)
    hashes = [
        {f["path"]: f["sha256"] for f in manifest(folder)["files"] if f["path"].endswith(".parquet")}
        for folder in (published, again)
    ]
    assert len(hashes[0]) > len(publishing.VIEWS)
    assert hashes[0] == hashes[1]


def test_nothing_in_a_snapshot_says_on_which_machine_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATEDB_USER", "secretuser")
    file = tmp_path / "secretfolder" / "co.dat"
    file.parent.mkdir()
    file.write_text(lamda_text([rotor_rates(rotor_levels(3))]))
    db = ratedb.open(file.parent / "s.duckdb", create=True)
    db.import_(file, method="CC", comment="secretcomment")
    db.sources("XY+He", withdraw=1, because="reasons are published")
    db.sources("XY+He", restore=1, because="it is good")
    for comments, secrets in (
        (False, {b"secretfolder", b"secretuser", b"secretcomment"}),
        (True, {b"secretfolder"}),
    ):
        folder = Path(db.publish(tmp_path / "published", comments=comments).path)
        with duckdb.connect() as connection:
            texts = [
                repr(connection.execute(f"SELECT * FROM '{path}'").fetchall()).encode()
                for path in folder.rglob("*.parquet")
            ]
        texts += [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        assert all(secret not in text for secret in secrets for text in texts)
        assert any(b"reasons are published" in text for text in texts)
        assert any(b"secretcomment" in text for text in texts) is comments


# -- versions ----------------------------------------------------------------------------------------


def test_a_version_is_never_overwritten_and_numbers_go_on(small_co: Path, tmp_path: Path) -> None:
    db = Database(small_co)
    assert [db.publish(tmp_path).version for _ in range(2)] == ["1", "2"]
    assert db.publish(tmp_path, version="2.5").version == "2.5"
    before = (tmp_path / "2" / "manifest.json").read_bytes()
    for version in ("2", "2.5"):
        with pytest.raises(RatedbError, match="published already"):
            db.publish(tmp_path, version=version)
    assert (tmp_path / "2" / "manifest.json").read_bytes() == before
    for version in ("../x", "", ".x", "a/b", "x" * 65):
        with pytest.raises(RatedbError, match="invalid version"):
            db.publish(tmp_path, version=version)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "2.5"]


def test_a_publication_that_fails_leaves_nothing(
    small_co: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path, path: str, text: str) -> None:
        raise RatedbError("the disk is full")

    monkeypatch.setattr(publishing, "write_text", full)
    with pytest.raises(RatedbError, match="full"):
        Database(small_co).publish(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_systems_and_an_unknown_system_are_refused(small_co: Path, tmp_path: Path) -> None:
    empty = ratedb.open(tmp_path / "empty.duckdb", create=True)
    with pytest.raises(RatedbError, match="no system"):
        empty.publish(tmp_path / "new")
    with pytest.raises(RatedbError, match="no system"):
        Database(small_co).publish(tmp_path / "new", systems="CO+e")
    assert not (tmp_path / "new").exists()


# -- some systems ------------------------------------------------------------------------------------


def test_chosen_systems_bring_only_what_belongs_to_them(small_co: Path, tmp_path: Path) -> None:
    store = Database(shutil.copy(small_co, tmp_path / "s.duckdb"))
    (tmp_path / "other.dat").write_text(lamda_text([rotor_rates(rotor_levels(3))]))
    store.import_(tmp_path / "other.dat", method="CC", reference="Other et al. 1999")
    store.plan("XY+He", j="5:20")
    folder = Path(store.publish(tmp_path / "p", systems=("CO+o-H2",)).path)
    db = ratedb.open(folder)
    assert db.systems().column("system") == ["CO+o-H2"]
    assert len(db.sources()) == 1
    names = {path.stem for path in (folder / "tables").glob("*.parquet")}
    with duckdb.connect() as connection:
        for name in names:
            rows = repr(connection.execute(f"SELECT * FROM '{folder}/tables/{name}.parquet'").fetchall())
            assert not any(text in rows for text in ("XY", "p-H2", "Second et al.", "Other et al.")), name
    assert db.rates("CO+o-H2").sha256() == store.rates("CO+o-H2").sha256()


# -- opening -----------------------------------------------------------------------------------------


def test_an_opened_snapshot_answers_as_the_store(published: Path, small_co: Path, tmp_path: Path) -> None:
    db, store = ratedb.open(published), ratedb.open(small_co)
    assert db.rates("CO+p-H2").sha256() == store.rates("CO+p-H2").sha256()
    for ask in (
        lambda of: of.systems().rows,
        lambda of: of.show("CO+p-H2").to_json(),
        lambda of: of.sources().rows,
        lambda of: of.levels("CO").rows,
        lambda of: of.lines("CO").rows,
        lambda of: of.findings().rows,
        lambda of: of.cite("CO+p-H2").to_json(),
        lambda of: of.compare("CO+p-H2", 1, 2).to_json(),
        lambda of: of.check("CO+p-H2").to_json(),
        lambda of: of.sql("SELECT kind, count(*), max(rate_cm3_s) FROM rates GROUP BY ALL ORDER BY ALL").rows,
    ):
        assert ask(db) == ask(store)
    paths = []
    for number, one in enumerate((db, store)):
        paths.append(tmp_path / f"{number}" / "co.dat")
        paths[-1].parent.mkdir()
        one.export("CO+p-H2", paths[-1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Store(published) as opened:
        assert opened.model(1).training_sha256 == "0" * 64


def test_the_folder_of_one_version_opens_it_and_that_of_two_asks_which(
    small_co: Path, tmp_path: Path
) -> None:
    db = Database(small_co)
    db.publish(tmp_path)
    assert ratedb.open(tmp_path).systems().rows == db.systems().rows
    db.publish(tmp_path)
    with pytest.raises(RatedbError, match="several versions"):
        ratedb.open(tmp_path)
    assert ratedb.open(tmp_path / "2").systems().rows == db.systems().rows


def test_what_would_change_a_snapshot_is_refused_and_nothing_changes(published: Path, tmp_path: Path) -> None:
    db = ratedb.open(published)
    (tmp_path / "more.dat").write_text(lamda_text([rotor_rates(rotor_levels(3))]))
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
    for act in (
        lambda: db.import_(tmp_path / "more.dat"),
        lambda: db.fill("CO+p-H2", model=1),
        lambda: db.plan("CO+p-H2", j="1:5"),
        lambda: db.sources("CO+p-H2", withdraw=1, because="no"),
        lambda: db.check("CO+p-H2", mark=True),
        lambda: db.corpus(add="CO+p-H2"),
        lambda: db.repair(),
        lambda: db.merge(tmp_path / "more.duckdb"),
        lambda: db.backup(tmp_path / "copy.duckdb"),
        lambda: db.sql("DELETE FROM source"),
        lambda: db.sql("INSERT INTO molecule VALUES ('X', 'linear')"),
    ):
        with pytest.raises(RatedbError):
            act()
    assert {path: path.read_bytes() for path in published.rglob("*") if path.is_file()} == before


def test_a_query_on_a_snapshot_reaches_no_other_file(published: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for name in (tmp_path / "secret.csv", published / "sources.parquet"):
        with pytest.raises(RatedbError, match="refused"):
            ratedb.open(published).sql(f"SELECT * FROM '{name}'")


def test_a_snapshot_moved_elsewhere_still_opens(published: Path, tmp_path: Path) -> None:
    moved = tmp_path / "it's here"
    shutil.copytree(published, moved)
    assert ratedb.open(moved).systems().rows == ratedb.open(published).systems().rows
    assert ratedb.open(moved).sql("SELECT count(*) FROM rates").rows[0][0] > 0


@pytest.mark.parametrize(
    "name", ["tables/rate.parquet", "tables/source.parquet", "rates.parquet", "README.md"]
)
@pytest.mark.parametrize("how", ["changed", "cut", "gone"])
def test_a_file_that_is_not_the_published_one_is_named(
    published: Path, tmp_path: Path, name: str, how: str
) -> None:
    copy = Path(shutil.copytree(published, tmp_path / "copy"))
    content = (copy / name).read_bytes()
    middle = len(content) // 2
    changed = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    if how == "gone":
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(changed if how == "changed" else content[:-1])
    with pytest.raises(RatedbError, match="not the one that was published") as caught:
        ratedb.open(copy)
    assert name in str(caught.value)


def _names(path: str) -> dict[str, Any]:
    return {"files": [{"path": path, "sha256": "0" * 64, "bytes": 1}]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("no json", "not a manifest"),
        ("[]", "not a manifest"),
        ("{}", "not a manifest"),
        ('{"format": "ratedb-snapshot", "format": "ratedb-snapshot"}', "not a manifest"),
        ({"files": 3}, "not a manifest"),
        ({"evil": 3}, "not a manifest"),
        ({"version": "1\x1b[2J"}, "not a manifest"),
        (_names("../x"), "not a manifest"),
        (_names("tables/.."), "not a manifest"),
        (_names("/etc/passwd"), "not a manifest"),
        (_names("tables\\rate.parquet"), "not a manifest"),
        ({"files": []}, "not complete"),
        ({"format_version": 2, "new_words": True}, "newer ratedb"),
        ({"schema_version": 999}, "newer ratedb"),
    ],
)
def test_a_manifest_that_is_none_is_one_message(
    published: Path, tmp_path: Path, change: str | dict[str, Any], words: str
) -> None:
    text = change if isinstance(change, str) else json.dumps(manifest(published) | change)
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RatedbError, match=words) as caught:
        ratedb.open(tmp_path)
    assert "\x1b" not in str(caught.value)


def test_a_folder_that_is_no_snapshot_is_refused_as_before(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="directory"):
        ratedb.open(tmp_path)


def test_doctor_knows_a_snapshot(published: Path, tmp_path: Path) -> None:
    [check] = [one for one in Database(published).doctor().checks if one.name == "database"]
    assert (check.status, "snapshot 1.0" in check.detail) == ("ok", True)
    copy = Path(shutil.copytree(published, tmp_path / "copy"))
    (copy / "rates.parquet").write_bytes(b"")
    [check] = [one for one in Database(copy).doctor().checks if one.name == "database"]
    assert check.status == "problem"


# -- all of the store --------------------------------------------------------------------------------


def test_every_table_of_a_store_is_published_or_is_known_not_to_be(small_co: Path) -> None:
    assert {*publishing.TABLES, *publishing.LEFT_OUT} == set(table_names(small_co))
    assert set(publishing.TABLES) == {*snapshot.LOADED, snapshot.RATE}


def test_a_snapshot_merged_into_an_empty_store_gives_the_store_again(
    published: Path, small_co: Path, tmp_path: Path
) -> None:
    db = ratedb.open(tmp_path / "new.duckdb", create=True)
    db.merge(published)
    assert contents(db.path, "user_name", "comment") == contents(small_co, "user_name", "comment")


def test_a_snapshot_of_an_older_schema_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Path(Database(make_small_store(tmp_path / "s.duckdb")).publish(tmp_path / "p").path)
    rates = ratedb.open(old).rates("CO+p-H2").sha256()
    newest = migrations.available()[-1].version
    more = migrations.Migration(newest + 1, "more", "ALTER TABLE rate ADD COLUMN more INTEGER DEFAULT 7;")
    monkeypatch.setattr(migrations, "available", lambda known=migrations.available(): (*known, more))  # noqa: B008
    snapshot._built.cache_clear()
    db = ratedb.open(old)
    assert db.sql("SELECT DISTINCT more FROM rate").rows == [(7,)]
    assert db.rates("CO+p-H2").sha256() == rates
