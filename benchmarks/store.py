"""Import of 1e6 values, a query over them, the start of the command line and of Python: seconds, sizes.

Run by `make bench-store`; writes the table of docs/benchmarks.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from report import replace_section

from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import render_lamda
from ratedb.levels import Levels, Lines, vj
from ratedb.radiative.radex import lamda_folder
from ratedb.rates import Rates

LEVELS, TEMPERATURES = 284, 25  # 284 * 283 / 2 * 25 = 1,004,650 values
AGGREGATE = "SELECT kind, count(*), avg(log10(rate_cm3_s)) FROM rates GROUP BY kind"


def main() -> int:
    """Measure and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        path, db = Path(folder) / "big.dat", Path(folder) / "big.duckdb"
        path.write_text(render_lamda(_big_file()).text)
        rows = [
            ("import of 1,004,650 values from LAMDA", f"{_seconds('--db', db, 'import', path):.1f} s"),
            ("LAMDA file", f"{path.stat().st_size / 1e6:.1f} MB"),
            ("store", f"{db.stat().st_size / 1e6:.1f} MB"),
            ("the same file again (changes nothing)", f"{_seconds('--db', db, 'import', path):.1f} s"),
            ("`sql` aggregate over all of them", f"{_typical('--db', db, 'sql', AGGREGATE):.2f} s"),
            ("`ratedb --help`", f"{_typical('--help'):.2f} s"),
            *_python(Path(folder) / "co.duckdb"),
        ]
    table = "\n".join(
        ["| what | measured |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    )
    print(table)
    text = "Whole commands, the start of Python included. `make bench-store`.\n\n" + table
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "store", text)
    return 0


def _big_file() -> MoleculeFile:
    j = np.arange(LEVELS)
    levels = Levels("AB", tuple(map(str, j)), 0.5 * j * (j + 1), 2.0 * j + 1, vj(np.zeros(LEVELS), j), 30.0)
    upper, lower = np.tril_indices(LEVELS, -1)
    temperature = np.linspace(10.0, 250.0, TEMPERATURES)
    rate = 10.0 ** np.random.default_rng(1).normal(-11.0, 0.5, (len(upper), TEMPERATURES))
    lines = Lines(j[1:], j[:-1], np.full(LEVELS - 1, 1e-6), 29.9792458 * j[1:])
    return MoleculeFile(levels, lines, (PartnerRates(Rates(levels, "He", upper, lower, temperature, rate)),))


def _seconds(*words: object) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-m", "ratedb_cli", *map(str, words)], check=True, capture_output=True)
    return perf_counter() - start


def _python(db: Path) -> list[tuple[str, str]]:
    """Return how long Python takes to import ratedb, and to read the rates of CO + p-H2 from a store."""
    folder = lamda_folder()
    if folder is None:
        return []
    _seconds("--db", db, "import", folder / "co.dat")
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


def _typical(*words: object) -> float:
    return median(_seconds(*words) for _ in range(5))


if __name__ == "__main__":
    sys.exit(main())
