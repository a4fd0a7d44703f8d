"""The formats that ratedb reads and writes: each registers itself, next to its code, with a decorator.

A new format is one module in this package. It declares a function with `@rate_reader`,
`@cross_section_reader` or `@writer`; nothing else has to be edited.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import ratedb.io
from ratedb.errors import RatedbError, UsageError, did_you_mean, one_of
from ratedb.files import InputFile, as_input, refuse_database, write_atomically
from ratedb.io.contents import MoleculeFile
from ratedb.io.door import admitted
from ratedb.io.text import decode
from ratedb.levels import Levels
from ratedb.systems import need_collider, need_molecule

if TYPE_CHECKING:
    from ratedb.io.cross_sections import CrossSectionFile

_log = logging.getLogger(__name__)

AUTO = "auto"
"""The name of no format: it is recognised by the content of the file."""


def _none_known(molecule: str) -> Levels | None:
    return None


@dataclass(frozen=True)
class ReadOptions:
    """What the caller knows of a file: its molecule and collider, and the files with their levels.

    `known_levels` gives the levels of a molecule that are known from elsewhere (the store), by v and j or
    label; rates by level number need `levels`, since only the list of their own source fits the numbers.
    `reduced_mass_u` (u) is for cross sections that do not give it.
    """

    molecule: str | None = None
    collider: str | None = None
    levels: tuple[Path, ...] = ()
    collider_levels: Path | None = None
    known_levels: Callable[[str], Levels | None] = field(default=_none_known, compare=False)
    reduced_mass_u: float | None = None

    def __post_init__(self) -> None:
        if self.molecule is not None:
            need_molecule(self.molecule)

    def need_names(self, path: Path) -> tuple[str, str]:
        """Return molecule and collider; raises RatedbError where the caller has not named both."""
        if self.molecule is None or self.collider is None:
            raise RatedbError(
                "this file does not name its molecule and collider",
                where=str(path),
                expected="both, by --molecule and --collider",
                got=f"molecule {self.molecule or 'not given'}, collider {self.collider or 'not given'}",
                todo="for example --molecule SiO --collider p-H2",
            )
        return self.molecule, self.collider


Contents = TypeVar("Contents", covariant=True)
Read = Callable[[InputFile, ReadOptions], Contents]
Render = Callable[[MoleculeFile], Mapping[str, bytes]]


@dataclass(frozen=True)
class Reader(Generic[Contents]):
    """A format that can be read: how its content is recognised, and the function that reads it.

    Formats are tried in increasing `order`, those with the surest signs first. `own_levels` says that a file
    lists its levels itself, so that no other list is used.
    """

    name: str
    recognises: Callable[[bytes], bool]
    read: Read[Contents]
    order: int
    own_levels: bool


_rate_readers: dict[str, Reader[MoleculeFile]] = {}
_cross_section_readers: dict[str, Reader[CrossSectionFile]] = {}
_writers: dict[str, Render] = {}


def rate_reader(
    name: str, *, recognises: Callable[[bytes], bool], order: int = 100, own_levels: bool = False
) -> Callable[[Read[MoleculeFile]], Read[MoleculeFile]]:
    """Register a function that reads rate coefficients: (InputFile, ReadOptions) -> MoleculeFile."""

    def register(read: Read[MoleculeFile]) -> Read[MoleculeFile]:
        _rate_readers[name] = Reader(name, recognises, read, order, own_levels)
        return read

    return register


def cross_section_reader(
    name: str, *, recognises: Callable[[bytes], bool], order: int = 100
) -> Callable[[Read[CrossSectionFile]], Read[CrossSectionFile]]:
    """Register a function that reads cross sections: (InputFile, ReadOptions) -> CrossSectionFile."""

    def register(read: Read[CrossSectionFile]) -> Read[CrossSectionFile]:
        _cross_section_readers[name] = Reader(name, recognises, read, order, False)
        return read

    return register


def writer(name: str) -> Callable[[Render], Render]:
    """Register a function that renders a MoleculeFile as the bytes of its files, by their endings.

    The ending "" is the file itself; ".molecule" is a file next to it, of the same name but for that ending.
    """

    def register(render: Render) -> Render:
        _writers[name] = render
        return render

    return register


@cache
def _discover() -> None:
    """Import the modules of this package once, so that their formats are registered."""
    for module in pkgutil.iter_modules(ratedb.io.__path__):
        importlib.import_module(f"ratedb.io.{module.name}")


def rate_readers() -> Mapping[str, Reader[MoleculeFile]]:
    """Return the formats of rate coefficients by name, in the order in which they are tried."""
    _discover()
    return _ordered(_rate_readers)


def cross_section_readers() -> Mapping[str, Reader[CrossSectionFile]]:
    """Return the formats of cross sections by name, in the order in which they are tried."""
    _discover()
    return _ordered(_cross_section_readers)


def writers() -> Mapping[str, Render]:
    """Return the functions that render files, by the name of their format."""
    _discover()
    return dict(sorted(_writers.items()))


def _ordered(readers: Mapping[str, Reader[Contents]]) -> dict[str, Reader[Contents]]:
    return {one.name: one for one in sorted(readers.values(), key=lambda one: (one.order, one.name))}


def read_rates(
    file: InputFile | Path | str, options: ReadOptions | None = None, *, file_format: str = AUTO
) -> MoleculeFile:
    """Return the levels, lines and rates in a file; the options complete or take precedence over its words.

    Raises UsageError for an unknown format and RatedbError where no format fits or the file is damaged.
    """
    options = options or ReadOptions()
    readers = rate_readers()
    one_of("format", file_format, [AUTO, *readers])
    if options.collider is not None:
        need_collider(options.collider)
    file = as_input(file)
    reader = _recognised(file, readers) if file_format == AUTO else readers[file_format]
    if reader is None:
        raise _no_rates(file)
    found = admitted(reader.read(file, options), str(file.path))
    _log.info("read %s as %s", file.path, reader.name)
    if reader.own_levels and (options.levels or options.collider_levels):
        names = " ".join(str(name) for name in options.levels or (options.collider_levels,))
        unused = f"{names} is not used: the file has levels of its own"
        return replace(found, warnings=(*found.warnings, unused))
    return found


def read_cross_sections(
    file: InputFile | Path | str, options: ReadOptions | None = None, *, file_format: str = AUTO
) -> CrossSectionFile:
    """Return the cross sections of a file.

    Raises UsageError for an unknown format and RatedbError where no format fits or the file is damaged.
    """
    options = options or ReadOptions()
    readers = cross_section_readers()
    one_of("format of cross sections", file_format, [AUTO, *readers])
    file = as_input(file)
    options.need_names(file.path)
    reader = _recognised(file, readers) if file_format == AUTO else readers[file_format]
    if reader is None:
        if _recognised(file, rate_readers()) is rate_readers().get("wide"):
            raise RatedbError(
                "this table has no column of cross sections and none of energies",
                where=str(file.path),
                expected="a row for each transition and energy, with the columns sigma_angstrom2,"
                " kinetic_energy_cm1, initial_label and final_label; the state of the collider not resolved",
                got="a row for each transition, and a number for each column after it",
                todo="leave --cross-sections out if it has rate coefficients; else bring it into that form",
            )
        raise RatedbError(
            "this is not a file of cross sections that ratedb reads",
            where=str(file.path),
            expected="an output of MOLSCAT or MQCT, a Hibridon .ics, .xsc or .xxsc, a table of MQCT, or CSV",
            got=_first_words(file.start),
            todo="see docs/formats.md; rate coefficients are read without --cross-sections",
        )
    return reader.read(file, options)


def read_any(path: Path | str, **options: Any) -> MoleculeFile:
    """Return what a file of rate coefficients says, whatever its format.

    Options are `format`, `molecule`, `collider`, `levels` (a path or several) and `collider_levels`. Raises
    UsageError for an unknown option or format, RatedbError where the file cannot be read.
    """
    known = ("format", "molecule", "collider", "levels", "collider_levels")
    unknown = [name for name in options if name not in known]
    if unknown:
        expected, todo = ", ".join(known), did_you_mean(unknown[0], known)
        raise UsageError(f"unknown option {unknown[0]!r}", expected=expected, got=unknown[0], todo=todo)
    file_format = options.pop("format", AUTO)
    levels = options.pop("levels", ())
    lists = (levels,) if isinstance(levels, str | Path) else levels
    others = options.pop("collider_levels", None)
    given = ReadOptions(
        **options,
        levels=tuple(Path(one) for one in lists),
        collider_levels=None if others is None else Path(others),
    )
    return read_rates(path, given, file_format=file_format)


def write_any(file: MoleculeFile, path: Path | str, format: str = "lamda") -> list[Path]:
    """Write levels, lines and rates as the files of a format, and return their paths; all or none.

    Raises UsageError for an unknown format, RatedbError where the format cannot hold the data or a file
    cannot be written.
    """
    target = Path(path)
    rendered = writers()[one_of("format", format, writers())](admitted(file))
    contents = {
        target.with_name(f"{target.stem}{ending}") if ending else target: content
        for ending, content in rendered.items()
    }
    for one in contents:
        refuse_database(one)
    write_atomically(contents)
    return list(contents)


def _recognised(file: InputFile, readers: Mapping[str, Reader[Contents]]) -> Reader[Contents] | None:
    start = file.start.removeprefix(BOM_UTF8)
    return next((reader for reader in readers.values() if reader.recognises(start)), None)


def _no_rates(file: InputFile) -> RatedbError:
    """Return the error for a file of no format, with what else it may be; raises where it is not text."""
    from ratedb.io.level_lists import looks_like_levels

    where, expected = str(file.path), "a file of rate coefficients"
    if looks_like_levels(file.start.removeprefix(BOM_UTF8)):
        todo = "import the rates, and name this file with --levels"
        return RatedbError(
            "this is a list of levels, without rates", where=where, expected=expected, todo=todo
        )
    if _recognised(file, cross_section_readers()) is not None:
        todo = "average it: --cross-sections --temperatures 10:100:10, with all files of the calculation"
        return RatedbError("this is a file of cross sections", where=where, expected=expected, todo=todo)
    decode(file.start, file.path)  # has its own words for UTF-16 and binary content
    return RatedbError(
        "this is not a file of rate coefficients that ratedb reads",
        where=where,
        expected="LAMDA (first line !MOLECULE), BASECOL .kij, rows of v J v' J', matrices below a list of"
        " levels, or a table with the columns temperature_k and rate_cm3_s",
        got=_first_words(file.start),
        todo="see docs/formats.md; cross sections are read with --cross-sections",
    )


def _first_words(content: bytes) -> str:
    first = content[:80].split(b"\n")[0].decode("latin-1").strip()
    return repr(first) if content else "an empty file"
