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

Check = Callable[[Any], None]

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_NUMBERS, _SIZED = (int, float), (str, list)
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
RULES = frozenset(
    {
        "$ref",
        "type",
        "const",
        "enum",
        "pattern",
        "anyOf",
        "items",
        "required",
        "properties",
        *_BOUNDS,
        *_SIZES,
    }
    | {"oneOf", "additionalProperties", "title", "description", "deprecated", "$schema", "$defs"}
)
"""The words of JSON Schema that `need_schema` knows."""


class _WrongError(Exception):
    """A value is not as its schema says; `place` is gathered on the way out, the innermost first."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.place: list[str] = []


def need_schema(value: Any, schema: Mapping[str, Any]) -> None:
    """Raise DocumentError where a value is not as a JSON Schema says that uses no other words than RULES."""
    try:
        _check(schema, schema.get("$defs", {}))(value)
    except _WrongError as error:
        place = "".join(reversed(error.place)).lstrip(".")[:_SHOWN]
        raise DocumentError(f"{place or 'the document'} {error}") from None


def _check(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Check:
    """Return the function that raises where its argument is not as a schema says."""
    checks = list(_checks(schema, defs))

    def check(value: Any) -> None:
        for one in checks:
            one(value)

    return checks[0] if len(checks) == 1 else check


def _checks(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Iterator[Check]:
    if "type" in schema:
        yield _of_type(schema["type"])
    if "$ref" in schema:
        yield _check(defs[schema["$ref"].removeprefix("#/$defs/")], defs)
    if "const" in schema or "enum" in schema:
        known = schema.get("enum", [schema.get("const")])
        yield _need(
            lambda value: any(type(one) is type(value) and one == value for one in known),
            f"is not {' or '.join(map(str, known))}",
        )
    if "pattern" in schema:
        fits = re.compile(schema["pattern"]).fullmatch
        yield _need(lambda value: type(value) is not str or fits(value), "has impossible characters")
    for word in _BOUNDS.keys() & schema.keys():
        yield _bounded(_BOUNDS[word], schema[word])
    for word in _SIZES.keys() & schema.keys():
        yield _sized(_SIZES[word], schema[word])
    for word in {"anyOf", "oneOf"} & schema.keys():
        yield _one_of([_check(one, defs) for one in schema[word]], only=word == "oneOf")
    if "items" in schema:
        yield _of_items(_check(schema["items"], defs))
    if schema.keys() & {"required", "properties", "additionalProperties"}:
        yield _of_names(schema, defs)


def _need(holds: Callable[[Any], Any], words: str) -> Check:
    def check(value: Any) -> None:
        if not holds(value):
            raise _WrongError(words)

    return check


def _of_type(names: str | Sequence[str]) -> Check:
    listed = (names,) if isinstance(names, str) else tuple(names)
    known = frozenset(kind for name in listed for kind in _TYPES[name])  # by identity: True is no integer
    return _need(lambda value: type(value) in known, f"is not of type {' or '.join(listed)}")


def _bounded(holds: Callable[[Any, Any], bool], limit: Any) -> Check:
    return _need(lambda value: type(value) not in _NUMBERS or holds(value, limit), "is out of range")


def _sized(holds: Callable[[int, int], bool], limit: int) -> Check:
    return _need(
        lambda value: type(value) not in _SIZED or holds(len(value), limit), "is too long or too short"
    )


def _one_of(forms: Sequence[Check], *, only: bool) -> Check:
    def fits(form: Check, value: Any) -> bool:
        try:
            form(value)
        except _WrongError:
            return False
        return True

    def holds(value: Any) -> bool:
        count = sum(fits(form, value) for form in forms)
        return count == 1 if only else count > 0

    return _need(holds, "is none of its possible forms")


def _of_items(item: Check) -> Check:
    def check(value: Any) -> None:
        for number, one in enumerate(value if type(value) is list else ()):
            try:
                item(one)
            except _WrongError as error:
                error.place.append(f"[{number}]")
                raise

    return check


def _of_names(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Check:
    """Return the check of the names and values of an object."""
    required = frozenset(schema.get("required", ()))
    known = {name: _check(one, defs) for name, one in schema.get("properties", {}).items()}
    others = schema.get("additionalProperties", True)
    other = None if isinstance(others, bool) else _check(others, defs)

    def check(value: Any) -> None:
        if type(value) is not dict:
            return
        if not required <= value.keys():
            raise _WrongError(f"has no {min(required - value.keys())}")
        name = ""
        try:
            for name, item in value.items():
                inner = known.get(name, other)
                if inner is not None:
                    inner(item)
                elif others is False:
                    raise _WrongError("is an unknown name")
        except _WrongError as error:
            error.place.append(f".{name}")
            raise

    return check
