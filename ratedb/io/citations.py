"""Say what to cite for an exported file, out of the provenance beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ratedb.errors import RatedbError
from ratedb.files import read_bytes, sha256

METHOD = (
    "Mihalik, D. E., Wang, R., Yang, B. H., Stancil, P. C., Price, T. J., Forrey, R. C., Balakrishnan, N. &"
    " Krems, R. V. 2025, J. Chem. Phys. 162, 024116"
)
"""The paper of the method, to be cited where rates are predicted; CITATION.cff names it too."""


@dataclass(frozen=True)
class Citation:
    """What one source gave to a file: `use` says whether its rates are in it or a model leans on them."""

    system: str
    reference: str
    kind: str
    use: str
    rates: int


@dataclass(frozen=True)
class Citations:
    """What to cite for a file; `method` is None where nothing in it is predicted."""

    file: str
    ratedb_version: str
    citations: tuple[Citation, ...]
    method: str | None

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def citations_of(path: Path) -> Citations:
    """Return what to cite for an exported file.

    Raises RatedbError where its provenance is not beside it, is of another file, or cannot be read, and where
    the list of levels that its rates refer to is another one.
    """
    sidecar = path.with_name(f"{path.name}.provenance.json")
    document = _document(sidecar)
    _need_unchanged(path, document["sha256"], document["ratedb_version"])
    for other in document.get("files", []):
        _need_unchanged(path.parent / other["file"], other["sha256"], document["ratedb_version"])
    found: list[Citation] = []
    for partner in document["partners"]:
        system = partner["system"]
        found += [
            Citation(system, source["reference"], source["kind"], "rates", source["rates"])
            for source in partner["sources"]
            if source["kind"] != "predicted"
        ]
        found += [
            Citation(system, reference, "computed", f"prior mean of the model, {model['prior']['system']}", 0)
            for model in partner["models"]
            if model["prior"] is not None
            for reference in model["prior"]["citations"]
        ]
    predicted = any(partner["kinds"]["predicted"] for partner in document["partners"])
    return Citations(
        str(path),
        document["ratedb_version"],
        tuple(dict.fromkeys(found)),
        METHOD if predicted else None,
    )


def _need_unchanged(path: Path, expected: str, version: str) -> None:
    found = sha256(read_bytes(path))
    if found != expected:
        raise RatedbError(
            "the file is not the one that its provenance describes",
            where=str(path),
            expected=f"SHA-256 {expected[:16]}..., exported by ratedb {version}",
            got=f"SHA-256 {found[:16]}...",
            todo="the file was changed after its export: export it again",
        )


def _document(sidecar: Path) -> dict[str, Any]:
    if not sidecar.exists():
        raise RatedbError(
            "the file has no provenance beside it",
            where=str(sidecar),
            expected="FILE.provenance.json, which `ratedb export` writes beside FILE",
            todo="name a file that ratedb exported, and keep the two together",
        )
    try:
        document = json.loads(read_bytes(sidecar))
        if document["format"] != "ratedb-provenance" or document["format_version"] != 1:
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise RatedbError(
            "this is no provenance of ratedb, or of a newer one",
            where=str(sidecar),
            expected="a JSON object of the format ratedb-provenance, version 1",
            todo="export the file again",
        ) from error
    return dict(document)
