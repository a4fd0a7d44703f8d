"""Read what files bring: rates with their origin, and what quality control finds in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError, UsageError
from ratedb.files import read_bytes, sha256
from ratedb.findings import Finding
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.detect import ReadOptions, read_file
from ratedb.io.own_exports import as_exported
from ratedb.layers import KINDS
from ratedb.levels import Levels, Lines
from ratedb.numbers import format_integers
from ratedb.quality.check import QUALITIES, check_source
from ratedb.quality.reports import about, refuse_errors
from ratedb.rates import Rates
from ratedb.store.store import Incoming, SourceInfo
from ratedb.verbs.averaging import average_files

IMPORT_KINDS = KINDS[:-1]


@dataclass(frozen=True)
class ImportOptions:
    """How to read files and what to record of their origin; `j` keeps only these initial j.

    `levels` and `collider_levels` are files with the levels that the rates refer to. `quality` is off, warn
    (findings are kept, and errors mark their values) or strict (errors refuse the file). With `temperature_k`
    the files hold cross sections, which are averaged together; `reduced_mass_u` is for those without one.
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
    quality: str = "warn"
    temperature_k: tuple[float, ...] = ()
    reduced_mass_u: float | None = None

    def check(self) -> None:
        """Raise UsageError for an unknown kind or quality."""
        if self.kind not in IMPORT_KINDS:
            raise UsageError(
                f"a file cannot bring rates of kind {self.kind!r}", expected=" or ".join(IMPORT_KINDS)
            )
        if self.quality not in QUALITIES:
            raise UsageError(f"unknown quality {self.quality!r}", expected=" or ".join(QUALITIES))
        if self.molecule is not None and not re.fullmatch(r"[A-Za-z0-9()'+-]+", self.molecule):
            raise UsageError("not the name of a molecule", expected="a name such as CO", got=self.molecule)


def _none_stored(molecule: str) -> Levels | None:
    return None


def read_incoming(
    path: Path,
    options: ImportOptions,
    known_levels: Callable[[str], Levels | None] = _none_stored,
) -> Incoming:
    """Return what a file brings, without a store; raises RatedbError where it cannot be read.

    `known_levels` gives the levels of a molecule for files that name theirs by v and j only.
    """
    content_sha256 = sha256(read_bytes(path))
    file = read_file(path, _reading(options, known_levels), file_format=options.file_format)
    if options.kind == "computed":
        file = as_exported(file, path)
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
            findings=_findings(file, partner, rates, options, path),
        )
        sources.append((rates, info))
    return Incoming(file.lines, tuple(sources))


def _reading(options: ImportOptions, known_levels: Callable[[str], Levels | None]) -> ReadOptions:
    return ReadOptions(
        options.molecule, options.collider, options.levels, options.collider_levels, known_levels
    )


def read_cross_section_files(
    paths: Sequence[Path],
    options: ImportOptions,
    known_levels: Callable[[str], Levels | None],
    report: Callable[[str], None],
) -> Incoming:
    """Return the rates that files of cross sections give together, as one source; raises RatedbError."""
    averaged = average_files(
        paths,
        _reading(options, known_levels),
        options.temperature_k,
        file_format=options.file_format,
        method=options.method,
        reduced_mass_u=options.reduced_mass_u,
        report=report,
    )
    thermal = averaged.thermal
    partner = PartnerRates(thermal.rates, options.reference or "not stated", findings=thermal.findings)
    file = MoleculeFile(averaged.table.levels, Lines.empty(), (partner,), averaged.warnings)
    where = paths[0] if len(paths) == 1 else paths[0].parent
    name, digest = averaged.files[0]
    if len(paths) > 1:
        name = f"{len(paths)} files"
        digest = sha256("".join(sorted(one for _, one in averaged.files)).encode())
    sources = []
    for _, rates, warnings in _wanted(file, options.j, where):
        info = SourceInfo(
            kind=options.kind,
            method=f"{averaged.table.method}, thermal average of cross sections",
            reference=partner.reference,
            file_name=name,
            file_sha256=digest,
            warnings=(*file.warnings, *warnings),
            findings=_findings(file, partner, rates, options, where),
            files=averaged.files if len(paths) > 1 else (),
        )
        sources.append((rates, info))
    return Incoming(file.lines, tuple(sources))


def _findings(
    file: MoleculeFile, partner: PartnerRates, rates: Rates, options: ImportOptions, path: Path
) -> tuple[Finding, ...]:
    """Return what is found in the rates that are kept; raises RatedbError for errors where strict."""
    if options.quality == "off":
        return ()
    checked = check_source(partner.rates, file.lines, partner.reference)
    found = about(rates, [*partner.findings, *checked])
    if options.quality == "strict":
        refuse_errors(found, f"{path}, {rates.system}")
    return tuple(found)


def _wanted(
    file: MoleculeFile, j_values: tuple[int, ...] | None, path: Path
) -> list[tuple[PartnerRates, Rates, list[str]]]:
    """Return each partner with its rates out of these j, and a warning where it does not have all of them.

    Raises RatedbError where no partner has all of them.
    """
    if j_values is None:
        return [(partner, partner.rates, []) for partner in file.partners]
    found: list[tuple[PartnerRates, Rates, list[str]]] = []
    without: list[str] = []
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
        else:
            without += warnings
    if len(lacking) == len(file.partners):
        system, missing = next(iter(lacking.items()))
        initial_j = file.partners[0].rates.initial_j()
        raise RatedbError(
            "the file has no transitions out of some j",
            where=f"{path}, {system}",
            expected=f"j among {format_integers(sorted(set(initial_j.tolist())))}",
            got=", ".join(map(str, missing)),
        )
    return [(partner, rates, [*warnings, *without]) for partner, rates, warnings in found]


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
