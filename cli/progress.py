"""What people see of a long step: how far it is and when it will end, also where output is no terminal."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic

Clock = Callable[[], float]
"""Returns seconds that only grow."""

# A step that says how far it is, such as `M32: 300 of 4943 sets scored`.
_COUNTED = re.compile(r"(\d+) of (\d+)")
_FIRST_LINE_S = 2.0
# Hours of work shall not fill a log: lines are as far apart as a part of the time so far.
_BETWEEN_LINES_S, _SHARE_OF_TIME, _MOST_BETWEEN_S = 10.0, 0.05, 60.0
_TICK_S = 0.5


@dataclass(frozen=True)
class Count:
    """How much of a step is done."""

    done: int
    total: int

    @classmethod
    def of(cls, text: str) -> Count | None:
        """Return what a text counts, such as 300 of 4943; None where it counts nothing."""
        found = _COUNTED.search(text)
        return None if found is None else cls(*map(int, found.groups()))


class Pace:
    """When a counted step will end, by its pace since its first count."""

    def __init__(self, clock: Clock = monotonic) -> None:
        self._clock = clock
        self._first: tuple[Count, float] | None = None
        self._last: Count | None = None

    def left_s(self, text: str) -> float | None:
        """Return the seconds that are left after a text; None where that cannot be known yet."""
        count, now_s = Count.of(text), self._clock()
        is_same = count and self._last and count.total == self._last.total and count.done >= self._last.done
        if not is_same:
            self._first = None if count is None else (count, now_s)
        self._last = count
        if count is None or self._first is None:
            return None
        first, since_s = self._first
        if count.done == first.done or count.done >= count.total:
            return None
        return (now_s - since_s) / (count.done - first.done) * (count.total - count.done)


def words_of(left_s: float | None) -> str:
    """Return words for the seconds that are left, to follow what is done; none where they are unknown."""
    if left_s is None:
        return ""
    if left_s < 60:
        return f", about {max(5 * math.ceil(left_s / 5), 5)} s left"
    if left_s < 3600:
        return f", about {math.ceil(left_s / 60)} min left"
    return f", about {left_s / 3600:.1f} h left"


class Lines:
    """Lines on long work: the first after two seconds, then one every ten seconds or so.

    `tick` is called now and then, so that a step that says nothing for long has lines too.
    """

    def __init__(self, say: Callable[[str], None], clock: Clock = monotonic) -> None:
        self._say, self._clock, self._pace = say, clock, Pace(clock)
        self._began_s = self._step_s = clock()
        self._next_s = self._began_s + _FIRST_LINE_S
        self._text, self._left = "working", ""
        self._one_at_a_time = threading.Lock()

    def show(self, text: str) -> None:
        """Take a new step."""
        with self._one_at_a_time:
            self._left = words_of(self._pace.left_s(text))
            self._text, self._step_s = text, self._clock()
        self.tick()

    def tick(self) -> None:
        """Print a line where it is time for one."""
        with self._one_at_a_time:
            now_s = self._clock()
            if now_s < self._next_s:
                return
            since_s = now_s - self._step_s
            so_far = f", for {since_s:.0f} s so far" if since_s >= _FIRST_LINE_S else ""
            pause_s = min(max(_BETWEEN_LINES_S, _SHARE_OF_TIME * (now_s - self._began_s)), _MOST_BETWEEN_S)
            self._next_s = now_s + pause_s
            with suppress(OSError, ValueError):  # a closed standard error does not stop the work
                self._say(f"{self._text}{self._left or so_far}")


@contextmanager
def lines(say: Callable[[str], None]) -> Iterator[Lines]:
    """Print lines on the work in the block, from a thread of their own."""
    found, ended = Lines(say), threading.Event()

    def keep_saying() -> None:
        while not ended.wait(_TICK_S):
            found.tick()

    thread = threading.Thread(target=keep_saying, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join(_TICK_S)  # at once, unless standard error takes no more
