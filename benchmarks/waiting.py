"""Eight readers and two writers of one store for a minute, in loops without a pause: none may fail.

Run by `make bench-waiting`, with other seconds as an argument; writes a table into docs/benchmarks.md, and
ends with 1 where a call failed or a stored value is missing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "store"))

from children import rates_number
from crowd import READERS, WRITERS, crowd, reference_of
from report import replace_section
from stores import make_store

from ratedb.store.store import Store

ROOT = Path(__file__).parents[1]
SECONDS = 60.0


def main() -> int:
    """Measure and write the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    jobs = [*READERS, *READERS, *WRITERS]
    with TemporaryDirectory() as folder:
        path = make_store(Path(folder) / "store.duckdb", rates_number(0))
        worked = crowd(path, jobs, seconds, Path(folder))
        with Store(path) as store:
            there = set(store.column("SELECT reference FROM sources UNION SELECT reason FROM source_orders"))
        left = [entry.name for entry in Path(folder).iterdir() if entry.name.startswith(".")]
    done = {reference_of(n, call) for n, one in enumerate(worked) if n >= 8 for call in range(one.calls)}
    lost = len(done - there) - sum(len(one.failures) for one in worked[8:])
    rows = [f"| {w.what} | {w.calls} | {len(w.failures)} | {w.longest_s:.1f} |" for w in worked]
    text = f"For {seconds:g} s; {lost} of {len(done)} writes lost, left over: {left or 'nothing'}."
    table = "\n".join(["| call | calls | failures | longest, s |", "|---|---|---|---|", *rows])
    print(text, table, sep="\n")
    replace_section(ROOT / "docs" / "benchmarks.md", "waiting", f"{text} `make bench-waiting`.\n\n{table}")
    return int(lost > 0 or bool(left) or any(one.failures for one in worked))


if __name__ == "__main__":
    raise SystemExit(main())
