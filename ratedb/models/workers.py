"""Run many fits: here, in processes of their own, or on the workers of a dask cluster, with the same results.

Workers are given arrays and return numbers; they never open a store.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from threadpoolctl import threadpool_limits

from ratedb.errors import UsageError, WorkersError

if TYPE_CHECKING:
    from distributed import Client

_log = logging.getLogger(__name__)

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# A task whose process dies this often in a row is at fault itself.
_MOST_DEATHS = 3
_CONNECT_SECONDS = 10
_WORKER_SECONDS = 60


class Workers(Protocol):
    """Something that runs a function on many items."""

    def run(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
        """Yield the function's results in the order of the items.

        What a killed worker had is run again. Raises WorkersError where the same work kills several.
        """
        ...


@contextmanager
def workers(jobs: int, scheduler: str | None = None) -> Iterator[Workers]:
    """Yield workers: of a dask scheduler, `jobs` local processes, or this process where `jobs` is 1.

    A fit is some thousand small matrix operations, fastest on one thread. `scheduler` is an
    address such as tcp://host:8786 or the path of a scheduler file. Raises UsageError where both are asked
    for, WorkersError where the scheduler cannot be reached.
    """
    if scheduler is not None and jobs > 1:
        raise UsageError(
            "a scheduler has workers of its own", expected="either --jobs or --scheduler", got="both"
        )
    if scheduler is not None:
        client = _connect(scheduler)
        try:
            yield _Cluster(client)
        finally:
            client.close()
    elif jobs <= 1:
        with threadpool_limits(limits=1):
            yield Here()
    else:
        pool = _Processes(jobs)
        try:
            yield pool
        finally:
            pool.stop()


class Here:
    """No process but this one."""

    def run(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
        """Yield the function's results in the order of the items."""
        yield from map(function, items)


class _Processes:
    """Local processes; when one dies all are started anew, and what they had is run again."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._pool = self._started()

    def _started(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._jobs, mp_context=get_context("spawn"), initializer=_end_with_parent)

    def stop(self) -> None:
        # Fits that run already would go on for minutes.
        for process in list((self._pool._processes or {}).values()):
            process.terminate()
        # They have ended, so that this takes no time; without it their semaphores would stay.
        self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
        call = partial(_on_one_thread, function)
        done, deaths = 0, 0
        while done < len(items):
            try:
                # The workers start here, and inherit that they ignore Ctrl-C.
                with signals_handled_by(signal.SIG_IGN, [signal.SIGINT]):
                    results = self._pool.map(call, items[done:])
                for result in results:
                    yield result
                    done, deaths = done + 1, 0
            except BrokenProcessPool as error:
                deaths += 1
                _log.warning("a process of a search died; its fits are run again")
                if deaths == _MOST_DEATHS:
                    raise _killed(f"{deaths} times: {error}") from error
                self.stop()
                self._pool = self._started()


def _end_with_parent() -> None:
    """Let this process end when the one that started it is killed: nobody waits for its results then."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


class _Cluster:
    """The workers of a dask scheduler; it runs again what a worker had that was killed."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def run(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
        import cloudpickle
        from distributed import KilledWorker, as_completed
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError

        # What all tasks share is sent once to each worker. As the result of a task, not as scattered data:
        # the scheduler can make it again when the worker that has it is killed.
        shared = self._client.submit(pickle.loads, cloudpickle.dumps(function), pure=False)
        futures = self._client.map(_call_on_cluster, list(items), function=shared, pure=False)
        # Fetched as they come: what is not yet fetched is lost with its worker, and computed again.
        place_of = {future.key: place for place, future in enumerate(futures)}
        fetched: dict[int, _Result] = {}
        given = 0
        try:
            for future in as_completed(futures, loop=self._client.loop):
                fetched[place_of[future.key]] = future.result()
                while given in fetched:
                    yield fetched.pop(given)
                    given += 1
        except KilledWorker as error:
            raise _killed(str(error)) from error
        except (CommClosedError, FutureCancelledError) as error:
            raise WorkersError(
                "the dask scheduler was lost",
                got=str(error),
                todo="start it again and repeat the command: what was stored is kept",
            ) from error
        except ImportError as error:
            raise WorkersError(
                "a library is missing on a dask worker",
                expected="workers in an environment with this ratedb",
                got=str(error),
                todo="start the workers from the environment that `ratedb` runs in",
            ) from error
        finally:
            self._client.cancel([*futures, shared])


def _connect(scheduler: str) -> Client:
    try:
        from distributed import Client
    except ImportError as error:
        raise WorkersError(
            "a scheduler needs dask", got=str(error), todo="install the extra: pip install 'ratedb[dask]'"
        ) from error
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # its errors become ours
    where: dict[str, Any] = {"address": scheduler}
    if scheduler.endswith(".json"):
        where = {"scheduler_file": scheduler}
    try:
        if "scheduler_file" in where:
            Path(scheduler).read_bytes()  # dask would wait forever for a missing file
        client = Client(**where, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        raise WorkersError(
            "no dask scheduler answers",
            where=scheduler,
            expected="an address such as tcp://host:8786, or a scheduler file",
            got=str(error) or type(error).__name__,
            todo="start one with `dask scheduler`, or leave --scheduler out",
        ) from error

    try:
        client.wait_for_workers(1, timeout=_WORKER_SECONDS)
    except TimeoutError as error:
        client.close()
        raise WorkersError(
            "the dask scheduler has no workers",
            where=scheduler,
            expected=f"one or more within {_WORKER_SECONDS} s",
            todo="start `dask worker`, or wait until the cluster's jobs run",
        ) from error
    return client


def _killed(detail: str) -> WorkersError:
    todo = "it may have run out of memory: use fewer --jobs, or --engine sparse"
    return WorkersError("a process ended by itself during a fit", got=detail, todo=todo)


def _on_one_thread(function: Callable[[_Item], _Result], item: _Item) -> _Result:
    # Here and not when the process starts: only now it has loaded the libraries that the function needs.
    # Not undone afterwards: the process is for nothing else, and its other threads may be at work.
    threadpool_limits(limits=1)
    return function(item)


def _call_on_cluster(item: _Item, function: Callable[[_Item], _Result]) -> _Result:
    return _on_one_thread(function, item)


@contextmanager
def signals_handled_by(handler: Any, numbers: Sequence[int]) -> Iterator[None]:
    """Handle signals by a function, or signal.SIG_IGN, inside the block."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread handles signals
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
