"""Print the tables and draw the figures of Mihalik et al. (2025)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ratedb.errors import RatedbError, UsageError, one_of
from ratedb.files import write_atomically
from ratedb.options import Progress, ReproduceOptions, silent
from ratedb.paper.printed import paper_rows
from ratedb.paper.reproduction import Reproduction, make_tables
from ratedb.planning.request import PlanRequest
from ratedb.plots.figures import need_plots
from ratedb.plots.paper import draw_by_j, draw_by_size
from ratedb.verbs.known_rates import StoredScores, known_rates

FIGURE_FORMATS = ("png", "svg")


def reproduce(
    db: Path, system: str | None, options: ReproduceOptions, progress: Progress = silent
) -> Reproduction:
    """Make the tables of a system, and figures 3 and 4 where asked for; without one the paper's own columns.

    Raises UsageError for invalid options, RatedbError where the system is not known for every j.
    """
    _check_figures(system, options)
    if system is None:
        return Reproduction(None, (), (), paper_rows())
    request = PlanRequest(
        system,
        options.j,
        options.given_j,
        options.v_max,
        options.sizes,
        cost_exponent=options.cost_exponent,
        hours_total=options.hours_total,
    )
    book = StoredScores(db, system)
    tables = make_tables(known_rates(db, system), request, options, book, progress)
    if options.figures is None:
        return tables
    figures = {
        options.figures / f"{name}.{options.format}": draw(system, tables.sizes, options.format)
        for name, draw in (("figure3", draw_by_size), ("figure4", draw_by_j))
    }
    options.figures.mkdir(parents=True, exist_ok=True)
    write_atomically(figures)
    return replace(tables, figures=tuple(figures))


def _check_figures(system: str | None, options: ReproduceOptions) -> None:
    """Raise an error where figures could not be drawn: before the long work."""
    folder = options.figures
    one_of("format", options.format, FIGURE_FORMATS)
    if folder is None and options.format != "png":
        raise UsageError(
            "--format has no effect without --figures", expected="--figures FOLDER", got=options.format
        )
    if folder is None:
        return
    if system is None:
        raise UsageError("figures need a system", expected="SYSTEM before --figures", got=str(folder))
    need_plots()
    if folder.exists() and not folder.is_dir():
        raise RatedbError("figures need a folder", expected="a folder, or a new name", got=str(folder))
