"""The lines that predicted rates make uncertain, as a file of `ratedb impact -o` has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ratedb.documents import strict_json
from ratedb.planning.next_for_lines import not_an_impact

_MOST_LINES, _MOST_NEXT = 20, 5


@dataclass(frozen=True)
class AffectedLines:
    """What an impact says: its systems and models, and rows for the page, as texts and numbers."""

    systems: tuple[str, ...]
    model_ids: frozenset[int]
    samples: int
    median_percent: float
    p95_percent: float
    total: int
    rows: tuple[Mapping[str, Any], ...]
    next_j: tuple[Mapping[str, Any], ...]


def parse_affected(content: bytes, path: str) -> AffectedLines:
    """Return what `impact -o` wrote: the least certain lines first; raises RatedbError for something else."""
    try:
        data = strict_json(content)
        conditions = [_condition(one) for one in data["conditions"]]
        lines = sorted(data["lines"], key=lambda one: -_number(one["uncertainty"]))
        return AffectedLines(
            systems=tuple(map(str, data["systems"])),
            model_ids=frozenset(map(int, data["model_ids"])),
            samples=int(data["samples"]),
            median_percent=100.0 * _number(data["uncertainty_median"]),
            p95_percent=100.0 * _number(data["uncertainty_p95"]),
            total=len(lines),
            rows=tuple(_line(one, conditions) for one in lines[:_MOST_LINES]),
            next_j=tuple(
                {
                    "system": str(one["system"]),
                    "state": str(one["j"]),
                    "share_percent": 100.0 * _number(one["share"]),
                    "after_percent": 100.0 * _number(one["uncertainty_after"]),
                }
                for one in data["next_j"][:_MOST_NEXT]
            ),
        )
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise not_an_impact(path, error) from error


def _condition(one: Mapping[str, Any]) -> str:
    density = sum(_number(value) for value in one["density_cm3"].values())
    gas = " + ".join(map(str, one["density_cm3"]))
    return f"{_number(one['temperature_k']):g} K, n({gas}) = {density:.3g} cm-3"


def _line(one: Mapping[str, Any], conditions: list[str]) -> dict[str, Any]:
    low, high = (_number(value) for value in one["flux_95"])
    return {
        "line": f"{one['upper']} → {one['lower']}",
        "frequency_ghz": _number(one["frequency_ghz"]),
        "conditions": conditions[int(one["condition"])],
        "flux": _number(one["flux"]),
        "low": low,
        "high": high,
        "uncertainty_percent": 100.0 * _number(one["uncertainty"]),
    }


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    return float(value)
