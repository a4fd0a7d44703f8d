"""Write rates as a file for radiative-transfer codes or as a table, and their provenance beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError, UsageError
from ratedb.files import read_bytes, refuse_database, sha256, write_atomically
from ratedb.io.provenance import (
    hash_of_earlier_export,
    partner_provenance,
    render_provenance,
    sidecar_path,
)
from ratedb.verbs.rendering import render
from ratedb.verbs.taking import ExportOptions, take

__all__ = ["ExportOptions", "ExportResult", "export_systems"]

_LEVEL_ENDINGS = (".molecule", ".lev", ".aij")


@dataclass(frozen=True)
class ExportResult:
    """A written file: `rates` counts values, `predicted_fraction` is the share of predicted ones.

    `files` are all files of the export: the one asked for, the levels beside it where it is a BASECOL file,
    and the provenance. `extrapolated_transitions` are predicted outside what their model was trained on.
    `interpolation_cost` is how far off, relatively, readers are that draw straight lines between the
    temperatures of the file: `largest`, and what 95 of 100 transitions stay below (`p95`), for each system.
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
    interpolation_cost: dict[str, dict[str, float]] = field(default_factory=dict)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def export_systems(
    db: Path,
    systems: Sequence[str],
    target: Path,
    options: ExportOptions | None = None,
    *,
    dry_run: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> ExportResult:
    """Write the best rates known of systems of one molecule, with `FILE.provenance.json` beside them.

    An export that fails leaves all old files whole. Raises UsageError where the systems are of different
    molecules or the file cannot hold them, RatedbError where there is nothing to write, where a file that is
    no part of this export stands in the way or, with `strict`, where the writer warns.
    """
    options = options or ExportOptions()
    options.check()
    refuse_database(target)
    if options.file_format == "basecol":
        _need_fit(systems, target)
    report("reading the store")
    taken = take(db, systems, options)
    report("writing")
    rendered = render(taken, options)
    if options.strict and rendered.warnings:
        raise _too_many_warnings(rendered.warnings, target)
    provenance_path = sidecar_path(target)
    beside = {
        target.parent / f"{target.stem}{ending}": content for ending, content in rendered.beside.items()
    }
    for path in beside:
        _refuse_unrelated(path, target)
    partners = [partner_provenance(table) for table in rendered.tables]
    values = sum(partner["rates"] for partner in partners)
    predicted = sum(partner["kinds"]["predicted"] for partner in partners)
    result = ExportResult(
        path=str(target),
        provenance_path=str(provenance_path),
        files=[str(path) for path in (target, *beside, provenance_path)],
        sha256=sha256(rendered.content),
        systems=list(systems),
        levels=rendered.levels,
        transitions=sum(partner["transitions"] for partner in partners),
        rates=values,
        predicted_fraction=predicted / values,
        extrapolated_transitions=sum(partner["extrapolated_transitions"] for partner in partners),
        interpolation_cost=rendered.cost,
        warnings=rendered.warnings,
    )
    if not dry_run:
        sidecar = render_provenance(target, result.sha256, beside, partners, result.warnings)
        # The sidecar first: should the process be killed before the next move, its hashes show that it is of
        # other files.
        write_atomically({provenance_path: sidecar, **beside, target: rendered.content})
    return result


def _need_fit(systems: Sequence[str], target: Path) -> None:
    """Raise UsageError for what a `.kij` file cannot hold, or for a name that its list of levels may have."""
    if len(systems) != 1:
        raise UsageError(
            "a BASECOL file holds one collider",
            expected="one system",
            got=" ".join(systems),
            todo="export each on its own, to a name of its own",
        )
    if target.suffix.lower() in _LEVEL_ENDINGS:
        raise UsageError(
            "the rates would stand under the name of a list of levels",
            where=str(target),
            expected="a name such as co.kij; its levels are then in co.molecule",
            got=target.name,
        )


def _refuse_unrelated(path: Path, target: Path) -> None:
    """Raise RatedbError where a file stands at `path` that no export to the same target has written."""
    refuse_database(path)
    if path.is_file() and sha256(read_bytes(path)) != hash_of_earlier_export(target, path.name):
        raise RatedbError(
            "another file stands where the levels of this export would be written",
            where=str(path),
            expected="no file, or the one of an earlier export to the same name",
            todo="export to a file of another name, or move that one away; nothing was written",
        )


def _too_many_warnings(warnings: list[dict[str, str]], target: Path) -> RatedbError:
    first = warnings[0]
    return RatedbError(
        f"the file would not keep every rule of its readers ({len(warnings)} warnings)",
        where=str(target),
        expected="no warning, with --strict",
        got=f"{first['rule']} ({first['reader']}): {first['detail']}",
        todo="export without --strict to accept what was done, which is then listed",
    )
