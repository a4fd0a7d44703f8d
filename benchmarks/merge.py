"""Two stores with 1e6 values each, half of them shared: merge, backup, publish and open; seconds and memory.

Run by `make bench-merge`. Each step is a process of its own, the start of Python included. The merged store
is compared with one that imported all files: every row of the views, without ids and times. `--one-system`
gives all sources to one system, which compares each new one with all that are there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np

from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import render_lamda
from ratedb.levels import Levels, Lines, vj
from ratedb.rates import Rates

FILES, SHARED, LEVELS, TEMPERATURES = 10, 5, 90, 25  # a file has 90 * 89 / 2 * 25 = 100,125 values
_IDS = ("_id", "_ids", "_at", "_sha256", "library_versions")
_VIEWS = ("rates", "rates_all", "levels", "radiative", "sources", "source_files", "findings")


def main() -> int:
    """Measure, and print one line for each step."""
    one_system = "--one-system" in sys.argv
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [_write(folder, number, one_system) for number in range(2 * FILES - SHARED)]
        first, second, both = (folder / f"{one}.duckdb" for one in ("first", "second", "both"))
        _import(first, files[:FILES])
        _import(second, files[-FILES:])
        _import(both, files)
        _say("merge", "--db", first, "merge", second)
        _say("merge again (changes nothing)", "--db", first, "merge", second)
        same = _contents(first) == _contents(both)
        print(f"equal to one store that imported all files: {'yes' if same else 'NO'}")
        _say("merge, sources not compared", "--db", second, "merge", both, "--quality", "off")
        _say("backup", "--db", first, "backup", folder / "copy.duckdb")
        _say("publish", "--db", first, "publish", folder / "snapshot")
        _say("systems of the snapshot", "--db", folder / "snapshot", "systems")
        _say("systems of the store", "--db", first, "systems")
    return 0 if same else 1


def _write(folder: Path, number: int, one_system: bool) -> Path:
    j = np.arange(LEVELS)
    molecule = "AB" if one_system else f"A{number}B"
    levels = Levels(
        molecule, tuple(map(str, j)), 0.5 * j * (j + 1), 2.0 * j + 1, vj(np.zeros(LEVELS), j), 30.0
    )
    upper, lower = np.tril_indices(LEVELS, -1)
    temperature = np.linspace(10.0, 250.0, TEMPERATURES)
    scatter = np.random.default_rng(number).normal(0.0, 0.05, (len(upper), 1))
    rate = 10.0 ** (-11.0 + scatter - 0.02 * (upper - lower)[:, None] + 0.3 * np.log10(temperature / 10.0))
    lines = Lines(j[1:], j[:-1], np.full(LEVELS - 1, 1e-6), 29.9792458 * j[1:])
    partner = PartnerRates(
        Rates(levels, "He", upper, lower, temperature, rate), reference=f"reference {number}"
    )
    path = folder / f"{number}.dat"
    path.write_text(render_lamda(MoleculeFile(levels, lines, (partner,))).text)
    return path


def _import(db: Path, files: list[Path]) -> None:
    for file in files:
        _run("--db", db, "import", file, "--method", "CC")


def _say(what: str, *words: object) -> None:
    start = perf_counter()
    busy, kilobytes = _run(*words)
    seconds = perf_counter() - start
    print(f"{what}: {seconds:.1f} s ({busy:.1f} s of processor), {kilobytes / 1e3:.0f} MB", flush=True)


def _run(*words: object) -> tuple[float, int]:
    """Run one command and return the seconds of processor and the most memory it had, in kB."""
    code = "import resource, sys; from ratedb_cli.app import main; code = main(sys.argv[1:]);"
    code += " used = resource.getrusage(resource.RUSAGE_SELF);"
    code += " print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", code, "--quiet", *map(str, words)], check=True, capture_output=True, text=True
    )
    busy, kilobytes = done.stderr.split()[-2:]
    return float(busy), int(kilobytes)


def _contents(db: Path) -> dict[str, list[tuple[int, int]]]:
    """Return the number of rows of each view and the sum of their hashes, without ids and times."""
    found = {}
    with duckdb.connect(str(db), read_only=True) as connection:
        for view in _VIEWS:
            columns = [row[0] for row in connection.execute(f"DESCRIBE {view}").fetchall()]
            kept = ", ".join(name for name in columns if not name.endswith(_IDS) and name != "detail")
            sql = f"SELECT count(*), sum(hash(t)::HUGEINT) FROM (SELECT {kept} FROM {view}) AS t"
            found[view] = connection.execute(sql).fetchall()
    return found


if __name__ == "__main__":
    sys.exit(main())
