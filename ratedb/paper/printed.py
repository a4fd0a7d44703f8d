"""What Mihalik et al. (2025) print for SiO + para-H2, to be shown next to ratedb's own figures.

Source: J. Chem. Phys. 162, 024116, tables I, III, IV and V. The paper has two misprints: table IV gives 179
validation transitions for {6, 10} (they are 174, and 1608 - 393 - 174 is its own 1041); table V divides the
time saved by 383 h, but each of its columns adds up to 338 h.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from ratedb.planning.request import PlanRequest
from ratedb.planning.savings import Candidate, candidate

SYSTEM = "SiO+p-H2"
TARGET = tuple(range(5, 21))
GIVEN = (5,)
V_MAX = 2
EXPONENT = 4.0
HOURS_SHARED = 338.0
HOURS_DIVISOR = 383.0


@dataclass(frozen=True)
class PrintedColumn:
    """One column of the paper's tables, as printed."""

    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
    training_transitions: int
    validation_transitions: int
    predicted_transitions: int
    explicit_hours: float
    avoided_hours: float
    model_hours_single: float
    model_hours_optimal: float
    time_saved_percent: float
    test_error_percent: float


@dataclass(frozen=True)
class PaperRow:
    """A column of the paper's tables: computed with its formulas, and as printed."""

    computed: Candidate
    printed: PrintedColumn


COLUMNS = (
    PrintedColumn((5, 18), (6, 9), 195, 171, 1242, 52.8, 285.2, 0.17, 0.52, 86.08, 11.64),
    PrintedColumn((5, 16, 19), (6, 9), 309, 171, 1128, 95.4, 242.6, 0.29, 3.18, 74.26, 7.78),
    PrintedColumn((5, 9, 14, 19), (6, 10), 393, 179, 1041, 87.4, 250.6, 0.53, 4.34, 76.05, 3.49),
    PrintedColumn((5, 8, 12, 17, 19), (6, 9), 498, 171, 939, 115.5, 222.5, 1.08, 6.90, 68.04, 2.04),
    PrintedColumn((5, 8, 11, 14, 17, 19), (6, 9), 600, 171, 837, 130.6, 207.4, 1.73, 10.66, 63.12, 1.57),
)


def with_printed(request: PlanRequest, found: Candidate) -> Candidate:
    """Return a candidate with what the paper prints for it, where request and sets are the paper's own.

    The paper's hours of training then count against the saving, unless the request has its own.
    """
    setting = (request.target, request.given, request.v_max, request.cost_exponent, request.hours_total)
    if request.system != SYSTEM or setting != (TARGET, GIVEN, V_MAX, EXPONENT, HOURS_SHARED):
        return found
    for column in COLUMNS:
        if (column.train_j, column.validate_j) == (found.train_j, found.validate_j):
            hours = request.model_hours or column.model_hours_optimal
            saved = found.time_saved_percent - 100.0 * (hours - found.model_hours) / HOURS_SHARED
            return replace(found, model_hours=hours, time_saved_percent=saved, paper=asdict(column))
    return found


def paper_rows() -> tuple[PaperRow, ...]:
    """Return the paper's own columns, recomputed with its formulas: they need no data."""
    request = PlanRequest(SYSTEM, TARGET, GIVEN, V_MAX, cost_exponent=EXPONENT, hours_total=HOURS_SHARED)
    return tuple(
        PaperRow(with_printed(request, candidate(request, column.train_j)), column) for column in COLUMNS
    )
