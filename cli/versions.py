"""`ratedb --version`: versions of ratedb and of what its numbers depend on; nothing is imported for it."""

from __future__ import annotations

import json
import platform

import typer

from ratedb import __version__
from ratedb.origin import OPTIONAL_PACKAGES, SCIENCE_LIBRARIES, installed_version


def versions() -> dict[str, str]:
    """Return the versions of ratedb, Python, the libraries of numbers, and the extras that are installed."""
    found = {name: installed_version(name) for name in (*SCIENCE_LIBRARIES, *OPTIONAL_PACKAGES)}
    installed = {name: version for name, version in found.items() if version is not None}
    return {"ratedb": __version__, "python": platform.python_version()} | installed


def show_version(context: typer.Context, wanted: bool) -> None:
    """Print the versions and end, where the option is given."""
    if not wanted or context.resilient_parsing:
        return
    if context.params.get("as_json"):
        print(json.dumps({"versions": versions()}))
    else:
        print("\n".join(f"{name} {version}" for name, version in versions().items()))
    raise typer.Exit
