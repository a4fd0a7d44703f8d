"""Import files of rate coefficients into a store."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.files import read_bytes, sha256
from ratedb.formats.detect import ReadOptions, read_file
from ratedb.physics.transitions import format_integers
from ratedb.store.plans import known_j, newest_plan
from ratedb.store.rates import KINDS
from ratedb.store.store import Incoming, PutResult, SourceInfo, Store
from ratedb.tables import LevelTable, MoleculeFile, PartnerRates, RateTable

IMPORT_KINDS = KINDS[:-1]


@dataclass(frozen=True)
class ImportOptions:
    """How to read files and what to record of their origin; `j` keeps only these initial j.

    `levels` and `collider_levels` are files with the levels that the rates refer to.
    """

    file_format: str = "auto"
    molecule: str | None = None
    collider: str | None = None
    method: str | None = None
    reference: str | None = None
    kind: str = "computed"
    j: tuple[int, ...] | None = None
    levels: tuple[Path, ...] = ()
    collider_levels: Path | None = None


@dataclass(frozen=True)
class PlanProgress:
    """How far the newest plan of a system has come: its jobs' initial j that are there, and those to do."""

    plan_id: int
    done_j: tuple[int, ...]
    left_j: tuple[int, ...]


@dataclass(frozen=True)
class ImportedSystem:
    """What one partner of one file brought; `rates`, `new` and `unchanged` count values.

    `plan` is how far the system's newest plan with a chosen set has come, None where there is none.
    """

    system: str
    source_id: int | None
    levels: int
    transitions: int
    temperatures: int
    rates: int
    new: int
    unchanged: int
    warnings: tuple[str, ...]
    plan: PlanProgress | None = None

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
        incoming.append(read_incoming(path, options, partial(_stored_levels, db)))
    report("storing")
    with ExitStack() as stack:
        if dry_run and not db.exists():
            db = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "dry-run.duckdb"
        store = stack.enter_context(Store(db, write=True, create=True))
        results = store.put_rates(incoming, dry_run=dry_run)
        tables = [table for file in incoming for table, _ in file.sources]
        systems = {table.system for table in tables}
        progress = {} if dry_run else {system: _progress(store, system) for system in systems}
    return [
        replace(_imported(table, result), plan=progress.get(table.system))
        for table, result in zip(tables, results, strict=True)
    ]


def _progress(store: Store, system: str) -> PlanProgress | None:
    """Return which jobs of the system's newest plan have their rates."""
    plan = newest_plan(store.connection, system)
    if plan is None or plan.chosen is None:
        return None
    known = {*known_j(store.connection, system, plan.request["v_max"]), *plan.request["given"]}
    jobs = sorted({*plan.chosen["train_j"], *plan.chosen["validate_j"]} - set(plan.request["given"]))
    done = tuple(j for j in jobs if j in known)
    return PlanProgress(plan.plan_id or 0, done, tuple(j for j in jobs if j not in known))


def _stored_levels(db: Path, molecule: str) -> LevelTable | None:
    """Return the levels of a molecule that the store has, or None."""
    if not db.exists():
        return None
    with Store(db) as store:
        return store.levels(molecule).levels if store.has_molecule(molecule) else None


def _none_stored(molecule: str) -> LevelTable | None:
    return None


def read_incoming(
    path: Path,
    options: ImportOptions,
    known_levels: Callable[[str], LevelTable | None] = _none_stored,
) -> Incoming:
    """Return what a file brings, without a store; raises RatedbError where it cannot be read.

    `known_levels` gives the levels of a molecule for files that name theirs by v and j only.
    """
    if options.molecule is not None and not re.fullmatch(r"[A-Za-z0-9()'+-]+", options.molecule):
        raise UsageError("not the name of a molecule", expected="a name such as CO", got=options.molecule)
    content_sha256 = sha256(read_bytes(path))
    reading = ReadOptions(
        options.molecule, options.collider, options.levels, options.collider_levels, known_levels
    )
    file = read_file(path, reading, file_format=options.file_format)
    _need_rates(file, path)
    sources = []
    for partner, rates, warnings in _wanted(file, options.j, path):
        info = SourceInfo(
            kind=partner.kind or options.kind,
            method=options.method or "not stated",
            reference=options.reference or partner.reference or "not stated",
            file_name=path.name,
            file_sha256=content_sha256,
            warnings=(*file.warnings, *warnings, *_doubtful_kind(partner, options)),
        )
        sources.append((rates, info))
    return Incoming(file.lines, tuple(sources))


def _wanted(
    file: MoleculeFile, j_values: tuple[int, ...] | None, path: Path
) -> list[tuple[PartnerRates, RateTable, list[str]]]:
    """Return each partner with its rates out of these j, and a warning where it does not have all of them.

    Raises RatedbError where no partner has all of them.
    """
    if j_values is None:
        return [(partner, partner.rates, []) for partner in file.partners]
    found = []
    lacking: dict[str, list[int]] = {}
    for partner in file.partners:
        initial_j = partner.rates.initial_j()
        missing = sorted(set(j_values) - set(initial_j.tolist()) - {0})
        warnings = []
        if missing:
            lacking[partner.rates.system] = missing
            warnings = [f"{partner.rates.system} has no transitions out of j = {format_integers(missing)}"]
        rates = partner.rates.select(np.isin(initial_j, j_values))
        if len(rates):
            found.append((partner, rates, warnings))
    if len(lacking) == len(file.partners):
        system, missing = next(iter(lacking.items()))
        initial_j = file.partners[0].rates.initial_j()
        raise RatedbError(
            "the file has no transitions out of some j",
            where=f"{path}, {system}",
            expected=f"j among {format_integers(sorted(set(initial_j.tolist())))}",
            got=", ".join(map(str, missing)),
        )
    return found


def _doubtful_kind(partner: PartnerRates, options: ImportOptions) -> list[str]:
    """Warn where the file's own words speak of another kind than `computed`."""
    words = partner.reference.lower()
    if options.kind != "computed":
        return []
    return [
        f"the file says of {partner.rates.system} that it is {kind}, `{partner.reference[:60]}`: "
        f"import it with --kind {kind} if that is so"
        for kind, word in (("scaled", "scaled"), ("extrapolated", "extrapol"))
        if word in words
    ]


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
