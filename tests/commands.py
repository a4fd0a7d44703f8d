"""Run the command line inside the test process, and the settings that its tests share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

J_MAX = 14
TRAIN = ("--train-j", "3,6,9,12", "--validate-j", "4,7")
FAST = ("--kernels", "M32", "--features", "physics")
COMPUTED = "1:4,6,7,9,12"
METRIC_KEYS = {
    "log10_percent_error",
    "dex_rms",
    "factor_median",
    "factor_p95",
    "factor_max",
    "wmef",
    "transitions_over_10_percent",
    "transitions_below_5_percent",
    "coverage_68",
    "coverage_95",
}


@dataclass(frozen=True)
class Answer:
    """What a command gave: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON object it must be."""
        return json.loads(self.out)


Run = Callable[..., Answer]
