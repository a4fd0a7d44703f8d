"""Workers: the same results here, in local processes and on a dask cluster, also when one is killed."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from ratedb.errors import RatedbError, UsageError
from ratedb.models.workers import workers


def eigenvalues(size: int) -> list[float]:
    matrix = np.random.default_rng(size).normal(size=(size, size))
    return np.linalg.eigvalsh(matrix @ matrix.T).tolist()


def killed_once(mark: Path, number: int) -> int:
    """Kill the process that runs number 7 for the first time."""
    if number == 7 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def killed_always(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def asleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def refuse(number: int) -> int:
    raise ValueError(f"not {number}")


def run(function, items, jobs=1, scheduler=None):  # type: ignore[no-untyped-def]
    with workers(jobs, scheduler) as pool:
        return list(pool.run(function, items))


SIZES = [60, 3, 120, 40, 80, 7]


@pytest.mark.slow
def test_local_processes_and_a_cluster_give_the_same_bits_in_the_same_order(cluster: str) -> None:
    serial = run(eigenvalues, SIZES)
    assert run(eigenvalues, SIZES, jobs=2) == serial
    assert run(eigenvalues, SIZES, scheduler=cluster) == serial


@pytest.mark.slow
def test_what_a_killed_local_process_had_is_run_again(tmp_path: Path) -> None:
    found = run(partial(killed_once, tmp_path / "mark"), range(20), jobs=2)
    assert found == [number**2 for number in range(20)]
    assert (tmp_path / "mark").exists()


@pytest.mark.slow
def test_what_a_killed_dask_worker_had_is_run_again(cluster: str, tmp_path: Path) -> None:
    found = run(partial(killed_once, tmp_path / "mark"), range(20), scheduler=cluster)
    assert found == [number**2 for number in range(20)]
    assert (tmp_path / "mark").exists()


@pytest.mark.slow
def test_work_that_always_kills_its_process_is_one_message() -> None:
    with pytest.raises(RatedbError, match="a process ended"):
        run(killed_always, [1, 2], jobs=2)


@pytest.mark.slow
def test_work_that_always_kills_its_dask_worker_is_one_message() -> None:
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as own,
        pytest.raises(RatedbError, match="a process ended"),
    ):
        run(killed_always, [1], scheduler=own.scheduler_address)


@pytest.mark.slow
def test_a_scheduler_that_is_lost_on_the_way_is_one_message() -> None:
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as own,
        workers(1, own.scheduler_address) as pool,
    ):
        results = pool.run(asleep, [0.0] + 20 * [0.2])
        assert next(results) == 0.0
        own.close()
        with pytest.raises(RatedbError, match="scheduler was lost"):
            list(results)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["process", "dask"])
def test_an_error_in_a_worker_is_the_error_here(cluster: str, where: str) -> None:
    options = {"jobs": 2} if where == "process" else {"scheduler": cluster}
    with pytest.raises(ValueError, match="not 3"):
        run(refuse, [3], **options)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "no-such-file.json"])
def test_a_scheduler_that_does_not_answer_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ratedb.models.workers._CONNECT_SECONDS", 1)
    with pytest.raises(RatedbError, match="no dask scheduler answers") as error:
        run(eigenvalues, [3], scheduler=address)
    assert error.value.where == address


def test_jobs_and_a_scheduler_together_are_refused() -> None:
    with pytest.raises(UsageError, match="workers of its own"):
        run(eigenvalues, [3], jobs=2, scheduler="tcp://127.0.0.1:1")
