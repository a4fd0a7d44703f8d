"""What can be asked over HTTP: each address with its parameters, for answers and for their description."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ratedb.errors import UsageError, did_you_mean, one_of
from ratedb.layers import KINDS
from ratedb.numbers import parse_temperatures
from ratedb.store.selection import QUALITIES

_LONGEST = 2000
FORMATS = ("json", "csv", "parquet")
MOST_TEMPERATURES = 1000


@dataclass(frozen=True)
class Parameter:
    """One parameter of an address: how its text is read, and its JSON schema for the description."""

    name: str
    help: str
    parse: Callable[[str], Any] = str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False
    default: Any = None


@dataclass(frozen=True)
class Endpoint:
    """One address that answers with JSON: what it gives, its parameters, and an example of a query."""

    path: str
    summary: str
    parameters: tuple[Parameter, ...] = ()
    example: str = ""
    types: tuple[str, ...] = ("application/json",)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(f"{name} must be a whole number", expected="0 or more", got=text)
    return int(text)


def _temperatures(text: str) -> tuple[float, ...]:
    """Return temperatures in K; raises ListError, or UsageError for more than one answer may have."""
    size = sum(_size_of_range(part) for part in text.split(","))
    if size > MOST_TEMPERATURES:
        got = f"some {size:.0f}"
        raise UsageError("too many temperatures", expected=f"{MOST_TEMPERATURES} at most", got=got)
    return parse_temperatures(text)


def _size_of_range(part: str) -> float:
    """Return how many numbers a part such as 10:100:10 has, 1 where it is no such part."""
    try:
        first, last, step = map(float, part.split(":"))
        return max(1.0, (last - first) / step) if step > 0 else 1.0
    except ValueError:
        return 1.0


def _kinds(text: str) -> tuple[str, ...]:
    return tuple(one_of("kind", one.strip(), KINDS) for one in text.split(","))


def _number(name: str, help: str, default: int | None = None) -> Parameter:
    schema: dict[str, Any] = {"type": "integer", "minimum": 0}
    if default is not None:
        schema["default"] = default
    return Parameter(name, help, partial(_whole, name), schema, default=default)


def _choice(name: str, help: str, known: Sequence[str]) -> Parameter:
    schema = {"type": "string", "enum": list(known), "default": known[0]}
    return Parameter(name, help, partial(one_of, name, known=known), schema, default=known[0])


_SYSTEM = Parameter("system", "A system, such as CO+p-H2.", required=True)
_RATES = (
    _SYSTEM,
    Parameter(
        "temperature",
        "Temperatures in K to interpolate at, such as 10,50 or 10:100:10; by default those of the store.",
        _temperatures,
    ),
    Parameter("upper", "The label of the initial level.", lambda text: text),
    Parameter("lower", "The label of the final level.", lambda text: text),
    _number("j_max", "Only levels up to this j."),
    Parameter("kinds", f"Kinds of values, some of {','.join(KINDS)}; all by default.", _kinds, default=()),
    _choice("min_quality", "Leave out what quality control found.", QUALITIES),
    _choice("format", "What the answer is: JSON, or a table with all columns of an export.", FORMATS),
    _number("offset", "Leave out this many values (JSON).", 0),
    _number("limit", "At most this many values (JSON)."),
)
_TABLE_TYPES = ("application/json", "text/csv", "application/vnd.apache.parquet")

ENDPOINTS = (
    Endpoint(
        "/api/systems",
        "List the systems: transitions, temperatures and values.",
        (Parameter("search", "Only systems with this text in their name."),),
        "search=CO",
    ),
    Endpoint(
        "/api/rates",
        "The best rates of a system, a row for each value: those that an export writes.",
        _RATES,
        "system=CO%2Bp-H2&temperature=10,50&upper=1&lower=0",
        _TABLE_TYPES,
    ),
    Endpoint("/api/levels", "The levels of a system, by energy.", (_SYSTEM,), "system=CO%2Bp-H2"),
    Endpoint("/api/lines", "The lines of a system, with critical densities.", (_SYSTEM,), "system=CO%2Bp-H2"),
    Endpoint(
        "/api/sources", "The sources of a system, in order of precedence.", (_SYSTEM,), "system=CO%2Bp-H2"
    ),
    Endpoint("/api/findings", "What quality control found in a system.", (_SYSTEM,), "system=CO%2Bp-H2"),
)


def read_parameters(endpoint: Endpoint, given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the parameters of a query by name, each read, and those not given with their defaults.

    Raises UsageError for an unknown, repeated, missing or invalid one.
    """
    known = {one.name: one for one in endpoint.parameters}
    found: dict[str, Any] = {one.name: one.default for one in endpoint.parameters}
    for place, (name, text) in enumerate(given):
        if name not in known:
            raise UsageError(
                f"unknown parameter {name!r}",
                where=endpoint.path,
                expected=", ".join(known) or "none",
                got=name,
                todo=did_you_mean(name, known),
            )
        if any(name == before for before, _ in given[:place]):
            raise UsageError(f"the parameter {name} is given twice", where=endpoint.path)
        if len(text) > _LONGEST:
            raise UsageError(f"the parameter {name} is too long", expected=f"{_LONGEST} characters at most")
        found[name] = known[name].parse(text)
    missing = [one.name for one in endpoint.parameters if one.required and not found[one.name]]
    if missing:
        raise UsageError(
            f"the parameter {missing[0]} is missing",
            where=endpoint.path,
            expected=f"{endpoint.path}?{endpoint.example}",
        )
    return found
