"""Which j train and validate a model: those named, those planned, or those of the paper's rule."""

from __future__ import annotations

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.models.training_set import Sets, need_known_j
from ratedb.options import TrainOptions
from ratedb.planning.sets import check_disjoint, validation_set
from ratedb.rates import Rates


def choose_sets(options: TrainOptions, known: Rates, planned: Sets | None = None) -> Sets:
    """Return the sets that options name, else those planned; validation j by the paper's rule.

    With a corpus one training j is enough, and there need be no other computed j to validate on.
    Raises UsageError where there is no training set or a j both trains and validates, RatedbError where the
    training set is too small or a target j is not among the levels.
    """
    named = Sets(*(tuple(j or ()) for j in (options.train_j, options.validate_j, options.j)))
    train_j = named.train_j or (planned.train_j if planned else ())
    validate_j = named.validate_j or (planned.validate_j if planned else ())
    target_j = named.target_j or (planned.target_j if planned else ())
    target_j = target_j or tuple(np.unique(known.levels.need_vj()[1]).tolist())
    if not train_j:
        raise UsageError(
            "no training set", expected="--train-j such as 5,9,14,19, or --plan ID", got="neither"
        )
    if len(train_j) < 2 and options.corpus == "off":
        raise RatedbError(
            "the training set is too small",
            where=known.system,
            expected="two or more initial j, or --corpus on",
            got=f"j = {train_j[0]}",
            todo="add a second j to --train-j; `ratedb plan` says which",
        )
    need_known_j(known.levels, target_j)
    # The known j from the lowest training j on.
    at_hand = tuple(sorted(j for j in {*known.initial_j().tolist(), *train_j} if j >= min(train_j)))
    if not validate_j and (set(at_hand) - set(train_j) or options.corpus == "off"):
        validate_j = validation_set(at_hand, (min(train_j),), train_j)
    check_disjoint(train_j, validate_j)
    return Sets(tuple(sorted(train_j)), tuple(sorted(validate_j)), tuple(sorted(target_j)))
