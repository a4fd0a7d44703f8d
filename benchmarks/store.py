"""Stores of 1e6, 1e7 and 1e8 values: seconds and memory of commands, and how these grow with the values.

Run by `make bench-store`; writes the table of docs/benchmarks.md. Sizes may be named: `store.py 1e6 1e7`.
Memory is the largest of the whole command, start of Python included.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import duckdb
import numpy as np
from report import replace_section

from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import render_lamda
from ratedb.levels import Levels, Lines, vj
from ratedb.radiative.radex import lamda_folder
from ratedb.rates import Rates
from ratedb.store.store import Store

TEMPERATURES = 100
SIZES = (1e6, 1e7, 1e8)
LARGEST_CSV = 1e7
SYSTEMS, SOURCES = 1000, 10_000
ONE = (
    "SELECT temperature_k, rate_cm3_s FROM rates"
    " WHERE system = 'AB+He' AND upper_label = '50' AND lower_label = '3'"
)
AGGREGATE = "SELECT kind, count(*), avg(log10(rate_cm3_s)) FROM rates GROUP BY kind"
# Rates that are smooth in j and T, in the columns of an export.
FILE = """
COPY (
    SELECT 'AB' AS molecule, 'He' AS collider, 0 AS v, u::INTEGER AS j, 0 AS v_final, l::INTEGER AS j_final,
        u::VARCHAR AS upper_label, l::VARCHAR AS lower_label, (2.0 * u * (u + 1))::DOUBLE AS upper_energy_cm1,
        (2.0 * l * (l + 1))::DOUBLE AS lower_energy_cm1, (2.0 * u + 1)::DOUBLE AS upper_weight,
        (2.0 * l + 1)::DOUBLE AS lower_weight, (10.0 + 5 * i)::DOUBLE AS temperature_k,
        1e-11 * exp((l - u) / 20.0) * pow(1 + 0.5 * i, 0.3 + 0.1 * sin(u * 0.07) * cos(l * 0.05))
            AS rate_cm3_s,
        'computed' AS kind, NULL::DOUBLE AS log10_half_width_68, false AS extrapolated, false AS marked,
        1 AS source_id, 'somebody (2020)' AS reference
    FROM (
        SELECT u, l, unnest(range({temperatures})) AS i
        FROM (SELECT * FROM range({levels}) AS a(u), range({levels}) AS b(l) WHERE l < u ORDER BY u, l)
    )
) TO '{path}' ({file_format})
"""
# Systems of 10 levels, and sources of 45 transitions at 5 temperatures.
MANY = """
INSERT INTO collision_system
SELECT i, 'M' || i || '+He', 'M' || i, 'He' FROM range($systems) AS t(i);
INSERT INTO molecule SELECT molecule, 'linear' FROM collision_system;
INSERT INTO level (level_id, molecule, label, v, j, quantum_numbers)
SELECT 10 * system_id + i, molecule, i::VARCHAR, 0, i, MAP {'v': 0.0, 'j': i::DOUBLE}
FROM collision_system, range(10) AS t(i);
INSERT INTO level_set
SELECT system_id, molecule, 28.0, 'x', 'f', 'x', now()::TIMESTAMP FROM collision_system;
INSERT INTO level_value
SELECT level_id // 10, j, level_id, 2.0 * j * (j + 1), 2.0 * j + 1 FROM level;
INSERT INTO temperature_grid VALUES (1, [10.0, 20.0, 30.0, 40.0, 50.0]);
INSERT INTO source
SELECT i, i % $systems, 'computed', 'CC', 'somebody (2020)', 'f', 'x' || i, i % $systems, NULL, '[]',
    now()::TIMESTAMP, '1', '{}', NULL, NULL
FROM range($sources) AS t(i);
INSERT INTO method_class VALUES ('CC', 'close coupling');
INSERT INTO rate BY NAME
SELECT source_id, u.level_id AS upper_id, l.level_id AS lower_id, 1 AS grid_id,
    [1e-11, 2e-11, 3e-11, 4e-11, 5e-11] AS rate_cm3_s, NULL AS log10_half_width_68, false AS extrapolated
FROM source
JOIN level AS u ON u.level_id // 10 = system_id
JOIN level AS l ON l.level_id // 10 = system_id AND l.j < u.j
"""


class Run(NamedTuple):
    """Seconds and largest memory (MB) of a command."""

    seconds: float
    memory_mb: float


def main(sizes: Sequence[float]) -> int:
    """Measure and write the tables."""
    with tempfile.TemporaryDirectory() as folder:
        found = {size: dict(_of_size(size, Path(folder))) for size in sizes}
        rows = [*_lamda(Path(folder)), *_many(Path(folder)), *_python(Path(folder) / "co.duckdb")]
    text = "\n".join(
        [
            "Whole commands, the start of Python included, with the largest memory of the process."
            " The last column is the exponent x of a growth as values^x, of seconds and of memory above that"
            " of an empty command, between the two largest stores. `make bench-store`.",
            "",
            *_by_size(found),
            "",
            "| what | measured |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in rows),
        ]
    )
    print(text)
    if tuple(sizes) == SIZES:
        replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "store", text)
    return 0


def _of_size(size: float, folder: Path) -> Iterator[tuple[str, Run | None]]:
    """Yield what each command on a store of so many values took; None for one that is not run."""
    levels = round((1 + math.sqrt(1 + 8 * size / TEMPERATURES)) / 2)
    db, file, small = folder / f"{size:g}.duckdb", folder / "rates.parquet", folder / "small.dat"
    small.write_text(render_lamda(_small_file()).text)
    _write(file, levels, "FORMAT parquet")
    yield "import of Parquet", _run("--db", db, "import", file, "--method", "CC")
    if size <= LARGEST_CSV:
        other, text = folder / "other.duckdb", folder / "rates.csv"
        _write(text, levels, "FORMAT csv, HEADER")
        yield "import of CSV", _run("--db", other, "import", text, "--method", "CC")
        other.unlink()
        text.unlink()
    else:
        yield "import of CSV", None
    file.unlink()
    _run("--db", db, "import", small, "--method", "CC")
    yield "empty command, `sql 'SELECT 1'`", _typical("--db", db, "sql", "SELECT 1")
    yield "`sql`, one transition of all", _typical("--db", db, "sql", ONE)
    yield "`show` of the large system", _typical("--db", db, "show", "AB+He")
    yield "`show` of a system of 1e5 values", _typical("--db", db, "show", "CD+He")
    for file_format in ("lamda", "csv", "parquet"):
        words = ("export", "CD+He", "--format", file_format, "-o", folder / "out")
        yield f"`export` of 1e5 values, {file_format}", _typical("--db", db, *words)
    yield "`systems`", _typical("--db", db, "systems")
    yield "`sources`", _typical("--db", db, "sources")
    yield "`sql`, mean of all values", _run("--db", db, "sql", AGGREGATE)


def _by_size(found: dict[float, dict[str, Run | None]]) -> Iterator[str]:
    sizes = list(found)
    yield f"| command | {' | '.join(f'{size:g} values' for size in sizes)} | growth |"
    yield f"|---|{'---|' * (len(sizes) + 1)}"
    empty = next(name for name in found[sizes[0]] if name.startswith("empty"))
    for name in found[sizes[0]]:
        runs = [found[size][name] for size in sizes]
        cells = ["" if run is None else f"{run.seconds:.2f} s, {run.memory_mb:.0f} MB" for run in runs]
        yield f"| {name} | {' | '.join(cells)} | {_growth(found, name, empty)} |"


def _growth(found: dict[float, dict[str, Run | None]], name: str, empty: str) -> str:
    known = [(size, run) for size, of in found.items() if (run := of[name]) is not None]
    if len(known) < 2:
        return ""
    (low, first), (high, last) = known[-2:]
    exponents = []
    for number in range(2):
        values = []
        for size, run in ((low, first), (high, last)):
            base = found[size][empty]
            values.append(max(run[number] - (base[number] if base is not None and number else 0.0), 1e-2))
        exponents.append(math.log(values[1] / values[0]) / math.log(high / low))
    return f"{exponents[0]:.2f}, {exponents[1]:.2f}"


def _write(path: Path, levels: int, file_format: str) -> None:
    """Write a file in a process of its own: its memory would count as that of the commands measured later."""
    process = get_context("spawn").Process(target=_write_here, args=(path, levels, file_format))
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(f"{path} was not written")


def _write_here(path: Path, levels: int, file_format: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            FILE.format(temperatures=TEMPERATURES, levels=levels, path=path, file_format=file_format)
        )


def _small_file() -> MoleculeFile:
    """Return 46 levels at 97 temperatures: some 1e5 values."""
    return _file("CD", 46, 97)


def _file(molecule: str, size: int, temperatures: int) -> MoleculeFile:
    j = np.arange(size)
    levels = Levels(molecule, tuple(map(str, j)), 0.5 * j * (j + 1), 2.0 * j + 1, vj(np.zeros(size), j), 30.0)
    upper, lower = np.tril_indices(size, -1)
    temperature = np.linspace(10.0, 250.0, temperatures)
    rate = 10.0 ** np.random.default_rng(1).normal(-11.0, 0.5, (len(upper), temperatures))
    lines = Lines(j[1:], j[:-1], np.full(size - 1, 1e-6), 29.9792458 * j[1:])
    return MoleculeFile(levels, lines, (PartnerRates(Rates(levels, "He", upper, lower, temperature, rate)),))


def _lamda(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the import of some 1e6 values from LAMDA, the same file again, and the start of the program."""
    path, db = folder / "big.dat", folder / "lamda.duckdb"
    path.write_text(render_lamda(_file("AB", 284, 25)).text)
    yield "import of 1,004,650 values from LAMDA", f"{_run('--db', db, 'import', path).seconds:.1f} s"
    yield "LAMDA file", f"{path.stat().st_size / 1e6:.1f} MB"
    yield "store", f"{db.stat().st_size / 1e6:.1f} MB"
    again = _run("--db", db, "import", path).seconds
    yield "the same file again (changes nothing)", f"{again:.1f} s"
    yield "`ratedb --help`", f"{_typical('--help').seconds:.2f} s"


def _many(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the lists of many systems and of many sources of a few values each."""
    for count, of, command in ((SYSTEMS, "systems", "systems"), (SOURCES, "sources", "sources")):
        db = folder / f"{of}.duckdb"
        _make_many(db, count if of == "systems" else 10, count)
        run = _typical("--db", db, command)
        yield f"`{command}` of {count} {of}", f"{run.seconds:.2f} s, {run.memory_mb:.0f} MB"


def _make_many(db: Path, systems: int, sources: int) -> None:
    """Make a store of so many systems and sources."""
    with Store(db, write=True, create=True) as store, store.transaction():
        for statement in MANY.split(";"):
            store.rows(statement.replace("$systems", str(systems)).replace("$sources", str(sources)))


def _run(*words: object) -> Run:
    start = perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "ratedb_cli", *map(str, words)], stdout=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"ratedb {' '.join(map(str, words))} failed")
    return Run(perf_counter() - start, used.ru_maxrss / 1024)


def _typical(*words: object) -> Run:
    runs = [_run(*words) for _ in range(3)]
    return Run(median(run.seconds for run in runs), max(run.memory_mb for run in runs))


def _python(db: Path) -> list[tuple[str, str]]:
    """Return how long Python takes to import ratedb, and to read the rates of CO + p-H2 from a store."""
    folder = lamda_folder()
    if folder is None:
        return []
    _run("--db", db, "import", folder / "co.dat")
    code = (
        "from time import perf_counter as now; start = now(); import ratedb; print(now() - start);"
        f" start = now(); rates = ratedb.open({str(db)!r}).rates('CO+p-H2'); print(now() - start, len(rates))"
    )
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in range(7)]
    imports, reads = zip(*([float(word) for word in run.stdout.split()[:2]] for run in runs), strict=True)
    return [
        ("`import ratedb`", f"{median(imports):.3f} s"),
        ("then `ratedb.open(...).rates('CO+p-H2')`, 820 transitions", f"{median(reads):.2f} s"),
    ]


if __name__ == "__main__":
    sys.exit(main([float(size) for size in sys.argv[1:]] or SIZES))
