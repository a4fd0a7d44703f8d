"""What files bring to a store: rates with their origin, and what quality control finds in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ratedb.errors import RatedbError, UsageError, one_of
from ratedb.files import InputFile, sha256
from ratedb.io.contents import MoleculeFile, PartnerRates, Wanted, of_kind, rates_out_of
from ratedb.io.own_exports import as_exported
from ratedb.io.registry import ReadOptions, read_rates
from ratedb.layers import Kind
from ratedb.levels import Levels, Lines
from ratedb.methods import CALCULATIONS, NOT_STATED, ask_for_method, doubts_of_kind, method_class
from ratedb.options import ImportOptions, Progress
from ratedb.quality.check import QUALITIES
from ratedb.rates import Rates
from ratedb.safe_text import visible
from ratedb.store.store import Incoming, SourceInfo
from ratedb.systems import MOLECULE_NAMES, is_molecule
from ratedb.verbs.averaging import average_files
from ratedb.verbs.incoming_quality import findings_in

KnownLevels = Callable[[str], Levels | None]

IMPORT_KINDS = tuple(kind.text for kind in Kind if kind != Kind.PREDICTED)


def check_options(options: ImportOptions) -> None:
    """Raise UsageError for options that are unknown or do not go together."""
    if options.cross_sections != bool(options.temperatures):
        raise UsageError(
            "--cross-sections and --temperatures need each other",
            expected="both, or neither",
            got="one without the other",
        )
    one_of("kind of imported rates", options.kind, IMPORT_KINDS)
    one_of("quality", options.quality, QUALITIES)
    if options.molecule is not None and (" " in options.molecule or not is_molecule(options.molecule)):
        got = visible(options.molecule)
        raise UsageError("not the name of a molecule", expected=MOLECULE_NAMES, got=got)


def read_incoming(path: Path, options: ImportOptions, known_levels: KnownLevels) -> Incoming:
    """Return what a file of rates brings; raises RatedbError where it cannot be read.

    `known_levels` gives the levels of a molecule for files that name theirs by v and j only.
    """
    source = InputFile.read(path)
    file = read_rates(source, _reading(options, known_levels), file_format=options.format)
    if options.kind == "computed":
        file = as_exported(file, source)
    if not file.partners:
        raise RatedbError(
            "the file has no collision rates",
            where=str(path),
            expected="at least one collision partner",
            todo="check that the file is complete",
        )
    blank = SourceInfo(
        kind=options.kind,
        method=options.method or NOT_STATED,
        reference=options.reference or "not stated",
        file_name=path.name,
        file_sha256=source.sha256,
        comment=options.comment,
    )
    return Incoming(file.lines, tuple(_sources(file, blank, options, str(path))))


def read_incoming_cross_sections(
    paths: Sequence[Path], options: ImportOptions, known_levels: KnownLevels, progress: Progress
) -> Incoming:
    """Return the rates that files of cross sections give together, as one source; raises RatedbError."""
    averaged = average_files(paths, _reading(options, known_levels), options, progress)
    thermal = averaged.thermal
    partner = PartnerRates(thermal.rates, findings=thermal.findings)
    file = MoleculeFile(thermal.rates.levels, Lines.empty(), (partner,), averaged.warnings)
    where, (name, digest) = paths[0], averaged.files[0]
    if len(paths) > 1:
        where, name = paths[0].parent, f"{len(paths)} files"
        digest = sha256("".join(sorted(one for _, one in averaged.files)).encode())
    blank = SourceInfo(
        kind=options.kind,
        method=f"{averaged.method}, thermal average of cross sections",
        reference=options.reference or "not stated",
        file_name=name,
        file_sha256=digest,
        files=averaged.files if len(paths) > 1 else (),
        comment=options.comment,
    )
    return Incoming(file.lines, tuple(_sources(file, blank, options, str(where))))


def _reading(options: ImportOptions, known_levels: KnownLevels) -> ReadOptions:
    return ReadOptions(
        options.molecule,
        options.collider,
        options.levels,
        options.collider_levels,
        known_levels,
        options.reduced_mass,
    )


def _sources(
    file: MoleculeFile, blank: SourceInfo, options: ImportOptions, where: str
) -> Iterator[tuple[Rates, SourceInfo]]:
    """Yield the rates of each partner out of the wanted j, with what is said of them and found in them."""
    file = of_kind(file, options.kind_of_molecule)
    for partner, rates, warnings in rates_out_of(file, Wanted(options.j, options.units), where):
        kind, method = partner.kind or blank.kind, _method(partner, blank, options)
        doubts = doubts_of_kind(rates.system, partner.reference) if blank.kind == "computed" else []
        unstated = [] if kind != "computed" else ask_for_method(rates.system, method)
        yield (
            rates,
            replace(
                blank,
                kind=kind,
                method=method,
                exported=partner.exported,
                reference=options.reference or partner.reference or blank.reference,
                warnings=(*file.warnings, *warnings, *doubts, *unstated),
                findings=findings_in(file, partner, rates, options, where),
            ),
        )


def _method(partner: PartnerRates, blank: SourceInfo, options: ImportOptions) -> str:
    """Return the method that is given or that the file states; else a method that its reference names."""
    stated = options.method or partner.method or blank.method
    named = method_class(partner.reference)
    return named if stated == NOT_STATED and named in CALCULATIONS else stated
