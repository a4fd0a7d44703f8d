"""Write a page of systems for people: what the store has of each, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ratedb.errors import RatedbError, UsageError
from ratedb.files import LARGEST_JSON_BYTES, check_target, read_bytes, sha256, write_atomically
from ratedb.layers import Kind
from ratedb.options import EvaluateOptions, Progress, ReportOptions, silent
from ratedb.report.affected import AffectedLines, parse_affected
from ratedb.report.contents import SystemContents
from ratedb.report.errors_by_state import has_held_out
from ratedb.report.installed import need_report
from ratedb.report.page import render_page
from ratedb.results import Result
from ratedb.store.store import Store

if TYPE_CHECKING:
    from ratedb.models.evaluation import Evaluation
    from ratedb.models.record import Model
    from ratedb.models.tops.evaluation import UnitEvaluation
    from ratedb.rates import Rates


_ENDINGS = (".html", ".htm")
_FROM_FILES = tuple(kind.text for kind in Kind if kind is not Kind.PREDICTED)


@dataclass(frozen=True, repr=False)
class ReportResult(Result):
    """A written page: its file, size and hash, and the systems on it."""

    path: str
    bytes: int
    sha256: str
    systems: list[str]

    def summary(self) -> str:
        """Return in a few words what was written."""
        return f"{Path(self.path).name}, {', '.join(self.systems)}, {self.bytes / 1e6:.1f} MB"


def report(
    db: Path, systems: Sequence[str], target: Path, options: ReportOptions, progress: Progress = silent
) -> ReportResult:
    """Write one HTML file on systems that needs no network; a file of this name is replaced as a whole.

    Raises UsageError without a system, RatedbError for an unknown one, without Bokeh, or where the file
    cannot be written.
    """
    need_report()
    names = list(dict.fromkeys(systems))
    if not names:
        raise UsageError("a report needs a system", expected="SYSTEM, such as CO+p-H2", got="none")
    check_target(target)
    if target.suffix.lower() not in _ENDINGS:
        raise UsageError("not the name of a page", expected="a name that ends in .html", got=target.name)
    affected = None if options.lines is None else _affected(options.lines, names)
    contents = []
    for number, name in enumerate(names, start=1):
        progress(f"reading {name}: {number} of {len(names)}")
        found = contents_of(db, name)
        shown = affected is not None and name in affected.systems
        contents.append(replace(found, affected=affected if shown else None))
    progress("writing the page")
    page = render_page(contents).encode()
    write_atomically({target: page})
    return ReportResult(str(target), len(page), sha256(page), names)


def _affected(file: Path, names: Sequence[str]) -> AffectedLines:
    """Return the lines of an impact; raises RatedbError for another file, or an impact of other systems."""
    found = parse_affected(read_bytes(file, largest=LARGEST_JSON_BYTES), str(file))
    if not set(found.systems) & set(names):
        raise RatedbError(
            "the impact is of other systems",
            where=str(file),
            expected=" ".join(names),
            got=" ".join(found.systems),
            todo=f"`ratedb impact {' '.join(names)} -o FILE` makes one",
        )
    return found


def contents_of(db: Path, system: str) -> SystemContents:
    """Return what a page says of a system; raises RatedbError for an unknown system."""
    with Store(db) as store:
        models = store.list_models(system)
        newest = max(models, key=lambda one: (one["trained_at"], one["model_id"]), default=None)
        model = None if newest is None else store.model(newest["model_id"])
        found = SystemContents(
            best=store.rates(system),
            curves=store.rates_by_source(system),
            sources=store.sources(system),
            findings=store.list_findings(system).dicts(),
            models=models,
            plan=store.newest_plan(system) or store.newest_plan(system, chosen=False),
            test="",
        )
    return replace(found, test=_test(found.best, model))


def _test(best: Rates, model: Model | None) -> Evaluation | UnitEvaluation | str:
    """Return the held-out test of the newest model, or why there is none."""
    if model is None:
        return "the store has no model of this system"
    known = [*model.train_j, *model.validate_j, *(model.train_units or ()), *(model.validate_units or ())]
    if not has_held_out(best, list(map(str, known)), list(map(str, model.target_j))):
        return f"the store has no computed rates that model {model.model_id} has not seen"
    try:
        from ratedb.verbs.evaluate import evaluate_on  # brings SciPy

        return evaluate_on(model, best.of_kinds(_FROM_FILES), EvaluateOptions())
    except RatedbError as error:
        return error.what
