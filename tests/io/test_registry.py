"""Claims about formats: a new one is one module, files are read once, and what is written is read again."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cross_section_text import ICS, mqct_text
from lamda_text import TEXT
from rate_texts import CSV, ENERGY, KIJ, MOLPOP, NUMBERED, VJ
from synthetic import rotor_levels, rotor_lines, rotor_rates

import ratedb
from ratedb.errors import RatedbError, UsageError
from ratedb.files import InputFile, sha256
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.registry import (
    ReadOptions,
    cross_section_readers,
    rate_readers,
    read_cross_sections,
    read_rates,
    writers,
)
from ratedb.store.store import Store

MODULE = """
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.registry import rate_reader, writer
from ratedb.levels import Levels, Lines
from ratedb.rates import Rates


@rate_reader("stars", recognises=lambda content: content.startswith(b"***"))
def read_stars(file, options):
    kelvin, rate = map(float, file.content.decode().split()[1:])
    levels = Levels("CO", ("0", "1"), [0.0, 4.0], [1.0, 3.0])
    rates = Rates(levels, "He", [1], [0], [kelvin], [[rate]])
    return MoleculeFile(levels, Lines.empty(), (PartnerRates(rates),))


@writer("stars")
def write_stars(file):
    rates = file.partners[0].rates
    return {"": f"*** {rates.temperature_k[0]} {rates.rate_cm3_s[0, 0]}".encode(), ".note": b"twinkle"}
"""
SCRIPT = """
import sys
import ratedb, ratedb.io
ratedb.io.__path__.append(sys.argv[1])
file = ratedb.read(sys.argv[1] + "/a.txt")
paths = ratedb.write(file, sys.argv[1] + "/b.txt", format="stars")
print(file.partners[0].rates.rate_cm3_s[0, 0], len(paths))
"""


def test_a_new_format_is_one_module_with_decorators(tmp_path: Path) -> None:
    (tmp_path / "stars.py").write_text(MODULE)
    (tmp_path / "a.txt").write_text("*** 10 2e-11\n")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2e-11", "2"]
    assert (tmp_path / "b.txt").read_text() == "*** 10.0 2e-11"
    assert (tmp_path / "b.note").read_text() == "twinkle"


def test_formats_have_their_names_and_the_surest_signs_are_tried_first() -> None:
    assert list(rate_readers()) == ["parquet", "lamda", "csv", "wide", "basecol", "matrix", "vj"]
    assert list(cross_section_readers()) == [
        "molscat",
        "hibridon",
        "mqct",
        "mqct-output",
        "cross-sections-csv",
    ]
    assert set(writers()) == {"lamda", "basecol", "csv", "parquet"}


# -- read and write ----------------------------------------------------------------------------------


def two_levels_of_v() -> MoleculeFile:
    levels = rotor_levels(4, v_max=1)
    rates = rotor_rates(levels, temperature_k=(10.0, 20.0, 35.5))
    rounded = np.vectorize(lambda value: float(f"{value:.6e}"))(rates.rate_cm3_s)
    rates = ratedb.Rates(levels, "He", rates.upper, rates.lower, rates.temperature_k, rounded)
    return MoleculeFile(levels, rotor_lines(levels), (PartnerRates(rates, "Doe 2026"),))


@pytest.mark.parametrize("file_format", ["lamda", "basecol", "csv", "parquet"])
def test_what_is_written_is_read_again(tmp_path: Path, file_format: str) -> None:
    file, target = two_levels_of_v(), tmp_path / "o.dat"
    paths = ratedb.write(file, target, format=file_format)
    assert paths[0] == target
    assert sorted(paths) == sorted(tmp_path.iterdir())
    options = {"molecule": "XY", "collider": "He", "levels": paths[1:]} if file_format == "basecol" else {}
    again = ratedb.read(str(target), **options)
    assert again.levels.label == file.levels.label
    np.testing.assert_allclose(again.levels.energy_cm1, file.levels.energy_cm1)
    assert again.partners[0].rates.sha256() == file.partners[0].rates.sha256()
    if file_format in ("lamda", "basecol"):  # a table has no lines
        np.testing.assert_allclose(again.lines.einstein_a_s1, file.lines.einstein_a_s1)
        assert "Doe 2026" in again.partners[0].reference


@pytest.mark.parametrize("file_format", ["lamda", "basecol", "csv", "parquet"])
def test_a_gzip_file_of_each_format_reads_like_the_plain_one(tmp_path: Path, file_format: str) -> None:
    paths = ratedb.write(two_levels_of_v(), tmp_path / "o.dat", format=file_format)
    options = {"molecule": "XY", "collider": "He", "levels": paths[1:]} if file_format == "basecol" else {}
    plain = ratedb.read(paths[0], **options)
    for path in paths:
        path.write_bytes(gzip.compress(path.read_bytes()))
    packed = ratedb.read(paths[0], **options)
    assert packed.levels.label == plain.levels.label
    assert packed.levels.energy_cm1.tolist() == plain.levels.energy_cm1.tolist()
    assert packed.partners[0].rates.sha256() == plain.partners[0].rates.sha256()


@pytest.mark.parametrize(("text", "file_format"), [(VJ, "vj"), (NUMBERED, "matrix"), (KIJ, "basecol")])
def test_rows_and_matrices_read_from_gzip_files_too(tmp_path: Path, text: str, file_format: str) -> None:
    path, levels = tmp_path / "rates", tmp_path / "levels"
    levels.write_text(ENERGY if file_format == "vj" else MOLPOP)
    lists = () if file_format == "matrix" else (levels,)
    options = ReadOptions("CO", "He", levels=lists)
    hashes = set()
    for content in (text.encode(), gzip.compress(text.encode())):
        path.write_bytes(content)
        hashes.add(read_rates(path, options).partners[0].rates.sha256())
    assert len(hashes) == 1


@pytest.mark.parametrize("text", [ICS, mqct_text()])
def test_cross_sections_read_from_gzip_files_too(tmp_path: Path, text: str) -> None:
    path, options = tmp_path / "xs", ReadOptions("CO", "He", reduced_mass_u=1.8)
    found = []
    for content in (text.encode(), gzip.compress(text.encode())):
        path.write_bytes(content)
        found.append([one.sigma_angstrom2.tolist() for one in read_cross_sections(path, options).tables])
    assert repr(found[0]) == repr(found[1])
    assert found[0]


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_table_keeps_the_kinds_of_its_partners(tmp_path: Path, file_format: str) -> None:
    file = two_levels_of_v()
    partner = PartnerRates(file.partners[0].rates, kind="scaled")
    ratedb.write(MoleculeFile(file.levels, file.lines, (partner,)), tmp_path / "o", format=file_format)
    assert ratedb.read(tmp_path / "o").partners[0].kind == "scaled"


def test_unknown_formats_options_and_colliders_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_text(TEXT)
    with pytest.raises(UsageError, match="unknown format") as caught:
        ratedb.write(two_levels_of_v(), path, format="xml")
    assert "parquet" in str(caught.value)
    with pytest.raises(UsageError, match="unknown format"):
        ratedb.read(path, format="xml")
    with pytest.raises(UsageError, match="unknown option") as caught:
        ratedb.read(path, colider="He")
    assert "collider_levels" in str(caught.value)
    with pytest.raises(RatedbError, match="not the name of a collider"):
        ratedb.read(path, collider="p H2")
    assert path.read_text() == TEXT


# -- read once ---------------------------------------------------------------------------------------


class Changing:
    """Files whose content changes as soon as it was read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, changed: dict[Path, bytes]) -> None:
        self.reads: list[str] = []
        real = InputFile.read

        def read(path: Path | str, **options: Any) -> InputFile:
            file = real(path, **options)
            if file.path in changed:
                self.reads.append(file.path.name)
                file.path.write_bytes(changed[file.path])
            return file

        monkeypatch.setattr(InputFile, "read", staticmethod(read))


def test_an_input_file_has_the_hash_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(b"one")
    file = InputFile.read(path)
    path.write_bytes(b"two")
    assert (file.content, file.sha256) == (b"one", sha256(b"one"))


@pytest.mark.parametrize("file_format", ["lamda", "basecol", "csv", "parquet"])
def test_a_file_that_changes_while_it_is_imported_has_the_hash_of_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    path, levels = tmp_path / "a.dat", tmp_path / "a.molecule"
    path.write_text({"lamda": TEXT, "basecol": KIJ}.get(file_format, CSV))
    levels.write_text(MOLPOP)
    if file_format == "parquet":
        ratedb.write(read_rates(path), path, format="parquet")
    content = path.read_bytes()
    options = {"levels": levels, "molecule": "CO", "collider": "He"} if file_format == "basecol" else {}
    expected = ratedb.read(path, **options).partners[0].rates.sha256()
    files = Changing(monkeypatch, {path: b"changed", levels: b"changed"})
    db = ratedb.open(tmp_path / "x.duckdb", create=True)
    [system] = db.import_(path, **options).systems
    assert sorted(files.reads) == (["a.dat", "a.molecule"] if file_format == "basecol" else ["a.dat"])
    with Store(db.path) as store:
        known = store.rates(system.system)
    [source] = known.sources.values()
    assert source["file_sha256"] == hashlib.sha256(content).hexdigest()
    assert known.sha256() == expected


def test_cross_sections_are_read_once_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.out"
    path.write_text(mqct_text())
    files = Changing(monkeypatch, {path: b"changed"})
    db = ratedb.open(tmp_path / "x.duckdb", create=True)
    with pytest.raises(RatedbError, match="a grid of energies"):  # one is too few to average over
        db.import_(
            path, molecule="H2O", collider="p-H2", reduced_mass=1.8, cross_sections=True, temperatures="10"
        )
    assert files.reads == ["a.out"]
