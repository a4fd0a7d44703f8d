"""What is asked of a derivation, and the name of the system that it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.declared import flag_of
from ratedb.errors import RatedbError, UsageError, one_of
from ratedb.layers import Kind
from ratedb.levels import Levels
from ratedb.options import DeriveOptions
from ratedb.physics.hyperfine import METHODS
from ratedb.physics.pairs import Pair, split_pair, state_called
from ratedb.rates import Rates

TARGETS = ("effective", "thermal", "hyperfine", "rotational")
"""What rates can be derived to."""

_ONLY = {
    "partner_state": ("effective",),
    "complete_only": ("effective", "thermal"),
    "method": ("hyperfine",),
    "like": ("hyperfine",),
}
_HYPERFINE = "(hfs)"
_SUDDEN = "recoupling of rotational rates in the infinite-order sudden limit, tensor strengths "
_METHODS = {
    "fitted": f"{_SUDDEN}fitted to all rates",
    "fundamental": f"{_SUDDEN}from (2L+1) k(L -> 0)",
    "excitation": f"{_SUDDEN}from k(0 -> L)",
    "statistical": "rotational rates shared in proportion to 2F+1",
}


def check_options(options: DeriveOptions) -> None:
    """Raise UsageError for options that are unknown or do not go together."""
    one_of("target of a derivation (--to)", options.to, TARGETS)
    one_of("method", options.method, METHODS)
    for name, targets in _ONLY.items():
        if options.to not in targets and getattr(options, name) != getattr(DeriveOptions, name):
            raise UsageError(
                f"{flag_of(name)} has no effect with --to {options.to}",
                expected=f"--to {' or '.join(targets)}",
                got=f"--to {options.to}",
            )
    if options.to == "hyperfine" and bool(options.levels) == (options.like is not None):
        raise UsageError(
            "the hyperfine levels are not known" if options.like is None else "two lists of hyperfine levels",
            expected="--levels FILE, or --like MOLECULE with hyperfine levels in the store",
            got="neither" if options.like is None else "both",
        )


@dataclass(frozen=True, eq=False)
class Wanted:
    """The system that a derivation gives, its method in words, for a pair both molecules, and a state."""

    molecule: str
    collider: str
    method: str
    pair: Pair | None = None
    state: int | None = None

    @property
    def system(self) -> str:
        """The name of the system."""
        return f"{self.molecule}+{self.collider}"


def wanted(levels: Levels, collider: str, options: DeriveOptions) -> Wanted:
    """Return what is asked for, of a system with these levels.

    Raises UsageError where the result needs a name, RatedbError where the levels are no pair's.
    """
    molecule = levels.molecule
    if options.to in ("effective", "thermal"):
        return _of_pair(levels, collider, options)
    if options.to == "hyperfine":
        name = options.molecule or options.like or f"{molecule}{_HYPERFINE}"
        return Wanted(_other(name, molecule), collider, _METHODS[options.method])
    bare = molecule.removesuffix(_HYPERFINE)
    name = options.molecule or (bare if bare != molecule else f"{molecule}(rot)")
    method = "sum over final and average over initial hyperfine levels"
    return Wanted(_other(name, molecule), collider, method)


def _of_pair(levels: Levels, collider: str, options: DeriveOptions) -> Wanted:
    molecule = levels.molecule
    bare = molecule.removesuffix(f"({collider})")
    pair = split_pair(levels, options.molecule or bare, collider)
    if bare == molecule and options.molecule is None:
        raise UsageError(
            f"the name of the pair {molecule} does not tell its molecule",
            expected=f"a name such as o-H2O({collider})",
            got=molecule,
            todo="name the molecule of the result with --molecule",
        )
    name = _other(options.molecule or bare, molecule)
    if options.to == "thermal":
        method = f"sum over final and Boltzmann average over initial states of {collider}"
        return Wanted(name, collider, method, pair)
    lowest, state = state_called(pair.partner, None), state_called(pair.partner, options.partner_state)
    method = f"sum over final states of {collider} out of its state {pair.partner.label[state]}"
    own = collider if state == lowest else f"{collider}({_numbers(pair.partner, state)})"
    return Wanted(name, own, method, pair, state)


def _numbers(partner: Levels, state: int) -> str:
    """Return the quantum numbers of a state as names of colliders have them, such as `j=2`."""
    values = {name: values[state] for name, values in partner.quantum_numbers.items()}
    return ",".join(f"{name}={value:g}" for name, value in values.items() if not (name == "v" and value == 0))


def _other(name: str, molecule: str) -> str:
    if name == molecule:
        raise UsageError(
            "the result has other levels than its input, and needs another name",
            expected=f"a name other than {molecule}",
            got=name,
            todo="name it with --molecule",
        )
    return name


def usable(stored: Rates, use_marked: bool) -> tuple[Rates, list[str]]:
    """Return the stored rates without those that are flagged, and warnings of these and of derived ones.

    Raises RatedbError where nothing is left.
    """
    known = stored.kind_code >= 0
    flagged = known & stored.marked
    rates = stored if use_marked else stored.where(known & ~stored.marked)
    if not len(rates):
        raise RatedbError(
            f"all rates of {stored.system} are flagged by quality control",
            todo="--use-marked uses them all the same",
        )
    said = []
    if derived := int((rates.kind_code == Kind.DERIVED).sum()):
        said.append(
            f"{derived} of the values used are derived themselves; `ratedb sources` lists their source"
        )
    if flagged.any() and not use_marked:
        said.append(f"{int(flagged.sum())} values flagged by quality control are not used (--use-marked)")
    return rates, said


def circle(rates: Rates, asked: Wanted, derivations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a warning where rates were themselves derived from the system that they are to give."""
    used = set(np.unique(rates.source_id).tolist())
    return [
        f"source {row['source_id']} of {rates.system} was itself derived from {asked.system}: the result"
        f" shows how exact the two steps are and is no independent source"
        for row in derivations
        if row["source_id"] in used and row["input_system"] == asked.system
    ]


def beside(derivations: Sequence[Mapping[str, Any]], asked: Wanted) -> list[str]:
    """Return a warning of other rates that were derived for the same system, which new ones come before."""
    other = [row for row in derivations if row["method"] != asked.method]
    return [
        f"{asked.system} has derived rates of another kind, source {row['source_id']} ({row['method']}): the"
        f" newest take precedence; `ratedb sources {asked.system} --prefer {row['source_id']}` changes that"
        for row in other
    ]
