"""Break small valid files in every way and read them: any exception but a RatedbError is a failure.

`python benchmarks/fuzz.py [count]` breaks 20,000 files for each reader, each reader in a process of its own,
and writes a table into docs/benchmarks.md; it ends with 1 where a reader failed.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "io"))

import fuzzing
from report import replace_section

COUNT = 20_000
SEED = 1


def fuzz(reader: str, count: int) -> tuple[int, int, float, float, str]:
    """Return how many were read and refused, the slowest (s), the memory (MB), and the failure or ''."""
    read = refused = 0
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        results = fuzzing.outcomes(reader, count, SEED, Path(folder))
        failure = ""
        while True:
            start = perf_counter()
            try:
                _, error = next(results)
            except StopIteration:
                break
            except BaseException as exception:
                content = (Path(folder) / "rates").read_bytes()
                failure = f"{type(exception).__name__}: {exception}; the file of rates was {content[:2000]!r}"
                break
            slowest = max(slowest, perf_counter() - start)
            read, refused = read + (error is None), refused + (error is not None)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return read, refused, slowest, memory, failure


def main(count: int) -> int:
    failures = []
    lines = [
        "Small valid files broken at random (bytes cut, doubled, flipped; words, cells and lines changed),"
        " two readers at a time: each is read or refused, with nothing but a `RatedbError`. Written by"
        " `make bench-readers`.",
        "",
        "| reader | inputs | read | refused | slowest s | largest memory MB |",
        "|---|---|---|---|---|---|",
    ]
    workers = ProcessPoolExecutor(2, mp_context=get_context("spawn"), max_tasks_per_child=1)
    with workers as pool:
        running = {reader: pool.submit(fuzz, reader, count) for reader in fuzzing.SEEDS}
        for reader, result in running.items():
            read, refused, slowest, memory, failure = result.result()
            lines.append(
                f"| {reader} | {read + refused} | {read} | {refused} | {slowest:.2f} | {memory:.0f} |"
            )
            print(lines[-1], flush=True)
            if failure:
                failures.append(f"{reader}: input {read + refused + 1}: {failure}")
    print(*failures, sep="\n", file=sys.stderr)
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "fuzz", "\n".join(lines))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT))
