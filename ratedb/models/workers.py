"""Run many fits: here, or in processes of their own, with the same results."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

from threadpoolctl import threadpool_limits

from ratedb.errors import RatedbError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Workers:
    """Some processes, or none: then the work is done here, on one thread."""

    def __init__(self, pool: ProcessPoolExecutor | None = None) -> None:
        self._pool = pool

    def run(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
        """Yield the function's results in the order of the items.

        Function and items are sent to the processes. Raises RatedbError where one of them dies.
        """
        if self._pool is None:
            yield from map(function, items)
            return
        with _ignored_interrupts():  # the workers start here, and inherit that they ignore Ctrl-C
            results = self._pool.map(partial(_on_one_thread, function), items)
        try:
            yield from results
        except BrokenProcessPool as error:
            raise RatedbError(
                "a process that was fitting ended by itself",
                got=str(error),
                todo="it may have run out of memory: take fewer --jobs, or --engine sparse",
            ) from error


@contextmanager
def workers(jobs: int) -> Iterator[Workers]:
    """Yield workers in so many processes, or in this one where `jobs` is 1.

    A fit is some thousand small matrix operations, which run best on one thread each.
    """
    if jobs <= 1:
        with threadpool_limits(limits=1):
            yield Workers()
        return
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        yield Workers(pool)
    except BaseException:
        # Fits that run already would go on for minutes.
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _on_one_thread(function: Callable[[_Item], _Result], item: _Item) -> _Result:
    # Here and not when the process starts: only now it has loaded the libraries that the function needs.
    with threadpool_limits(limits=1):
        return function(item)


@contextmanager
def _ignored_interrupts() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread has a say in signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
