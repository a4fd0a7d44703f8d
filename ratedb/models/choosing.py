"""Which model of a system fills: the one with the narrowest intervals on what is not computed.

Errors on validation j are no measure for this: each model has its own validation j. The half widths of the
intervals are compared on the same transitions, at the same temperatures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.levels import Transitions
from ratedb.models.evaluation import training_again
from ratedb.models.filling import known_values, wanted_pairs
from ratedb.models.predictor import Predictor
from ratedb.models.record import Model
from ratedb.models.storage import from_stored
from ratedb.models.training_set import Sets
from ratedb.numbers import format_integers
from ratedb.rates import Rates

_TIED, _WORSE = 1.02, 1.05
_MOST_ROWS = 2000
_WHAT = "rms half width of the 68 % intervals of the missing transitions"


@dataclass(frozen=True, eq=False)
class Choice:
    """The model that predicts, the transitions it is asked for, and a warning if it is not the newest."""

    record: Model
    predictor: Predictor
    wanted: Transitions
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Score:
    """How many of the missing transitions are not supported, and the expected error in dex of the others."""

    unsupported: int
    dex: float


def choose(records: Sequence[Model], stored: Rates, wanted_j: Sequence[int] | None) -> Choice:
    """Return which of the models, newest first, expects the least error where `stored` has nothing computed.

    They are compared at these initial j, else those that the newest is for. Models are left out that were
    trained on rates that have changed since, or lack a temperature of the newest. Those within 2 % of the
    best are equal, and the newest of them is taken. Raises RatedbError where the newest cannot be read, or a
    j is not among the levels.
    """
    newest = records[0]
    wanted = wanted_pairs(stored.levels, newest.target_j if wanted_j is None else wanted_j)
    first = from_stored(newest.state, newest.arrays)
    usable = _comparable(first, records[1:], stored)
    predictors = [first, *(predictor for _, predictor in usable)]
    scores = _scores(predictors, wanted, stored)
    best = _best(scores)
    if best == 0:
        return Choice(newest, first, wanted)
    record, old, new = usable[best - 1][0], scores[best], scores[0]
    if new.unsupported > old.unsupported:
        found = "it predicts transitions that the newest does not"
    else:
        found = f"it expects {old.dex:.3f} dex, model {newest.model_id} {new.dex:.3f} dex ({_WHAT})"
    warning = f"model {record.model_id} is used, not the newest: {found}"
    todo = f"--model {newest.model_id} takes the newest"
    return Choice(record, predictors[best], wanted, (f"{warning}; {todo}",))


def worse_than_before(
    predictor: Predictor, sets: Sets, earlier: Sequence[Model], stored: Rates
) -> tuple[str, ...]:
    """Return a warning where a model expects errors over 5 % larger than an earlier one of the same system.

    `earlier` has the newest first; models are compared as `choose` does, at the target j.
    """
    usable = _comparable(predictor, earlier, stored)
    if not usable:
        return ()
    wanted = wanted_pairs(stored.levels, sets.target_j)
    scores = _scores([predictor, *(one for _, one in usable)], wanted, stored)
    best = _best(scores)
    if best == 0:
        return ()
    record, new, old = usable[best - 1][0], scores[0], scores[best]
    if new.unsupported > old.unsupported:
        found = f"does not predict some transitions that model {record.model_id} predicts"
    elif new.dex > _WORSE * old.dex:
        found = f"expects {new.dex:.3f} dex, model {record.model_id} {old.dex:.3f} dex ({_WHAT})"
    else:
        return ()
    differs = f"it has {_sets(sets)}; model {record.model_id} has {_sets(_sets_of(record))}"
    return (f"this model {found}: {differs}; `fill` uses model {record.model_id}",)


def _sets(sets: Sets) -> str:
    validate_j = format_integers(sets.validate_j) or "none"
    return f"training j {format_integers(sets.train_j)}, validation j {validate_j}"


def _sets_of(record: Model) -> Sets:
    return Sets(*map(tuple, (record.train_j, record.validate_j, record.target_j)))


def _comparable(first: Predictor, others: Sequence[Model], stored: Rates) -> list[tuple[Model, Predictor]]:
    """Return the models that can be read, have all temperatures of the first, and whose rates still count."""
    known, found = stored.known(), []
    for record in others:
        try:
            predictor = from_stored(record.state, record.arrays)
            _, changed = training_again(known, _sets_of(record), predictor, record.training_sha256)
        except RatedbError:
            continue
        if not changed and (_columns(predictor, first.temperature_k) >= 0).all():
            found.append((record, predictor))
    return found


def _columns(predictor: Predictor, temperature_k: FloatArray) -> IntArray:
    """Return the index of each temperature among those of a model, shape (m,); -1 where it is missing."""
    same = np.isclose(temperature_k[:, None], predictor.temperature_k[None, :], rtol=1e-9, atol=0.0)
    return np.where(same.any(axis=1), same.argmax(axis=1), -1)


def _scores(predictors: Sequence[Predictor], wanted: Transitions, stored: Rates) -> list[_Score]:
    """Return the score of each model on what is not computed at the temperatures of the first."""
    temperature_k = predictors[0].temperature_k
    if len(predictors) == 1:
        return [_Score(0, 0.0)]
    missing = ~known_values(stored, wanted, temperature_k)
    rows = _some(wanted, np.flatnonzero(missing.any(axis=1)))
    wanted, missing = wanted.select(rows), missing[rows]
    supported = np.stack([one.supports(wanted) for one in predictors])
    unsupported = (~supported).sum(axis=1)
    most = unsupported == unsupported.min()
    common = supported[most].all(axis=0)
    wanted, missing = wanted.select(common), missing[common]
    scores = []
    for predictor, left_out, compared in zip(predictors, unsupported.tolist(), most.tolist(), strict=True):
        dex = _rms(predictor, wanted, temperature_k, missing) if compared else float("inf")
        scores.append(_Score(left_out, dex))
    return scores


def _some(wanted: Transitions, rows: IntArray) -> IntArray:
    """Return some of these rows, evenly spaced, with at least one of each kind that a model may lack."""
    if len(rows) <= _MOST_ROWS:
        return rows
    v, j, v_final, j_final = wanted.select(rows).vj().T
    kinds = np.stack([v, v_final, (j - j_final) % 2, j % 2])
    _, one_of_each = np.unique(kinds, axis=1, return_index=True)
    evenly = np.linspace(0, len(rows) - 1, _MOST_ROWS).astype(np.int64)
    return np.asarray(rows[np.union1d(evenly, one_of_each)])


def _rms(predictor: Predictor, wanted: Transitions, temperature_k: FloatArray, missing: BoolArray) -> float:
    """Return the rms half width of 68 % intervals where values are missing, in dex; 0 where none are."""
    if not missing.any():
        return 0.0
    try:
        half_width = predictor.predict(wanted).log10_half_width_68[:, _columns(predictor, temperature_k)]
    except RatedbError:  # not finite
        return float("inf")
    return float(np.sqrt(np.mean(half_width[missing] ** 2)))


def _best(scores: Sequence[_Score]) -> int:
    """Return the first of the scores that is as good as the best."""
    least = min(score.unsupported for score in scores)
    dex = min(score.dex for score in scores if score.unsupported == least)
    return next(
        number
        for number, score in enumerate(scores)
        if score.unsupported == least and score.dex <= _TIED * dex
    )
