"""Read a file of rate coefficients, recognised by its content."""

from __future__ import annotations

from pathlib import Path

from ratedb.errors import RatedbError, UsageError
from ratedb.files import read_bytes
from ratedb.formats.lamda import looks_like_lamda, read_lamda
from ratedb.tables import MoleculeFile

FORMATS = ("auto", "lamda")


def read_file(
    path: Path, *, file_format: str = "auto", molecule: str | None = None, collider: str | None = None
) -> MoleculeFile:
    """Return what a file says; `molecule` and `collider` overrule or complete its own words.

    Raises UsageError for an unknown format and RatedbError where the file is of none that ratedb reads.
    """
    if file_format not in FORMATS:
        raise UsageError(f"unknown format {file_format!r}", expected=" or ".join(FORMATS))
    content = read_bytes(path)
    if file_format == "auto" and not looks_like_lamda(content):
        first = content[:80].split(b"\n")[0].decode("latin-1").strip()
        raise RatedbError(
            "this is not a file of rate coefficients that ratedb reads",
            where=str(path),
            expected="a LAMDA file, whose first line is !MOLECULE",
            got=repr(first) if content else "an empty file",
            todo="convert it to LAMDA; other formats come with later versions",
        )
    return read_lamda(path, molecule=molecule, collider=collider)
