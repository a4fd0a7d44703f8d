"""Withdraw, restore and correct sources: each with its reason, and nothing is deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError, UsageError, one_of
from ratedb.layers import KINDS
from ratedb.options import SourcesOptions
from ratedb.references import OF_REFERENCE, is_doi, parse_reference
from ratedb.safe_text import clean
from ratedb.store.query import QueryResult
from ratedb.store.store import SourceEvent, Store
from ratedb.systems import is_collider

FIELDS = ("method", "reference", "kind", "collider", "year", "doi", "grade")
"""What of a source can be corrected."""

_ACTIONS = ("prefer", "join", "withdraw", "restore", "correct", "history")
_CHANGES = ("withdraw", "restore", "correct")
_VALID: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "method": (bool, "a method, such as close coupling"),
    "reference": (bool, "a reference"),
    "kind": (lambda text: text in KINDS[:-1], ", ".join(KINDS[:-1])),
    "collider": (is_collider, "the name of a collider, such as p-H2"),
    "year": (lambda text: re.fullmatch(r"19[3-9]\d|20[0-4]\d", text) is not None, "a year, such as 2010"),
    "doi": (is_doi, "a DOI, such as 10.1088/0004-637X/718/2/1062"),
    "grade": (lambda text: text in ("", *"ABCDE"), "A (best) to E, or nothing for none"),
}


def curates(options: SourcesOptions) -> bool:
    """Return whether options change what is said of a source, or ask what was; they name one action at most.

    Raises UsageError for two actions at once.
    """
    asked = [name for name in _ACTIONS if getattr(options, name) not in (None, False)]
    if len(asked) > 1:
        raise UsageError(
            "one action at a time",
            expected="one of " + ", ".join(f"--{name}" for name in _ACTIONS),
            got=" ".join(f"--{name}" for name in asked),
        )
    return bool(asked) and asked[0] in (*_CHANGES, "history")


def curate(db: Path, system: str | None, options: SourcesOptions) -> QueryResult:
    """Store what a curator says of one source of a system and list its sources, or list what was said.

    A dry run lists the sources as they would be. Raises UsageError without a system or reason, or for an
    invalid field or value; RatedbError for a source that the system does not have or that is so already.
    """
    if options.history:
        refuse_without_effect(options, "a change")
        with Store(db) as store:
            return store.source_history(system)
    action = next(name for name in _CHANGES if getattr(options, name) is not None)
    if system is None:
        raise UsageError(f"--{action} needs a system", expected="SYSTEM", got="none")
    reason = clean(options.because).strip()
    if not reason or reason == SourcesOptions.because:
        raise UsageError(f"--{action} needs a reason", expected="--because TEXT", got="none")
    source_id, field, value = _asked(action, getattr(options, action))
    with Store(db, write=True) as store, store.transaction(keep=not options.dry_run):
        row = _row(store, store.system(system).name, source_id)
        if action == "correct":
            events = _corrections(row, store.system(system).collider, field, value)
        else:
            events = [_presence(row, action)]
        store.put_source_events(source_id, events, reason)
        listed = store.list_sources(system)
        about = {
            **listed.about,
            "changes": [{"source_id": source_id, **vars(event)} for event in events],
            "models": store.models_of_sources([source_id]),
            "dry_run": options.dry_run,
        }
    return QueryResult(listed.columns, listed.rows, listed.types, listed.name, about)


def refuse_without_effect(options: SourcesOptions, missing: str) -> None:
    """Raise UsageError for a reason or a dry run where nothing is changed."""
    for name, given in (("because", options.because != SourcesOptions.because), ("dry-run", options.dry_run)):
        if given:
            raise UsageError(f"--{name} has no effect without {missing}", expected=missing, got=f"--{name}")


def _asked(action: str, given: Any) -> tuple[int, str, str]:
    """Return the source, and the field and new value of a correction; raises UsageError for invalid ones."""
    if action != "correct":
        return int(given), "", ""
    pair = given if isinstance(given, tuple | list) and len(given) == 2 else ("", "")
    field, found, value = str(pair[1]).partition("=")
    if not found or not isinstance(pair[0], int):
        raise UsageError("invalid correction", expected="ID FIELD=VALUE, such as 3 method=CC", got=str(given))
    field, value = field.strip(), clean(value).strip()
    one_of("field", field, FIELDS)
    valid, expected = _VALID[field]
    if not valid(value):
        raise UsageError(f"invalid {field}", expected=expected, got=value or "nothing")
    return pair[0], field, value


def _row(store: Store, system: str, source_id: int) -> dict[str, Any]:
    rows = {row["source_id"]: row for row in store.sources(system) if row["kind"] != "predicted"}
    if source_id not in rows:
        raise RatedbError(
            f"{system} has no source {source_id} from a file",
            expected="one of " + ", ".join(map(str, rows)),
            got=str(source_id),
            todo=f"`ratedb sources {system}` lists them",
        )
    return rows[source_id]


def _presence(row: Mapping[str, Any], action: str) -> SourceEvent:
    if row["withdrawn"] == (action == "withdraw"):
        said = "already withdrawn" if row["withdrawn"] else "not withdrawn"
        raise RatedbError(
            f"source {row['source_id']} is {said}",
            todo=f"`ratedb sources {row['system']} --history` says since when",
        )
    return SourceEvent(action)


def _corrections(row: Mapping[str, Any], collider: str, field: str, value: str) -> list[SourceEvent]:
    """Return the events of a correction; a new reference replaces its parts too."""
    old = collider if field == "collider" else row[field]
    if (old or "") == value or str(old) == value:
        raise RatedbError(f"the {field} of source {row['source_id']} is {old!r} already", got=value)
    new = {field: value}
    if field == "reference":
        parts = parse_reference(value)
        new |= {name: getattr(parts, name) or "" for name in OF_REFERENCE}
    return [
        SourceEvent(
            "grade" if name == "grade" else "correct",
            name,
            collider if name == "collider" else None if row[name] is None else str(row[name]),
            str(text),
        )
        for name, text in new.items()
        if name == field or str(row[name] or "") != str(text)
    ]
