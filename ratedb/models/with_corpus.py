"""The part of a search that other molecules have: what of the corpus applies, and its intervals."""

from __future__ import annotations

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.layers import RATIO_95_68
from ratedb.models.candidates import Candidate, Task
from ratedb.models.corpus.intervals import Intervals, cell_of
from ratedb.models.corpus.kernel import scaled_temperature
from ratedb.models.corpus.law import rotational_constant
from ratedb.models.corpus.model import applies
from ratedb.models.corpus.table import Corpus
from ratedb.models.corpus.twins import twins
from ratedb.models.engine import Curves, TrainingData
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


def intervals_of(predictor: Predictor, corpus: Corpus, own: FloatArray) -> Intervals:
    """Return the intervals measured on other molecules, stretched by the system's `own` factors (cells,)."""
    factors = own * corpus.intervals.factors(len(predictor.train_j))
    return Intervals(predictor.train_j, rotational_constant(predictor.levels), factors)


def ratios_unseen(candidate: Candidate, task: Task, corpus: Corpus) -> list[tuple[FloatArray, IntArray]]:
    """Return errors over half widths of 95 % intervals, and their cells, for each j predicted without it."""
    truth, train_j, folds = task.validation_log10_k(), task.data.initial_j(), task.data.folds()
    constant = rotational_constant(task.data.transitions.levels)
    parts = [(task.validation.transitions, candidate.validation, truth, np.unique(train_j))]
    for fold in np.unique(folds):
        rows = np.flatnonzero(folds == fold)
        own = Curves(candidate.leave_out.mean[rows], candidate.leave_out.variance[rows])
        others = np.unique(train_j[folds != fold])
        parts.append((task.data.transitions.select(rows), own, task.data.log10_k[rows], others))
    found = []
    for transitions, curves, known, computed_j in parts:
        if not len(computed_j) or not len(transitions):
            continue
        factors = corpus.intervals.factors(len(computed_j))
        intervals = Intervals(tuple(computed_j.tolist()), constant, factors)
        stretch = intervals.stretch(transitions, task.data.temperature_k)
        ratio = np.abs(curves.mean - known) / (RATIO_95_68 * stretch * np.sqrt(curves.variance))
        _, initial, _, final = transitions.vj().T
        scaled = scaled_temperature(task.data.temperature_k, constant)
        cell = cell_of(np.abs(initial - final), scaled)
        for j in np.unique(initial):
            there = (initial == j)[:, None] & np.isfinite(ratio)
            found.append((ratio[there], cell[there]))
    return found
