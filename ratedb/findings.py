"""What quality control finds, the rules that find it, and those of them that readers apply to files."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True)
class Finding:
    """What a rule of quality control found: where, the value, what was expected, and why.

    `severity` is `error` (the value is certainly wrong, and is flagged), `warning` (look at it) or `note`.
    `upper` and `lower` are level labels: both None for a finding about a whole file or system, only `lower`
    None for one about all transitions out of `upper`. `temperature_k` is None for all temperatures. `value`
    and `expected` are numbers in the unit that `detail` names.
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
        """The name of the transition, such as `5 -> 3`, or `out of 5` for an initial level."""
        if self.lower is None:
            return None if self.upper is None else f"out of {self.upper}"
        return f"{self.upper} -> {self.lower}"


@dataclass(frozen=True)
class Rule:
    """One rule of quality control; `meaning` gives the unit of `threshold` and the reason for it.

    What a rule `of_file` finds is visible only in the file, so that it cannot be checked again in the store.
    """

    name: str
    severity: str
    threshold: float
    meaning: str
    of_file: bool = False

    def finding(self, system: str, detail: str, **parts: str | float | None) -> Finding:
        """Return a finding of this rule; `parts` are upper, lower, temperature_k, value and expected."""
        return Finding(self.name, self.severity, system, detail, **parts)  # type: ignore[arg-type]


DETAILED_BALANCE = Rule(
    "detailed-balance",
    ERROR,
    2.0,
    "A file lists both directions of a transition and they contradict detailed balance by more than this "
    "factor (median over T): more than rounding to two digits can explain.",
    of_file=True,
)
SCRATCH_ORDER = Rule(
    "scratch-order",
    ERROR,
    0.0,
    "A MOLSCAT run with a scratch file has energies that do not decrease, and its output does not show "
    "whether a block had no open channel at the first energy; if so, all later energies are wrong without a "
    "message. All values of the source are flagged.",
    of_file=True,
)
REVERSIBILITY = Rule(
    "reversibility",
    WARNING,
    0.01,
    "The cross sections of the two directions, or the rates averaged from them, violate microscopic "
    "reversibility by more than this, relatively. Quantum methods obey it to the printed digits.",
    of_file=True,
)
PARTIAL_WAVES = Rule(
    "partial-waves",
    WARNING,
    0.0,
    "The sums over total angular momenta begin above this, so cross sections lack their first waves.",
    of_file=True,
)
DUPLICATE = Rule(
    "duplicate",
    WARNING,
    0.0,
    "A file of cross sections gives a transition twice with values that differ by more than this; the row "
    "that agrees with its energy is kept.",
    of_file=True,
)
UPWARD_ROWS = Rule(
    "upward-rows",
    WARNING,
    3.0,
    "This many rows or more of a file that lists one direction go up in energy and have one level in common: "
    "the energy of that level, or its place in the list, is the suspect. The rows are converted by detailed "
    "balance with the energies as listed.",
    of_file=True,
)

READER_RULES = (DETAILED_BALANCE, SCRATCH_ORDER, REVERSIBILITY, PARTIAL_WAVES, DUPLICATE, UPWARD_ROWS)
"""The rules that readers apply: their findings show in the file only."""


def missing_waves(system: str, method: str, first: float, waves: str = "total angular momentum") -> Finding:
    """Return the finding that sums over partial waves begin at `first` and not at the lowest."""
    detail = f"{method}: the sums begin at {waves} {first:g}, so lower waves are missing"
    return PARTIAL_WAVES.finding(system, detail, value=float(first), expected=0.0)
