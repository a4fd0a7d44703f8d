"""JSON documents that a user names or that lie beside a file: read strictly, and checked against a schema."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

_MOST_DIGITS = 40
_SHOWN = 60


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

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, limit: value >= limit,
    "exclusiveMinimum": lambda value, limit: value > limit,
    "maximum": lambda value, limit: value <= limit,
}
_SIZES: Mapping[str, Callable[[int, int], bool]] = {
    "minItems": lambda count, limit: count >= limit,
    "maxItems": lambda count, limit: count <= limit,
    "maxLength": lambda count, limit: count <= limit,
}
_NO_RULES = ("title", "description", "deprecated", "$schema", "$defs")
RULES = frozenset(
    {"$ref", "type", "const", "enum", "pattern", "anyOf", "oneOf", "items", "required", "properties"}
    | {"additionalProperties", *_BOUNDS, *_SIZES, *_NO_RULES}
)
"""The words of JSON Schema that `need_schema` knows."""


def need_schema(value: Any, schema: Mapping[str, Any]) -> None:
    """Raise DocumentError where a value is not as a JSON Schema says that uses no other words than RULES."""
    problem = next(_problems(value, schema, schema.get("$defs", {}), ""), None)
    if problem is not None:
        raise DocumentError(problem)


def _problems(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield what is wrong with a value, in words; nothing where it is as the schema says."""
    if "$ref" in schema:
        yield from _problems(value, defs[schema["$ref"].removeprefix("#/$defs/")], defs, where)
    types = schema.get("type", ())
    types = (types,) if isinstance(types, str) else types
    if types and not any(_TYPES[name](value) for name in types):
        yield f"{where or 'the document'} is no {' or '.join(types)}"
        return
    if "const" in schema and (type(value), value) != (type(schema["const"]), schema["const"]):
        yield f"{where} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is not one of {', '.join(map(str, schema['enum']))}"
    yield from _simple(value, schema, where)
    for word, wanted in (("anyOf", lambda count: count > 0), ("oneOf", lambda count: count == 1)):
        if word in schema:
            fits = [next(_problems(value, one, defs, where), None) is None for one in schema[word]]
            if not wanted(sum(fits)):
                yield f"{where or 'the document'} is none of its possible forms"
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _problems(item, schema["items"], defs, f"{where}[{number}]")
    if isinstance(value, dict):
        yield from _of_object(value, schema, defs, where)


def _simple(value: Any, schema: Mapping[str, Any], where: str) -> Iterator[str]:
    """Yield what is wrong with the size of a value, or with the letters of a text."""
    if isinstance(value, int | float):
        for word, holds in _BOUNDS.items():
            if word in schema and not holds(value, schema[word]):
                yield f"{where} is out of range"
    if isinstance(value, str | list):
        for word, holds in _SIZES.items():
            if word in schema and not holds(len(value), schema[word]):
                yield f"{where} has {len(value)} characters or items"
    if isinstance(value, str) and "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        yield f"{where} is {value[:_SHOWN]!r}"


def _of_object(
    value: Mapping[str, Any], schema: Mapping[str, Any], defs: Mapping[str, Any], where: str
) -> Iterator[str]:
    absent: Sequence[str] = [name for name in schema.get("required", ()) if name not in value]
    if absent:
        yield f"{where or 'the document'} has no {absent[0]}"
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name, item in value.items():
        inner = properties.get(name, others)
        if inner is False:
            yield f"{where or 'the document'} has the unknown name {name[:_SHOWN]!r}"
        elif inner is not True:
            yield from _problems(item, inner, defs, f"{where}.{name[:_SHOWN]}".lstrip("."))
