"""Who finds a store in use waits; readers and writers take turns; who is killed leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path

import pytest
from children import rates_number
from crowd import READERS, SYSTEM, WRITERS, crowd, reference_of
from stores import put

import ratedb
from ratedb.errors import LockedError, UsageError
from ratedb.options import SqlOptions
from ratedb.store import waiting
from ratedb.store.query import sql
from ratedb.store.store import Store
from ratedb.store.waiting import Announcement, waiting_up_to


@contextmanager
def held(path: Path, *, write: bool = True) -> Iterator[subprocess.Popen[str]]:
    """Hold a store open in another process, which looks like `ratedb import`, until the block ends."""
    code = (
        "import sys; from ratedb.store.store import Store\n"
        f"with Store({str(path)!r}, write={write}): print('up', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, "ratedb", "--db", "x", "import", "y.dat"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    try:
        yield process
    finally:
        process.communicate("")


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Do something in another thread; its errors come out at the end of the block."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    assert errors == []


@pytest.mark.parametrize("write", [True, False])
def test_who_comes_while_another_writes_gets_its_turn(store_path: Path, write: bool) -> None:
    with held(store_path) as holder:

        def free_it() -> None:
            time.sleep(0.3)
            assert holder.stdin is not None
            holder.stdin.close()
            holder.wait()
            holder.stdin = None

        with meanwhile(free_it), waiting_up_to(600), Store(store_path, write=write) as store:
            assert store.system_names() == [SYSTEM]
    assert list(store_path.parent.glob(".*")) == []


@pytest.mark.parametrize("wait_s", [0, 0.2])
def test_after_the_time_to_wait_the_holder_is_named(store_path: Path, wait_s: float) -> None:
    with held(store_path) as holder, waiting_up_to(wait_s):
        with pytest.raises(LockedError) as caught:
            Store(store_path)
        with pytest.raises(LockedError):
            sql(store_path, "SELECT 1", SqlOptions())
    assert caught.value.exit_code == 3
    assert caught.value.got == f"`ratedb import` with PID {holder.pid} holds it"
    assert list(store_path.parent.glob(".*")) == []


def test_a_command_that_waits_says_so_once(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_SAID_AFTER_S", 0.05)
    said: list[str] = []

    def wait() -> None:
        waiting.tell_of_waiting(said.append)
        with waiting_up_to(0.5), pytest.raises(LockedError):
            Store(store_path)

    with held(store_path):
        copy_context().run(wait)
    assert len(said) == 1
    assert "0.5 s" in said[0]
    assert "`ratedb import`" in said[0]


def test_the_time_to_wait_is_one_for_all_openings_of_a_call(store_path: Path) -> None:
    with held(store_path), waiting_up_to(0.2):
        for _ in range(2):
            with pytest.raises(LockedError):
                Store(store_path)
        patience = waiting._patience.get()
    assert patience is not None
    assert patience.left_s <= 0


@pytest.mark.parametrize("wait", [-1.0, float("nan")])
def test_a_negative_time_to_wait_is_refused(store_path: Path, wait: float) -> None:
    with pytest.raises(UsageError, match="time to wait"):
        ratedb.open(store_path, wait=wait)


def test_a_database_waits_for_as_long_as_it_was_told(store_path: Path) -> None:
    db = ratedb.open(store_path, wait=0)
    with held(store_path), pytest.raises(LockedError):
        db.systems()
    assert len(db.systems()) == 1


def test_threads_that_read_write_and_query_wait_for_each_other(store_path: Path, tmp_path: Path) -> None:
    db = ratedb.open(store_path, wait=600)

    def writes(first: int) -> Callable[[], None]:
        def write() -> None:
            for number in range(first, first + 3):
                with waiting_up_to(600), Store(store_path, write=True) as store:
                    put(store, rates_number(number), f"import {number}")

        return write

    def queries() -> None:
        for number in range(3):
            db.sql("SELECT * FROM rates", output=tmp_path / f"{threading.get_ident()}-{number}.csv")
            db.sql("SELECT count(*) FROM rates")

    def reads() -> None:
        for _ in range(3):
            db.rates(SYSTEM)

    with meanwhile(writes(10)), meanwhile(writes(20)), meanwhile(queries), meanwhile(queries):
        reads()
    assert db.sql("SELECT count(DISTINCT reference) FROM sources").rows == [(7,)]


def test_a_look_at_the_file_does_not_release_the_lock_of_another_thread(store_path: Path) -> None:
    """POSIX locks of a process end when it closes the file by any descriptor."""
    with Store(store_path, write=True):
        with pytest.raises(ratedb.RatedbError, match="overwrite a database"):
            ratedb.open(store_path.with_name("none.duckdb"), create=True).sql(
                "SELECT 1", output=store_path, format="csv"
            )
        with waiting_up_to(0), pytest.raises(LockedError):
            Store(store_path)
        code = f"import duckdb; duckdb.connect({str(store_path)!r}, read_only=True)"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Could not set lock" in other.stderr


def test_a_reader_gives_way_to_a_writer_that_came_first(store_path: Path) -> None:
    """Between many readers a writer would never find a moment without one."""
    order: list[str] = []

    def write() -> None:
        with waiting_up_to(600), Store(store_path, write=True):
            order.append("writer")

    with waiting_up_to(0):
        first = Store(store_path)
    with meanwhile(write):
        while Announcement(store_path).of_another() is None:
            time.sleep(0.001)

        def read() -> None:
            with waiting_up_to(600), Store(store_path):
                order.append("reader")

        with meanwhile(read):
            time.sleep(0.2)
            first.close()
    assert order == ["writer", "reader"]


def test_a_reader_does_not_fail_because_of_a_writer_that_waits(store_path: Path) -> None:
    announced = Announcement(store_path)
    assert announced.make()
    try:
        with waiting_up_to(0.2), Store(store_path) as store:
            assert store.system_names() == [SYSTEM]
    finally:
        announced.end()


def test_what_a_writer_left_that_was_killed_while_waiting_is_removed(store_path: Path) -> None:
    left = store_path.with_name(f".{store_path.name}.ratedb-turn")
    left.touch()
    Store(store_path).close()
    assert not left.exists()


def test_a_log_and_what_was_spilled_are_taken_over_by_the_next_reader(store_path: Path) -> None:
    code = (
        "import os, duckdb\n"
        f"connection = duckdb.connect({str(store_path)!r})\n"
        "connection.execute(\"INSERT INTO kind_rank VALUES ('left', 99)\")\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    log, spilled = Path(f"{store_path}.wal"), Path(f"{store_path}.tmp")
    spilled.mkdir()
    (spilled / "duckdb_temp_storage_DEFAULT-0.tmp").touch()
    assert log.exists()
    with Store(store_path) as store:
        assert store.column("SELECT kind FROM kind_rank WHERE rank = 99") == ["left"]
    assert not log.exists()
    assert not spilled.exists()


def test_a_log_in_a_folder_that_takes_no_file_is_read(store_path: Path, tmp_path: Path) -> None:
    """And a folder of the user's own with the name of DuckDB's is left alone."""
    own = Path(f"{store_path}.tmp")
    own.mkdir()
    (own / "notes").touch()
    Store(store_path).close()
    Store(store_path, write=True).close()
    assert (own / "notes").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_wait_with_its_code(store_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "ratedb_cli", "--db", store_path, "systems", "--wait", "600"]
    with held(store_path):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        assert "waiting" in process.stderr.readline()
        process.send_signal(number)
        _, said = process.communicate()
    assert process.returncode == 128 + number
    assert said == "ratedb: interrupted; the database is as it was\n"


@pytest.mark.parametrize(("words", "code"), [(["--wait", "0"], 3), (["--wait=-1"], 2), (["--wait", "x"], 2)])
def test_the_option_wait_may_follow_the_command(store_path: Path, words: list[str], code: int) -> None:
    command = [sys.executable, "-m", "ratedb_cli", "systems", "--db", store_path, *words]
    with held(store_path):
        ended = subprocess.run(command, capture_output=True, check=False)
        by_environment = subprocess.run(
            [*command[: -len(words)]],
            capture_output=True,
            check=False,
            env=os.environ | {"RATEDB_WAIT": words[-1].removeprefix("--wait=")},
        )
    assert (ended.returncode, by_environment.returncode) == (code, code)


@pytest.mark.slow
def test_eight_readers_and_two_writers_never_turn_each_other_away(store_path: Path, tmp_path: Path) -> None:
    """The time to wait is long here: how much of it they need depends on the machine (bench-waiting)."""
    jobs = [*READERS, *READERS, *WRITERS]
    worked = crowd(store_path, jobs, 5.0, tmp_path, wait_s=600)
    assert [one.failures for one in worked] == [()] * len(jobs)
    with Store(store_path) as store:
        there = set(store.column("SELECT reference FROM sources UNION SELECT reason FROM source_orders"))
    done = {reference_of(n, call) for n, one in enumerate(worked) if n >= 8 for call in range(one.calls)}
    assert done <= there
    assert list(tmp_path.glob(".*")) == []
