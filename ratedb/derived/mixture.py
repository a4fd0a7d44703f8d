"""What is asked of a mixture of p-H2 and o-H2."""

from __future__ import annotations

from ratedb.derived.naming import Wanted
from ratedb.errors import UsageError
from ratedb.options import MixOptions

PARTNERS = ("p-H2", "o-H2")
"""The colliders that are mixed."""

_FORMULA = "k(H2) = (k(p-H2) + r k(o-H2)) / (1 + r)"
_LARGEST = 1e6


def check_options(options: MixOptions) -> None:
    """Raise UsageError unless there is one ratio, given or thermal."""
    ratio = options.ortho_to_para
    if options.thermal == (ratio is not None):
        raise UsageError(
            "two ratios of o-H2 to p-H2" if options.thermal else "the ratio of o-H2 to p-H2 is not known",
            expected="--ortho-to-para 3, or --thermal",
            got="both" if options.thermal else "neither",
        )
    if ratio is not None and not 0.0 <= ratio <= _LARGEST:
        raise UsageError("not a ratio of o-H2 to p-H2", expected=f"0 to {_LARGEST:g}", got=str(ratio))


def wanted_mixture(name: str, options: MixOptions) -> Wanted:
    """Return what is asked for, of a molecule, or of its system with H2."""
    ratio = options.ortho_to_para
    said = "r = o/p in thermal equilibrium" if ratio is None else f"r = o/p = {ratio:g}"
    return Wanted(name.removesuffix("+H2"), "H2", f"mixture of p-H2 and o-H2: {_FORMULA}, {said}")
