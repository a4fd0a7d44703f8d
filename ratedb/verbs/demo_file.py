"""The LAMDA file that a demo works on: one that the package spectralradex ships."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.io.registry import read_rates
from ratedb.radiative.radex import lamda_folder

_SHIPPED_FILE = "co.dat"


def shipped_file(molecule: str | None) -> Path:
    """Return the file of the CO rates of Yang et al. (2010), or the first of a molecule.

    The spin species need not be named: H2CS is o-H2CS. Raises RatedbError where it is not installed.
    """
    source = lamda_folder()
    if source is None:
        raise RatedbError(
            "the demo's data file is not installed",
            expected="the package spectralradex, which ships it (Linux, CPython 3.11)",
            got="no such package",
            todo="run `ratedb demo --file co.dat` with any LAMDA file",
        )
    if molecule is None:
        return source / _SHIPPED_FILE
    found = dict(_molecules(source))
    for name, path in found.items():
        if is_molecule(name, molecule):
            return path
    raise RatedbError(
        f"no file of {molecule} is installed",
        where=str(source),
        expected="one of " + ", ".join(sorted(found)),
        got=molecule,
        todo="name a LAMDA file with --file",
    )


def _molecules(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the molecules of LAMDA files with the first file of each, in the order of their names."""
    seen = set()
    for path in sorted(folder.glob("*.dat")):
        name = read_rates(path).levels.molecule
        if name not in seen:
            seen.add(name)
            yield name, path


def is_molecule(name: str, asked: str) -> bool:
    """Return whether a molecule is the one that is asked for, with or without its spin species."""
    bare = name.removeprefix("o-").removeprefix("p-")
    return asked.lower() in (name.lower(), bare.lower())
