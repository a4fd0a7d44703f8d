"""`ratedb sources`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ratedb.database import Database

from .command import command
from .output import table

if TYPE_CHECKING:
    from rich.console import Console

    from ratedb.store.query import QueryResult

_HEADS = {
    "source_id": "source",
    "kind": "kind",
    "method": "method",
    "reference": "reference",
    "transitions": "transitions",
    "rates": "rates",
    "best": "best known",
    "marked": "flagged",
    "place": "your place",
}


def _show(console: Console, result: QueryResult, options: Mapping[str, Any]) -> None:
    system = result.about.get("system")
    heads = _HEADS if system else {"system": "system", **_HEADS}
    rows = [[row[name] for name in heads] for row in result.dicts()]
    text = [n for n, name in enumerate(heads) if name in ("system", "kind", "method", "reference")]
    of = f"Sources of {system}" if system else "Sources"
    console.print(table(f"{of}, in order of precedence", [*heads.values()], rows, text=text))


sources_command = command(
    Database.sources,
    _show,
    arguments={"system": "Such as CO+p-H2 (default: all)."},
    example='ratedb sources SiO+p-H2 --prefer 2,1 --because "newer potential surface"',
)
