"""What RADEX answers, or another solver: the lines of a file under one set of conditions, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray, freeze, need_shape
from ratedb.errors import RatedbError
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.radex_file import FileOutline

_OUTPUT_ROWS = {
    "frequency_ghz": 1,
    "excitation_temperature_k": 3,
    "optical_depth": 4,
    "population_upper": 6,
    "population_lower": 7,
    "flux_k_km_s": 8,
}
"""In which row of RADEX's output, shape (10, n), each quantity is."""


@dataclass(frozen=True, eq=False)
class RadexLines:
    """A solver's values for every line of a file under one set of conditions, in the file's order.

    All arrays have shape (n,): `upper_energy_k` is above the file's lowest level; `flux_k_km_s` is the
    integrated intensity above the background (negative in absorption); the populations are fractions of
    all molecules. `upper` and `lower` are level labels; a duplicate label is followed by the number of its
    level, as in `0.5@3`.
    """

    upper: tuple[str, ...]
    lower: tuple[str, ...]
    frequency_ghz: FloatArray
    upper_energy_k: FloatArray
    excitation_temperature_k: FloatArray
    optical_depth: FloatArray
    population_upper: FloatArray
    population_lower: FloatArray
    flux_k_km_s: FloatArray

    def __post_init__(self) -> None:
        arrays = ("upper_energy_k", *_OUTPUT_ROWS)
        freeze(self, **dict.fromkeys(arrays, np.float64))
        for name in arrays:
            need_shape("RADEX lines", name, getattr(self, name), (len(self.upper),))

    def __len__(self) -> int:
        return len(self.upper)

    def names(self) -> list[str]:
        """Return the names of the lines, such as `1-0`."""
        return [f"{upper}-{lower}" for upper, lower in zip(self.upper, self.lower, strict=True)]


def failure_of(answer: dict[str, Any], outline: FileOutline) -> str | None:
    """Return why an answer of the worker cannot be used, None where it can."""
    messages = "; ".join(answer["messages"])
    if answer["success"] != 1:
        return messages or "RADEX failed without a message"
    if "did not converge" in messages:
        return "the calculation did not converge"
    output = np.array(answer["lines"], dtype=np.float64)
    if output.shape != (10, len(outline.frequency_ghz)):
        return f"RADEX returned {output.shape[-1]} lines, not {len(outline.frequency_ghz)}"
    if not np.allclose(output[1], outline.frequency_ghz, rtol=1e-6, atol=0.0):
        return "RADEX returned lines that are not those of the file"
    values = output[[row for name, row in _OUTPUT_ROWS.items() if name != "frequency_ghz"]]
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if len(wrong):
        names = [f"{outline.frequency_ghz[i]:g} GHz" for i in wrong[:5]]
        return f"values that are not finite for {len(wrong)} lines ({', '.join(names)})"
    return None


def lines_of(answer: dict[str, Any], outline: FileOutline) -> RadexLines:
    """Return the lines of an answer of the worker that has no failure."""
    output = np.array(answer["lines"], dtype=np.float64)
    return RadexLines(**level_columns(outline), **{name: output[row] for name, row in _OUTPUT_ROWS.items()})


def level_columns(outline: FileOutline) -> dict[str, Any]:
    """Return what lines have of their levels: labels, and upper energies above the lowest level in K."""
    energy_k = HC_OVER_KB_CM_K * (np.array(outline.energy_cm1) - min(outline.energy_cm1))
    return {
        "upper": tuple(outline.label[i] for i in outline.upper),
        "lower": tuple(outline.label[i] for i in outline.lower),
        "upper_energy_k": energy_k[list(outline.upper)],
    }


def failed_under(
    program: str, reasons: Sequence[str | None], grid: Sequence[Conditions], where: str
) -> RatedbError:
    """Return the error for conditions under which a program has no lines, each with its reason."""
    failures = [
        f"{conditions.describe()}: {reason}"
        for conditions, reason in zip(grid, reasons, strict=True)
        if reason
    ]
    return RatedbError(
        f"{program} failed for {len(failures)} of {len(grid)} conditions",
        where=where,
        got="\n    ".join(failures[:20]),
        todo="leave these conditions out or lower the column, or look for unconnected levels",
    )
