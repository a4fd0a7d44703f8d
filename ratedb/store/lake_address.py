"""Where a lake is: `ducklake:rates.ducklake`, or `ducklake:postgres:dbname=rates host=server`."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from ratedb.errors import UsageError

_PREFIX, _SERVER = "ducklake:", "postgres:"
_FORMS = "ducklake:FILE, or ducklake:postgres:dbname=NAME host=HOST user=USER data=FOLDER"
_OTHER = re.compile(r"(?!postgres:)[a-z]{2,}:|postgres(ql)?:/")


@dataclass(frozen=True)
class LakeAddress:
    """A lake: its catalogue, a file or a PostgreSQL database, and the folder of a new lake's data.

    `server` is what libpq connects with, empty for a file; `data` is None where it was not given.
    """

    text: str
    server: str = ""
    file: Path | None = None
    data: Path | None = None

    @property
    def catalogue(self) -> str:
        """The catalogue as DuckLake names it."""
        return f"{_PREFIX}{self.file}" if self.file is not None else f"{_PREFIX}{_SERVER}{self.server}"


def is_lake(path: Path | str) -> bool:
    """Return whether what was given as a database is the address of a lake."""
    return str(path).startswith(_PREFIX)


def absolute(path: Path | str) -> Path:
    """Return the absolute path of a database; the address of a lake with the absolute path of its file."""
    if not is_lake(path):
        return Path(path).absolute()
    address = lake_address(path)
    return Path(address.text) if address.file is None else Path(f"{_PREFIX}{address.file}")


def lake_address(path: Path | str) -> LakeAddress:
    """Read the address of a lake; raises UsageError for another form, or for one with a password."""
    text = str(path)
    rest = text.removeprefix(_PREFIX)
    if not rest.strip() or _OTHER.match(rest):
        raise UsageError("this is no address of a lake", expected=_FORMS, got=text)
    if not rest.startswith(_SERVER):
        file = Path(rest).absolute()
        return LakeAddress(text, file=file, data=file.with_name(f"{file.name}.files"))
    words = _words(rest.removeprefix(_SERVER), text)
    data = words.pop("data", None)
    server = " ".join(f"{name}={_quoted(value)}" for name, value in words.items())
    return LakeAddress(text, server, data=None if data is None else Path(data).absolute())


def _words(text: str, address: str) -> dict[str, str]:
    try:
        pairs = [word.partition("=") for word in shlex.split(text)]
    except ValueError as error:
        raise UsageError("this is no address of a lake", expected=_FORMS, got=str(error)) from error
    names = [name for name, _, _ in pairs]
    if "password" in names or "sslpassword" in names:
        raise UsageError(
            "an address with a password is seen by every user of the machine",
            expected="an address without it",
            todo="put the password into ~/.pgpass or the environment variable PGPASSWORD",
        )
    if "dbname" not in names or not all(name and value for name, _, value in pairs):
        raise UsageError("this is no address of a lake", expected=_FORMS, got=address)
    return {name: value for name, _, value in pairs}


def _quoted(value: str) -> str:
    """Return a value as libpq reads it."""
    return "'" + value.replace("\\", r"\\").replace("'", r"\'") + "'"
