"""The house of docs/architecture.md: imports go down, each room has its own work, nothing is too large."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A module may import from floors below its own; rooms of one floor may import each other without a cycle.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("bounds", "locks", "safe_text"),
    ("temporary",),
    ("arrays", "documents", "files", "methods", "numbers", "origin", "references", "results", "systems"),
    ("declared", "findings", "layers", "levels"),
    ("kinds",),  # above Levels, whose kind it finds, and below all that reads or stores them
    ("config", "options"),
    ("cross_sections", "rates"),
    ("physics",),
    ("io", "models", "store"),
    ("derived", "paper", "planning", "plots", "quality", "radiative", "report", "server"),
    ("verbs",),
    ("database",),
    ("cli",),
)
FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}

# Methods of Rates that ask other rooms, which they import when they are called.
CALLS_UP = {"ratedb/rates.py": {"physics", "io"}}

MOST_LINES, MOST_FUNCTION_LINES, LONG_FUNCTION, MOST_LONG_FUNCTIONS = 350, 60, 40, 19
MOST_VERB_LINES, MOST_VERBS_LINES = 150, 3900
# The door has one method for each verb, and grows with them.
MORE_LINES = {"ratedb/database.py": 419}


@cache
def sources() -> dict[str, ast.Module]:
    """Return each module of the product by its path."""
    paths = [*(ROOT / "ratedb").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in sorted(paths)}


def room_of(path: str) -> str:
    """Return the room of a module: the folder in ratedb, the module itself at the top, or cli."""
    parts = Path(path).parts
    return "cli" if parts[0] == "cli" else Path(parts[1]).stem


def imported_rooms(path: str, *, anywhere: bool) -> Iterator[tuple[str, int]]:
    """Yield each room of ratedb that a module imports, and the line; with `anywhere` inside functions too."""
    for node in ast.walk(sources()[path]) if anywhere else _at_import(sources()[path].body):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == "ratedb":
                names = [alias.name for alias in node.names]
            elif node.module.startswith("ratedb."):
                names = [node.module.split(".")[1]]
            else:
                continue
            yield from ((name, node.lineno) for name in names if name in FLOOR)


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when a module is imported."""
    for node in body:
        is_typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not is_typing:
            yield node


def functions() -> Iterator[tuple[str, str, int]]:
    """Yield path, name and number of lines of each function."""
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.name, (node.end_lineno or 0) - node.lineno + 1


def lines_of(path: str) -> int:
    return (ROOT / path).read_text().count("\n")


def test_every_module_has_its_floor() -> None:
    rooms = {room_of(path) for path in sources()} - {"__init__", "__main__"}
    assert rooms == set(FLOOR)


@pytest.mark.parametrize("path", sorted(sources()))
def test_imports_go_down(path: str) -> None:
    if room_of(path) in ("__init__", "__main__"):
        return
    allowed = CALLS_UP.get(path, set())
    up = [
        f"{path}:{line} imports {room}"
        for room, line in imported_rooms(path, anywhere=True)
        if FLOOR[room] > FLOOR[room_of(path)] and room not in allowed
    ]
    assert up == []


def test_rates_and_levels_import_nothing_but_arrays_and_errors() -> None:
    for path in ("ratedb/rates.py", "ratedb/levels.py"):
        rooms = {room for room, _ in imported_rooms(path, anywhere=False)}
        assert rooms <= {"arrays", "errors", "layers", "levels", "systems"}


def test_no_two_rooms_import_each_other() -> None:
    edges: dict[str, set[str]] = {}
    for path in sources():
        here = room_of(path)
        above = CALLS_UP.get(path, set())
        edges.setdefault(here, set()).update(
            room for room, _ in imported_rooms(path, anywhere=True) if room != here and room not in above
        )
    edges.pop("__init__", None)
    for first, seconds in edges.items():
        for second in seconds:
            assert first not in _reached(second, edges), f"{first} and {second} import each other"


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    found, waiting = set(), [start]
    while waiting:
        for room in edges.get(waiting.pop(), set()) - found:
            found.add(room)
            waiting.append(room)
    return found


@pytest.mark.parametrize("path", sorted(sources()))
def test_sql_is_written_in_the_store_only(path: str) -> None:
    if room_of(path) == "store":
        return
    start = re.compile(r"\s*(SELECT|INSERT INTO|DELETE FROM|UPDATE|CREATE|COPY|WITH|ALTER|DROP)\s")
    texts = (node for node in ast.walk(sources()[path]) if isinstance(node, ast.Constant))
    found = [node.lineno for node in texts if isinstance(node.value, str) and start.match(node.value)]
    assert found == []


@pytest.mark.parametrize(
    ("package", "room"),
    [
        ("duckdb", "store"),
        ("sqlmodel", "store"),
        ("sqlalchemy", "store"),
        ("matplotlib", "plots"),
        ("bokeh", "report"),
        ("starlette", "server"),
        ("uvicorn", "server"),
    ],
)
def test_a_heavy_package_has_one_room(package: str, room: str) -> None:
    users = {room_of(path) for path, tree in sources().items() if package in _packages(tree)}
    assert users <= {room}


@pytest.mark.parametrize("path", [path for path in sorted(sources()) if room_of(path) == "verbs"])
def test_a_verb_is_glue(path: str) -> None:
    assert not _packages(sources()[path]) & {
        "scipy",
        "numpy.linalg",
        "duckdb",
        "matplotlib",
        "tensorflow",
        "gpflow",
    }
    assert "linalg" not in ast.unparse(sources()[path])
    assert lines_of(path) <= MOST_VERB_LINES


def _packages(tree: ast.Module) -> set[str]:
    """Return the packages that a module imports, and those of two words such as numpy.linalg."""
    found: set[str] = set()
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        for name in names:
            found |= {name.split(".")[0], ".".join(name.split(".")[:2])}
    return found


def test_the_verbs_together_stay_small() -> None:
    assert sum(lines_of(path) for path in sources() if room_of(path) == "verbs") <= MOST_VERBS_LINES


def test_one_class_holds_rate_coefficients() -> None:
    holders = [
        f"{path}: {node.name}"
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(one, ast.AnnAssign) and ast.unparse(one.target) == "rate_cm3_s" for one in node.body
        )
    ]
    assert holders == ["ratedb/rates.py: Rates"]


def test_no_file_and_no_function_is_too_long() -> None:
    assert [path for path in sources() if lines_of(path) > MORE_LINES.get(path, MOST_LINES)] == []
    assert [one for one in functions() if one[2] > MOST_FUNCTION_LINES] == []
    assert len([one for one in functions() if one[2] > LONG_FUNCTION]) <= MOST_LONG_FUNCTIONS
