"""Another data set as prior mean: its log10 k for any transition, at a model's temperatures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.levels import Transitions
from ratedb.models.baselines import interpolate_curves
from ratedb.models.features import is_homonuclear
from ratedb.models.training_set import complete_curves
from ratedb.physics.temperatures import interpolated
from ratedb.rates import Rates


@dataclass(frozen=True, eq=False)
class ReferenceRates:
    """Curves of another data set: `known` (k, 4) are v, j, v', j', `log10_k` (k, m) its values.

    `system` names it, `sha256` is that of the rates it was made from and `citations` say whose these are, for
    provenance.
    """

    system: str
    sha256: str
    spin: bool
    known: IntArray
    log10_k: FloatArray
    citations: tuple[str, ...] = ()

    def __call__(self, transitions: Transitions) -> FloatArray:
        """Return log10 k, shape (n, m); a transition that is missing is interpolated in its initial j."""
        rows = self._rows(transitions)
        result = self.log10_k[rows]
        missing = rows < 0
        if missing.any():
            wanted = transitions.vj()[missing]
            result[missing] = interpolate_curves(self.known, self.log10_k, wanted, self.spin)
        return result

    def has(self, transitions: Transitions) -> int:
        """Return how many of the transitions the data set contains."""
        return int((self._rows(transitions) >= 0).sum())

    def _rows(self, transitions: Transitions) -> IntArray:
        """Return the row of each transition by v, j, v', j', -1 where it is missing, shape (n,)."""
        row_of = {tuple(numbers): row for row, numbers in enumerate(self.known.tolist())}
        wanted = transitions.vj().tolist()
        return np.array([row_of.get(tuple(numbers), -1) for numbers in wanted], dtype=np.int64)


def reference_rates(
    rates: Rates, temperature_k: FloatArray, citations: tuple[str, ...] = ()
) -> tuple[ReferenceRates, list[str]]:
    """Return another data set at these temperatures, and warnings.

    Below its lowest and above its highest temperature the nearest value is taken: the log ratio to it is what
    is learnt. Raises RatedbError where it has no complete curve.
    """
    complete, warnings = complete_curves(rates)
    grid = complete.temperature_k
    clipped = np.clip(temperature_k, grid[0], grid[-1])
    beyond = int((clipped != temperature_k).sum())
    if beyond == len(temperature_k):
        raise RatedbError(
            f"{rates.system} has none of the temperatures",
            expected=f"some within {temperature_k[0]:g} to {temperature_k[-1]:g} K",
            got=f"{grid[0]:g} to {grid[-1]:g} K",
            todo="choose another data set for --prior",
        )
    if beyond:
        warnings = [*warnings, f"{beyond} temperatures lie outside {rates.system}: its nearest value is used"]
    reference = ReferenceRates(
        rates.system,
        rates.sha256(),
        is_homonuclear(rates.levels.molecule),
        complete.transitions.vj(),
        np.log10(interpolated(grid, complete.rate_cm3_s, clipped)),
        citations,
    )
    return reference, warnings


def reference_for(
    training: Rates, prior: Rates, citations: tuple[str, ...]
) -> tuple[ReferenceRates, list[str]]:
    """Return another data set as prior mean of a training set, and warnings of what it does not contain.

    Raises RatedbError where it has no transition of the training set, or none between two vibrational states.
    """
    prior.levels.need_vj()
    reference, warnings = reference_rates(prior, training.temperature_k, citations)
    common = reference.has(training.transitions)
    if not common:
        raise RatedbError(
            f"{prior.system} has none of the training transitions",
            where=training.system,
            expected="a data set with the same v, j -> v', j'",
            got=f"{len(reference.known)} other transitions",
            todo="choose another --prior",
        )
    if prior.levels.molecule != training.levels.molecule:
        warnings.append(f"{prior.system} is another molecule than {training.levels.molecule}")
    missing = _channels(training.transitions.vj()) - _channels(reference.known)
    if missing:
        raise RatedbError(
            f"{prior.system} has nothing between some vibrational states",
            where=training.system,
            expected="a data set with every v -> v' of the training set",
            got=", ".join(f"no {v} -> {v_final}" for v, v_final in sorted(missing)),
            todo="choose another --prior",
        )
    if common < len(training):
        missing_rates = f"{len(training) - common} of {len(training)} training transitions"
        warnings.append(f"{prior.system} does not contain {missing_rates}: interpolated in j")
    return reference, warnings


def _channels(numbers: IntArray) -> set[tuple[int, int]]:
    return {(v, v_final) for v, _, v_final, _ in numbers.tolist()}
