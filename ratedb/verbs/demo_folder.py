"""The input and the folder of a demo; `demo.json` keeps the result of each step, so that it can continue."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ratedb import __version__
from ratedb.documents import DocumentError, load_schema, need_schema, strict_json
from ratedb.errors import RatedbError
from ratedb.files import LARGEST_JSON_BYTES, read_bytes, sha256_of, write_atomically
from ratedb.options import Progress
from ratedb.plots.figures import plots_available


@dataclass
class DemoFolder:
    """A folder with the results of the steps so far; `report` is told each step."""

    path: Path
    report: Progress
    identity: dict[str, str]
    steps: dict[str, Any] = field(default_factory=dict)
    announced: int = 0

    @property
    def db(self) -> Path:
        """The store in which rates are predicted."""
        return self.path / "demo.duckdb"

    def step(self, name: str, words: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return the result of a step; do it unless an earlier run has."""
        self.announced += 1
        done = name in self.steps and _files_exist(self.steps[name])
        self.report(f"{self.announced:2d}  {words}{' (done before)' if done else ''}")
        if not done:
            self.steps[name] = work()
            if "skipped" not in self.steps[name]:  # a missing package may be installed by the next time
                self.save()
        result: dict[str, Any] = self.steps[name]
        return result

    def save(self) -> None:
        """Keep the results so far."""
        text = json.dumps({"identity": self.identity, "steps": self.steps}, indent=1, default=str)
        write_atomically({self.path / "demo.json": text.encode()})


def open_folder(path: Path, file: Path, report: Progress) -> DemoFolder:
    """Return a demo's folder, made if need be, with the results of an earlier run on the same file.

    Raises RatedbError where the folder cannot be made, or holds something else.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RatedbError(
            "cannot make the demo's folder", where=str(path), got=error.strerror or str(error)
        ) from error
    identity = {"file": file.name, "sha256": sha256_of(file), "ratedb_version": __version__}
    folder = DemoFolder(path, report, identity)
    kept = path / "demo.json"
    if kept.exists():
        folder.steps = _steps_of(kept, identity)
    elif folder.db.exists():
        raise RatedbError(
            "the folder already holds a database that is not from a demo",
            where=str(folder.db),
            todo="name another folder: ratedb demo FOLDER",
        )
    folder.save()
    return folder


def _steps_of(kept: Path, identity: dict[str, str]) -> dict[str, Any]:
    found = "something else"
    try:
        state = strict_json(read_bytes(kept, largest=LARGEST_JSON_BYTES))
        found = f"a demo of {state['identity']['file']} by ratedb {state['identity']['ratedb_version']}"
        if state["identity"] == identity:
            steps = dict(state["steps"])
            for name, step in steps.items():
                need_step(name.partition(" ")[0], step)
            return steps
    except DocumentError as error:
        found = str(error)
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    raise RatedbError(
        "the folder holds a demo of another file or version",
        where=str(kept),
        expected=f"a demo of {identity['file']} by ratedb {identity['ratedb_version']}",
        got=found,
        todo="name that file with --file, another folder (ratedb demo FOLDER), or remove this one",
    )


def need_step(name: str, step: Any) -> None:
    """Raise DocumentError where what is kept of a step is not what it gives."""
    need_schema(step, {"$ref": f"#/$defs/{name}", "$defs": load_schema("demo")["$defs"]})


def _files_exist(result: dict[str, Any]) -> bool:
    """Return whether the files of a step exist, also a picture that could not be drawn before."""
    if "picture" in result and result["picture"] is None and plots_available():
        return False
    return all(Path(result[name]).exists() for name in ("path", "picture") if result.get(name))
