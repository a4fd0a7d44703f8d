"""What tests of several folders share; its place also puts this folder on the import path."""

from __future__ import annotations

import math
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import scipy.linalg  # noqa: F401  (brings its own library of matrices, which is limited below only if loaded)
from duckdb import DuckDBPyConnection
from small_co import make_small_store
from threadpoolctl import threadpool_limits

from ratedb.store import opening
from ratedb.store.connection import connect as really_connect
from ratedb.store.store import Store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests: the short ones after them keep every worker busy."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True, scope="session")
def _signals_are_heard() -> None:
    """Undo what `nohup` and some schedulers do: they let all processes under them ignore SIGHUP."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True, scope="session")
def _no_config_file() -> Iterator[None]:
    """Keep the config file of whoever runs the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATEDB_CONFIG", "")
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_lines_on_progress() -> Iterator[None]:
    """Let commands in this process say the same on a slow machine: no lines on work of some seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ratedb_cli.progress._FIRST_LINE_S", math.inf)
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Use one thread for matrices, as a search does: they are small, and threads wait for each other."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(autouse=True, scope="session")
def _new_stores_are_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make one new store, and begin every other as a copy of it, which takes a tenth of the time.

    Not in processes that tests start, and not in tests of the making itself: they use `stores_made_anew`.
    """
    made = tmp_path_factory.mktemp("new") / "store.duckdb"
    Store(made, write=True, create=True).close()

    def connect(path: Path, *, read_only: bool, **options: Any) -> DuckDBPyConnection:
        if not read_only and not path.exists():
            shutil.copyfile(made, path)
        return really_connect(path, read_only=read_only, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "connect", connect)
        yield


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """Give the address of a dask scheduler with two local workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as started:
        yield started.scheduler_address


@pytest.fixture(scope="session")
def small_co(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a small store with something of everything; it is for reading only."""
    return make_small_store(tmp_path_factory.mktemp("small") / "ratedb.duckdb")
