from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import Children, rates_number
from stores import make_store

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
