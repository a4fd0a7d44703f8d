"""What a demo found, and how good its filled file is, next to interpolation in j."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ratedb.radiative.line_comparison import BRIGHT
from ratedb.radiative.verify import Verification
from ratedb.results import Result


@dataclass(frozen=True, repr=False)
class DemoResult(Result):
    """What the steps of a demo found, as JSON values; `train`, `fill` and `evaluate` are by system."""

    systems: list[str]
    folder: str
    plan: dict[str, Any]
    train: dict[str, Any]
    fill: dict[str, Any]
    evaluate: dict[str, Any]
    export: dict[str, Any]
    verify: dict[str, Any]
    report: dict[str, Any]
    seconds: float

    @property
    def picture(self) -> str | None:
        """The picture of the first system, None where matplotlib is not installed."""
        path: str | None = self.evaluate[self.systems[0]]["picture"]
        return path

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `metrics`, `baseline` and `summary` are of the first system."""
        first = self.evaluate[self.systems[0]]
        return super().to_json() | {
            "system": self.systems[0],
            "metrics": first["model"],
            "baseline": first["baselines"]["interpolation"],
            "picture": self.picture,
            "summary": self.answers(),
        }

    def summary(self) -> str:
        """Return what was worked on, and where."""
        return f"{' '.join(self.systems)} in {self.folder}"

    def answers(self) -> list[dict[str, str]]:
        """Return each question with its answers for the filled file and for interpolation."""
        first = self.evaluate[self.systems[0]]
        gp, naive = first["model"], first["baselines"]["interpolation"]
        rows = [
            ("Computing time saved (j^4)", f"{self.plan['chosen']['time_saved_percent']:.0f} %", ""),
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
            *_rows_of_lines(self.verify),
        ]
        return [{"question": q, "answer": a, "interpolation": n} for q, a, n in rows]


def bright_lines(found: Verification) -> dict[str, Any]:
    """Return how many lines are bright, and the one of them whose flux changes most, as JSON values."""
    bright = [line for line in found.lines if line.flux_ratio is not None and line.relative_flux >= BRIGHT]
    worst = max(bright, key=lambda line: line.flux_ratio or 0.0, default=None)
    return {
        "share_of_strongest": BRIGHT,
        "lines": len(bright),
        "worst": None if worst is None else asdict(worst),
    }


def _rows_of_lines(verification: dict[str, Any]) -> list[tuple[str, str, str]]:
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
