"""How options are declared once, given to methods, and built from what a caller passes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, field, fields
from pathlib import Path
from typing import Any, TypeVar

from ratedb.errors import UsageError, did_you_mean

Options = TypeVar("Options")
Method = TypeVar("Method", bound=Callable[..., Any])


def option(default: Any, help: str, parse: Callable[[str], Any] | None = None, *, many: bool = False) -> Any:
    """Return a field of an options class: `parse` reads its text, `many` options may be repeated."""
    return field(default=default, metadata={"help": help, "parse": parse, "many": many})


def flag_of(name: str) -> str:
    """Return an option as the command line writes it, such as `--train-units`."""
    return f"--{name.replace('_', '-')}"


def build(of: type[Options], given: Mapping[str, Any]) -> Options:
    """Return options with what is given, texts such as "5:20" read as the command line does.

    Raises UsageError for an unknown option or a text that is not what the option takes.
    """
    known = {one.name: one for one in fields(of)}  # type: ignore[arg-type]
    unknown = [name for name in given if name not in known]
    if unknown:
        expected, todo = ", ".join(known), did_you_mean(unknown[0], known)
        raise UsageError(f"unknown option {unknown[0]!r}", expected=expected, got=unknown[0], todo=todo)
    return of(**{name: _value(known[name], value) for name, value in given.items()})


def _value(declared: Field[Any], value: Any) -> Any:
    parse, many = declared.metadata["parse"], declared.metadata["many"]
    value = _plain(value)
    if isinstance(value, str) and str(declared.type).startswith(("int", "float")):
        raise UsageError(f"{declared.name} must be a number", expected=str(declared.type), got=repr(value))
    if value is None and many:
        return ()
    if value is None or (parse is None and not many):
        return value
    if many:
        values = [value] if isinstance(value, str | Path) else list(value)
        return tuple(parse(str(one)) if parse else one for one in values)
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, Path):
        return value
    return tuple(_plain(one) for one in value) if hasattr(value, "__iter__") else (value,)


def _plain(value: Any) -> Any:
    """Return numbers and arrays of numpy as Python's own, which JSON and DuckDB take."""
    return value.tolist() if hasattr(value, "tolist") else value


def takes(options: type) -> Callable[[Method], Method]:
    """Give a method the options of a class: in its signature, in its help, and for the command line."""

    def decorate(method: Method) -> Method:
        signature = inspect.signature(method)
        own = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        extra = [
            inspect.Parameter(
                one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=one.type
            )
            for one in fields(options)
            if one.name not in signature.parameters
        ]
        words = "\n".join(f"    {one.name}: {one.metadata['help']}" for one in fields(options))
        method.__signature__ = signature.replace(parameters=[*own, *extra])  # type: ignore[attr-defined]
        method.__doc__ = f"{inspect.cleandoc(method.__doc__ or '')}\n\nOptions:\n{words}"
        method.options = options  # type: ignore[attr-defined]
        return method

    return decorate


def each_path(files: Sequence[Path | str]) -> list[Path]:
    """Return files as paths; raises UsageError for none, or for what is no file, such as a list of them."""
    lists = [file for file in files if not isinstance(file, str | Path)]
    if lists or not files:
        got = repr(lists[0]) if lists else "none"
        raise UsageError("files are given one by one", expected='import_("a.dat", "b.dat")', got=got)
    return [Path(file) for file in files]


def stored_plan(plan: Any) -> int | None:
    """Return the id of a plan, which may be given as such or as what `Database.plan` returned."""
    number: int | None = getattr(plan, "plan_id", plan)
    if plan is not None and number is None:
        expected, todo = "a stored plan", "plan without dry_run"
        raise UsageError("this plan was not stored", expected=expected, got="that of a dry run", todo=todo)
    return number
