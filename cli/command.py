"""Make a command of a method of Database: its arguments and options are those of the method."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin, get_type_hints

import typer

from ratedb.database import Database
from ratedb.declared import flag_of
from ratedb.errors import ListError
from ratedb.numbers import format_integers
from ratedb.options import silent

from .complete import systems
from .output import Context, cell

if TYPE_CHECKING:
    from rich.console import Console

# How Typer reads positional arguments, by their annotation in Database.
_POSITIONAL: dict[str, Any] = {
    "str": str,
    "str | None": str | None,
    "int": int,
    "Path | str": Path,
    "str | Sequence[str]": list[str],
}
_NAMED, _EMPTY = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty


def command(
    method: Callable[..., Any],
    show: Callable[[Console, Any, Mapping[str, Any]], None],
    *,
    example: str,
    arguments: Mapping[str, str] | None = None,
    required: Sequence[str] = (),
    code: Callable[[Any], int] | None = None,
    endless: bool = False,
) -> Callable[..., None]:
    """Return a function for Typer that parses, calls a method of Database and prints what it returns.

    `show` prints the result for people; it gets the console, the result, and the options that were given.
    `arguments` are the positional ones with their help. `required` options have no default. `code` gives the
    exit code of a result. An `endless` command works until it is stopped, and has no progress to show.
    """
    options = getattr(method, "options", None)
    declared = fields(options) if options is not None else ()
    names = [one.name for one in declared]
    positional, taken = dict(arguments or {}), inspect.signature(method).parameters

    def run(context: typer.Context, **given: Any) -> None:
        shared: Context = context.obj
        chosen = {name: given[name] for name in names if given[name] not in (None, [])}
        places = [given[name] for name in positional]
        if any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in taken.values()):
            places = [*places[:-1], *places[-1]]
        with nullcontext(silent) if endless else shared.progress() as progress:
            listeners = {"progress": progress, "report": shared.report}
            told = {name: listener for name, listener in listeners.items() if name in taken}
            result = method(Database(shared.db, wait=shared.wait), *places, **chosen, **told)
        shared.warn(getattr(result, "warnings", ()))
        shared.emit(result.to_json(), lambda console: show(console, result, chosen))
        if code is not None and (number := code(result)):
            raise typer.Exit(number)

    hints = get_type_hints(options) if options is not None else {}
    parameters = [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    ]
    parameters += [_argument(taken[name], text) for name, text in positional.items()]
    parameters += [_parameter(one, hints[one.name], one.name in required) for one in declared]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__doc__ = f"{summary_of(method)}\n\nExample: {example}"
    return run


def summary_of(method: Callable[..., Any]) -> str:
    """Return what a method's docstring says before its options and errors, for the help of its command."""
    text = inspect.cleandoc(method.__doc__ or "")
    return text.split("\n\nOptions:")[0].split("\n\nRaises")[0]


def _argument(one: inspect.Parameter, text: str) -> inspect.Parameter:
    """Return a positional argument of a method as Typer takes it."""
    of: Any = list[Path] if one.kind is inspect.Parameter.VAR_POSITIONAL else _POSITIONAL[one.annotation]
    complete = systems if one.name in ("system", "systems") else None
    words: dict[str, Any] = {"help": text, "metavar": one.name.removesuffix("s").upper()}
    annotation: Any = Annotated[of, typer.Argument(**words, autocompletion=complete)]
    return inspect.Parameter(one.name, _NAMED, annotation=annotation, default=one.default)


def _parameter(one: Field[Any], hint: Any, required: bool) -> inspect.Parameter:
    """Return an option as Typer takes it: without a default, which only the method has."""
    names = ["-o", "--output"] if one.name == "output" else [flag_of(one.name)]
    words: dict[str, Any] = {"help": one.metadata["help"]}
    default: Any = _EMPTY if required else None
    if hint is bool:
        return _named(one, bool, names, words, default=False)
    if not required and one.default not in (None, (), ""):
        words["help"] += f" [default: {_shown(one.default)}]"
    if one.metadata["many"]:
        return _named(one, list[Path] if one.metadata["parse"] is Path else list[str], names, words, default)
    if one.metadata["parse"] is Path:
        return _named(one, Path, names, words, default)
    if one.metadata["parse"] is not None:
        words |= {"parser": _parser(one.metadata["parse"]), "metavar": "LIST"}
        return _named(one, str, names, words, default)
    if get_origin(next(iter(get_args(hint)), None)) is tuple:
        return _named(one, get_args(hint)[0], names, words, default)
    of = next((kind for kind in (int, float) if hint == kind or hint == kind | None), str)
    return _named(one, of, names, words, default)


def _shown(default: Any) -> str:
    """Return a default as people write it in an option."""
    if isinstance(default, tuple) and all(isinstance(one, int) for one in default):
        return format_integers(default)
    return cell(default)


def _named(
    one: Field[Any], of: Any, names: list[str], words: dict[str, Any], default: Any
) -> inspect.Parameter:
    optional = of | None if default is None else of
    return inspect.Parameter(
        one.name, _NAMED, annotation=Annotated[optional, typer.Option(*names, **words)], default=default
    )


def _parser(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return parse(text)
        except ListError as error:
            caret = f"  {error.text}\n  {' ' * error.place}^"
            raise typer.BadParameter(f"{error.what}\n{caret}\n  expected: {error.expected}") from error

    return read
