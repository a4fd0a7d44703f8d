"""What the options of `plan` and `next` may be, and which of them have an effect together."""

from __future__ import annotations

from dataclasses import fields

from ratedb.errors import UsageError
from ratedb.options import NextOptions, PlanOptions
from ratedb.planning.request import PlanRequest

STRATEGIES = ("spread", "variance", "exhaustive")
OPTIMISERS = ("auto", "greedy", "exhaustive")
_STRATEGIES_WITH = {
    "like": ("variance",),
    "target_error": ("variance",),
    "budget_hours": ("variance",),
    "optimiser": ("variance",),
    "kernels": ("exhaustive",),
    "mean": ("exhaustive",),
    "jobs": ("variance", "exhaustive"),
    "scheduler": ("variance", "exhaustive"),
}
_WITH_J = ("v_max", "given_j", "validate_j", "cost_exponent", "hours_total", "hours_file")
_NOT_FOR_LINES = ("like", "jobs", "scheduler")


def check_plan(request: PlanRequest, options: PlanOptions) -> None:
    """Raise UsageError for an invalid option, or one that has no effect with the strategy."""
    strategy = options.strategy
    if strategy not in STRATEGIES:
        raise UsageError(
            f"unknown strategy {strategy!r}",
            expected=f"{', '.join(STRATEGIES)}, or --train-j with your own set",
        )
    if options.optimiser not in OPTIMISERS:
        raise UsageError("unknown --optimiser", expected=" or ".join(OPTIMISERS), got=options.optimiser)
    if strategy != "spread" and request.train_j is not None:
        raise UsageError(
            "your own set needs no search",
            expected=f"either --train-j or --strategy {strategy}",
            got="both",
        )
    if strategy != "spread" and request.validate_j is not None:
        raise UsageError(
            f"--validate-j has no effect with --strategy {strategy}, which chooses its own",
            expected="--validate-j together with --train-j only",
            got=f"--validate-j {', '.join(map(str, request.validate_j))}",
        )
    for name in _given(options, tuple(_STRATEGIES_WITH)):
        if strategy not in _STRATEGIES_WITH[name]:
            wanted = " or ".join(_STRATEGIES_WITH[name])
            raise UsageError(
                f"{_flag(name)} has no effect with --strategy {strategy}",
                expected=f"{_flag(name)} with --strategy {wanted}",
                got=str(getattr(options, name)),
            )
    check_limits(request, options)
    if options.worklist is not None:
        _check_one_set(request, options)


def _check_one_set(request: PlanRequest, options: PlanOptions) -> None:
    """Raise UsageError where a worklist is asked for but several sets are planned."""
    picked = request.train_j is not None or len(request.sizes or ()) == 1
    if not picked and options.target_error is None and options.budget_hours is None:
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
    if options.for_lines is not None:
        for name in _given(options, _NOT_FOR_LINES):
            raise UsageError(
                f"{_flag(name)} has no effect with --for-lines",
                expected="--target-error, --budget-hours, --plan or --j",
                got=_flag(name),
            )
    if options.j is None:
        for name in _given(options, _WITH_J):
            raise UsageError(
                f"{_flag(name)} has no effect without --j",
                expected="--j, or only options that follow a stored plan",
                got=_flag(name),
            )
    elif options.given_j is None:
        raise UsageError(
            "--j needs the j that were computed before",
            expected='--given-j next to --j ("" where there were none), or a stored plan without --j',
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


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
