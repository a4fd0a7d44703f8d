"""`ratedb export`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.verbs.export import ExportResult


def _show(console: Console, result: ExportResult, options: Mapping[str, Any]) -> None:
    lines = [
        f"{'would write' if options.get('dry_run') else 'wrote'} {result.path}: {result.levels} levels,"
        f" {result.transitions} transitions, {result.rates} rates,"
        f" {100 * result.predicted_fraction:.1f} % predicted"
        f" ({result.extrapolated_transitions} transitions extrapolated)",
        *(
            f"levels{' and lines' if path.endswith('.molecule') else ''} in {path}"
            for path in result.files[1:-1]
        ),
        f"provenance in {result.provenance_path}, SHA-256 {result.sha256[:16]}...",
    ]
    for system, cost in result.interpolation_cost.items():
        too_large = cost["largest"] > options.get("tolerance", 0.01) and options.get("temperatures") != "auto"
        lines.append(
            f"{system}: linear interpolation between its temperatures is off by up to {cost['largest']:.2%},"
            f" in 95 of 100 transitions by up to {cost['p95']:.2%}"
            + ("; --temperatures auto chooses others" if too_large else "")
        )
    console.print("\n".join(lines), soft_wrap=True)


export_command = command(
    Database.export,
    _show,
    arguments={"systems": "Systems of one molecule, such as CO+p-H2 CO+o-H2."},
    required=("output",),
    example="ratedb export CO+p-H2 CO+o-H2 -o co.dat --j-max 20",
)
