"""The provenance of an exported file, FILE.provenance.json, as it is read: checked and cleaned.

Anybody may have written it. It is checked against schemas/provenance.schema.json, and can name files next to
it only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratedb.documents import DocumentError, load_schema, need_schema, strict_json
from ratedb.errors import RatedbError
from ratedb.files import LARGEST_JSON_BYTES, open_regular, sha256_of
from ratedb.io.provenance import FORMAT
from ratedb.layers import Kind
from ratedb.references import OF_REFERENCE, Reference, parse_reference
from ratedb.safe_text import clean, refuse_hidden, visible

_PREDICTED = Kind.PREDICTED.text
_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Citation:
    """What one source gave to a file: `use` says whether its rates are in it or a model relies on them."""

    system: str
    reference: str
    kind: str
    use: str
    rates: int
    parts: Reference


@dataclass(frozen=True)
class ExportedSource:
    """What a provenance says of a source of files.

    `pairs` are the labels of its transitions where several sources are in the file, None for the one with the
    rest; `own_k` are then the temperatures that it has.
    """

    kind: str
    method: str
    reference: str
    pairs: frozenset[tuple[str, str]] | None
    own_k: tuple[float, ...]


@dataclass(frozen=True)
class ExportedPartner:
    """What a provenance says of one system; `predicted` are labels of transitions."""

    sources: tuple[ExportedSource, ...]
    predicted: frozenset[tuple[str, str]]
    interpolated_k: tuple[float, ...]
    kinds: Mapping[str, int]
    citations: tuple[Citation, ...]


@dataclass(frozen=True)
class Provenance:
    """What the provenance of an export says: the hashes of its files by name, and its systems.

    `labels` has for each label that was changed, as written, what it was; `computed_lines` are the lines, by
    their labels as written, whose frequency no source has. `quantum_numbers` are the names of those in the
    original labels.
    """

    sha256: str
    files: Mapping[str, str]
    ratedb_version: str
    partners: Mapping[str, ExportedPartner]
    labels: Mapping[str, str]
    computed_lines: frozenset[tuple[str, str]]
    quantum_numbers: tuple[str, ...]


class NoProvenanceError(RatedbError):
    """A file has no provenance next to it, or one of another file."""


def sidecar_path(path: Path) -> Path:
    """Return the path of the provenance of an exported file, which is next to it."""
    return path.with_name(f"{path.name}.provenance.json")


def read_provenance(path: Path, sha256: str | None = None) -> Provenance:
    """Return the provenance next to an exported file, checked against its schema.

    `sha256` is that of the file, where it is known. Raises NoProvenanceError where there is none, or with
    `sha256` one of another file, RatedbError where it is invalid. A link is not followed.
    """
    sidecar = sidecar_path(path)
    if not sidecar.exists() and not sidecar.is_symlink():
        raise NoProvenanceError(
            "the file has no provenance next to it",
            where=str(sidecar),
            expected="FILE.provenance.json, which `ratedb export` writes next to FILE",
            todo="name a file that ratedb exported, and keep the two together",
        )
    content = _content(sidecar, path)
    try:
        document = strict_json(content)
        if not isinstance(document, dict) or any(
            document.get(name) != value for name, value in FORMAT.items()
        ):
            raise DocumentError("its format is another one")
        need_schema(document, load_schema("provenance"))
    except DocumentError as error:
        raise RatedbError(
            "this is not a provenance of ratedb, or one of a newer version",
            where=str(sidecar),
            expected="a JSON object of the format ratedb-provenance, version 1",
            got=visible(str(error)),
            todo="export the file again, or remove the provenance; then the file is one of unknown origin",
        ) from error
    if sha256 not in (None, document["sha256"]):
        raise NoProvenanceError("the provenance of another file", where=str(sidecar))
    refuse_hidden("a name in the provenance", _names_in(document), str(sidecar))
    return _provenance(document)


def _content(sidecar: Path, path: Path) -> bytes:
    """Return the bytes of a provenance; a large one is read only where it has the hash of its file."""
    with open_regular(sidecar, follow=False) as handle:
        head = handle.read(LARGEST_JSON_BYTES + 1)
        if len(head) <= LARGEST_JSON_BYTES:
            return head
        said = re.search(rb'"sha256": "([0-9a-f]{64})"', head[:_HEAD_BYTES])
        if said is None or not path.is_file() or sha256_of(path).encode() != said[1]:
            raise NoProvenanceError(
                "the provenance is large, and of another file",
                where=str(sidecar),
                expected=f"at most {LARGEST_JSON_BYTES / 1e6:g} MB, or the SHA-256 of its file",
                todo="export the file again",
            )
        return head + handle.read()


def _names_in(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of systems, levels and quantum numbers in a provenance."""
    yield from document.get("quantum_numbers", ())
    for pair in (*document.get("labels", ()), *document.get("computed_lines", ())):
        yield from pair.values()
    for partner in document["partners"]:
        yield partner["system"]
        yield from (label for pair in partner["predicted"] for label in (pair["upper"], pair["lower"]))
        for pairs in (source.get("pairs") or {} for source in partner["sources"]):
            yield from pairs
            yield from (label for labels in pairs.values() for label in labels)


def _provenance(document: Mapping[str, Any]) -> Provenance:
    return Provenance(
        document["sha256"],
        {one["file"]: one["sha256"] for one in document.get("files", [])},
        clean(document["ratedb_version"]),
        {one["system"]: partner_of(one) for one in document["partners"]},
        {one["written"]: one["original"] for one in document.get("labels", [])},
        frozenset((one["upper"], one["lower"]) for one in document.get("computed_lines", [])),
        tuple(document.get("quantum_numbers", [])),
    )


def partner_of(said: Mapping[str, Any]) -> ExportedPartner:
    """Return what a provenance says of one system, as partner_provenance gives it."""
    system = said["system"]
    citations = [
        Citation(system, clean(source["reference"]), source["kind"], "rates", source["rates"], _parts(source))
        for source in said["sources"]
        if source["kind"] != _PREDICTED
    ]
    citations += [
        Citation(
            system,
            reference,
            "computed",
            clean(f"prior mean of the model, {model['prior']['system']}"),
            0,
            parse_reference(reference),
        )
        for model in said["models"]
        if model.get("prior") is not None
        for reference in map(clean, model["prior"].get("citations", ()))
    ]
    return ExportedPartner(
        tuple(_source(source) for source in said["sources"] if source["kind"] != _PREDICTED),
        frozenset((pair["upper"], pair["lower"]) for pair in said["predicted"]),
        tuple(float(kelvin) for kelvin in said["interpolated_temperatures_k"]),
        {str(kind): int(count) for kind, count in said["kinds"].items()},
        tuple(citations),
    )


def _source(said: Mapping[str, Any]) -> ExportedSource:
    pairs = said.get("pairs")
    return ExportedSource(
        said["kind"],
        clean(said["method"]),
        clean(said["reference"]),
        None if pairs is None else frozenset((upper, low) for upper in pairs for low in pairs[upper]),
        tuple(said.get("own_temperatures_k", ())),
    )


def _parts(source: Mapping[str, Any]) -> Reference:
    """Return the reference of a source in its parts; a provenance of earlier versions has only the text."""
    known = {name: source[name] for name in OF_REFERENCE if source.get(name)}
    return Reference(**known).cleaned() if known else parse_reference(clean(source["reference"]))


def hash_of_earlier_export(path: Path, name: str) -> str | None:
    """Return the SHA-256 that the provenance of `path` gives for a file `name` next to it, None without."""
    try:
        return read_provenance(path).files.get(name)
    except RatedbError:
        return None
