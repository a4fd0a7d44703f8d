"""What a model of tops fills: all transitions that levels and nuclear spins allow."""

from __future__ import annotations

from collections.abc import Sequence

from ratedb.errors import UsageError
from ratedb.models.choosing import Choice
from ratedb.models.record import Model
from ratedb.models.storage import any_from_stored
from ratedb.models.tops import storage
from ratedb.models.tops.predictor import TopPredictor
from ratedb.models.tops.training import sets_of, training_again
from ratedb.models.tops.wanted import possible_transitions
from ratedb.physics.orientation import downward
from ratedb.rates import Rates


def choose_top(record: Model, stored: Rates, wanted_j: Sequence[int] | None) -> Choice | None:
    """Return a model of tops with the transitions that it is asked for, None for a model of v and j.

    A warning says where the rates that it was trained on have changed. Raises UsageError where j are named,
    RatedbError where the model cannot be read.
    """
    if record.state.get("format") != storage.FORMAT:
        return None
    if wanted_j is not None:
        raise UsageError("--j has no effect where initial states are filled", expected="no --j", got="--j")
    predictor = any_from_stored(record.state, record.arrays)
    assert isinstance(predictor, TopPredictor)  # noqa: S101
    predictor.need_levels(stored.levels)
    sets = sets_of(stored, tuple(record.train_units or ()), tuple(record.validate_units or ()))
    _, warnings = training_again(stored.known(), sets, record.training_sha256)
    wanted = downward(possible_transitions(stored.levels, predictor.structure))
    return Choice(record, predictor, wanted, tuple(warnings))
