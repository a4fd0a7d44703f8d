"""Real RADEX (van der Tak et al. 2007, A&A 468, 627), through the compiled module of the spectralradex wheel.

RADEX trusts its input: it clamps a temperature outside the rates' range, ignores a collider it has no
rates for, assumes 1e5 cm-3 of H2 where no density is named, and crashes on a malformed file. Here each of
these is one clear error before RADEX starts.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.files import read_bytes
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.radiative.radex_file import MAX_FREQUENCY_GHZ, MAX_LEVELS, MAX_LINES, FileOutline, outline_of
from ratedb.radiative.radex_worker import CHATTER, RESULTS
from ratedb.systems import COLLIDERS

_RADEX_NAME = dict(zip(COLLIDERS, ("h2", "p-h2", "o-h2", "e-", "h", "he", "h+"), strict=True))


@dataclass(frozen=True)
class Conditions:
    """The physical conditions of one RADEX run: a homogeneous cloud of one temperature.

    `density_cm3` maps colliders (`H2 p-H2 o-H2 e H He H+`) to their densities in cm-3; one that is not
    named is absent. `line_width_km_s` is the FWHM; `geometry` is 1 for a uniform sphere, 2 for an
    expanding sphere (LVG), 3 for a slab.

    Raises RatedbError where a value is outside what RADEX accepts or no collider has a density.
    """

    temperature_k: float
    density_cm3: Mapping[str, float]
    column_density_cm2: float = 1.0e14
    line_width_km_s: float = 1.0
    background_k: float = 2.73
    geometry: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "density_cm3", {name: float(n) for name, n in self.density_cm3.items()})
        _within("kinetic temperature", self.temperature_k, 0.1, 1.0e4, "K")
        _within("column density", self.column_density_cm2, 1.0e5, 9.999e24, "cm-2")
        _within("line width", self.line_width_km_s, 1.0e-3, 1.0e3, "km/s")
        _within("background temperature", self.background_k, 1.0e-3, 1.0e4, "K")
        if self.geometry not in (1, 2, 3):
            raise RatedbError("unknown geometry", expected="1, 2 or 3", got=str(self.geometry))
        for name, density in self.density_cm3.items():
            if name not in COLLIDERS:
                raise RatedbError("unknown collider", expected=" ".join(COLLIDERS), got=name)
            _within(f"density of {name}", density, 0.0, 1.0e13, "cm-3")
        if not self.colliders:
            raise RatedbError("no collider has a density", expected="at least one above zero")

    @property
    def colliders(self) -> tuple[str, ...]:
        """The colliders with a density above zero."""
        return tuple(name for name, density in self.density_cm3.items() if density > 0.0)

    def describe(self) -> str:
        """Return one line for people, such as `T = 50 K, n(p-H2) = 25000 cm-3, N = 1e+14 cm-2, 1 km/s`."""
        densities = [f"n({name}) = {self.density_cm3[name]:g} cm-3" for name in self.colliders]
        parts = [f"T = {self.temperature_k:g} K", *densities, f"N = {self.column_density_cm2:g} cm-2"]
        return ", ".join([*parts, f"{self.line_width_km_s:g} km/s"])


@dataclass(frozen=True, eq=False)
class RadexLines:
    """What RADEX says of every line of a file under one set of conditions, in the file's order.

    All arrays have shape (n,): `upper_energy_k` is above the file's lowest level; `flux_k_km_s` is the
    integrated intensity above the background (negative in absorption); the populations are fractions of
    all molecules. `upper` and `lower` are level labels; a label that stands twice in the file gets the
    number of its level, as in `0.5@3`. `warnings` are RADEX's own words.
    """

    upper: tuple[str, ...]
    lower: tuple[str, ...]
    frequency_ghz: FloatArray
    upper_energy_k: FloatArray
    excitation_temperature_k: FloatArray
    optical_depth: FloatArray
    radiation_temperature_k: FloatArray
    population_upper: FloatArray
    population_lower: FloatArray
    flux_k_km_s: FloatArray
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.upper),)
        for name in _ARRAYS:
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
            if array.shape != shape or len(self.lower) != shape[0]:
                raise RatedbError(
                    f"RADEX lines: {name} has a wrong shape", expected=str(shape), got=str(array.shape)
                )

    def __len__(self) -> int:
        return len(self.upper)


_ARRAYS = (
    "frequency_ghz",
    "upper_energy_k",
    "excitation_temperature_k",
    "optical_depth",
    "radiation_temperature_k",
    "population_upper",
    "population_lower",
    "flux_k_km_s",
)


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
    where RADEX is not installed, the file is not one that RADEX reads rightly, a temperature is outside
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
    """Run RADEX on several LAMDA files as `run_radex` does on one, in one process where they are alike.

    A file for which runs fail, do not converge or give values that are not finite has the error in place of
    its lines; other errors are raised as there. `timeout_s` is for each file.
    """
    if not radex_available():
        raise RatedbError(
            "RADEX is not installed",
            expected="the package spectralradex",
            todo="pip install 'ratedb[radex]' (Linux, CPython 3.11)",
        )
    contents = [read_bytes(path) for path in paths]
    outlines = [outline_of(content, str(path)) for content, path in zip(contents, paths, strict=True)]
    for outline, path in zip(outlines, paths, strict=True):
        _check_size(outline, str(path))
        for conditions in grid:
            _check_conditions(outline, conditions, str(path))
    if not grid:
        return [[] for _ in paths]
    where = [str(path) for path in paths]
    # RADEX keeps the rates of the file before for pairs of levels that a file has not.
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
    failures = [
        f"{conditions.describe()}: {reason}"
        for conditions, answer in zip(grid, answers, strict=True)
        if (reason := _failure(answer, outline))
    ]
    if failures:
        return RatedbError(
            f"RADEX failed for {len(failures)} of {len(grid)} conditions",
            where=where,
            got="\n    ".join(failures[:20]),
            todo="leave these conditions out or lower the column, or look for unconnected levels",
        )
    return [_lines(answer, outline) for answer in answers]


def populations(lines: RadexLines) -> dict[str, float]:
    """Return the fractional population of every level that a line begins or ends at, by label.

    RADEX gives populations with its lines only: a level without any line is not in the result.
    """
    found = dict(zip(lines.lower, lines.population_lower.tolist(), strict=True))
    found.update(zip(lines.upper, lines.population_upper.tolist(), strict=True))
    return found


def _within(what: str, value: float, low: float, high: float, unit: str) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise RatedbError(
            f"{what} is outside what RADEX accepts", expected=f"{low:g} to {high:g} {unit}", got=f"{value:g}"
        )


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


def _check_conditions(outline: FileOutline, conditions: Conditions, where: str) -> None:
    known = outline.temperature_range_k
    for name in conditions.colliders:
        if name not in known:
            raise RatedbError(
                f"the file has no rates for {name}",
                where=where,
                expected=f"densities of {', '.join(known)} only",
                got=conditions.describe(),
                todo="RADEX would leave this collider out without a word: take it out of the conditions",
            )
        low, high = known[name]
        if not low <= conditions.temperature_k <= high:
            raise RatedbError(
                f"the rates for {name} do not reach {conditions.temperature_k:g} K",
                where=where,
                expected=f"{low:g} to {high:g} K",
                got=conditions.describe(),
                todo="choose a temperature within: RADEX would use the rates at the end of their range",
            )
    # RADEX sets the density of H2 to p-H2 + o-H2, or the reverse, whatever was asked for.
    nuclear_spin = {"p-H2", "o-H2"} & set(known)
    if "H2" in known and nuclear_spin and {"H2", *nuclear_spin} & set(conditions.colliders):
        raise RatedbError(
            "RADEX would count H2 twice in this file",
            where=where,
            expected="rates for H2, or for p-H2 and o-H2",
            got=", ".join(known),
            todo="use a file with only one of the two",
        )


def _inputs(conditions: Conditions, file: str) -> dict[str, Any]:
    # All seven densities are named: RADEX takes 1e5 cm-3 of H2 where `h2` is missing.
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
    # Unbuffered, what RADEX says of a condition is there when that condition ends, or crashes.
    environment = os.environ | {"GFORTRAN_UNBUFFERED_PRECONNECTED": "y"}
    with tempfile.TemporaryDirectory(prefix="ratedb-radex-") as name:
        folder = Path(name)
        names = [f"mol{number}.dat" for number in range(len(contents))]
        for file, content in zip(names, contents, strict=True):
            (folder / file).write_bytes(b"\n".join(content.splitlines()) + b"\n")
        runs = [_inputs(conditions, file) for file in names for conditions in grid]
        request = json.dumps({"folder": name, "runs": runs})
        late = False
        with open(folder / CHATTER, "wb") as said, open(folder / "errors", "wb") as errors:
            # -P: a file of the user's named like a standard module must not be imported.
            command = [sys.executable, "-P", "-m", "ratedb.radiative.radex_worker"]
            try:
                subprocess.run(
                    command,
                    input=request.encode("ascii"),
                    stdout=said,
                    stderr=errors,
                    env=environment,
                    timeout=timeout_s,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                late = True
        answers = _read_answers(folder / RESULTS)
        if len(answers) < len(runs):
            file_number, number = divmod(len(answers), len(grid))
            raise RatedbError(
                f"RADEX did not end within {timeout_s:g} s"
                if late
                else "RADEX ended before its work was done",
                where=f"{where[file_number]}, condition {number + 1}: {grid[number].describe()}",
                got=_last_words(folder) or "no message",
                todo="try fewer conditions or a longer time" if late else "check the file",
            )
        return answers


def _read_answers(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    # A line without its end was cut by a crash.
    return [
        json.loads(line) for line in path.read_text("ascii").splitlines(keepends=True) if line[-1] == "\n"
    ]


def _last_words(folder: Path) -> str:
    texts = [(folder / name).read_text("latin-1").strip() for name in (CHATTER, "errors")]
    return " / ".join(line.strip() for text in texts for line in text.splitlines()[-3:] if line.strip())


def _failure(answer: dict[str, Any], outline: FileOutline) -> str | None:
    said = "; ".join(answer["messages"])
    if answer["success"] != 1:
        return said or "RADEX failed without a message"
    if "did not converge" in said:
        return "the calculation did not converge"
    output = np.array(answer["lines"], dtype=np.float64)
    if output.shape != (10, len(outline.frequency_ghz)):
        return f"{output.shape[-1]} lines came back, not {len(outline.frequency_ghz)}"
    if not np.allclose(output[1], outline.frequency_ghz, rtol=1e-6, atol=0.0):
        return "the lines that came back are not those of the file"
    wrong = np.flatnonzero(~np.isfinite(output[[3, 4, 5, 6, 7, 8]]).all(axis=0))
    if len(wrong):
        names = [f"{outline.frequency_ghz[i]:g} GHz" for i in wrong[:5]]
        return f"values that are not finite for {len(wrong)} lines ({', '.join(names)})"
    return None


def _lines(answer: dict[str, Any], outline: FileOutline) -> RadexLines:
    output = np.array(answer["lines"], dtype=np.float64)
    energy_k = HC_OVER_KB_CM_K * (np.array(outline.energy_cm1) - min(outline.energy_cm1))
    return RadexLines(
        upper=tuple(outline.label[i] for i in outline.upper),
        lower=tuple(outline.label[i] for i in outline.lower),
        frequency_ghz=output[1],
        upper_energy_k=energy_k[list(outline.upper)],
        excitation_temperature_k=output[3],
        optical_depth=output[4],
        radiation_temperature_k=output[5],
        population_upper=output[6],
        population_lower=output[7],
        flux_k_km_s=output[8],
        # Said of every collider of the file, also of those without a density; ours were checked before.
        warnings=tuple(message for message in answer["messages"] if "Tkin lower" not in message),
    )
