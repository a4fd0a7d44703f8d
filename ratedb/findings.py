"""What quality control finds: one frozen record for each finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What a rule of quality control found: where, what stands there, what was expected, and why.

    `severity` is `error` (the value is wrong beyond doubt, and marked), `warning` (it deserves a look) or
    `note`. `upper` and `lower` are level labels, None where the finding is about a whole file or system;
    only `lower` is None where it is about all transitions out of `upper`;
    `temperature_k` is None where it is about all temperatures. `value` and `expected` are numbers in the
    unit of what the rule looks at, which `detail` names.
    """

    rule: str
    severity: str
    system: str
    detail: str
    upper: str | None = None
    lower: str | None = None
    temperature_k: float | None = None
    value: float | None = None
    expected: float | None = None

    @property
    def transition(self) -> str | None:
        """The name of the transition for people, such as `5 -> 3`, or `out of 5` for an initial level."""
        if self.lower is None:
            return None if self.upper is None else f"out of {self.upper}"
        return f"{self.upper} -> {self.lower}"
