"""Real RADEX (van der Tak et al. 2007, A&A 468, 627), through the compiled module of the spectralradex wheel.

RADEX does not check its input: it clamps a temperature outside the rates' range, ignores a collider without
rates, assumes 1e5 cm-3 of H2 where no density is given, and crashes on a malformed file. Here each of these
is an error before RADEX starts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ratedb.bounds import LARGEST_TEXT_BYTES
from ratedb.errors import RatedbError
from ratedb.files import read_bytes
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.radex_file import (
    MAX_FREQUENCY_GHZ,
    MAX_LEVELS,
    MAX_LINES,
    FileOutline,
    check_conditions,
    outline_of,
)
from ratedb.radiative.radex_lines import RadexLines, failed_under, failure_of, lines_of
from ratedb.radiative.radex_worker import CHATTER, RESULTS
from ratedb.systems import COLLIDERS
from ratedb.temporary import temporary_folder

_RADEX_NAME = dict(zip(COLLIDERS, ("h2", "p-h2", "o-h2", "e-", "h", "he", "h+"), strict=True))


def radex_available() -> bool:
    """Return whether RADEX is installed, without importing it."""
    return lamda_folder() is not None and importlib.util.find_spec("radexwrap") is not None


def lamda_folder() -> Path | None:
    """Return the folder of LAMDA files that comes with spectralradex, or None where it is not installed."""
    spec = importlib.util.find_spec("spectralradex")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(place) / "radex" / "data"
        if folder.is_dir():
            return folder
    return None


def run_radex(path: Path, grid: Sequence[Conditions], *, timeout_s: float = 600.0) -> list[RadexLines]:
    """Run RADEX on a LAMDA file under each of the conditions and return all lines for each, in order.

    The whole grid runs in one process of its own, stopped after `timeout_s` seconds. Raises RatedbError
    where RADEX is not installed or would misread the file, a temperature is outside
    the rates' range, a collider has no rates, or a run fails, does not converge or gives a value that is
    not finite (naming the conditions).
    """
    (outcome,) = run_radex_each([path], grid, timeout_s=timeout_s)
    if isinstance(outcome, RatedbError):
        raise outcome
    return outcome


def run_radex_each(
    paths: Sequence[Path], grid: Sequence[Conditions], *, timeout_s: float = 600.0
) -> list[list[RadexLines] | RatedbError]:
    """Run RADEX on several LAMDA files as `run_radex` does on one, in one process where their pairs agree.

    Where runs of a file fail, do not converge or give values that are not finite, the error is returned in
    place of its lines; other errors are raised. `timeout_s` is for each file.
    """
    if not radex_available():
        raise RatedbError(
            "RADEX is not installed",
            expected="the package spectralradex",
            todo="pip install 'ratedb[radex]' (Linux, CPython 3.11)",
        )
    contents = [read_bytes(path, largest=LARGEST_TEXT_BYTES) for path in paths]
    outlines = [outline_of(content, str(path)) for content, path in zip(contents, paths, strict=True)]
    for outline, path in zip(outlines, paths, strict=True):
        _check_size(outline, str(path))
        for conditions in grid:
            check_conditions(outline, conditions, str(path))
    if not grid:
        return [[] for _ in paths]
    where = [str(path) for path in paths]
    # For pairs of levels that a file lacks, RADEX keeps the rates of the file before.
    if all((one.label, one.pairs) == (outlines[0].label, outlines[0].pairs) for one in outlines):
        answers = _run_worker(contents, grid, where, timeout_s)
    else:
        each = zip(contents, where, strict=True)
        answers = [
            answer for content, name in each for answer in _run_worker([content], grid, [name], timeout_s)
        ]
    return [
        _judged(answers[number * len(grid) : (number + 1) * len(grid)], grid, outline, str(path))
        for number, (outline, path) in enumerate(zip(outlines, paths, strict=True))
    ]


def _judged(
    answers: Sequence[dict[str, Any]], grid: Sequence[Conditions], outline: FileOutline, where: str
) -> list[RadexLines] | RatedbError:
    reasons = [failure_of(answer, outline) for answer in answers]
    if any(reasons):
        return failed_under("RADEX", reasons, grid, where)
    return [lines_of(answer, outline) for answer in answers]


def _check_size(outline: FileOutline, where: str) -> None:
    for what, count, limit in (
        ("lines", len(outline.frequency_ghz), MAX_LINES),
        ("levels", len(outline.label), MAX_LEVELS),
    ):
        if count > limit:
            raise RatedbError(
                f"the file has more {what} than this RADEX can hold",
                where=where,
                expected=f"at most {limit}",
                got=str(count),
                todo="export fewer levels",
            )


def _inputs(conditions: Conditions, file: str) -> dict[str, Any]:
    # All seven densities are given: RADEX takes 1e5 cm-3 of H2 where `h2` is missing.
    densities = {key: conditions.density_cm3.get(name, 0.0) for name, key in _RADEX_NAME.items()}
    return {
        "molfile": f"./{file}",
        "tkin": float(conditions.temperature_k),
        "tbg": float(conditions.background_k),
        "cdmol": float(conditions.column_density_cm2),
        "linewidth": float(conditions.line_width_km_s),
        "fmin": 0.0,
        "fmax": MAX_FREQUENCY_GHZ,
        "geometry": int(conditions.geometry),
        **densities,
    }


def _run_worker(
    contents: Sequence[bytes], grid: Sequence[Conditions], where: Sequence[str], timeout_s: float
) -> list[dict[str, Any]]:
    timeout_s *= len(contents)
    with temporary_folder() as folder:
        names = [f"mol{number}.dat" for number in range(len(contents))]
        for file, content in zip(names, contents, strict=True):
            (folder / file).write_bytes(b"\n".join(content.splitlines()) + b"\n")
        runs = [_inputs(conditions, file) for file in names for conditions in grid]
        in_time = _ends_in_time(folder, json.dumps({"folder": str(folder), "runs": runs}), timeout_s)
        answers = _read_answers(folder / RESULTS)
        if len(answers) == len(runs):
            return answers
        file_number, number = divmod(len(answers), len(grid))
        raise RatedbError(
            f"RADEX {'ended before its work was done' if in_time else f'did not end within {timeout_s:g} s'}",
            where=f"{where[file_number]}, condition {number + 1}: {grid[number].describe()}",
            got=_last_words(folder) or "no message",
            todo="check the file" if in_time else "try fewer conditions or a longer time",
        )


def _ends_in_time(folder: Path, request: str, timeout_s: float) -> bool:
    """Run the worker process in a folder; return whether it ended by itself."""
    # Unbuffered, RADEX's messages for a condition are complete when that condition ends, or crashes.
    environment = os.environ | {"GFORTRAN_UNBUFFERED_PRECONNECTED": "y"}
    # -P: a file of the user's with the name of a standard module must not be imported.
    command = [sys.executable, "-P", "-m", "ratedb.radiative.radex_worker"]
    with open(folder / CHATTER, "wb") as messages, open(folder / "errors", "wb") as errors:
        try:
            subprocess.run(
                command,
                input=request.encode("ascii"),
                stdout=messages,
                stderr=errors,
                env=environment,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    return True


def _read_answers(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    # A line without its end was cut off by a crash.
    return [
        json.loads(line) for line in path.read_text("ascii").splitlines(keepends=True) if line[-1] == "\n"
    ]


def _last_words(folder: Path) -> str:
    texts = [(folder / name).read_text("latin-1").strip() for name in (CHATTER, "errors")]
    return " / ".join(line.strip() for text in texts for line in text.splitlines()[-3:] if line.strip())
