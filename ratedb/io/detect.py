"""Read a file of rate coefficients, recognised by its content."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ratedb.errors import RatedbError, UsageError
from ratedb.files import read_bytes
from ratedb.io.basecol import looks_like_basecol, read_basecol
from ratedb.io.columns import looks_like_csv, looks_like_parquet, read_csv, read_parquet
from ratedb.io.contents import MoleculeFile
from ratedb.io.cross_sections import CrossSectionFile
from ratedb.io.hibridon import looks_like_hibridon, read_hibridon
from ratedb.io.lamda import looks_like_lamda, read_lamda
from ratedb.io.level_lists import LevelList, looks_like_levels, read_levels_of
from ratedb.io.matrices import looks_like_matrices, read_matrices
from ratedb.io.molscat import looks_like_molscat, read_molscat
from ratedb.io.mqct import looks_like_mqct, read_mqct
from ratedb.io.text import decode
from ratedb.io.vj_tables import looks_like_vj_table, read_vj_table
from ratedb.levels import Levels
from ratedb.systems import COLLIDERS


def _none_known(molecule: str) -> Levels | None:
    return None


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows of a file: its molecule and collider, and the files with their levels.

    `known_levels` gives the levels of a molecule that are known from elsewhere (the store), by v and j or
    label; rates by level number need `levels`, since only the list of their own source fits the numbers.
    """

    molecule: str | None = None
    collider: str | None = None
    levels: tuple[Path, ...] = ()
    collider_levels: Path | None = None
    known_levels: Callable[[str], Levels | None] = field(default=_none_known, compare=False)

    def need_names(self, path: Path) -> tuple[str, str]:
        """Return molecule and collider; raises RatedbError where the caller has not named both."""
        if self.molecule is None or self.collider is None:
            raise RatedbError(
                "this file does not name its molecule and collider",
                where=str(path),
                expected="both, by --molecule and --collider (" + " ".join(COLLIDERS) + ")",
                got=f"molecule {self.molecule or 'not given'}, collider {self.collider or 'not given'}",
                todo="say for example --molecule SiO --collider p-H2",
            )
        return self.molecule, self.collider

    def need_levels(self, path: Path, molecule: str) -> LevelList:
        """Return the listed levels; raises RatedbError where the caller has named no list."""
        if not self.levels:
            raise RatedbError(
                "this file has no levels of its own",
                where=str(path),
                expected="the list of levels that its rates refer to",
                todo="name it with --levels (a level list of BASECOL or molpop, v J energy, LAMDA or CSV)",
            )
        return read_levels_of(self.levels, molecule)

    def levels_of(self, molecule: str) -> Levels | None:
        """Return the listed levels, or those known from elsewhere, or None."""
        return read_levels_of(self.levels, molecule).levels if self.levels else self.known_levels(molecule)


@dataclass(frozen=True)
class _Format:
    recognises: Callable[[bytes], bool]
    read: Callable[[Path, ReadOptions], MoleculeFile]


def _lamda(path: Path, options: ReadOptions) -> MoleculeFile:
    return read_lamda(path, molecule=options.molecule, collider=options.collider)


def _basecol(path: Path, options: ReadOptions) -> MoleculeFile:
    molecule, collider = options.need_names(path)
    others = None
    if options.collider_levels is not None:
        others = read_levels_of([options.collider_levels], collider).levels
    levels = options.need_levels(path, molecule)
    return read_basecol(path, collider=collider, levels=levels, collider_levels=others)


def _vj_table(path: Path, options: ReadOptions) -> MoleculeFile:
    molecule, collider = options.need_names(path)
    return read_vj_table(path, collider=collider, levels=options.need_levels(path, molecule))


def _matrices(path: Path, options: ReadOptions) -> MoleculeFile:
    molecule, collider = options.need_names(path)
    return read_matrices(path, molecule=molecule, collider=collider)


def _csv(path: Path, options: ReadOptions) -> MoleculeFile:
    return read_csv(path, molecule=options.molecule, collider=options.collider, levels_of=options.levels_of)


def _parquet(path: Path, options: ReadOptions) -> MoleculeFile:
    return read_parquet(
        path, molecule=options.molecule, collider=options.collider, levels_of=options.levels_of
    )


# In the order in which they are tried: the surest signs first.
_FORMATS: Mapping[str, _Format] = {
    "parquet": _Format(looks_like_parquet, _parquet),
    "lamda": _Format(looks_like_lamda, _lamda),
    "csv": _Format(looks_like_csv, _csv),
    "basecol": _Format(looks_like_basecol, _basecol),
    "matrix": _Format(looks_like_matrices, _matrices),
    "vj": _Format(looks_like_vj_table, _vj_table),
}
FORMATS = ("auto", *_FORMATS)
_WITH_LEVELS = ("lamda", "matrix")
CROSS_SECTION_FORMATS = ("auto", "molscat", "hibridon", "mqct")


def read_file(path: Path, options: ReadOptions | None = None, *, file_format: str = "auto") -> MoleculeFile:
    """Return what a file says; the options overrule or complete its own words.

    Raises UsageError for an unknown format and RatedbError where the file is of none that ratedb reads.
    """
    options = options or ReadOptions()
    if file_format not in FORMATS:
        raise UsageError(f"unknown format {file_format!r}", expected=" or ".join(FORMATS))
    if options.collider is not None and options.collider not in COLLIDERS:
        raise RatedbError(
            "unknown collider", expected=" ".join(COLLIDERS), got=options.collider, todo="say one of these"
        )
    content = read_bytes(path)
    if file_format == "auto":
        file_format = _recognised(path, content)
    file = _FORMATS[file_format].read(path, options)
    if file_format in _WITH_LEVELS and (options.levels or options.collider_levels):
        given = options.levels or (options.collider_levels,)
        names = " ".join(str(name) for name in given)
        return replace(
            file, warnings=(*file.warnings, f"{names} is not used: the file has levels of its own")
        )
    return file


def read_cross_sections(
    path: Path,
    options: ReadOptions | None = None,
    file_format: str = "auto",
    reduced_mass_u: float | None = None,
) -> CrossSectionFile:
    """Return the cross sections of a file; `reduced_mass_u` (u) is for formats that do not say it.

    Raises UsageError for an unknown format and RatedbError where the file is of none that ratedb reads.
    """
    options = options or ReadOptions()
    if file_format not in CROSS_SECTION_FORMATS:
        raise UsageError(
            f"unknown format of cross sections {file_format!r}", expected=" or ".join(CROSS_SECTION_FORMATS)
        )
    content = read_bytes(path)
    molecule, collider = options.need_names(path)
    levels = options.levels_of(molecule)
    if file_format == "molscat" or (file_format == "auto" and looks_like_molscat(content)):
        return read_molscat(path, molecule=molecule, collider=collider, levels=levels)
    if file_format == "hibridon" or (file_format == "auto" and looks_like_hibridon(content)):
        return read_hibridon(path, molecule=molecule, collider=collider, levels=levels)
    if file_format == "mqct" or (file_format == "auto" and looks_like_mqct(content)):
        return read_mqct(path, molecule=molecule, collider=collider, reduced_mass_u=reduced_mass_u)
    raise RatedbError(
        "this is not a file of cross sections that ratedb reads",
        where=str(path),
        expected="an output of MOLSCAT, a Hibridon .ics, .xsc or .xxsc, or a table of MQCT",
        got=_first_words(content),
        todo="see docs/formats.md; rate coefficients are read without --cross-sections",
    )


def _recognised(path: Path, content: bytes) -> str:
    start = content.removeprefix(BOM_UTF8)
    for name, one in _FORMATS.items():
        if one.recognises(start):
            return name
    if looks_like_levels(start):
        raise RatedbError(
            "this is a list of levels, without rates",
            where=str(path),
            expected="a file of rate coefficients",
            todo="import the rates, and name this file with --levels",
        )
    if looks_like_molscat(content) or looks_like_hibridon(content) or looks_like_mqct(content):
        raise RatedbError(
            "this is a file of cross sections",
            where=str(path),
            expected="a file of rate coefficients",
            todo="average it: --cross-sections --temperatures 10:100:10, with all files of the calculation",
        )
    decode(content, path)  # refuses UTF-16 and binary content in words of its own
    raise RatedbError(
        "this is not a file of rate coefficients that ratedb reads",
        where=str(path),
        expected="LAMDA (first line !MOLECULE), BASECOL .kij, rows of v J v' J', matrices below a list of"
        " levels, or a table with the columns temperature_k and rate_cm3_s",
        got=_first_words(content),
        todo="see docs/formats.md; cross sections are read with --cross-sections",
    )


def _first_words(content: bytes) -> str:
    first = content[:80].split(b"\n")[0].decode("latin-1").strip()
    return repr(first) if content else "an empty file"
