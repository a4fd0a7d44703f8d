"""How good the filled file of a demo is, in a few rows, next to interpolation in j."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ratedb.radiative.line_comparison import BRIGHT
from ratedb.radiative.verify import Verification


def bright_lines(found: Verification) -> dict[str, Any]:
    """Return how many lines are bright, and the one of them whose flux changes most, as JSON values."""
    bright = [line for line in found.lines if line.flux_ratio is not None and line.relative_flux >= BRIGHT]
    worst = max(bright, key=lambda line: line.flux_ratio or 0.0, default=None)
    return {
        "share_of_strongest": BRIGHT,
        "lines": len(bright),
        "worst": None if worst is None else asdict(worst),
    }


def summary_rows(
    plan: dict[str, Any], evaluation: dict[str, Any], verification: dict[str, Any]
) -> list[dict[str, str]]:
    """Return each question with its answer for the filled file and, if there is one, for interpolation."""
    gp, naive = evaluation["model"], evaluation["baselines"]["interpolation"]
    rows = [
        ("Computing time saved (j^4)", f"{plan['chosen']['time_saved_percent']:.0f} %", ""),
        (
            "Half of the predicted rates are within",
            f"{100 * (gp['factor_median'] - 1):.1f} %",
            f"{100 * (naive['factor_median'] - 1):.1f} %",
        ),
        ("95 of 100 are within a factor", f"{gp['factor_p95']:.2f}", f"{naive['factor_p95']:.2f}"),
        ("The worst is off by a factor", f"{gp['factor_max']:.1f}", f"{naive['factor_max']:.1f}"),
        (
            "The stated 95 % intervals hold for",
            f"{100 * gp['coverage_95']:.0f} % of the rates",
            "no intervals",
        ),
        *_rows_of_lines(verification),
    ]
    return [{"question": q, "answer": a, "interpolation": n} for q, a, n in rows]


def _rows_of_lines(verification: dict[str, Any]) -> list[tuple[str, str, str]]:
    if "skipped" in verification:
        return [("Line fluxes", verification["skipped"], "")]
    rows = []
    if verification["median_flux_ratio"] is not None:
        change = f"{100 * (verification['median_flux_ratio'] - 1):.2f} %"
        rows.append(("Half of the line fluxes change by less than", change, ""))
    worst = verification["bright"]["worst"]
    if worst is not None:
        density = sum(worst["density_cm3"].values())
        where = f"{worst['upper']}-{worst['lower']} at {worst['temperature_k']:g} K, {density:.0e} cm-3"
        change = f"{100 * (worst['flux_ratio'] - 1):.2f} %"
        rows.append((f"Of the bright lines {where} changes most", change, ""))
    largest = f"{verification['max_population_difference']:.4f}"
    return [*rows, ("No level population changes by more than", largest, "")]
