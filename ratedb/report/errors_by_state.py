"""The error by initial j or state: measured where the truth is in the store, else as the model expects it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ratedb.layers import RATIO_95_68, Kind
from ratedb.rates import Rates
from ratedb.report.contents import SystemContents, initial_states

if TYPE_CHECKING:
    from ratedb.models.evaluation import Evaluation
    from ratedb.models.tops.evaluation import UnitEvaluation


@dataclass(frozen=True)
class ErrorByState:
    """Factors by initial j or state: `heads` name the columns of `rows`, the first of which is the state.

    `series` are the columns that are drawn; `words` say what they are, and `warnings` what to mind.
    """

    words: str
    by_j: bool
    heads: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    series: dict[str, tuple[float, ...]]
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The initial j or states."""
        return tuple(str(row[0]) for row in self.rows)


def errors_by_state(contents: SystemContents) -> ErrorByState | None:
    """Return the measured errors, else the expected ones; None where nothing is predicted."""
    return _expected(contents) if isinstance(contents.test, str) else _measured(contents.test)


def has_held_out(best: Rates, known: Collection[str], target: Collection[str]) -> bool:
    """Return whether rates are computed out of a state of the target that a model does not know.

    States are initial j or the labels of initial states; an empty target is all of them.
    """
    names, of_row = initial_states(best)
    computed = (best.kind_code == Kind.COMPUTED).any(axis=1)
    there = {names[place] for place in np.unique(of_row[computed]).tolist()}
    return bool((there & set(target) if target else there) - set(known))


def _measured(test: Evaluation | UnitEvaluation) -> ErrorByState:
    by_j = hasattr(test, "by_j")
    slices: Any = getattr(test, "by_j", None) or getattr(test, "by_unit", ())
    rows = tuple(
        (
            int(one.value) if isinstance(one.value, float | int) else one.value,
            one.transitions,
            one.model.factor_median,
            one.model.factor_p95,
            one.model.coverage_95,
            one.interpolation.factor_p95,
        )
        for one in slices
    )
    words = (
        f"Measured: model {test.model_id} against the computed rates of this store that it has not seen,"
        f" {len(test.truth)} transitions. A factor of 1 is exact."
    )
    state = "initial j" if by_j else "initial state"
    heads = (state, "transitions", "median factor", "95 % within", "in 95 % interval", "interpolation, 95 %")
    drawn = {"95 % within": 3, "median": 2, "interpolation, 95 %": 5}
    series = {name: tuple(float(row[place]) for row in rows) for name, place in drawn.items()}
    return ErrorByState(words, by_j, heads, rows, series, tuple(test.warnings))


def _expected(contents: SystemContents) -> ErrorByState | None:
    """Return what the intervals of predictions say: the median over a state's values of their half widths."""
    best = contents.best
    predicted = (best.kind_code == Kind.PREDICTED) & np.isfinite(best.log10_half_width_68)
    names, of_row = initial_states(best)
    rows = []
    for place, name in enumerate(names):
        here = of_row == place
        half_widths = best.log10_half_width_68[here][predicted[here]]
        if len(half_widths):
            dex = float(np.median(half_widths))
            count = int(predicted[here].any(axis=1).sum())
            rows.append((name, count, 10.0**dex, 10.0 ** (RATIO_95_68 * dex)))
    if not rows:
        return None
    by_j = best.levels.has_vj
    words = (
        "Expected, from the intervals of the predicted rates: their medians for each initial"
        f" {'j' if by_j else 'state'}. A factor of 1 is exact."
    )
    heads = ("initial j" if by_j else "initial state", "transitions", "68 % within", "95 % within")
    series = {
        name: tuple(float(row[at]) for row in rows) for name, at in (("95 % within", 3), ("68 % within", 2))
    }
    return ErrorByState(words, by_j, heads, tuple(rows), series)
