"""A lake with a catalogue in PostgreSQL: two writers, one of them killed again and again, then a comparison.

Run by `make bench-lake`, with a server of its own (apt install postgresql), or one that SERVER names in the
words of libpq, such as SERVER="host=db user=me", where the database `ratedb_bench` must exist and be empty.
Two writers import files of 49,500 values, each import a process, until 1e6 values are stored. Those of one
writer are killed with SIGKILL at random moments. Then each import that was reported as stored is looked for,
and all values are compared with those of a store in a file that imported the same files.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
from report import replace_section
from throwaway_postgres import make_database, postgres_programs, postgres_server

import ratedb
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import render_lamda
from ratedb.levels import Levels, Lines, vj
from ratedb.rates import Rates
from ratedb.store.store import Store

SEED = 20
VALUES = 1_000_000
LEVELS, TEMPERATURES = 100, 10  # 100 * 99 / 2 * 10 = 49,500 values a file
LOCKED = 3
# Ids are left out: a file may skip some.
QUERIES = {
    "`rates`": "SELECT * EXCLUDE (source_id) FROM rates",
    "`rates_all`": "SELECT r.* EXCLUDE (source_id), s.reference FROM rates_all AS r"
    " JOIN sources AS s USING (source_id)",
    "`levels`": "SELECT * EXCLUDE (level_id, level_set_id) FROM levels",
    "`radiative`": "SELECT * EXCLUDE (upper_id, lower_id, level_set_id) FROM radiative",
    "`sources`": "SELECT system, kind, method, reference, file_sha256 FROM sources",
    "sums by system": "SELECT system, count(*), min(rate_cm3_s), max(rate_cm3_s) FROM rates_all GROUP BY ALL",
}
# The rows of a query in any order: how many, and the sum of their hashes, all columns to the last bit.
ROWS = "SELECT count(*), sum(hash(q)::HUGEINT) FROM ({query}) AS q"
_ORPHANS = "CALL ducklake_delete_orphaned_files('lake', cleanup_all => true, dry_run => true)"


@dataclass
class Writer:
    """A writer: the files it reported as stored, the next one, and how often it was killed or waited."""

    name: str
    is_killed: bool = False
    stored: list[int] = field(default_factory=list)
    next: int = 0
    kills: int = 0
    waits: int = 0


def main() -> int:
    """Measure, compare and write the table; the exit code is 1 where anything is lost or differs."""
    with tempfile.TemporaryDirectory(prefix="ratedb-lake-") as name, _server() as words:
        folder = Path(name)
        address = f"ducklake:postgres:{words} data={folder / 'data'}"
        ratedb.open(address, create=True)
        start = perf_counter()
        writers = _write(address, folder)
        seconds = perf_counter() - start
        print(f"written in {seconds:.0f} s", flush=True)
        stored = [(one.name, number) for one in writers for number in one.stored]
        rows, wrong = _compare(address, folder, stored)
    steady, victim = writers
    rows = [
        ("values reported as stored", f"{len(stored) * _values():,}"),
        (
            "files imported by the steady writer, by the killed one",
            f"{len(steady.stored)}, {len(victim.stored)}",
        ),
        ("kills", str(victim.kills)),
        ("times that a writer found another at work", str(steady.waits + victim.waits)),
        ("seconds for all", f"{seconds:.0f} s"),
        *rows,
    ]
    table = "\n".join(
        ["| what | measured |", "|---|---|", *(f"| {what} | {value} |" for what, value in rows)]
    )
    print(table)
    text = f"Catalogue in PostgreSQL, seed {SEED}. `make bench-lake` ([lake.md](lake.md)).\n\n{table}"
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "lake", text)
    return int(wrong)


@contextmanager
def _server() -> Iterator[str]:
    if given := os.environ.get("SERVER"):
        yield f"dbname=ratedb_bench {given}"
        return
    programs = postgres_programs()
    if programs is None:
        raise SystemExit(
            "PostgreSQL is not installed (apt install postgresql), or name a server with SERVER="
        )
    with postgres_server(programs) as words:
        yield make_database(programs, words, "ratedb_bench")


def _write(address: str, folder: Path) -> list[Writer]:
    """Let two writers import until there are enough values; kill one of them now and then."""
    writers = [Writer("steady"), Writer("killed", is_killed=True)]
    dice = random.Random(SEED)
    typical_s = [10.0]

    def write(writer: Writer) -> None:
        while sum(len(one.stored) for one in writers) * _values() < VALUES:
            start = perf_counter()
            limit_s = dice.uniform(0.0, 2.0 * typical_s[-1]) if writer.is_killed else None
            if _import(address, folder, writer, limit_s):
                typical_s.append(perf_counter() - start)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return writers


def _import(address: str, folder: Path, writer: Writer, killed_after_s: float | None) -> bool:
    """Import the writer's next file, not again if it is killed; return whether it was reported as stored."""
    number, writer.next = writer.next, writer.next + 1
    path = _file(folder, writer.name, number)
    start = perf_counter()
    while True:
        process = _command(address, path, writer.name, number)
        try:
            left = None if killed_after_s is None else max(0.0, killed_after_s - (perf_counter() - start))
            process.wait(left)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            writer.kills += 1
            return False
        if process.returncode == 0:
            writer.stored.append(number)
            return True
        if process.returncode != LOCKED:
            raise SystemExit(f"import ended with code {process.returncode}")
        writer.waits += 1
        sleep(0.1)


def _command(address: str, path: Path, name: str, number: int) -> subprocess.Popen[bytes]:
    words = ["import", path, "--method", "CC", "--reference", f"{name} {number}", "--quality", "off"]
    command = [sys.executable, "-m", "ratedb_cli", "--quiet", "--db", address, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _compare(address: str, folder: Path, stored: list[tuple[str, int]]) -> tuple[list[tuple[str, str]], bool]:
    """Compare the lake with a store in a file that imported what the lake has."""
    with Store(address) as lake:
        there = lake.column("SELECT reference FROM sources ORDER BY source_id")
        lost = [f"{name} {number}" for name, number in stored if f"{name} {number}" not in there]
        given, seconds = _asked(lake)
    file = ratedb.open(folder / "file.duckdb", create=True)
    for reference in there:  # in the same order: newer sources take precedence
        name, _, number = reference.partition(" ")
        file.import_(_file(folder, name, int(number)), method="CC", reference=reference, quality="off")
    with Store(folder / "file.duckdb") as store:
        expected, of_file = _asked(store)
    left = _left_over(address)
    unreported = len(there) - len(set(there) & {f"{name} {number}" for name, number in stored})
    rows = [
        ("imports reported as stored that are not there", str(len(lost))),
        ("imports that are there, whole, but were killed before they reported it", str(unreported)),
        ("sources stored more than once", str(len(there) - len(set(there)))),
        ("Parquet files of killed imports, which belong to nothing", str(left)),
    ]
    for name in QUERIES:
        differ = "same" if given[name] == expected[name] else "DIFFERENT"
        times = f"{seconds[name]:.2f} s; file {of_file[name]:.2f} s"
        rows.append((f"rows of {name}", f"{expected[name][0]:,}, {differ} ({times})"))
    wrong = bool(lost) or len(there) != len(set(there)) or given != expected
    return rows, wrong


def _asked(store: Store) -> tuple[dict[str, tuple[int, int]], dict[str, float]]:
    """Return how many rows each query has with the sum of their hashes, and its seconds."""
    found, seconds = {}, {}
    for name, query in QUERIES.items():
        start = perf_counter()
        [found[name]] = store.rows(ROWS.format(query=query))
        seconds[name] = perf_counter() - start
    return found, seconds


def _left_over(address: str) -> int:
    """Return how many files of the folder belong to nothing, because their writer was killed."""
    with Store(address, write=True) as store:
        return len(store.rows(_ORPHANS))


def _values() -> int:
    return LEVELS * (LEVELS - 1) // 2 * TEMPERATURES


def _file(folder: Path, name: str, number: int) -> Path:
    path = folder / f"{name}-{number}.dat"
    if not path.exists():
        path.write_text(render_lamda(_rotor(1000 * len(name) + number + 100_000 * (name == "killed"))).text)
    return path


def _rotor(seed: int) -> MoleculeFile:
    j = np.arange(LEVELS)
    levels = Levels("AB", tuple(map(str, j)), 0.5 * j * (j + 1), 2.0 * j + 1, vj(np.zeros(LEVELS), j), 30.0)
    upper, lower = np.tril_indices(LEVELS, -1)
    temperature = np.linspace(10.0, 250.0, TEMPERATURES)
    rate = 10.0 ** np.random.default_rng(seed).normal(-11.0, 0.5, (len(upper), TEMPERATURES))
    lines = Lines(j[1:], j[:-1], np.full(LEVELS - 1, 1e-6), 29.9792458 * j[1:])
    return MoleculeFile(levels, lines, (PartnerRates(Rates(levels, "He", upper, lower, temperature, rate)),))


if __name__ == "__main__":
    sys.exit(main())
