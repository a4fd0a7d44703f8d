"""List lines of a molecule, or those of a system with their critical densities."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from ratedb.errors import UsageError
from ratedb.options import LinesOptions, Progress, silent
from ratedb.radiative.line_list import LineList, lines_at
from ratedb.radiative.line_names import check_ghz
from ratedb.store.query import QueryResult
from ratedb.store.selection import Selection
from ratedb.store.store import Store
from ratedb.verbs.select import selected
from ratedb.verbs.targets import check_targets, write_result


def lines(db: Path, name: str, options: LinesOptions, progress: Progress = silent) -> QueryResult | LineList:
    """List the lines of a molecule as they are stored, or of a system with critical densities.

    Raises UsageError for options that a molecule does not have, RatedbError for an unknown name, unknown
    lines, temperatures outside the range of the rates, or a molecule without lines.
    """
    check_ghz(options.ghz)
    _check_effective(options)
    check_targets(options.output, None)
    with Store(db) as store:
        if store.has_molecule(name) or "+" not in name:
            _refuse_options(name, options)
            return store.list_lines(name)
        rates = selected(store, name, Selection())
        stored = store.levels(rates.levels.molecule).lines
    progress("critical densities")
    found = lines_at(rates, stored, options)
    write_result(found, options.output, None, lambda *_: None)
    return found


def _check_effective(options: LinesOptions) -> None:
    """Raise UsageError for a column density or line width that cannot be, or that has no effect."""
    usual = LinesOptions()
    got = f"--column {options.column:g} --line-width {options.line_width:g}"
    changed = (options.column, options.line_width) != (usual.column, usual.line_width)
    if changed and not options.effective:
        raise UsageError(
            "only effective densities have a column and a width", expected="--effective", got=got
        )
    if not min(options.column, options.line_width) > 0:
        raise UsageError("invalid column density or line width", expected="cm-2 and km/s above 0", got=got)


def _refuse_options(name: str, options: LinesOptions) -> None:
    given = [one.name for one in fields(options) if getattr(options, one.name) != one.default]
    if given:
        raise UsageError(
            f"critical densities, and a choice of lines, need a collider: {name} is a molecule",
            expected=f"a system such as {name}+p-H2",
            got=f"{name} with {', '.join(given)}",
        )
