"""ratedb: compute a few j, predict the rest of a molecule's collisional rate coefficients, know the error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ratedb.errors import RatedbError

if TYPE_CHECKING:
    from pathlib import Path

    from ratedb.database import Database

__all__ = ["RatedbError", "__version__", "open"]
__version__ = "0.1.0"


def open(path: Path | str) -> Database:
    """Return a store to ask, such as `ratedb.open("ratedb.duckdb").rates("CO+p-H2")`.

    Raises RatedbError where the file is not there or is not a store, LockedError where another process
    writes to it.
    """
    # Here, so that `import ratedb` stays light: numpy, duckdb and SQLAlchemy take half a second.
    from ratedb.database import Database

    return Database(path)
