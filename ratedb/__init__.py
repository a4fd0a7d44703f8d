"""ratedb: compute a few j, predict the rest of a molecule's collisional rate coefficients, know the error."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ratedb.errors import RatedbError

if TYPE_CHECKING:
    from pathlib import Path

    from ratedb.database import Database
    from ratedb.io.contents import MoleculeFile
    from ratedb.levels import Levels
    from ratedb.rates import Rates

__all__ = ["Levels", "RatedbError", "Rates", "__version__", "open", "read", "write"]
__version__ = "0.1.0"

# A program that wants to hear of stores, files and models sets up logging; without that nothing is printed.
logging.getLogger("ratedb").addHandler(logging.NullHandler())


def open(path: Path | str, *, create: bool = False, read_only: bool = False, wait: float = 10.0) -> Database:
    """Return a store, such as `ratedb.open("ratedb.duckdb").rates("CO+p-H2")`.

    With `create` it is made where there is none. Each call waits up to `wait` seconds in all for others that
    use the file. Raises RatedbError where the file is not there or is not a store, LockedError where another
    process holds it for longer.
    """
    # Here, so that `import ratedb` stays light.
    from ratedb.database import Database

    return Database(path, read_only=read_only, wait=wait).checked(create=create)


def read(path: Path | str, **options: Any) -> MoleculeFile:
    """Return what a file of rate coefficients says: levels, lines, and rates for each collider.

    Options are those of `ratedb import` that say how to read: format, molecule, collider, levels,
    collider_levels. Raises RatedbError where the file cannot be read.
    """
    from ratedb.io.registry import read_any

    return read_any(path, **options)


def write(file: MoleculeFile, path: Path | str, *, format: str = "lamda") -> list[Path]:
    """Write levels, lines and rates as a file of a format (lamda, basecol, csv, parquet); return its files.

    Raises RatedbError where the format cannot hold them.
    """
    from ratedb.io.registry import write_any

    return write_any(file, path, format)


def __getattr__(name: str) -> Any:
    if name == "Rates":
        from ratedb.rates import Rates

        return Rates
    if name == "Levels":
        from ratedb.levels import Levels

        return Levels
    raise AttributeError(f"module 'ratedb' has no attribute {name!r}")
