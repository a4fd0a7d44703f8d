"""References of an import: what its options say, in parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ratedb.errors import UsageError
from ratedb.io.bibtex import read_bibtex
from ratedb.options import ImportOptions
from ratedb.references import Reference, is_doi, parse_reference
from ratedb.store.store import Incoming, PutResult, SourceInfo


@dataclass(frozen=True)
class StatedReference:
    """The reference that the options of an import state: its DOI, and its parts from a BibTeX entry."""

    doi: str = ""
    entry: Reference | None = None

    def given_to(self, files: Sequence[Incoming]) -> list[Incoming]:
        """Return files whose sources have this reference in its parts."""
        if not self.doi and self.entry is None:
            return list(files)
        return [
            replace(file, sources=tuple((rates, self._of(info)) for rates, info in file.sources))
            for file in files
        ]

    def _of(self, info: SourceInfo) -> SourceInfo:
        named = info.reference if info.reference != "not stated" else f"doi:{self.doi}"
        return replace(
            info, reference=named, parts=self.entry or replace(parse_reference(named), doi=self.doi)
        )

    def warnings(self, system: str, result: PutResult) -> tuple[str, ...]:
        """Say where the reference is not stored, since the values are those of a source with another one."""
        if result.source_id is not None or not self.doi:
            return ()
        return (
            f"nothing is new for {system}, so the DOI is not stored: "
            f"`ratedb sources {system} --correct ID doi={self.doi} --because TEXT` stores it",
        )


def stated_reference(options: ImportOptions) -> tuple[ImportOptions, StatedReference]:
    """Return what options state of the reference, and the options with its text as the reference.

    Raises UsageError for an invalid DOI, or one that is not that of the BibTeX entry; RatedbError where a
    file does not hold one entry.
    """
    doi = options.doi or ""
    if options.doi is not None and not is_doi(doi):
        raise UsageError("invalid DOI", expected="such as 10.1088/0004-637X/718/2/1062", got=repr(doi))
    if options.bibtex is None:
        return options, StatedReference(doi)
    entry = read_bibtex(options.bibtex)
    if doi and entry.doi and doi.lower() != entry.doi.lower():
        raise UsageError("--doi is not the DOI of the entry in --bibtex", expected=entry.doi, got=doi)
    entry = replace(entry, doi=entry.doi or doi)
    return replace(options, reference=options.reference or entry.text() or None), StatedReference(
        entry.doi, entry
    )
