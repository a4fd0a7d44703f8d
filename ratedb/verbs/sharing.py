"""Copy a store, and publish a snapshot of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ratedb import __version__
from ratedb.io.bibtex import bibtex_entries
from ratedb.io.provenance import METHOD
from ratedb.io.snapshot_texts import citation_cff, readme
from ratedb.options import BackupOptions, Progress, PublishOptions, silent
from ratedb.origin import now
from ratedb.references import Reference, parse_reference
from ratedb.results import Result, plain
from ratedb.store import publishing
from ratedb.store.backup import backup as copy_store
from ratedb.store.migrations import available
from ratedb.store.snapshot import FORMAT, FORMAT_VERSION
from ratedb.store.store import Store


@dataclass(frozen=True, repr=False)
class BackupResult(Result):
    """A verified copy: its path, SHA-256 and size, and the rows of each table."""

    path: str
    sha256: str
    bytes: int
    rows: dict[str, int]

    def summary(self) -> str:
        """Return the name of the copy."""
        return f"{self.path}, {self.bytes / 1e6:.1f} MB"


@dataclass(frozen=True, repr=False)
class PublishResult(Result):
    """A published snapshot: its folder and version, and what is in it."""

    path: str
    version: str
    systems: tuple[str, ...]
    values: int
    references: int
    files: int
    bytes: int

    def summary(self) -> str:
        """Return the folder of the snapshot and what is in it."""
        return f"{self.path}, {len(self.systems)} systems, {self.values} values"


def backup(db: Path, target: Path, options: BackupOptions) -> BackupResult:
    """Copy a store to a file, and check the copy; others may read meanwhile.

    Raises RatedbError where the file exists, cannot be written or is not the same as the store.
    """
    return BackupResult(str(target), *copy_store(db, target, replace=options.replace))


def publish(db: Path, folder: Path, options: PublishOptions, progress: Progress = silent) -> PublishResult:
    """Write a snapshot into folder/version: all of it or nothing.

    Raises RatedbError for a version that exists, an unknown system, or where it cannot be written.
    """
    version = publishing.check_version(folder, options.version)
    with Store(db) as store, publishing.new_version(folder, version) as work:
        store.need_whole_intact()
        systems = publishing.take_systems(store, options.systems)
        files = publishing.write_parquet(store, work, private=options.comments, progress=progress)
        cited, citations = _citations(store, systems)
        manifest = _manifest(options, version, systems) | {"citations": citations, "files": files}
        texts = {
            "README.md": readme(manifest),
            "CITATION.cff": citation_cff(manifest, cited),
            "references.bib": "\n\n".join(bibtex_entries(cited)) + "\n",
        }
        for name, text in texts.items():
            publishing.write_text(work, name, text)
            files.append(publishing.described_file(work, name))
        publishing.write_manifest(work, plain(manifest))
    return PublishResult(
        path=str(folder / version),
        version=version,
        systems=tuple(systems),
        values=next(file["rows"] for file in files if file["path"] == "rates_all.parquet"),
        references=len(citations),
        files=len(files) + 1,
        bytes=sum(file["bytes"] for file in files),
    )


def _manifest(options: PublishOptions, version: str, systems: list[str]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "title": options.title or f"Collisional rate coefficients of {', '.join(systems)}",
        "version": version,
        "created": now().isoformat(timespec="seconds") + "Z",
        "ratedb_version": __version__,
        "schema_version": available()[-1].version,
        "licence": options.licence,
        "doi": options.doi,
        "creators": list(options.creator),
        "systems": systems,
    }


def _citations(store: Store, systems: list[str]) -> tuple[list[tuple[str, Reference]], list[dict[str, Any]]]:
    """Return the references of the sources that count, with their parts, and as the manifest lists them."""
    used: dict[tuple[str, Reference], list[str]] = {}
    for system in systems:
        for row in store.sources(system):
            if row["withdrawn"]:
                continue
            text = METHOD if row["kind"] == "predicted" else row["reference"]
            parts: dict[str, Any] = {one.name: row[one.name] or one.default for one in fields(Reference)}
            found = parse_reference(METHOD) if text == METHOD else Reference(**parts)
            if text != "not stated" or found.doi:
                named = used.setdefault((text, found), [])
                named += [] if system in named else [system]
    citations = [
        {"reference": text, "doi": parts.doi or None, "year": parts.year, "systems": named}
        for (text, parts), named in used.items()
    ]
    return list(used), citations
