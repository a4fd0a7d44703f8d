"""Pages of systems: seconds and bytes, and what Chromium says of them.

Run by `make bench-report`; writes a table into docs/benchmarks.md, and ends with 1 where a page is larger or
slower than it may be, or a browser complains or asks for anything.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "report")]

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from browser import Browser  # noqa: E402
from real import co_file, shared_folder  # noqa: E402
from report import replace_section  # noqa: E402
from small_co import put  # noqa: E402
from synthetic import prediction_of, rotor_levels, rotor_rates  # noqa: E402

import ratedb  # noqa: E402
from ratedb.store.store import Store  # noqa: E402

RUNS = 3
_TRAIN = {"train_j": "5,9,14,19,25,32,38", "validate_j": "6,10", "j": "5:40"}
_KELVIN = tuple(np.geomspace(5.0, 3000.0, 25).tolist())


@dataclass(frozen=True)
class Case:
    """A store and its systems, with what their page may take."""

    name: str
    make: Callable[[Path], list[str]]
    most_mb: float
    most_s: float


def carbon_monoxide(db: Path) -> list[str]:
    """Make CO with p-H2 and o-H2, 41 levels and 25 temperatures, most j predicted."""
    store, systems = ratedb.open(db, create=True), ["CO+p-H2", "CO+o-H2"]
    store.plan(systems[0], j="5:40", given_j="5", train_j="5,9,14,19,25,32,38")
    store.import_(co_file(), j="1:6,9,10,14,19,25,32,38", method="CC")
    for system in systems:
        store.train(system, **_TRAIN)
        store.fill(system)
    return systems


def measured_carbon_monoxide(db: Path) -> list[str]:
    """Make the same, and then compute all: the page has each prediction, and tests the model on the rest."""
    systems = carbon_monoxide(db)
    ratedb.open(db).import_(co_file(), method="CC")
    return systems


def formaldehyde(db: Path) -> list[str]:
    """Make o-H2CO with p-H2 and o-H2."""
    store = ratedb.open(db, create=True)
    store.import_(shared_folder("h2co-h2-rot-wiesenfeld2013") / "oh2co-h2.dat")
    return list(store.systems().column("system"))


def large(db: Path) -> list[str]:
    """Make 5,050 transitions at 25 temperatures, all computed after they were predicted."""
    rates = rotor_rates(rotor_levels(100, molecule="XY"), "He", _KELVIN)
    with Store(db, write=True, create=True) as store:
        put(store, rates, "computed", "Somebody et al. 2020")
        model = _model(store, db)
        store.put_prediction("XY+He", prediction_of(rates), np.ones(rates.rate_cm3_s.shape, bool), model)
    return ["XY+He"]


def _model(store: Store, db: Path):
    """Return a stored model without content, as the source of a prediction."""
    from small_co import make_small_store

    make_small_store(db.with_name("small.duckdb"))
    with Store(db.with_name("small.duckdb")) as small:
        model = small.model(1)
    return store.model(store.put_model(model))


CASES = (
    Case("CO+p-H2 and CO+o-H2, 820 transitions, 25 T, 652 predicted", carbon_monoxide, 3.0, 3.0),
    Case("the same, all computed later: errors measured", measured_carbon_monoxide, 3.0, 3.0),
    Case("o-H2CO with p-H2 and o-H2, 780 transitions", formaldehyde, 3.0, 3.0),
    Case("5,050 transitions, 25 T, computed and predicted", large, 6.0, 8.0),
)


def main() -> int:
    """Measure and write the table."""
    browser, rows, failed = Browser(), [], False
    for case in CASES:
        with TemporaryDirectory() as folder:
            try:
                systems = case.make(Path(folder) / "store.duckdb")
            except pytest.skip.Exception as reason:
                print(f"{case.name}: left out, {reason}")
                continue
            page = Path(folder) / "page.html"
            timed = [_seconds(Path(folder) / "store.duckdb", systems, page) for _ in range(RUNS)]
            seconds, processor = (min(one) for one in zip(*timed, strict=True))
            begin = perf_counter()
            browser.open(page)
            shown = perf_counter() - begin
            errors, requests = len(browser.complaints()), len(browser.requests()) - 1
            megabytes = page.stat().st_size / 1e6
        failed |= seconds > case.most_s or megabytes > case.most_mb or errors > 0 or requests > 0
        figures = f"{seconds:.1f} | {processor:.1f} | {megabytes:.2f} | {shown:.1f} | {errors} | {requests}"
        rows.append(f"| {case.name} | {figures} |")
        print(rows[-1], flush=True)
    browser.close()
    heads = ("page of", "made in, s", "CPU, s", "MB", "shown in, s", "console errors", "requests")
    head = f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}"
    text = f"The command as a whole, the best of {RUNS}; shown by Chromium. `make bench-report`."
    replace_section(ROOT / "docs" / "benchmarks.md", "report", "\n".join([text, "", head, *rows]))
    return int(failed)


def _seconds(db: Path, systems: list[str], page: Path) -> tuple[float, float]:
    """Return how long the command takes, and how long it uses a processor."""
    words = [sys.executable, "-m", "ratedb", "--quiet", "--db", str(db), "report", *systems, "-o", str(page)]
    begin, before = perf_counter(), os.times()
    subprocess.run(words, check=True, cwd=page.parent)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return perf_counter() - begin, used


if __name__ == "__main__":
    raise SystemExit(main())
