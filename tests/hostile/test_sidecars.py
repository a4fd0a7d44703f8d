"""Hostile provenance next to an exported file: one message, nothing elsewhere opened, nothing raw printed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from jsonschema import Draft202012Validator
from lamda_text import TEXT
from texts import HIDDEN, need_harmless, need_refused

import ratedb
from ratedb.documents import DocumentError, load_schema, need_schema, strict_json
from ratedb.files import sha256

pytestmark = pytest.mark.slow  # many, of a second each

Document = dict[str, Any]
Change = Callable[[Document], object]
DIGEST = "0" * 64


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and exports of it in two formats."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "a.dat").write_text(TEXT)
    db = ratedb.open(folder / "x.duckdb", create=True)
    db.import_(folder / "a.dat", reference="Doe 2010", method="CC")
    db.export("CO+p-H2", folder / "o.dat")
    db.export("CO+p-H2", folder / "o.kij", format="basecol")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of one's own of that folder."""
    return Path(shutil.copytree(made, tmp_path / "here"))


def _set(*path: str | int, to: object) -> Change:
    """Return a change of one value of a document."""

    def change(document: Document) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _names(name: object) -> Change:
    """Return a change after which the provenance names another file."""
    return _set("files", to=[{"file": name, "sha256": DIGEST}])


P = ("partners", 0)
S = (*P, "sources", 0)
WRONG: dict[str, bytes | Change] = {
    "empty": b"",
    "no JSON": b"these are notes",
    "cut": b'{"format": "ratedb-provenance", "format_ver',
    "array": b"[]",
    "null": b"null",
    "number": b"1e400",
    "text": b'"ratedb-provenance"',
    "deep arrays": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "not UTF-8": b'{"format": "\xff"}',
    "UTF-16": '{"format": "ratedb-provenance"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "nulls": b"\0" * 10_000,
    "NaN": b'{"format": "ratedb-provenance", "format_version": 1, "predicted_fraction": NaN}',
    "infinity": b'{"format": "ratedb-provenance", "format_version": 1, "predicted_fraction": -Infinity}',
    "huge number": b'{"format": "ratedb-provenance", "format_version": 1, "x": ' + b"9" * 5000 + b"}",
    "duplicate names": b'{"format": "ratedb-provenance", "format": "x", "format_version": 1}',
    "blanks": b" " * 7_000_000,
    "open brackets": b"[" * 7_000_000,
    "another format": _set("format", to="something"),
    "a newer version": _set("format_version", to=2),
    "version as a flag": _set("format_version", to=True),
    "version as a float": _set("format_version", to=1.5),
    "no partners": _set("partners", to=[]),
    "partners as a text": _set("partners", to="CO+He"),
    "partners of numbers": _set("partners", to=[1, 2]),
    "without sources": lambda document: document["partners"][0].pop("sources"),
    "an unknown name": _set("evil", to=1),
    "a path as a name": _set("file", to="../o.dat"),
    "no hash": _set("sha256", to="../../etc/passwd"),
    "a hash and a line": _set("sha256", to=DIGEST + "\n"),
    "parent": _names("../outside/secret"),
    "far parent": _names("../../../../../../etc/passwd"),
    "absolute": _names("/etc/passwd"),
    "backslash": _names("..\\outside\\secret"),
    "folder itself": _names("."),
    "folder above": _names(".."),
    "no name": _names(""),
    "null in the name": _names("a\0b"),
    "line in the name": _names("a\nb"),
    "number as a name": _names(7),
    "long name": _names("a" * 4000),
    "link": _names("link"),
    "link to a device": _names("zero"),
    "folder": _names("folder"),
    "pipe": _names("pipe"),
    "missing": _names("missing"),
    "label with ESC": _set("labels", to=[{"written": "0", "original": "\x1b[2J"}]),
    "system with ESC": _set(*P, "system", to="CO\x1b[31m+p-H2"),
    "predicted as an object": _set(*P, "predicted", to={"0": "1"}),
    "pairs as a list": _set(*S, "pairs", to=[["1", "0"]]),
    "negative count": _set(*S, "rates", to=-1),
    "count as a text": _set(*S, "rates", to="many"),
    "year as a text": _set(*S, "year", to="2010\x1b"),
    "reference as a list": _set(*S, "reference", to=["Doe"]),
    "kind of another world": _set(*S, "kind", to="magic"),
    "temperature of zero": _set(*P, "interpolated_temperatures_k", to=[0]),
    "temperatures nested": _set(*P, "interpolated_temperatures_k", to=[[10.0]]),
    "quantum numbers nested": _set("quantum_numbers", to=[["j"]]),
    "models as texts": _set(*P, "models", to=["model"]),
    "sources null": _set(*P, "sources", to=[None]),
}
ONLY_CITE = ("link", "link to a device", "folder", "pipe", "missing")
"""What only `cite` looks at: the files that a provenance names."""


def _spoil(folder: Path, target: str, change: bytes | Change) -> None:
    sidecar = folder / f"{target}.provenance.json"
    if callable(change):
        document = json.loads(sidecar.read_text())
        change(document)
        sidecar.write_text(json.dumps(document))
    else:
        sidecar.write_bytes(change)
    (folder / "folder").mkdir(exist_ok=True)
    for name, to in (("link", "../outside/secret"), ("zero", "/dev/zero")):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(to)
    if not (folder / "pipe").exists():
        os.mkfifo(folder / "pipe")


@pytest.mark.parametrize("kind", WRONG)
def test_a_hostile_provenance_gives_one_message_and_opens_nothing_elsewhere(
    kind: str, folder: Path, outside: Path, opened: list[str], run: Run
) -> None:
    target = folder / "o.dat"
    _spoil(folder, "o.dat", WRONG[kind])
    del opened[:]
    need_refused(run("cite", target))
    answer = run("--db", folder / "new.duckdb", "import", target)
    need_harmless(answer)
    # A provenance of other files, and one that is too large to be of this one, say nothing of this file.
    assert (answer.code == 0) == (kind in (*ONLY_CITE, "blanks", "open brackets"))
    answer = run("--db", folder / "x.duckdb", "export", "CO+p-H2", "-o", target)
    need_harmless(answer)
    assert answer.code == 0  # the file and its provenance are written anew
    assert run("cite", target).code == 0
    assert not [path for path in opened if path.startswith((str(outside.parent), "/etc/", "/dev/"))]


@pytest.mark.parametrize("kind", ["empty", "deep arrays", "parent", "absolute", "link", "null in the name"])
def test_an_export_over_files_of_a_hostile_provenance_replaces_nothing(
    kind: str, folder: Path, outside: Path, opened: list[str], run: Run
) -> None:
    _spoil(folder, "o.kij", WRONG[kind])
    before = {path.name: path.read_bytes() for path in folder.glob("o.*")}
    del opened[:]
    answer = run(
        "--db", folder / "x.duckdb", "export", "CO+p-H2", "-o", folder / "o.kij", "--format", "basecol"
    )
    need_refused(answer)
    assert {path.name: path.read_bytes() for path in folder.glob("o.*")} == before
    assert not [path for path in opened if path.startswith(str(outside.parent))]


@pytest.mark.parametrize("to", ["../outside/secret", "/dev/zero", "pipe", "folder", "missing"])
def test_a_provenance_that_is_no_file_is_not_followed(
    to: str, folder: Path, outside: Path, opened: list[str], run: Run
) -> None:
    _spoil(folder, "o.kij", b"")
    sidecar = folder / "o.dat.provenance.json"
    sidecar.unlink()
    sidecar.symlink_to(to)
    del opened[:]
    need_refused(run("cite", folder / "o.dat"))
    need_refused(run("--db", folder / "new.duckdb", "import", folder / "o.dat"))
    need_harmless(run("--db", folder / "x.duckdb", "export", "CO+p-H2", "-o", folder / "o.dat"))
    assert not [path for path in opened if path.startswith((str(outside.parent), "/dev/"))]
    assert outside.read_text() == "the secret"
    sidecar.unlink()
    os.mkfifo(sidecar)
    need_refused(run("cite", folder / "o.dat"))


@pytest.mark.parametrize("text", [pytest.param(text, id=kind) for kind, text in HIDDEN.items()])
def test_texts_of_a_provenance_are_cleaned(text: str, folder: Path, run: Run) -> None:
    for name, to in (
        ("reference", text),
        ("method", text),
        ("title", text),
        ("bibtex", f"@misc{{x, {text}}}"),
    ):
        _spoil(folder, "o.dat", _set(*S, name, to=to))
    _spoil(folder, "o.dat", _set("ratedb_version", to=text))
    for words in (("cite", folder / "o.dat"), ("cite", folder / "o.dat", "--bibtex")):
        answer = run(*words)
        need_harmless(answer)
        assert answer.code == 0
    db = folder / "new.duckdb"
    need_harmless(run("--db", db, "import", folder / "o.dat"))
    for words in (("sources",), ("sql", "SELECT reference, method FROM sources")):
        need_harmless(run("--db", db, *words))
        assert "\\u" not in json.dumps(run("--db", db, "--json", *words).json)


def test_a_large_provenance_is_read_where_it_is_of_its_file(folder: Path, run: Run) -> None:
    target = folder / "o.dat"
    _spoil(folder, "o.dat", _set("warnings", to=[{"rule": "r", "reader": "all", "detail": "x" * 7_000_000}]))
    assert run("cite", target).code == 0
    target.write_text(target.read_text() + "\n")
    need_refused(run("cite", target))


def test_the_check_agrees_with_another_one_on_all_of_this(made: Path) -> None:
    schema = load_schema("provenance")
    whole = json.loads((made / "o.dat.provenance.json").read_text())
    other = Draft202012Validator(schema)
    outcomes = set()
    for change in [lambda document: None, *(one for one in WRONG.values() if callable(one))]:
        document = json.loads(json.dumps(whole))
        change(document)
        try:
            need_schema(document, schema)
            fits = True
        except DocumentError:
            fits = False
        if '"sha256": "' + DIGEST + "\\n" not in json.dumps(document):  # `$` of Python's search allows a line
            assert fits == other.is_valid(document)
        outcomes.add(fits)
    assert outcomes == {True, False}


@pytest.mark.parametrize("name", ["provenance", "demo", "snapshot", "rates"])
def test_no_schema_has_conditions_next_to_a_reference(name: str) -> None:
    """The check would leave them out: they belong into `allOf`."""

    def places(schema: Any) -> list[set[str]]:
        if isinstance(schema, list):
            return [place for one in schema for place in places(one)]
        if not isinstance(schema, dict):
            return []
        beside = [set(schema) - {"$ref", "description"}] if "$ref" in schema else []
        return beside + [place for one in schema.values() for place in places(one)]

    assert not any(places(load_schema(name)))


@pytest.mark.parametrize("content", [b"[" * 10**6, b"1" * 10**5, b'{"a":1,"a":1}', b"NaN", b"\xff", b"1e999"])
def test_strict_json_has_one_error(content: bytes) -> None:
    with pytest.raises(DocumentError):
        strict_json(content)


# -- other documents ---------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [one for one in WRONG.values() if isinstance(one, bytes)])
def test_other_documents_are_refused_in_one_message_too(content: bytes, folder: Path, run: Run) -> None:
    file = folder / "lines.json"
    file.write_bytes(content)
    need_refused(run("--db", folder / "x.duckdb", "next", "CO+p-H2", "--j", "0:2", "--for-lines", file))
    (folder / "work").mkdir()
    (folder / "work" / "demo.json").write_bytes(content)
    need_refused(run("demo", folder / "work", "--file", folder / "a.dat"))


@pytest.mark.parametrize(
    "step", [None, [], {}, {"model_id": "x"}, {"path": 7}, {"chosen": {}}, {"chosen": {"train_j": "all"}}]
)
def test_a_demo_does_not_go_on_with_steps_that_are_none(
    step: object, folder: Path, run: Run, rotor_file: Path
) -> None:
    work = folder / "work"
    work.mkdir()
    digest = sha256(rotor_file.read_bytes())
    identity = {"file": rotor_file.name, "sha256": digest, "ratedb_version": ratedb.__version__}
    for name in ("plan", "train AB+He", "export", "evaluate AB+He", "verify", "fill AB+He", "evil"):
        (work / "demo.json").write_text(json.dumps({"identity": identity, "steps": {name: step}}))
        need_refused(run("demo", work, "--file", rotor_file))


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"\0" * 99, b"j,hours\n" + b"1" * 2_000_000, b'j,hours\n"', b"["]
)
def test_a_file_with_hours_is_refused_in_one_message(content: bytes, folder: Path, run: Run) -> None:
    file = folder / "hours.csv"
    file.write_bytes(content)
    words = ("plan", "CO+p-H2", "--j", "0:9", "--hours", file)
    need_refused(run("--db", folder / "new.duckdb", *words))
    file.unlink()
    os.mkfifo(file)
    need_refused(run("--db", folder / "new.duckdb", *words))
