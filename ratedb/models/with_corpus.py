"""The part of a search that other molecules have: what of the corpus applies, and its intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ratedb.layers import RATIO_95_68
from ratedb.models.calibration import Calibration
from ratedb.models.corpus.intervals import UNLIKE_NEIGHBOURS_DEX, Intervals
from ratedb.models.corpus.law import rotational_constant
from ratedb.models.corpus.model import applies
from ratedb.models.corpus.table import Corpus
from ratedb.models.corpus.twins import twins
from ratedb.models.engine import TrainingData
from ratedb.models.predictor import Predictor
from ratedb.rates import Rates

_MOST_TRANSITIONS = 1500  # one covariance of all for each temperature
_WORTH_A_NOTE = 0.1
"""In ranges of ln B and ln T of the corpus."""


def corpus_for(
    training: Rates, validation: Rates, corpus: Corpus | None
) -> tuple[Corpus | None, tuple[str, ...]]:
    """Return the corpus without the molecule itself, None where it does not apply, and notes on both.

    Own systems that are scaled copies of the training and validation rates are left out too.
    """
    if corpus is None or not applies(training.transitions) or len(training) > _MOST_TRANSITIONS:
        return None, ()
    constant = rotational_constant(training.levels)
    rest, left_out = corpus.without(training.levels.molecule, constant)
    notes = []
    if left_out:
        notes.append(f"left out of the corpus, as the same molecule: {', '.join(left_out)}")
    if scaled := twins(rest, _computed(training, validation)):
        rest = rest.less(scaled)
        notes.append(f"left out of the corpus, as scaled copies of {training.system}: {', '.join(scaled)}")
    if rest.distance(training.temperature_k, constant) > _WORTH_A_NOTE:
        notes.append(
            f"{training.system} is outside what the corpus knows (rotational constant {constant:.4g} cm-1, "
            f"{training.temperature_k[0]:g} to {training.temperature_k[-1]:g} K): it is trusted less"
        )
    return rest, tuple(notes)


def _computed(training: Rates, validation: Rates) -> TrainingData:
    data = TrainingData.of(training)
    both = data.joined(validation)
    return both if applies(both.transitions) else data


def with_intervals(predictor: Predictor, corpus: Corpus) -> Predictor:
    """Return the predictor with the intervals measured on other molecules for as many computed j."""
    factors = corpus.intervals.factors(len(predictor.train_j))
    intervals = Intervals(predictor.train_j, rotational_constant(predictor.levels), factors)
    floor = np.full(len(predictor.temperature_k), UNLIKE_NEIGHBOURS_DEX / RATIO_95_68)
    return replace(predictor, intervals=intervals, calibration=Calibration(1.0, floor))
