"""Files that verbs write: refused before long work where they cannot be written, then written."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ratedb.errors import RatedbError, UsageError
from ratedb.files import check_target, refuse_database, sha256_of, write_atomically
from ratedb.io.sidecar import hash_of_earlier_export, sidecar_path
from ratedb.results import Result, plain
from ratedb.store.store import Store

Shown = TypeVar("Shown", bound=Result)


def check_targets(output: Path | None, picture: Path | None, reads: Sequence[Path] = ()) -> None:
    """Raise RatedbError or UsageError for a file that could not be written, or that is also read."""
    from ratedb.plots.figures import check_picture

    taken = [path.resolve() for path in reads]
    for path, check in ((output, check_target), (picture, check_picture)):
        if path is None:
            continue
        check(path)
        if path.resolve() in taken:
            raise UsageError(
                "the same file is named twice",
                where=str(path),
                expected="different files to read and write",
            )
        taken.append(path.resolve())


def write_result(
    result: Shown, output: Path | None, picture: Path | None, draw: Callable[[Shown, Path], None]
) -> None:
    """Write a result as JSON and as a picture, each where a file is named for it."""
    if output is not None:
        text = json.dumps(plain(result.to_json()), indent=1, allow_nan=False)
        write_atomically({output: f"{text}\n".encode()})
    if picture is not None:
        draw(result, picture)


def refuse_unrelated(path: Path, target: Path) -> None:
    """Raise RatedbError where a file exists at `path` that no export to the same target has written."""
    refuse_database(path)
    if path.is_file() and sha256_of(path) != hash_of_earlier_export(target, path.name):
        raise RatedbError(
            "another file exists where the levels of this export would be written",
            where=str(path),
            expected="no file, or the one of an earlier export to the same name",
            todo="export to a file of another name, or move that one away; nothing was written",
        )


def check_export(target: Path, db: Path, systems: Sequence[str]) -> None:
    """Raise RatedbError for a file that cannot be written, or that a source of the systems came from.

    A file with provenance next to it is an export itself.
    """
    check_target(target)
    if not target.is_file() or sidecar_path(target).exists():
        return
    with Store(db) as store:
        known = {row["file_sha256"] for system in systems for row in store.sources(system)}
    if sha256_of(target) in known:
        raise RatedbError(
            "the export would overwrite a source of these rates",
            where=str(target),
            expected="the name of another file",
            todo="export to another name, or remove the file first",
        )
