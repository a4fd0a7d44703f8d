"""What tests of several folders share; its place also puts this folder on the import path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import scipy.linalg  # noqa: F401  (brings its own library of matrices, which is limited below only if loaded)
from small_co import make_small_store
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Use one thread for matrices, as a search does: they are small, and threads wait for each other."""
    with threadpool_limits(limits=1):
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
