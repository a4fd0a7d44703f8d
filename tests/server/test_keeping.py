"""Answers are made once, kept while there is room, and refused when too many wait or one takes too long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from ratedb.server.keeping import BusyError, Kept


@pytest.fixture
def made() -> list[str]:
    return []


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a slow answer waits for."""
    event = threading.Event()
    yield event
    event.set()


def kept(**changes: float) -> Kept:
    limits = {"threads": 2, "waiting": 3, "seconds": 5.0, "kept_bytes": 10_000} | changes
    return Kept(**limits)  # type: ignore[arg-type]


def maker(made: list[str], name: str, gate: threading.Event | None = None) -> Callable[[], str]:
    def make() -> str:
        if gate is not None:
            gate.wait(30)
        made.append(name)
        return name

    return make


def size(answer: str) -> int:
    return 4000


def test_an_answer_is_made_once_for_all_who_ask_at_once(made: list[str], gate: threading.Event) -> None:
    async def ask() -> list[str]:
        answers = kept()
        asked = [asyncio.create_task(answers.get("a", maker(made, "a", gate), size)) for _ in range(10)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(ask()) == ["a"] * 10
    assert made == ["a"]


def test_the_least_recently_asked_for_is_forgotten_when_there_is_no_room(made: list[str]) -> None:
    async def ask() -> None:
        answers = kept()
        for name in ("a", "b", "a", "c", "a", "b"):  # there is room for two
            await answers.get(name, maker(made, name), size)

    asyncio.run(ask())
    assert made == ["a", "b", "c", "b"]


def test_what_is_larger_than_the_room_is_given_and_not_kept(made: list[str]) -> None:
    async def ask() -> None:
        answers = kept(kept_bytes=1000)
        for _ in range(2):
            assert await answers.get("a", maker(made, "a"), size) == "a"

    asyncio.run(ask())
    assert made == ["a", "a"]


def test_too_many_in_the_making_are_refused(made: list[str], gate: threading.Event) -> None:
    async def ask() -> None:
        answers = kept()
        asked = [asyncio.create_task(answers.get(one, maker(made, one, gate), size)) for one in "abc"]
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="3 answers"):
            await answers.get("d", maker(made, "d"), size)
        gate.set()
        await asyncio.gather(*asked)
        assert await answers.get("d", maker(made, "d"), size) == "d"

    asyncio.run(ask())


def test_an_answer_that_takes_too_long_is_there_for_who_asks_again(
    made: list[str], gate: threading.Event
) -> None:
    async def ask() -> str:
        answers = kept(seconds=0.05)
        with pytest.raises(BusyError, match="longer than"):
            await answers.get("a", maker(made, "a", gate), size)
        gate.set()
        while not made:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        return await answers.get("a", maker(made, "never"), size)

    assert asyncio.run(ask()) == "a"
    assert made == ["a"]


def test_an_error_reaches_all_who_ask_and_is_not_kept(made: list[str]) -> None:
    def fail() -> str:
        raise ValueError("no")

    async def ask() -> None:
        answers = kept()
        for found in await asyncio.gather(
            *(answers.get("a", fail, size) for _ in range(3)), return_exceptions=True
        ):
            assert isinstance(found, ValueError)
        assert await answers.get("a", maker(made, "a"), size) == "a"

    asyncio.run(ask())
