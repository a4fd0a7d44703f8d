"""Quality control of what an import brings: by itself, and against the sources in the store."""

from __future__ import annotations

from dataclasses import replace

from ratedb.findings import Finding
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.options import ImportOptions
from ratedb.quality.check import check_source
from ratedb.quality.reports import about, refuse_errors
from ratedb.quality.sources import check_against
from ratedb.rates import Rates
from ratedb.store.store import Incoming, SourceInfo, Store


def findings_in(
    file: MoleculeFile, partner: PartnerRates, rates: Rates, options: ImportOptions, where: str
) -> tuple[Finding, ...]:
    """Return what is found in the rates that are kept; raises RatedbError for errors where strict."""
    if options.quality == "off":
        return ()
    strict = options.quality == "strict"  # which refuses all errors, and so withholds none
    checked = check_source(partner.rates, file.lines, partner.reference, mark=strict)
    found = about(rates, [*partner.findings, *checked])
    if strict:
        refuse_errors(found, f"{where}, {rates.system}")
    return tuple(found)


def against_stored(store: Store, file: Incoming) -> Incoming:
    """Return a file with findings about other sources of the same system in the store."""
    return replace(
        file,
        sources=tuple(
            (rates, replace(info, findings=(*info.findings, *_about_stored(store, rates, info))))
            for rates, info in file.sources
        ),
    )


def _about_stored(store: Store, rates: Rates, info: SourceInfo) -> list[Finding]:
    if not store.has_system(rates.system):
        return []
    return [
        finding
        for number in store.other_sources(rates.system, info.file_sha256)
        for finding in check_against(number, store.source_rates(rates.system, number), rates)
    ]
