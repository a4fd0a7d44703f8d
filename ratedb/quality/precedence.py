"""Which sources meet each other, and why one takes precedence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ratedb.rates import Rates

_EXACT = ("close coupling", "coupled states", "other quantum")


@dataclass(frozen=True, eq=False)
class Overlapping:
    """Rates of one file of an import, and which transitions they have."""

    rates: Rates
    file_name: str
    file_sha256: str

    @cached_property
    def pairs(self) -> frozenset[tuple[object, object]]:
        """Levels of each transition, by label, and by v and j where these are known."""
        rates, named = self.rates, self.rates.transitions.names()
        if not rates.levels.has_vj:
            return frozenset(named)
        v, j = (numbers.tolist() for numbers in rates.levels.need_vj())
        pairs = zip(rates.upper.tolist(), rates.lower.tolist(), strict=True)
        return frozenset([*named, *(((v[up], j[up]), (v[low], j[low])) for up, low in pairs)])

    def meets(self, other: Overlapping) -> bool:
        """Return whether another file has some of the same transitions at some of the same temperatures."""
        low = max(self.rates.temperature_k[0], other.rates.temperature_k[0])
        high = min(self.rates.temperature_k[-1], other.rates.temperature_k[-1])
        different = self.file_sha256 != other.file_sha256
        return bool(different and low <= high) and not self.pairs.isdisjoint(other.pairs)


def only_newer(system: str, listed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Warn where the first source takes precedence only since it is newer, and its method is approximate.

    `listed` are the sources in order of precedence.
    """
    known = [row for row in listed if row["kind"] != "predicted" and not row["withdrawn"]]
    if len(known) < 2 or known[0]["method_class"] in _EXACT or known[0]["place"] is not None:
        return []
    first, second = known[:2]
    if any(first[name] != second[name] for name in ("method_class", "grade", "transitions")):
        return []
    return [
        f"source {first['source_id']} (method {first['method']}) takes precedence over source"
        f" {second['source_id']} (method {second['method']}) only because it is newer: choose with"
        f" `ratedb sources {system} --prefer`, or name its method with --correct"
    ]
