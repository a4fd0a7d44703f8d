"""Write rates as a file for radiative-transfer codes or as a table, with their provenance next to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError, UsageError
from ratedb.files import is_plain_name, sha256, write_atomically
from ratedb.io.mixed_sources import count_by_source
from ratedb.io.provenance import partner_provenance, render_provenance
from ratedb.io.rendering import Rendered, check_options, render
from ratedb.io.sidecar import sidecar_path
from ratedb.options import ExportOptions, Progress, silent
from ratedb.results import Result
from ratedb.safe_text import visible
from ratedb.verbs.taking import take
from ratedb.verbs.targets import check_export, refuse_unrelated


@dataclass(frozen=True, repr=False)
class ExportResult(Result):
    """A written file: `rates` counts values, `predicted_fraction` is the share of predicted ones.

    `files` are all files of the export: the one named, the levels next to it for a BASECOL file, and the
    provenance. `extrapolated_transitions` are predicted outside what their model was trained on.
    `interpolation_cost` is the relative error of linear interpolation between the temperatures of the file:
    the `largest`, and what 95 of 100 transitions stay below (`p95`), for each system. `sources` are those of
    files in this one, each with the number of transitions that it gives.
    """

    path: str
    provenance_path: str
    files: list[str]
    sha256: str
    systems: list[str]
    levels: int
    transitions: int
    rates: int
    predicted_fraction: float
    extrapolated_transitions: int
    interpolation_cost: Mapping[str, dict[str, float]] = field(default_factory=dict)
    warnings: list[dict[str, str]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)

    def summary(self) -> str:
        """Return in a few words what was written."""
        name = Path(self.path).name
        return f"{name}, {self.levels} levels, {self.transitions} transitions, {self.rates} rates"


def export(
    db: Path, systems: Sequence[str], target: Path, options: ExportOptions, progress: Progress = silent
) -> ExportResult:
    """Write the best rates known of systems of one molecule, with `FILE.provenance.json` next to them.

    An export that fails changes no file. Raises UsageError where the systems are of different molecules or
    the file cannot hold them, RatedbError where there is nothing to write, where a file that is not part of
    this export exists at one of its names or, with `strict`, where the writer warns.
    """
    check_options(options, systems, target)
    if target.name not in ("", "..") and not is_plain_name(target.name):  # those two are folders
        raise UsageError(
            "not the name of a file",
            expected="a name without \\, or characters that cannot be seen",
            got=visible(target.name),
        )
    check_export(target, db, systems)
    progress("reading the store")
    tables, lines, left_out = take(db, systems, options)
    progress("writing")
    rendered = render(tables, lines, options)
    rendered.warnings.extend(left_out)
    if options.strict and rendered.warnings:
        raise _too_many_warnings(rendered, target)
    sidecar = sidecar_path(target)
    beside = {target.with_name(f"{target.stem}{ending}"): text for ending, text in rendered.beside.items()}
    for path in beside:
        refuse_unrelated(path, target)
    partners = [partner_provenance(table) for table in rendered.tables]
    values = sum(partner["rates"] for partner in partners)
    result = ExportResult(
        path=str(target),
        provenance_path=str(sidecar),
        files=[str(path) for path in (target, *beside, sidecar)],
        sha256=sha256(rendered.content),
        systems=list(systems),
        levels=rendered.levels,
        transitions=sum(partner["transitions"] for partner in partners),
        rates=values,
        predicted_fraction=sum(partner["kinds"]["predicted"] for partner in partners) / values,
        extrapolated_transitions=sum(partner["extrapolated_transitions"] for partner in partners),
        interpolation_cost=rendered.cost,
        warnings=[asdict(warning) for warning in rendered.warnings],
        sources=[row for table in rendered.tables for row in count_by_source(table)],
    )
    if not options.dry_run:
        provenance = render_provenance(
            target,
            result.sha256,
            beside,
            partners,
            result.warnings,
            rendered.labels,
            rendered.computed_lines,
            rendered.tables[0].levels,
        )
        # The sidecar first: should the process be killed before the next move, its hashes show that it is of
        # other files.
        write_atomically({sidecar: provenance, **beside, target: rendered.content})
    return result


def _too_many_warnings(rendered: Rendered, target: Path) -> RatedbError:
    first = rendered.warnings[0]
    return RatedbError(
        f"the file would not keep every rule of its readers ({len(rendered.warnings)} warnings)",
        where=str(target),
        expected="no warning, with --strict",
        got=f"{first.rule} ({first.reader}): {first.detail}",
        todo="export without --strict to accept what was done, which is then listed",
    )
