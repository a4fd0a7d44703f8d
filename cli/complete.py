"""What the shell completes: systems of the store, where it can be read at once and without a change."""

from __future__ import annotations

import re

import typer

# A shell gets the words as they are: no blank, and nothing that it would expand or run.
_PLAIN = re.compile(r"[\w+.,=@^-]+", re.ASCII)


def systems(context: typer.Context, incomplete: str) -> list[str]:
    """Return the systems of the store whose names begin so; none after any error, which nobody could see."""
    try:
        from ratedb.store.systems import names_of_systems

        names = names_of_systems(context.find_root().params["db"])
    except Exception:
        return []
    return [one for one in names if one.startswith(incomplete) and _PLAIN.fullmatch(one)]
