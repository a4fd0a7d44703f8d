"""Which model of a system fills: the one with the least error on computed j, predicted without themselves.

Errors on validation j are no measure for this: each model has its own validation j. The errors compared here
are on the same transitions, at the same temperatures. No model is trained again: what it was given is left
out j by j, its kernel stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray, positions
from ratedb.errors import RatedbError
from ratedb.levels import Transitions
from ratedb.models.engine import TrainingData, rms
from ratedb.models.evaluation import given_to, training_again
from ratedb.models.filling import known_values, wanted_pairs
from ratedb.models.predictor import Predictor, average
from ratedb.models.record import Model
from ratedb.models.storage import of_record
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.training_set import Sets, at_temperatures, usable_rates
from ratedb.numbers import format_integers
from ratedb.rates import Rates

# An older model is used where its error is less than this share of the newest's.
_BETTER = 0.95
_MOST_ROWS = 2000
_FEWEST_J = 2
_WHAT = "on the computed j, each predicted without itself"


@dataclass(frozen=True, eq=False)
class Choice:
    """The model that predicts, the transitions it is asked for, and a warning if it is not the newest."""

    record: Model
    predictor: Predictor | TopPredictor
    wanted: Transitions
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Rival:
    """A model that is compared, and its training rates; None where they have changed since."""

    predictor: Predictor
    training: Rates | None


@dataclass(frozen=True)
class _Score:
    """How many of the missing transitions are not supported, and the error in dex; None if not compared."""

    unsupported: int
    dex: float | None


def choose(records: Sequence[Model], stored: Rates, wanted_j: Sequence[int] | None) -> Choice:
    """Return which of the models, newest first, has the least error on what is computed in `stored`.

    Each computed j is predicted without itself. Only models that predict most of what is missing out of these
    initial j, else those that the newest is for, are compared. Models are left out that were trained on rates
    that have changed since, or lack a temperature of the newest. Those within 5 % of the least error are
    equal, and the newest of them is taken. Raises RatedbError where the newest cannot be read, or a j is not
    among the levels.
    """
    newest = records[0]
    wanted = wanted_pairs(stored.levels, newest.target_j if wanted_j is None else wanted_j)
    first, known = of_record(newest, stored.system), stored.known()
    if len(records) == 1:
        return Choice(newest, first, wanted, changed_since(newest, first, known))
    rivals = _comparable(first, records[1:], known)
    models = [_Rival(first, _training_of(newest, first, known)), *(rival for _, rival in rivals)]
    scores = _scores(models, wanted, stored)
    best = _best(scores)
    if best == 0:
        return Choice(newest, first, wanted, changed_since(newest, first, known))
    record, old, new = rivals[best - 1][0], scores[best], scores[0]
    if new.unsupported > old.unsupported:
        found = "it predicts transitions that the newest does not"
    else:
        error = f"an error of {old.dex:.3f} dex {_WHAT}"
        found = f"it has {error}, model {newest.model_id} {new.dex:.3f} dex"
    warning = f"model {record.model_id} is used, not the newest: {found}"
    todo = f"--model {newest.model_id} takes the newest"
    return Choice(record, models[best].predictor, wanted, (f"{warning}; {todo}",))


def worse_than_before(
    predictor: Predictor, training: Rates, sets: Sets, earlier: Sequence[Model], stored: Rates
) -> tuple[str, ...]:
    """Return a warning where an earlier model of the system, not this new one, will be used.

    `earlier` has the newest first; models are compared as `choose` does, at the target j.
    """
    rivals = _comparable(predictor, earlier, stored.known())
    if not rivals:
        return ()
    wanted = wanted_pairs(stored.levels, sets.target_j)
    scores = _scores([_Rival(predictor, training), *(rival for _, rival in rivals)], wanted, stored)
    best = _best(scores)
    if best == 0:
        return ()
    record, new, old = rivals[best - 1][0], scores[0], scores[best]
    if new.unsupported > old.unsupported:
        found = f"does not predict some transitions that model {record.model_id} predicts"
    else:
        error = f"an error of {new.dex:.3f} dex {_WHAT}"
        found = f"has {error}, model {record.model_id} {old.dex:.3f} dex"
    differs = f"it has {_sets(sets)}; model {record.model_id} has {_sets(_sets_of(record))}"
    return (f"this model {found}: {differs}; `fill` uses model {record.model_id}",)


def _sets(sets: Sets) -> str:
    validate_j = format_integers(sets.validate_j) or "none"
    return f"training j {format_integers(sets.train_j)}, validation j {validate_j}"


def _sets_of(record: Model) -> Sets:
    return Sets(*map(tuple, (record.train_j, record.validate_j, record.target_j)))


def _comparable(first: Predictor, others: Sequence[Model], known: Rates) -> list[tuple[Model, _Rival]]:
    """Return the models that can be read, have all temperatures of the first, and whose rates still count."""
    found = []
    for record in others:
        try:
            predictor = of_record(record, known.system)
        except RatedbError:
            continue
        training = _training_of(record, predictor, known)
        if training is not None and (_columns(predictor, first.temperature_k) >= 0).all():
            found.append((record, _Rival(predictor, training)))
    return found


def _training_of(record: Model, predictor: Predictor, known: Rates) -> Rates | None:
    """Return the rates that a model was trained on; None where they have changed since."""
    try:
        training, changed = training_again(known, _sets_of(record), predictor, record.training_sha256)
    except RatedbError:
        return None
    return None if changed else training


def changed_since(record: Model, predictor: Predictor, known: Rates) -> tuple[str, ...]:
    """Return a warning where the rates that a model was trained on have changed since."""
    if _training_of(record, predictor, known) is not None:
        return ()
    return (
        f"the rates that model {record.model_id} was trained on have changed since:"
        " train again to use the present ones",
    )


def _columns(predictor: Predictor, temperature_k: FloatArray) -> IntArray:
    """Return the index of each temperature among those of a model, shape (m,); -1 where it is missing."""
    same = np.isclose(temperature_k[:, None], predictor.temperature_k[None, :], rtol=1e-9, atol=0.0)
    return np.where(same.any(axis=1), same.argmax(axis=1), -1)


def _scores(models: Sequence[_Rival], wanted: Transitions, stored: Rates) -> list[_Score]:
    """Return the score of each model at the temperatures of the first; all equal if nothing is missing."""
    temperature_k = models[0].predictor.temperature_k
    missing = np.flatnonzero(~known_values(stored, wanted, temperature_k).all(axis=1))
    if len(models) == 1 or not len(missing):
        return [_Score(0, None)] * len(models)
    wanted = wanted.select(_some(wanted, missing))
    unsupported = [int((~one.predictor.supports(wanted)).sum()) for one in models]
    most = [number for number, left_out in enumerate(unsupported) if left_out == min(unsupported)]
    errors = _errors([models[number] for number in most], stored.known(), temperature_k)
    of = dict(zip(most, errors, strict=True))
    return [_Score(left_out, of.get(number)) for number, left_out in enumerate(unsupported)]


def _some(wanted: Transitions, rows: IntArray) -> IntArray:
    """Return some of these rows, evenly spaced, with at least one of each kind that a model may lack."""
    if len(rows) <= _MOST_ROWS:
        return rows
    v, j, v_final, j_final = wanted.select(rows).vj().T
    kinds = np.stack([v, v_final, (j - j_final) % 2, j % 2])
    _, one_of_each = np.unique(kinds, axis=1, return_index=True)
    evenly = np.linspace(0, len(rows) - 1, _MOST_ROWS).astype(np.int64)
    return np.asarray(rows[np.union1d(evenly, one_of_each)])


def _errors(models: Sequence[_Rival], known: Rates, temperature_k: FloatArray) -> list[float | None]:
    """Return the rms error in dex of each model on known rates that all predict; None if not compared."""
    truth = at_temperatures(usable_rates(known)[0], temperature_k)
    truth = truth.select((np.isfinite(truth.rate_cm3_s) & (truth.rate_cm3_s > 0)).all(axis=1))
    nothing: list[float | None] = [None] * len(models)
    if len(models) == 1:
        return nothing
    unseen = [_unseen(one, known, truth) for one in models]
    compared = [log10_k for log10_k in unseen if log10_k is not None]
    if len(compared) < 2:
        return nothing
    common = np.isfinite(np.stack(compared)).all(axis=(0, 2))
    if len(np.unique(truth.initial_j()[common])) < _FEWEST_J:
        return nothing
    log10_truth = np.log10(truth.rate_cm3_s[common])
    return [None if log10_k is None else rms(log10_k[common] - log10_truth) for log10_k in unseen]


def _unseen(model: _Rival, known: Rates, truth: Rates) -> FloatArray | None:
    """Return log10 k of these rates, shape (n, m), each j predicted without itself; None if not possible.

    Rows of a kind that the model was not trained on, and those out of its own j that it was not given, are
    NaN.
    """
    predictor = model.predictor
    if model.training is None or len(predictor.train_j) < _FEWEST_J:
        return None
    data = TrainingData.of(given_to(predictor, model.training, known), predictor.reference)
    own = data.transitions.vj()
    if not all(np.array_equal(own, member.training.vj()) for member in predictor.members):
        return None
    wanted = truth.transitions
    supported, given = predictor.supports(wanted), np.isin(wanted.initial_j(), predictor.train_j)
    place = positions(data.transitions.keys(), wanted.keys())
    again, new = np.flatnonzero(supported & given & (place >= 0)), np.flatnonzero(supported & ~given)
    log10_k = np.full((len(wanted), len(predictor.temperature_k)), np.nan)
    try:
        left_out = average([member.leave_out(data) for member in predictor.members], predictor.weights).mean
        if len(new):
            log10_k[new] = predictor.predict(wanted.select(new)).log10_rate
    except (RatedbError, np.linalg.LinAlgError):
        return None
    log10_k[again] = left_out[place[again]]
    return log10_k[:, _columns(predictor, truth.temperature_k)] if np.isfinite(left_out).all() else None


def _best(scores: Sequence[_Score]) -> int:
    """Return the first that predicts most and has no more than 5 % over the least error.

    Where the first that predicts most has no error to compare, it is taken.
    """
    least = min(score.unsupported for score in scores)
    most = [number for number, score in enumerate(scores) if score.unsupported == least]
    errors = {number: dex for number in most if (dex := scores[number].dex) is not None}
    if most[0] not in errors:
        return most[0]
    return next(number for number, dex in errors.items() if _BETTER * dex <= min(errors.values()))
