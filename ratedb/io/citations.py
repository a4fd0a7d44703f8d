"""What to cite for an exported file or a system."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratedb import __version__
from ratedb.errors import RatedbError
from ratedb.files import sha256_of
from ratedb.io.bibtex import bibtex_entries
from ratedb.io.provenance import (
    METHOD,
    partner_provenance,
)
from ratedb.io.sidecar import Citation, ExportedPartner, partner_of, read_provenance
from ratedb.layers import Kind
from ratedb.rates import Rates
from ratedb.references import parse_reference
from ratedb.results import Result


@dataclass(frozen=True, repr=False)
class Citations(Result):
    """What to cite for a file or a system; `method` is None where nothing in it is predicted.

    `bibtex` has an entry for each different reference.
    """

    file: str
    ratedb_version: str
    citations: tuple[Citation, ...]
    method: str | None
    bibtex: tuple[str, ...]

    def summary(self) -> str:
        """Return how many references there are."""
        return f"{len(self.citations) + (self.method is not None)} references for {self.file}"

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; `references` are the different references."""
        return {**super().to_json(), "references": self.references()}

    def references(self) -> list[str]:
        """Return each different reference, with that of the method."""
        return list(dict.fromkeys([*(one.reference for one in self.citations), *filter(None, [self.method])]))


def citations_of(path: Path) -> Citations:
    """Return what to cite for an exported file.

    Raises RatedbError where its provenance is missing, invalid or of another file, or where the list of
    levels that its rates refer to was changed.
    """
    provenance = read_provenance(path)
    for name, expected in provenance.files.items():
        _need_unchanged(path.parent / name, expected, provenance.ratedb_version, follow=False)
    _need_unchanged(path, provenance.sha256, provenance.ratedb_version)
    return _citations(str(path), provenance.ratedb_version, provenance.partners.values())


def citations_of_system(rates: Rates) -> Citations:
    """Return what to cite for the best rates of a system."""
    return _citations(rates.system, __version__, [partner_of(partner_provenance(rates))])


def _citations(of: str, version: str, partners: Iterable[ExportedPartner]) -> Citations:
    partners = list(partners)
    predicted = any(partner.kinds.get(Kind.PREDICTED.text) for partner in partners)
    found = tuple(dict.fromkeys(citation for partner in partners for citation in partner.citations))
    cited = [(one.reference, one.parts) for one in found if one.reference != "not stated" or one.parts.doi]
    cited += [(METHOD, parse_reference(METHOD))] if predicted else []
    return Citations(of, version, found, METHOD if predicted else None, tuple(bibtex_entries(cited)))


def _need_unchanged(path: Path, expected: str, version: str, *, follow: bool = True) -> None:
    """Raise RatedbError where a file has another SHA-256; without `follow` also where it is a link."""
    found = sha256_of(path, follow=follow)
    if found != expected:
        raise RatedbError(
            "the file is not the one that its provenance describes",
            where=str(path),
            expected=f"SHA-256 {expected[:16]}..., exported by ratedb {version}",
            got=f"SHA-256 {found[:16]}...",
            todo="the file was changed after its export: export it again",
        )
