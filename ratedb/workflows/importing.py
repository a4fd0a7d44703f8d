"""Import files of rate coefficients into a store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.files import read_bytes, sha256
from ratedb.formats.detect import read_file
from ratedb.physics.transitions import format_integers
from ratedb.store.rates import KINDS
from ratedb.store.store import Incoming, PutResult, SourceInfo, Store
from ratedb.tables import MoleculeFile, PartnerRates, RateTable

IMPORT_KINDS = KINDS[:-1]


@dataclass(frozen=True)
class ImportOptions:
    """How to read files and what to record of their origin; `j` keeps only these initial j."""

    file_format: str = "auto"
    molecule: str | None = None
    collider: str | None = None
    method: str | None = None
    reference: str | None = None
    kind: str = "computed"
    j: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ImportedSystem:
    """What one partner of one file brought; `rates`, `new` and `unchanged` count values."""

    system: str
    source_id: int | None
    levels: int
    transitions: int
    temperatures: int
    rates: int
    new: int
    unchanged: int
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def import_files(
    db: Path,
    paths: Sequence[Path],
    options: ImportOptions | None = None,
    *,
    dry_run: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> list[ImportedSystem]:
    """Read files and keep all of their rates, or none.

    Raises UsageError for an unknown kind, RatedbError where a file cannot be read or contradicts the
    store; the store is then as it was.
    """
    options = options or ImportOptions()
    if options.kind not in IMPORT_KINDS:
        raise UsageError(
            f"a file cannot bring rates of kind {options.kind!r}", expected=" or ".join(IMPORT_KINDS)
        )
    incoming: list[Incoming] = []
    for path in paths:
        report(f"reading {path.name}")
        incoming.append(read_incoming(path, options))
    report("storing")
    with ExitStack() as stack:
        if dry_run and not db.exists():
            db = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "dry-run.duckdb"
        store = stack.enter_context(Store(db, write=True, create=True))
        results = store.put_rates(incoming, dry_run=dry_run)
    tables = [table for file in incoming for table, _ in file.sources]
    return [_imported(table, result) for table, result in zip(tables, results, strict=True)]


def read_incoming(path: Path, options: ImportOptions) -> Incoming:
    """Return what a file brings, without a store; raises RatedbError where it cannot be read."""
    content_sha256 = sha256(read_bytes(path))
    file = read_file(
        path, file_format=options.file_format, molecule=options.molecule, collider=options.collider
    )
    sources = []
    for partner in file.partners:
        info = SourceInfo(
            kind=options.kind,
            method=options.method or "not stated",
            reference=options.reference or partner.reference or "not stated",
            file_name=path.name,
            file_sha256=content_sha256,
            warnings=file.warnings,
        )
        sources.append((_wanted(partner, options.j, path), info))
    _need_rates(file, path)
    return Incoming(file.lines, tuple(sources))


def _wanted(partner: PartnerRates, j_values: tuple[int, ...] | None, path: Path) -> RateTable:
    if j_values is None:
        return partner.rates
    initial_j = partner.rates.initial_j()
    missing = sorted(set(j_values) - set(initial_j.tolist()) - {0})
    if missing:
        raise RatedbError(
            "the file has no transitions out of some j",
            where=f"{path}, {partner.rates.system}",
            expected=f"j among {format_integers(sorted(set(initial_j.tolist())))}",
            got=", ".join(map(str, missing)),
        )
    return partner.rates.select(np.isin(initial_j, j_values))


def _need_rates(file: MoleculeFile, path: Path) -> None:
    if not file.partners:
        raise RatedbError(
            "the file has no collision rates",
            where=str(path),
            expected="at least one collision partner",
            todo="check that the file is complete",
        )


def _imported(table: RateTable, result: PutResult) -> ImportedSystem:
    return ImportedSystem(
        system=table.system,
        source_id=result.source_id,
        levels=len(table.levels),
        transitions=len(table),
        temperatures=len(table.temperature_k),
        rates=int(np.isfinite(table.rate_cm3_s).sum()),
        new=result.new,
        unchanged=result.unchanged,
        warnings=result.warnings,
    )
