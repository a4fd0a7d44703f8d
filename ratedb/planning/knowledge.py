"""What is known before a plan: rates of the given j or of a similar system, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

from ratedb.errors import RatedbError
from ratedb.levels import Levels, Transitions
from ratedb.models.engine import TrainingData
from ratedb.models.training_set import complete_curves
from ratedb.numbers import format_integers
from ratedb.planning.design import Design, Hyperparameters, learn, target_transitions
from ratedb.planning.exhaustive import features_of, part_of_target
from ratedb.planning.request import PlanRequest
from ratedb.rates import Rates
from ratedb.systems import split_system

# The share of the target's j that a reference must have.
_LEAST_SHARED = 0.75


@dataclass(frozen=True, eq=False)
class KnownRates:
    """The known rates of a system, the levels of its molecule, and the known rates of a similar system.

    Each is None where there is none.
    """

    own: Rates | None = None
    levels: Levels | None = None
    like: Rates | None = None


@dataclass(frozen=True, eq=False)
class ReferenceSystem:
    """A system that is known for most j of a target: complete curves, transitions, and these j."""

    rates: Rates
    transitions: Transitions
    target: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What was learnt before a plan: hyperparameters, the target's transitions, and the reference if any."""

    hyperparameters: Hyperparameters
    transitions: Transitions
    reference: ReferenceSystem | None = None

    def design(self, request: PlanRequest) -> Design:
        """Return the design that judges sets of the target."""
        return Design(self.transitions, self.hyperparameters, request.target, request.given)


def learn_for(known: KnownRates, request: PlanRequest) -> Knowledge:
    """Learn from the similar system, or from the given j of the system itself.

    Raises RatedbError where too little is known.
    """
    molecule, _ = split_system(request.system)
    features = features_of(molecule)
    if known.like is not None:
        reference = _reference_system(known.like, request)
        data = TrainingData.of(reference.rates)
        transitions = _transitions(known.levels, request, data, molecule)
        return Knowledge(learn(data, features, reference.transitions), transitions, reference)
    if known.own is None:
        raise RatedbError(
            f"nothing is known of {request.system}",
            expected="some low j in the store, or --like SYSTEM with one that is known",
            got="neither",
            todo="import the computed j, or plan with --strategy spread",
        )
    own = part_of_target(known.own, request)
    _need_v(own, request)
    data = TrainingData.of(_complete(own, request.given))
    transitions = _transitions(known.levels, request, data, molecule)
    return Knowledge(learn(data, features, transitions), transitions)


def _transitions(
    levels: Levels | None, request: PlanRequest, data: TrainingData, molecule: str
) -> Transitions:
    """Return the target's transitions; odd j' - j only where the data have them (H2 may not)."""
    _, j = data.transitions.levels.need_vj()
    even_only = not ((j[data.transitions.upper] - j[data.transitions.lower]) % 2).any()
    return target_transitions(levels, request.target, request.v_max, even_only, molecule)


def _reference_system(rates: Rates, request: PlanRequest) -> ReferenceSystem:
    """Return the part of a reference that is in the target; RatedbError where much of it is missing."""
    rates = part_of_target(rates, request)
    _need_v(rates, request)
    known = {0, *rates.initial_j().tolist()}
    target = tuple(j for j in request.target if j in known)
    if len(target) < _LEAST_SHARED * len(request.target):
        missing = ", ".join(str(j) for j in request.target if j not in known)
        wanted = f"rates out of most j of {format_integers(request.target)}, v <= {request.v_max}"
        todo = "name another --like, or narrow --j"
        raise _other_quantum_numbers(rates, request, wanted, f"none out of j = {missing}", todo)
    complete, _ = complete_curves(rates)
    return ReferenceSystem(complete, complete.out_of(target).transitions, target)


def _need_v(rates: Rates, request: PlanRequest) -> None:
    """Raise RatedbError where a data set to learn from does not contain every v of the target."""
    missing = sorted(set(range(request.v_max + 1)) - set(rates.v.tolist()))
    if missing and len(rates):
        wanted, got = (
            f"rates out of every v <= {request.v_max}",
            f"none out of v = {', '.join(map(str, missing))}",
        )
        todo = "import more, name another --like, or lower --v-max"
        raise _other_quantum_numbers(rates, request, wanted, got, todo)


def _other_quantum_numbers(
    rates: Rates, request: PlanRequest, expected: str, got: str, todo: str
) -> RatedbError:
    what = f"{rates.system} does not have the quantum numbers of the target"
    return RatedbError(what, where=request.system, expected=expected, got=got, todo=todo)


def _complete(rates: Rates, j_values: tuple[int, ...]) -> Rates:
    """Return the complete curves out of these j; raises RatedbError where there are none."""
    known = rates.out_of(j_values)
    if not len(known):
        raise RatedbError(
            "there are no rates to learn from",
            where=rates.system,
            expected="rates out of the given j, or --like SYSTEM",
            got=f"given j: {format_integers(j_values) or 'none'}",
            todo="import them, name them with --given-j, or plan with --strategy spread",
        )
    return complete_curves(known)[0]
