from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from children import Children, rates_number
from quoted import load_script
from stores import make_store

import ratedb
from ratedb.store import connection, opening
from ratedb.store.store import Store


@pytest.fixture(scope="module")
def stores_made_anew() -> Iterator[None]:
    """Make each new store by its migrations, not as a copy as elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "connect", connection.connect)
        yield


@pytest.fixture(scope="session")
def children() -> Iterator[Children]:
    running = Children()
    yield running
    running.close()


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one system, XY+He, from one source; tests work on copies."""
    return make_store(tmp_path_factory.mktemp("made_once") / "store.duckdb", rates_number(0))


@pytest.fixture
def store_path(tmp_path: Path, made_once: Path) -> Path:
    """A copy of the store with one system, XY+He, from one source."""
    return Path(shutil.copy(made_once, tmp_path / "store.duckdb"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store, open for writing."""
    with Store(tmp_path / "store.duckdb", write=True, create=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    """Give a function that makes the address of a new lake in PostgreSQL, of its name and folder."""
    postgres = load_script(Path(__file__).parents[2] / "benchmarks" / "throwaway_postgres.py")
    programs = postgres.postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    with postgres.postgres_server(programs) as words:

        def address(name: str, folder: Path) -> str:
            return f"ducklake:postgres:{postgres.make_database(programs, words, name)} data={folder}"

        yield address


@pytest.fixture(scope="session")
def empty_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    ratedb.open(f"ducklake:{folder / 'empty.ducklake'}", create=True)
    return folder / "empty.ducklake"


@pytest.fixture
def address(empty_lake: Path, tmp_path: Path) -> str:
    """A new lake of one's own with its catalogue in a file."""
    shutil.copy(empty_lake, tmp_path / "own.ducklake")
    return f"ducklake:{tmp_path / 'own.ducklake'}"
