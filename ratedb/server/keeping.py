"""Make answers in a few threads, each once, and keep the last of them as long as there is room."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

_Answer = TypeVar("_Answer")
_SMALLEST_BYTES = 1000


class BusyError(Exception):
    """An answer cannot be had now: too many are in the making, or this one takes too long."""


class Kept:
    """Answers by what was asked, the least recently asked for forgotten first.

    Used from one event loop; only `make` runs in a thread. A thread cannot be stopped: an answer that takes
    longer than `seconds` is refused with BusyError, but is made to its end and kept for who asks again.
    """

    def __init__(self, *, threads: int, waiting: int, seconds: float, kept_bytes: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="ratedb-serve")
        self._waiting, self._seconds, self._room = waiting, seconds, kept_bytes
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._size = 0
        self._making: dict[Hashable, asyncio.Task[Any]] = {}

    async def get(
        self, key: Hashable, make: Callable[[], _Answer], size: Callable[[_Answer], int]
    ) -> _Answer:
        """Return the answer to what `key` asks, which `make` makes and `size` measures in bytes.

        Raises BusyError where it cannot be had in time, and what `make` raises.
        """
        if key in self._kept:
            self._kept.move_to_end(key)
            return cast(_Answer, self._kept[key][0])
        task = self._making.get(key)
        if task is None:
            if len(self._making) >= self._waiting:
                raise BusyError(f"{len(self._making)} answers are in the making")
            task = asyncio.get_running_loop().create_task(self._make(key, make, size))
            # Nobody may be left to see its error.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._making[key] = task
        try:
            return cast(_Answer, await asyncio.wait_for(asyncio.shield(task), self._seconds))
        except TimeoutError:
            raise BusyError(f"the answer takes longer than {self._seconds:g} s") from None

    async def _make(
        self, key: Hashable, make: Callable[[], _Answer], size: Callable[[_Answer], int]
    ) -> _Answer:
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._executor, make)
        finally:
            del self._making[key]
        self._keep(key, answer, max(size(answer), _SMALLEST_BYTES))
        return answer

    def _keep(self, key: Hashable, answer: Any, size: int) -> None:
        if size > self._room:
            return
        self._kept[key] = answer, size
        self._size += size
        while self._size > self._room:
            _, (_, smaller) = self._kept.popitem(last=False)
            self._size -= smaller

    def close(self) -> None:
        """Make no further answers; what threads work on ends by itself."""
        for task in self._making.values():
            task.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)
