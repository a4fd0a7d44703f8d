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

_HISTORY = {
    "source_id": "source",
    "action": "action",
    "field": "of",
    "old_value": "old",
    "new_value": "new",
    "reason": "because",
    "user_name": "by",
    "happened_at": "at",
}


def _show(console: Console, result: QueryResult, options: Mapping[str, Any]) -> None:
    if result.name == "history":
        rows = [[row[name] for name in _HISTORY] for row in result.dicts()]
        console.print(table("Changes of sources", [*_HISTORY.values()], rows, text=range(1, len(_HISTORY))))
        return
    system = result.about.get("system")
    heads = _HEADS if system else {"system": "system", **_HEADS}
    listed = [row | ({"kind": "withdrawn"} if row["withdrawn"] else {}) for row in result.dicts()]
    rows = [[row[name] for name in heads] for row in listed]
    text = [n for n, name in enumerate(heads) if name in ("system", "kind", "method", "reference")]
    of = f"Sources of {system}" if system else "Sources"
    for change in result.about.get("changes", ()):
        console.print(_change(change) + (" (dry run)" if result.about["dry_run"] else ""))
    if models := result.about.get("models"):
        console.print(f"Models trained on it, with what they predict: {', '.join(map(str, models))}")
    console.print(table(f"{of}, in order of precedence", [*heads.values()], rows, text=text))


def _change(change: Mapping[str, Any]) -> str:
    """Return what was changed of a source, in one line."""
    if change["field"] is None:
        done = {"withdraw": "withdrawn", "restore": "restored"}[change["action"]]
        return f"source {change['source_id']}: {done}"
    old, new = change["old_value"] or "none", change["new_value"] or "none"
    return f"source {change['source_id']}: {change['field']} {old} -> {new}"


sources_command = command(
    Database.sources,
    _show,
    arguments={"system": "Such as CO+p-H2 (default: all)."},
    example='ratedb sources SiO+p-H2 --prefer 2,1 --because "newer potential surface"',
)
