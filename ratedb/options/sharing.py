"""Options of verbs that join stores, copy them and publish them."""

from __future__ import annotations

from dataclasses import dataclass

from ratedb.declared import option
from ratedb.numbers import parse_names


@dataclass(frozen=True)
class MergeOptions:
    """What is taken of the other store."""

    systems: tuple[str, ...] = option((), "Only these systems, such as CO+p-H2,CO+o-H2.", parse_names)
    quality: str = option("warn", "Compare new sources with those here: warn (keep findings) or off.")
    dry_run: bool = option(False, "Show what would be added; store nothing.")


@dataclass(frozen=True)
class BackupOptions:
    """Whether an older backup may be replaced."""

    replace: bool = option(False, "Replace the file if it exists.")


@dataclass(frozen=True)
class PublishOptions:
    """What is published, and what is said of it."""

    systems: tuple[str, ...] = option((), "Only these systems, such as CO+p-H2,CO+o-H2.", parse_names)
    version: str | None = option(None, "Name of this version, such as 1.0 (default: the next number).")
    title: str | None = option(None, "Title (default: rate coefficients of the systems).")
    licence: str | None = option(None, "Licence, such as CC-BY-4.0.")
    doi: str | None = option(None, "DOI of the snapshot, where one is reserved.")
    creator: tuple[str, ...] = option((), "Who publishes it; may be repeated.", many=True)
    comments: bool = option(False, "Publish the users' names and their comments on sources too.")


@dataclass(frozen=True)
class ServeOptions:
    """Where a server listens, and how much it sends."""

    host: str = option("127.0.0.1", "Address to listen on; 0.0.0.0 lets other machines in.")
    port: int = option(8000, "Port to listen on; 0 takes a free one.")
    title: str | None = option(None, "Title of the pages (default: the name of the database).")
    max_values: int = option(2_000_000, "Largest system, in values, that is sent or shown as a whole.")
    max_seconds: float = option(30.0, "Longest time for one answer, s.")
