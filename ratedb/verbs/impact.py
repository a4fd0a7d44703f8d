"""What the uncertainty of predicted rates does to lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ratedb.io.pair_write import refuse_pairs
from ratedb.options import ExportOptions, ImpactOptions, Progress, silent
from ratedb.physics.pairs import is_pair
from ratedb.radiative.impact import Impact, check_options, impact_of
from ratedb.verbs.taking import take
from ratedb.verbs.targets import check_targets, write_result


def impact(db: Path, systems: Sequence[str], options: ImpactOptions, progress: Progress = silent) -> Impact:
    """Draw joint samples of the predicted rates and solve for the lines of each, as an export has them.

    Raises UsageError for too few samples or systems of different molecules, RatedbError where nothing is
    predicted, a model gives no joint samples, or the solver fails for the rates as exported.
    """
    check_options(options)
    check_targets(options.output, options.picture)
    progress("reading the store")
    tables, lines, _ = take(db, systems, ExportOptions(j_max=options.j_max))
    if is_pair(tables[0].levels):
        raise refuse_pairs(tables[0].levels, systems, "LAMDA")
    found = impact_of(tables, lines, options, progress)
    write_result(found, options.output, options.picture, _draw)
    return found


def _draw(found: Impact, picture: Path) -> None:
    from ratedb.plots.impact import draw_impact

    draw_impact(found, picture)
