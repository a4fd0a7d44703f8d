"""Options of `derive` and `mix`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratedb.declared import option
from ratedb.options.values import Paths


@dataclass(frozen=True)
class DeriveOptions:
    """What is derived, and from which of the stored rates."""

    to: str = option("", "effective, thermal, hyperfine or rotational.")
    partner_state: str | None = option(
        None, "Effective: the partner's initial state, such as 1 or j=1 (default: the lowest)."
    )
    method: str = option(
        "fitted", "Hyperfine: fitted, fundamental or excitation (where tensors are from), or statistical."
    )
    levels: Paths = option(
        (), "A file with levels, and lines, of the result; repeat for Einstein A.", Path, many=True
    )
    like: str | None = option(None, "Hyperfine: a molecule in the store that has these levels.")
    molecule: str | None = option(None, "Name of the molecule of the result, such as 'HCN(hfs)'.")
    complete_only: bool = option(False, "Effective, thermal: leave out sums that lack jumps of the partner.")
    use_marked: bool = option(False, "Use also values flagged by quality control.")
    dry_run: bool = option(False, "Derive and compare; store nothing.")


@dataclass(frozen=True)
class MixOptions:
    """At which ratio p-H2 and o-H2 are mixed."""

    ortho_to_para: float | None = option(None, "Ratio of o-H2 to p-H2, such as 3; 0 for p-H2 alone.")
    thermal: bool = option(False, "The ratio in thermal equilibrium at each temperature.")
    use_marked: bool = option(False, "Use also values flagged by quality control.")
    dry_run: bool = option(False, "Mix and compare; store nothing.")
