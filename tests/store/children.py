"""Jobs in processes that tests may kill.

Run as a program this imports ratedb once; each job that it reads from standard input runs in a fork of it,
which starts within milliseconds. What the job says goes to standard output as lines of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from stores import model_record, put
from synthetic import prediction_of, rotor_levels, rotor_rates

from ratedb.database import Database
from ratedb.errors import RatedbError
from ratedb.rates import Rates
from ratedb.store import migrations
from ratedb.store.store import Store

REOPEN_EVERY = 4
NOBODY = 65534


def rates_number(number: int) -> Rates:
    """Return the rates that the import of this number brings; their temperatures vary."""
    return rotor_rates(rotor_levels(5), temperature_k=(10.0, 20.0, 50.0 + number % 3), seed=number)


def prediction_number(number: int) -> Rates:
    """Return the prediction that the fill of this number stores."""
    return prediction_of(rates_number(number), seed=number)


def say(**what: Any) -> None:
    """Report one line; it is short enough for the pipe to take it whole or not at all."""
    os.write(sys.stdout.fileno(), (json.dumps(what) + "\n").encode())


def imports(path: str, first: int) -> None:
    """Import one source after another, and say of each that it is done."""
    _endlessly(path, first, lambda store, number: put(store, rates_number(number), f"import {number}"))


def fills(path: str, first: int) -> None:
    """Store one prediction after another, and say of each that it is done."""

    def fill(store: Store, number: int) -> None:
        prediction = prediction_number(number)
        keep = prediction.log10_half_width_68 > 0
        model = store.put_model(model_record(seed=number))
        store.put_prediction("XY+He", prediction, keep, store.model(model))

    _endlessly(path, first, fill)


def _endlessly(path: str, number: int, act: Callable[[Store, int], object]) -> None:
    while True:
        with Store(path, write=True) as store:
            for _ in range(REOPEN_EVERY):
                act(store, number)
                say(done=number)
                number += 1


def makes(folder: str) -> None:
    """Make one store after another from nothing."""
    for number in range(1000):
        Store(Path(folder) / f"{number}.duckdb", write=True, create=True).close()
        say(done=number)


def upgrades(folder: str, old: str) -> None:
    """Bring one copy after another of an old store up to date."""
    for number in range(1000):
        path = Path(folder) / f"{number}.duckdb"
        shutil.copy(old, path.with_suffix(".copy"))
        path.with_suffix(".copy").rename(path)
        Store(path, write=True).close()
        say(done=number)


def merges(folder: str, ours: str, other: str) -> None:
    """Merge a store into one copy after another of ours."""
    for number in range(1000):
        path = Path(folder) / f"{number}.duckdb"
        shutil.copy(ours, path.with_suffix(".copy"))
        path.with_suffix(".copy").rename(path)
        Database(path).merge(other)
        say(done=number)


def publishes(path: str, folder: str) -> None:
    """Publish one version after another."""
    while True:
        say(done=int(Database(path).publish(folder).version))


def holds(path: str, write: bool) -> None:
    """Hold a store open until killed."""
    with Store(path, write=write):
        say(done=0)
        time.sleep(600)


def full_disk(path: str, limit: int, number: int, transitions: int) -> None:
    """Import with no file allowed to grow beyond `limit` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    rates = rotor_rates(rotor_levels(transitions), temperature_k=range(1, 11), seed=number)
    with Store(path, write=True, create=True) as store:
        put(store, rates, f"import {number}")
    say(done=number)


def powerless(path: str, write: bool) -> None:
    """Open a store as a user without rights (root's go beyond any file mode)."""
    if os.getuid() == 0:
        known = migrations.available()  # root's files may lie where nobody else reads
        migrations.available = lambda: known
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    with Store(path, write=write, create=write) as store:
        say(done=len(store.query("SELECT * FROM rates")))


JOBS = {
    job.__name__: job
    for job in (imports, fills, makes, upgrades, merges, publishes, holds, full_disk, powerless)
}


def load_everything() -> None:
    """Do once what takes long the first time, so that each fork is at work at once."""
    with TemporaryDirectory() as folder, Store(Path(folder) / "s.duckdb", write=True, create=True) as store:
        put(store, rates_number(0))
        store.query("SELECT * FROM rates")


def run_job(name: str, arguments: list[Any]) -> None:
    """Run a job; an error of ratedb is reported with its words and exit code."""
    try:
        JOBS[name](*arguments)
    except RatedbError as error:
        say(error=type(error).__name__, message=str(error), exit_code=error.exit_code)
    except BaseException as error:
        say(error=type(error).__name__, message=str(error), exit_code=-1)


def main() -> None:
    """Fork for each job that is asked for, one at a time."""
    load_everything()
    for line in sys.stdin:
        name, arguments = json.loads(line)
        child = os.fork()
        if child == 0:
            say(up=os.getpid())
            run_job(name, arguments)
            os._exit(0)
        os.waitpid(child, 0)
        say(ended=child)


class Children:
    """The other end: starts jobs and reads what they say."""

    def __init__(self) -> None:
        tests = Path(__file__).parent.parent
        paths = [str(tests), str(tests / "store"), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )

    def start(self, job: str, *arguments: Any) -> int:
        """Start a job and return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([job, arguments], default=str) + "\n")
        self._process.stdin.flush()
        return int(self._line()["up"])

    def says(self) -> Iterator[dict[str, Any]]:
        """Yield what the job says until it has ended."""
        while "ended" not in (said := self._line()):
            yield said

    def run(self, job: str, *arguments: Any) -> list[dict[str, Any]]:
        """Run a job to its end and return what it said."""
        self.start(job, *arguments)
        return list(self.says())

    def close(self) -> None:
        """End the process that waits for jobs."""
        self._process.communicate("")

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that runs the jobs has ended"
        said: dict[str, Any] = json.loads(line)
        return said


if __name__ == "__main__":
    main()
