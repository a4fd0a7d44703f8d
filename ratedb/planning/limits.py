"""What the options of `plan` and `next` may be, and which of them have an effect together."""

from __future__ import annotations

from dataclasses import fields

from ratedb.declared import flag_of
from ratedb.errors import UsageError, one_of
from ratedb.options import NextOptions, PlanOptions
from ratedb.planning.request import PlanRequest

STRATEGIES = ("spread", "variance", "exhaustive")
OPTIMISERS = ("auto", "greedy", "exhaustive")
_STRATEGIES_WITH = {
    **dict.fromkeys(("train_j", "validate_j"), ("spread",)),
    **dict.fromkeys(("like", "target_error", "budget_hours", "optimiser"), ("variance",)),
    **dict.fromkeys(("kernels", "mean"), ("exhaustive",)),
    **dict.fromkeys(("jobs", "scheduler"), ("variance", "exhaustive")),
}
_WITH_J = ("v_max", "given_j", "validate_j", "cost_exponent", "hours_total", "hours_file")
_NOT_FOR_LINES = ("like", "jobs", "scheduler")


def check_plan(request: PlanRequest, options: PlanOptions) -> None:
    """Raise UsageError for an invalid option, or one that has no effect with the strategy."""
    strategy = options.strategy
    one_of("--strategy", strategy, STRATEGIES)
    one_of("--optimiser", options.optimiser, OPTIMISERS)
    for name in _given(options, tuple(_STRATEGIES_WITH)):
        if strategy not in _STRATEGIES_WITH[name]:
            wanted = f"{flag_of(name)} with --strategy {' or '.join(_STRATEGIES_WITH[name])}"
            raise _no_effect(name, f"with --strategy {strategy}", wanted)
    check_limits(request, options)
    one_set = request.train_j or len(request.sizes or ()) == 1
    if options.worklist is not None and not (one_set or options.target_error or options.budget_hours):
        raise no_single_set(f"{len(request.sizes)} sizes" if request.sizes else "all sizes")


def no_single_set(got: str) -> UsageError:
    """Return the error of a worklist for several sets."""
    return UsageError(
        "a worklist needs one chosen set",
        expected="--sizes with one number, --target-error, --budget-hours, or --train-j",
        got=got,
    )


def check_next(options: NextOptions) -> None:
    """Raise UsageError for options that have no effect together."""
    if options.levels is not None:
        raise _no_effect("levels", "where initial j are chosen", "--j, or a stored plan")
    if options.for_lines is not None:
        for name in _given(options, _NOT_FOR_LINES):
            raise _no_effect(name, "with --for-lines", "--target-error, --budget-hours, --plan or --j")
    if options.j is None:
        for name in _given(options, _WITH_J):
            raise _no_effect(name, "without --j", "--j, or only options that follow a stored plan")
    elif options.given_j is None:
        raise UsageError(
            "--j needs --given-j",
            expected='the j computed before as --given-j ("" for none), or a stored plan without --j',
            got="--j alone",
        )


def check_limits(request: PlanRequest, options: PlanOptions | NextOptions) -> None:
    """Raise UsageError for an invalid limit or number of processes, or a system that is its own reference."""
    if options.jobs < 1:
        raise UsageError("invalid number of jobs", expected="1 or more", got=str(options.jobs))
    for name, value in (("--target-error", options.target_error), ("--budget-hours", options.budget_hours)):
        if value is not None and not 0 < value < 1e9:
            raise UsageError(f"invalid {name}", expected="a number > 0", got=str(value))
    if options.budget_hours is not None and request.costs.total_hours is None:
        raise UsageError(
            "a budget needs hours", expected="--hours-total or --hours-file", got="relative costs only"
        )
    if options.like == request.system:
        raise UsageError(
            "a system cannot be its own reference",
            expected="--like another system, or --given-j with the known j of this one",
            got=f"--like {options.like}",
        )


def _given(options: PlanOptions | NextOptions, names: tuple[str, ...]) -> list[str]:
    """Return which of these options differ from their defaults."""
    default = {one.name: one.default for one in fields(options)}
    return [name for name in names if getattr(options, name) != default[name]]


def _no_effect(name: str, why: str, expected: str) -> UsageError:
    return UsageError(f"{flag_of(name)} has no effect {why}", expected=expected, got=flag_of(name))
