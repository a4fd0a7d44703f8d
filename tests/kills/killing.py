"""Kill commands at their N-th change to a file, and compare what is left with what was before and after.

`COMMANDS` is the table of what is killed: a new command that writes is one more line. Run as a program this
is the process in which they run: it has `kill_at.c` loaded, imports everything once, and each command is a
fork of it.
"""

from __future__ import annotations

import ctypes
import gzip
import hashlib
import importlib
import json
import os
import pkgutil
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ratedb.store import seals

HERE = Path(__file__).parent
TESTS = HERE.parent
DB = "store.duckdb"
LOOK = ("systems", "--json")
"""The command that is started next, after each kill."""

Dump = dict[str, Any]


@dataclass(frozen=True)
class Command:
    """A command to kill, in a folder that `prepare` fills; `next` is what somebody runs after the kill."""

    words: tuple[str, ...]
    prepare: Callable[[Path], None]
    next: tuple[str, ...] = LOOK

    @property
    def name(self) -> str:
        """The command and its options, without their values."""
        return " ".join([self.words[0], *(word for word in self.words if word.startswith("--"))])


def with_model(folder: Path) -> None:
    """Make a store with two sources of AB+He and a trained model, a file to import, and an older export."""
    from synthetic import lamda_text, rotor_levels, rotor_rates

    levels = rotor_levels(10, molecule="AB")
    for number, name in enumerate(("one.dat", "two.dat", "new.dat"), 1):
        rates = rotor_rates(levels, "He", (10.0, 50.0, 100.0), seed=number)
        (folder / name).write_text(lamda_text([rates]))
    imports = ("import", "one.dat", "--j", "1:4,6,7,9")
    train = ("train", "AB+He", "--train-j", "3,6,9", "--validate-j", "4,7", "--kernels", "M32")
    export = ("export", "AB+He", "-o", "out.dat", "--j-max", "3")
    for words in (imports, ("import", "two.dat", "--j", "1:4"), train, export):
        _run_here(folder, words)


def with_old_store(folder: Path) -> None:
    """Put a store of an old schema."""
    packed = TESTS / "stores" / "schema-05.duckdb.gz"
    (folder / DB).write_bytes(gzip.decompress(packed.read_bytes()))


def with_file(folder: Path) -> None:
    """Put a file to import, and no store."""
    from synthetic import lamda_text, rotor_levels, rotor_rates

    (folder / "new.dat").write_text(lamda_text([rotor_rates(rotor_levels(4, molecule="AB"))]))


def with_other(folder: Path) -> None:
    """Make a second store beside the one with a model, with a source and an order that this one lacks."""
    with_model(folder)
    for words in (("import", "new.dat"), ("import", "two.dat"), ("sources", "AB+He", "--prefer", "2")):
        _run_here(folder, words, db="other.duckdb")


_EXPORT = ("export", "AB+He", "-o", "out.dat")
_PUBLISH = ("publish", "published")
_FIRST_IMPORT = ("import", "new.dat", "--quality", "off")
COMMANDS = (
    Command(_FIRST_IMPORT, with_file, _FIRST_IMPORT),
    Command(("import", "new.dat", "--method", "CC"), with_model),
    Command(("fill", "AB+He"), with_model),
    Command(("sources", "AB+He", "--prefer", "2,1"), with_model),
    Command(("sources", "AB+He", "--withdraw", "1", "--because", "an error"), with_model),
    Command(("check", "AB+He", "--mark"), with_model),
    Command(("systems",), with_old_store),
    Command(_EXPORT, with_model, _EXPORT),
    Command(("merge", "other.duckdb"), with_other),
    Command(("backup", "copy.duckdb"), with_model),
    Command(_PUBLISH, with_model, _PUBLISH),
    Command(("sql", "SELECT * FROM rates ORDER BY ALL", "-o", "out.csv"), with_model),
)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status, negative for a signal, what it printed, and its changes to files."""

    status: int
    printed: str
    errors: str
    calls: int

    @property
    def acknowledged(self) -> bool:
        """Whether it said that it is done."""
        return self.status == 0 or bool(self.printed)


def layer_of(folder: Path) -> Path | None:
    """Compile the layer that kills, or return None where there is no compiler for it."""
    compiler, library = shutil.which("cc"), folder / "kill_at.so"
    if compiler is None or sys.platform != "linux":
        return None
    words = [compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "kill_at.c", "-ldl"]
    return library if subprocess.run(words, check=False, capture_output=True).returncode == 0 else None


class Commands:
    """Runs commands in forks of one process, in a folder `work` beside one for temporary files, `tmp`."""

    def __init__(self, library: Path) -> None:
        paths = [str(TESTS), str(HERE), os.environ.get("PYTHONPATH", "")]
        environment = {"PYTHONPATH": os.pathsep.join(paths), "LD_PRELOAD": str(library)}
        self._process = subprocess.Popen(
            [sys.executable, __file__, library],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    def run(self, folder: Path, words: tuple[str, ...], at: int = 0, *, cut: bool = False) -> Ended:
        """Run a command, killed at its change `at` to a file; 0 for never."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(folder), words, at, cut]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that runs the commands has ended"
        status, printed, errors, calls = json.loads(line)
        return Ended(status, printed, errors, calls)

    def close(self) -> None:
        """End the process that runs them."""
        self._process.communicate("")


@contextmanager
def commands() -> Iterator[Commands | None]:
    """Give what runs commands, None where the layer that kills cannot be had."""
    with tempfile.TemporaryDirectory() as folder:
        library = layer_of(Path(folder))
        running = None if library is None else Commands(library)
        try:
            yield running
        finally:
            if running is not None:
                running.close()


class Trial:
    """One command with its folder, and what the next start finds before it and after it."""

    def __init__(self, command: Command, running: Commands, folder: Path) -> None:
        """Commands that are tried in one folder share what is prepared there."""
        self._command, self._running, self._folder = command, running, folder
        self._prepared = folder / command.prepare.__name__
        if not self._prepared.exists():
            self._prepared.mkdir()
            command.prepare(self._prepared)
        self._again()
        self._next()
        self.before = dump(self.work)
        self._again()
        ended = running.run(folder, command.words)
        assert ended.status == 0, ended
        self.calls = ended.calls
        self._next()
        self.after = dump(self.work)

    @property
    def work(self) -> Path:
        """The folder in which the command runs."""
        return self._folder / "work"

    def kill(self, at: int, *, cut: bool) -> str:
        """Kill the command at a change, start the next one, and return what is wrong then, or nothing."""
        self._again()
        ended = self._running.run(self._folder, self._command.words, at, cut=cut)
        if ended.status not in (-9, 0):
            return f"it ended with {ended.status}: {ended.errors}"
        wrong = self._next()
        if wrong:
            return f"the next start failed: {wrong}"
        found = dump(self.work)
        left = [*left_over(self._folder / "tmp"), *left_over(self.work)]
        if left:
            return f"left over: {left}"
        if found not in (self.before, self.after):
            return f"neither before nor after: {difference(found, self.before, self.after)}"
        if ended.acknowledged and found != self.after:
            return f"what was acknowledged is lost: {ended.printed}"
        return ""

    def kills(self, count: int, dice: random.Random) -> Iterator[tuple[int, str]]:
        """Kill the command at changes spread over all it makes; yield each with what is wrong then."""
        for number in range(count):
            at = 1 + int((number + dice.random()) * self.calls / count)
            yield at, self.kill(at, cut=dice.random() < 0.5)

    def _again(self) -> None:
        for name in ("work", "tmp"):
            shutil.rmtree(self._folder / name, ignore_errors=True)
        shutil.copytree(self._prepared, self.work)
        (self._folder / "tmp").mkdir()

    def _next(self) -> str:
        ended = self._running.run(self._folder, self._command.next)
        return "" if ended.status == 0 else ended.errors


def left_over(folder: Path) -> list[str]:
    """Return what is in a folder besides what was made for its users."""
    wanted = (".dat", ".duckdb", ".json", ".csv")
    hidden = [path.name for path in folder.rglob(".*")]
    return sorted([*hidden, *(p.name for p in folder.iterdir() if p.is_file() and p.suffix not in wanted)])


def dump(folder: Path) -> Dump:
    """Return the rows of all views and tables of a store, times left out, and the content of other files."""
    found: Dump = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        if path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                found |= {f"{path.name}:{name}": rows for name, rows in _rows(connection)}
        elif not path.name.startswith("."):
            found[str(path.relative_to(folder))] = hashlib.sha256(_timeless(path)).hexdigest()
    return found


def _rows(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, list[str]]]:
    names = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal"
        " UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    yield "broken", [one.where for one in seals.all_broken(connection)]
    for (name,) in names:
        if name == "seal":  # hashes of times too
            continue
        columns = connection.execute(f'DESCRIBE "{name}"').fetchall()
        chosen = [f'"{one[0]}"' for one in columns if "TIMESTAMP" not in one[1] and one[0] != "seconds"]
        rows = connection.execute(f'SELECT {", ".join(chosen)} FROM "{name}"').fetchall()
        yield name, sorted(map(str, rows))


def _timeless(path: Path) -> bytes:
    """Return the content of a file without the times at which it was written."""
    return re.sub(rb'"(exported_at|created)": "[^"]*"', b"", path.read_bytes())


def difference(found: Dump, *wanted: Dump) -> str:
    """Return the names by which contents differ from each of others."""
    return " / ".join(
        ", ".join(sorted(name for name in found.keys() | one.keys() if found.get(name) != one.get(name)))
        for one in wanted
    )


# -- the process that runs the commands ---------------------------------------------------------------


def _run_here(folder: Path, words: tuple[str, ...], db: str = DB) -> None:
    """Run a command to its end, in a process of its own."""
    command = [sys.executable, "-m", "ratedb_cli", "--quiet", "--db", db, *words]
    subprocess.run(command, cwd=folder, check=True)


def _import_everything() -> None:
    import duckdb_sqlalchemy  # noqa: F401
    import scipy.linalg  # noqa: F401
    import sqlmodel  # noqa: F401

    import ratedb.verbs

    for module in pkgutil.iter_modules(ratedb.verbs.__path__, "ratedb.verbs."):
        importlib.import_module(module.name)


def _child(library: ctypes.CDLL, folder: Path, words: list[str], at: int, cut: bool) -> None:
    from ratedb_cli.app import main

    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(folder / "work")
    tempfile.tempdir = str(folder / "tmp")
    library.begin_to_count(ctypes.c_long(at), int(cut))
    status = main(["--db", DB, *words])
    calls = library.calls()
    library.begin_to_count(ctypes.c_long(-1), 0)
    (folder / "calls").write_text(str(calls))
    os._exit(status)


def main() -> None:
    """Fork for each command that is asked for, one at a time."""
    _import_everything()
    library = ctypes.CDLL(sys.argv[1])
    os.environ.pop("LD_PRELOAD")
    for line in sys.stdin:
        folder_name, words, at, cut = json.loads(line)
        folder = Path(folder_name)
        child = os.fork()
        if child == 0:
            try:
                _child(library, folder, words, at, cut)
            finally:
                os._exit(70)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        texts = [(folder / name).read_text(errors="replace") for name in ("out", "err")]
        calls = int((folder / "calls").read_text()) if code == 0 else 0
        print(json.dumps([code, *texts, calls]), flush=True)


if __name__ == "__main__":
    main()
