"""What a model of tops fills: all transitions that levels and nuclear spins allow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from ratedb.errors import RatedbError, UsageError
from ratedb.models.choosing import Choice
from ratedb.models.record import Model
from ratedb.models.storage import any_of_record
from ratedb.models.tops import storage
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.tops.training import sets_of, training_again
from ratedb.models.tops.wanted import possible_transitions
from ratedb.physics.orientation import downward
from ratedb.rates import Rates


def choose_top(records: Sequence[Model], stored: Rates, wanted_j: Sequence[int] | None) -> Choice | None:
    """Return the model, of the newest first, that was given most initial states; None for models of v and j.

    Errors on states that were left out are of other states for each model, and say nothing of which is
    better. Of several with most states the newest is taken. Older models that cannot be read, have other
    levels, or were trained on rates that have changed are passed over; warnings say where the one taken is
    not the newest, or its rates have changed. Raises UsageError where j are named, RatedbError where the
    newest cannot be read.
    """
    newest = records[0]
    if newest.state.get("format") != storage.FORMAT:
        return None
    if wanted_j is not None:
        raise UsageError("--j has no effect where initial states are filled", expected="no --j", got="--j")
    first, warnings = _usable(newest, stored)
    best, record = first, newest
    for older in records[1:]:
        if _given(older) <= _given(record):
            continue
        with suppress(RatedbError):
            found, changed = _usable(older, stored)
            if not changed:
                best, record = found, older
    if record is not newest:
        warnings = [
            f"model {record.model_id} is used, not the newest: it was given {_given(record)} initial states,"
            f" model {newest.model_id} {_given(newest)}; --model {newest.model_id} takes the newest"
        ]
    wanted = downward(possible_transitions(stored.levels, best.structure))
    return Choice(record, best, wanted, tuple(warnings))


def _given(record: Model) -> int:
    """Return how many initial states a model was trained on or tested on."""
    return len(record.train_units or ()) + len(record.validate_units or ())


def _usable(record: Model, stored: Rates) -> tuple[TopPredictor, list[str]]:
    """Return a model, and a warning where the rates that it was trained on have changed."""
    predictor = any_of_record(record, stored.system)
    if not isinstance(predictor, TopPredictor):
        raise RatedbError("a model of v and j", where=stored.system)
    predictor.need_levels(stored.levels)
    sets = sets_of(stored, tuple(record.train_units or ()), tuple(record.validate_units or ()))
    return predictor, training_again(stored.known(), sets, record.training_sha256)[1]
