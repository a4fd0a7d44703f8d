"""Systems of one's own store in the corpus: what is learnt of them, as values that a store can keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.models.corpus.intervals import IntervalTable
from ratedb.models.corpus.law import rotational_constant
from ratedb.models.corpus.learning import learn_system, measured_intervals
from ratedb.models.corpus.model import applies
from ratedb.models.corpus.table import FORMAT, Corpus, CorpusSystem, CurveShapes
from ratedb.models.engine import TrainingData
from ratedb.models.training_set import complete_curves
from ratedb.numbers import format_integers
from ratedb.rates import Rates

_LAST_J = 20  # as in the corpus that comes with ratedb
_LEAST_J = 6
_INTERVALS_FROM_J = 15
_SHAPE_TEMPERATURES = 16
_CANNOT = "cannot be in the corpus"


@dataclass(frozen=True, eq=False)
class OwnSystem:
    """What one system of a store tells, its curves, and the quantiles of its errors where they are measured.

    `quantiles` are those of IntervalTable for one system.
    """

    learnt: CorpusSystem
    curves: CurveShapes
    quantiles: FloatArray | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        name = self.learnt.system
        table = IntervalTable({} if self.quantiles is None else {name: self.quantiles})
        return {
            "format": FORMAT,
            "learnt": self.learnt.to_json(),
            "intervals": table.to_json(),
            "j": self.curves.j.tolist(),
            "temperature_k": self.curves.temperature_k.tolist(),
            "log10_k": np.round(self.curves.log10_k, 4).tolist(),
        }

    @staticmethod
    def of_json(values: dict[str, Any]) -> OwnSystem:
        """Return the system that `to_json` gave; raises RatedbError where the values are damaged."""
        try:
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']}")
            learnt = CorpusSystem.of_json(values["learnt"])
            j = np.array(values["j"], dtype=np.int64).reshape(-1, 2)
            temperature_k = np.array(values["temperature_k"], dtype=np.float64)
            log10_k = np.array(values["log10_k"], dtype=np.float64).reshape(len(j), len(temperature_k))
            quantiles = IntervalTable.of_json(values["intervals"]).quantiles.get(learnt.system)
            return OwnSystem(learnt, CurveShapes(j, temperature_k, log10_k), quantiles)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise RatedbError(
                "a system of the store's own corpus cannot be read",
                expected=f"a system of format {FORMAT}",
                got=repr(error)[:120],
                todo="add it again with `ratedb corpus --add SYSTEM`, or train with --corpus off",
            ) from error


def with_own(corpus: Corpus, own: Sequence[OwnSystem]) -> Corpus:
    """Return a corpus with systems of one's own, each with `(own)` after its name."""
    named = {f"{one.learnt.system} (own)": one for one in own}
    measured = {name: one.quantiles for name, one in named.items() if one.quantiles is not None}
    return replace(
        corpus,
        systems=(*corpus.systems, *(replace(one.learnt, system=name) for name, one in named.items())),
        intervals=IntervalTable({**corpus.intervals.quantiles, **measured}),
        own={name: one.curves for name, one in named.items()},
    )


def learn_own(known: Rates, source: str, corpus: Corpus) -> tuple[OwnSystem, list[str]]:
    """Return what the computed rates of one system tell, given a corpus of others, and notes on the curves.

    Raises RatedbError where there are no computed rates, the levels are not those of a linear molecule in one
    vibrational state, fewer than six j <= 20 are complete, or no law fits.
    """
    complete, notes = complete_curves(_usable(known))
    found = _complete_j(complete)
    if len(found) < _LEAST_J:
        raise _refused(
            known.system,
            f"{_LEAST_J} or more complete initial j <= {_LAST_J}, each with rates to all lower levels",
            f"{len(found)}: j = {format_integers(found)}" if found else "none",
            "import more explicit calculations",
        )
    data = TrainingData.of(complete)
    rest, _ = corpus.without(known.levels.molecule, rotational_constant(known.levels))
    try:
        learnt, _, _ = learn_system(known.system, data, source, corpus.kernel, rest)
    except np.linalg.LinAlgError as error:
        raise _no_law(known.system, str(error)) from error
    if not all(np.isfinite(one).all() for one in (learnt.numbers, learnt.covariance, learnt.log_variance)):
        raise _no_law(known.system, "numbers that are not finite")
    every = len(found) == found[-1] >= _INTERVALS_FROM_J
    measured = measured_intervals(corpus, {known.system: (data, source)}).quantiles if every else {}
    return OwnSystem(learnt, _shapes(data), measured.get(known.system)), notes


def _usable(known: Rates) -> Rates:
    """Return the computed rates out of j <= 20; raises RatedbError where a corpus has no use for them."""
    levels, computed = known.levels, known.of_kinds((Kind.COMPUTED.text,))
    if levels.has_vj:
        computed = computed.select(computed.initial_j() <= _LAST_J)
    if not len(computed):
        raise _refused(
            known.system,
            f"computed rates out of j <= {_LAST_J}, neither scaled, extrapolated, derived, predicted nor"
            " flagged",
            "none",
            "import explicit calculations",
        )
    if not levels.has_vj:
        got = f"levels labelled {', '.join(levels.label[:4])}"
    elif len(states := np.unique(computed.transitions.vj()[:, [0, 2]])) > 1:
        got = f"vibrational states {format_integers(states.tolist())}"
    elif not applies(computed.transitions):
        got = "levels without a rotational constant"
    else:
        return computed
    expected = "rotational transitions of a linear molecule within one vibrational state"
    raise _refused(known.system, expected, got, None)


def _refused(system: str, expected: str, got: str, todo: str | None) -> RatedbError:
    return RatedbError(f"{system} {_CANNOT}", expected=expected, got=got, todo=todo)


def _no_law(system: str, got: str) -> RatedbError:
    return _refused(system, "curves that a sudden law fits", got, "`ratedb check` may say what is wrong")


def _complete_j(rates: Rates) -> list[int]:
    """Return the initial j with rates to every lower j that occurs."""
    j, final = rates.j, rates.j_final
    occurring = np.unique(np.concatenate([j, final]))
    return [int(one) for one in np.unique(j) if np.isin(occurring[occurring < one], final[j == one]).all()]


def _shapes(data: TrainingData) -> CurveShapes:
    columns = np.linspace(0, len(data.temperature_k) - 1, _SHAPE_TEMPERATURES).round().astype(int)
    columns = np.unique(columns)
    log10_k = data.log10_k[:, columns]
    j: IntArray = data.transitions.vj()[:, [1, 3]]
    return CurveShapes(j, data.temperature_k[columns], log10_k - log10_k.mean(axis=0))
