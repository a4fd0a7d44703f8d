"""The config file of the command line: the store, the time to wait, and defaults for options of commands.

It is TOML, in $XDG_CONFIG_HOME/ratedb/config.toml or where RATEDB_CONFIG says::

    db = "~/rates/ratedb.duckdb"
    wait = 30

    [train]
    jobs = 2
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from ratedb import options as declared_options
from ratedb.declared import build
from ratedb.errors import RatedbError, did_you_mean
from ratedb.safe_text import visible

VARIABLE = "RATEDB_CONFIG"
"""The environment variable that names another config file; empty, no file is read."""

LARGEST_BYTES = 64_000
_SUFFIX = "Options"
_SHOWN = 60

OPTIONS: Mapping[str, type] = {
    name.removesuffix(_SUFFIX).lower(): getattr(declared_options, name)
    for name in declared_options.__all__
    if name.endswith(_SUFFIX)
}
"""The options that each command takes, by its name."""


@dataclass(frozen=True)
class Config:
    """What a config file says: `shared` options, and those of each command, as texts of a command line.

    `path` is None where there is no file.
    """

    path: Path | None = None
    shared: Mapping[str, Any] = field(default_factory=dict)
    commands: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def summary(self) -> str:
        """Return in a few words which file is read."""
        if self.path is not None:
            return str(self.path)
        default = _default_path()
        return f"none; {default} would be read" if default is not None else f"none, {VARIABLE} is empty"


def read_config() -> Config:
    """Return what the config file says; without one, nothing.

    Raises RatedbError where RATEDB_CONFIG names no file, where the file is not TOML, is too large, or has a
    name or a value that ratedb does not know.
    """
    path = _path()
    if path is None:
        return Config()
    content = _parsed(path)
    tables = {name: value for name, value in content.items() if isinstance(value, dict)}
    shared = {name: value for name, value in content.items() if name not in tables}
    for name in content:
        known = OPTIONS if name in tables else _SHARED
        if name not in known:
            what = "command" if name in tables else "name"
            raise _unknown(path, what, name, [*_SHARED, *OPTIONS])
    return Config(
        path,
        {name: _SHARED[name](path, name, value) for name, value in shared.items()},
        {name: _of_command(path, name, table) for name, table in tables.items()},
    )


def _default_path() -> Path | None:
    given = os.environ.get(VARIABLE)
    if given is not None:
        return None if given in ("", os.devnull) else Path(given)
    # The XDG specification: a relative path is invalid and ignored.
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~/.config"))
    return folder / "ratedb" / "config.toml"


def _path() -> Path | None:
    path = _default_path()
    if path is None or (VARIABLE not in os.environ and not os.path.lexists(path)):
        return None
    return path


def _parsed(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        if not path.is_file():  # a pipe would be waited for
            raise _invalid(path, "", "a TOML file", "no such file", f"write it, or change {VARIABLE}")
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise _invalid(path, "", "a file that can be read", error.strerror or str(error)) from error
    if len(content) > LARGEST_BYTES:
        raise _invalid(path, "", f"at most {LARGEST_BYTES // 1000} kB", "more")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except RecursionError:
        raise _invalid(path, "", "TOML", "a text that is nested too deeply") from None
    except ValueError as error:  # not TOML, not UTF-8, or a number of absurd length
        raise _invalid(path, "", "TOML in UTF-8", str(error)) from None


def _of_command(path: Path, command: str, table: Mapping[str, Any]) -> dict[str, Any]:
    known = {one.name: one for one in fields(OPTIONS[command])}
    found: dict[str, Any] = {}
    for written, value in table.items():
        name = written.replace("-", "_")
        if name not in known:
            raise _unknown(path, "option", f"[{command}] {written}", known, written)
        if name in found:
            raise _invalid(path, f"[{command}] {written}", "each option once", "it is given twice")
        found[name] = _value(path, f"[{command}] {written}", known[name], value)
        try:
            build(OPTIONS[command], {name: found[name]})
        except RatedbError as error:
            raise _invalid(path, f"[{command}] {written}", error.expected, error.got or error.what) from None
    return found


def _value(path: Path, where: str, declared: Field[Any], value: Any) -> Any:
    """Return a value as the command line has it: a truth, a number, or a text; lists joined by commas."""
    kind, many = str(declared.type), declared.metadata["many"]
    if kind == "bool":
        return _of(bool, path, where, value)
    if kind.startswith("int"):
        return _of(int, path, where, value)
    if kind.startswith("float"):
        return float(_of((int, float), path, where, value))
    values = value if isinstance(value, list) else [value]
    texts = [_text(str(_of((str, int, float), path, where, one))) for one in values]
    if many:
        return texts
    if isinstance(value, list) and declared.metadata["parse"] is None:
        raise _invalid(path, where, "one text", "a list")
    return ",".join(texts)


_NAMES = {bool: "true or false", int: "an integer", (int, float): "a number", str: "a text"}


def _of(kind: Any, path: Path, where: str, value: Any) -> Any:
    """Return a value of a type; raises RatedbError for another. A truth is no number."""
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise _invalid(path, where, _NAMES.get(kind, "a text, a number or a list"), repr(value))


def _text(text: str) -> str:
    return os.path.expanduser(text) if text.startswith("~/") else text


def _db(path: Path, name: str, value: Any) -> str:
    return _text(_of(str, path, name, value))


def _wait(path: Path, name: str, value: Any) -> float:
    seconds = float(_of((int, float), path, name, value))
    if not seconds >= 0:
        raise _invalid(path, name, "0 s or more", repr(value))
    return seconds


_SHARED = {"db": _db, "wait": _wait}


def _unknown(path: Path, what: str, where: str, known: Any, name: str | None = None) -> RatedbError:
    name = where if name is None else name
    todo = did_you_mean(name.replace("-", "_"), known)
    return _invalid(path, where, f"a known {what}: {', '.join(known)}", repr(name), todo)


def _invalid(path: Path, where: str, expected: str | None, got: str, todo: str | None = None) -> RatedbError:
    return RatedbError(
        "the config file is invalid",
        where=visible(f"{path}{', ' if where else ''}{where[:_SHOWN]}"),
        expected=expected,
        got=visible(got if len(got) <= _SHOWN else f"{got[:_SHOWN]}..."),
        todo=todo or f"correct the file; {VARIABLE}= (empty) goes without it",
    )
