"""JSON documents that a user names or that lie beside a file: read strictly, and checked against a schema."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

import fastjsonschema

_MOST_DIGITS = 40
_SHOWN = 120


class DocumentError(ValueError):
    """A document is not JSON, or not of its schema; the message says where and why, in one line."""


def strict_json(content: bytes) -> Any:
    """Return what a JSON text in UTF-8 says.

    Raises DocumentError for other encodings, a name given twice, NaN or infinity, numbers of absurd length,
    and nesting that is too deep to read.
    """
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise DocumentError("it is not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"{error.msg} (line {error.lineno})") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DocumentError("a name is given twice")
    return found


def _no_number(word: str) -> Any:
    raise DocumentError(f"{word} is not a number of JSON")


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise DocumentError("a number is too large")
    return value


def _integer(word: str) -> int:
    if len(word) > _MOST_DIGITS:
        raise DocumentError("a number is too large")
    return int(word)


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return one of the JSON Schemas that ratedb ships, such as `provenance`."""
    text = (resources.files("ratedb_schemas") / f"{name}.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


# -- schema ------------------------------------------------------------------------------------------


def need_schema(value: Any, schema: Mapping[str, Any]) -> None:
    """Raise DocumentError where a value is not as a JSON Schema says.

    Conditions next to a `$ref` are not looked at: they belong into an `allOf`.
    """
    try:
        _compiled(json.dumps(schema))(value)
    except fastjsonschema.JsonSchemaValueException as error:
        message = error.message.removeprefix("data").lstrip(". ")
        raise DocumentError(message if len(message) <= _SHOWN else f"{message[:_SHOWN]}...") from None


@cache
def _compiled(schema: str) -> Callable[[Any], Any]:
    check: Callable[[Any], Any] = fastjsonschema.compile(json.loads(schema), use_default=False)
    return check
