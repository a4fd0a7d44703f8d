"""The jobs of a plan, for a group's own scattering code."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from ratedb.errors import UsageError
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import Candidate
from ratedb.safe_text import to_cell

if TYPE_CHECKING:  # brings NumPy, which a plan by j without data does not need
    from ratedb.planning.unit_plan import Landscape


@dataclass(frozen=True)
class Job:
    """One explicit calculation: all transitions out of (v, j), to train or to validate (`use`).

    `expected_hours` is None where the plan has no hours; those of a j are shared evenly by its v.
    """

    order: int
    system: str
    v: int
    j: int
    use: str
    expected_hours: float | None


@dataclass(frozen=True)
class UnitJob:
    """One explicit calculation: all transitions out of an initial state of a top or a pair."""

    order: int
    system: str
    unit: str
    use: str
    expected_hours: float | None


def unit_jobs(landscape: Landscape, uses: Mapping[str, str]) -> list[UnitJob]:
    """Return the jobs of these initial states without the given ones, the cheapest first."""
    places = {label: int(landscape.units.places((label,), "the plan")[0]) for label in uses}
    costs = landscape.costs
    left = [label for label in uses if places[label] in costs.payable]
    left.sort(key=lambda label: float(costs.weight[places[label]]))
    system = landscape.request.system
    return [
        UnitJob(number, system, label, uses[label], costs.hours((places[label],)))
        for number, label in enumerate(left, 1)
    ]


def jobs_of(request: PlanRequest, chosen: Candidate) -> list[Job]:
    """Return the jobs of a chosen set without the given j, the cheapest j first, where errors show early."""
    uses = dict.fromkeys(chosen.train_j, "train") | dict.fromkeys(chosen.validate_j, "validate")
    return jobs_out_of(request, {j: uses[j] for j in sorted(set(uses) - set(request.given))})


def jobs_out_of(request: PlanRequest, uses: Mapping[int, str]) -> list[Job]:
    """Return the jobs of these j, in order; `uses` says what each is for."""
    found: list[Job] = []
    for j, use in uses.items():
        hours = request.costs.hours((j,))
        for v in range(request.v_max + 1):
            each = None if hours is None else hours / (request.v_max + 1)
            found.append(Job(len(found) + 1, request.system, v, j, use, each))
    return found


def render_worklist(
    name: str, jobs: Sequence[Job] | Sequence[UnitJob], of: type[Job] | type[UnitJob] = Job
) -> bytes:
    """Return the jobs, which are of a class, as CSV or JSON, by the ending of the file's name.

    Raises UsageError for another ending.
    """
    rows = [asdict(job) for job in jobs]
    if name.endswith(".json"):
        return (json.dumps(rows, indent=2) + "\n").encode()
    if name.endswith(".csv"):
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, [one.name for one in fields(of)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: to_cell(one) if isinstance(one, str) else one for name, one in row.items()} for row in rows
        )
        return buffer.getvalue().encode()
    raise UsageError("a worklist is CSV or JSON", expected="a name that ends in .csv or .json", got=name)
