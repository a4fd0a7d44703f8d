"""Readers and writers of one store in processes of their own, as many people at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

TESTS = Path(__file__).parent
SYSTEM = "XY+He"
READERS = ("show", "sql", "rates", "systems")
WRITERS = ("import", "prefer")


@dataclass(frozen=True)
class Worked:
    """What one process did: the number of its calls, the longest of them, s, and what failed."""

    what: str
    calls: int
    longest_s: float
    failures: tuple[str, ...]


def crowd(path: Path, jobs: Sequence[str], seconds: float, files: Path, wait_s: float = 10.0) -> list[Worked]:
    """Let each job use a store in a loop, all at once, after a first call; imports read from `files`."""
    start = [sys.executable, __file__, path, str(seconds), files, str(wait_s)]
    running = [
        subprocess.Popen([*start, job, str(number)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        for number, job in enumerate(jobs)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    worked = []
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in running:
        what, calls, longest_s, failures = json.loads(process.communicate()[0])
        worked.append(Worked(what, calls, longest_s, tuple(failures)))
    return worked


def reference_of(number: int, call: int) -> str:
    """Return the reference by which an import is known."""
    return f"import {call} of process {number}"


def main() -> None:
    """Be one of them."""
    from synthetic import lamda_text, rotor_levels, rotor_rates

    import ratedb
    from ratedb.errors import RatedbError

    path, seconds, files, wait_s, what, number = sys.argv[1:]
    db = ratedb.open(path, wait=float(wait_s))
    file = Path(files) / f"{number}.dat"
    calls, longest_s, failures = 0, 0.0, []

    def call_once() -> None:
        if what == "import":
            file.write_text(lamda_text([rotor_rates(rotor_levels(4), seed=int(number) * 10_000 + calls)]))
            db.import_(file, reference=reference_of(int(number), calls), method="CC")
        elif what == "prefer":
            db.sources(SYSTEM, prefer=[1], because=reference_of(int(number), calls))
        elif what == "sql":
            db.sql("SELECT count(*) FROM rates")
        elif what == "systems":
            db.systems()
        else:
            getattr(db, what)(SYSTEM)

    call_once()  # brings what has to be imported once
    calls += 1
    print("ready", flush=True)
    sys.stdin.readline()
    end = monotonic() + float(seconds)
    while monotonic() < end:
        start = monotonic()
        try:
            call_once()
        except RatedbError as error:
            failures.append(str(error))
        calls, longest_s = calls + 1, max(longest_s, monotonic() - start)
    print(json.dumps([what, calls, longest_s, failures]))


if __name__ == "__main__":
    main()
