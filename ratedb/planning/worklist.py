"""The jobs of a plan, for a group's own scattering code."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from ratedb.errors import UsageError
from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import Candidate


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


def render_worklist(name: str, jobs: Sequence[Job]) -> bytes:
    """Return the jobs as CSV or JSON, by the ending of the file's name; UsageError for another ending."""
    rows = [asdict(job) for job in jobs]
    if name.endswith(".json"):
        return (json.dumps(rows, indent=2) + "\n").encode()
    if name.endswith(".csv"):
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, [*Job.__dataclass_fields__], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return buffer.getvalue().encode()
    raise UsageError("a worklist is CSV or JSON", expected="a name that ends in .csv or .json", got=name)
