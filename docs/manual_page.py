"""The manual page ratedb(1), from the commands' own help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ratedb_cli.app import app
from typer.main import get_command

from ratedb import __version__

_EXIT_CODES = (
    ("0", "done"),
    ("1", "an error in the data, a model or a file"),
    ("2", "an invalid request"),
    ("3", "the store is held by another process for longer than --wait"),
    ("4", "finished, but incomplete"),
)
_VARIABLES = (
    ("RATEDB_DB", "the store, as --db"),
    ("RATEDB_WAIT", "the time to wait, s, as --wait"),
    ("RATEDB_CONFIG", "another config file; empty, none is read"),
    ("RATEDB_USER", "the name that is stored with corrections, in place of the login name"),
    ("NO_COLOR", "no colours, where set"),
)
_FILES = (("~/.config/ratedb/config.toml", "defaults, in TOML; $XDG_CONFIG_HOME in place of ~/.config"),)


def manual_page() -> str:
    """Return the page in roff, with the macros of man(7)."""
    group = get_command(app)
    context = group.make_context("ratedb", [], resilient_parsing=True)
    lines = [
        ".\\\" Written by `make generate` from the commands' own help.",
        f'.TH RATEDB 1 "" "ratedb {__version__}" "User Commands"',
        ".SH NAME",
        f"ratedb \\- {_roff(group.help or '').rstrip('.')}",
        ".SH SYNOPSIS",
        ".B ratedb",
        "[OPTIONS] COMMAND [ARGUMENTS]",
        ".SH OPTIONS",
        "They may also follow the command.",
        *_parameters(group, context),
        ".SH COMMANDS",
    ]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = command.make_context(name, [], parent=context, resilient_parsing=True)
        lines += _command(name, command, inner)
    lines += [".SH EXIT STATUS", *_entries(_EXIT_CODES), ".SH ENVIRONMENT", *_entries(_VARIABLES)]
    return "\n".join([*lines, ".SH FILES", *_entries(_FILES), ""])


def _command(name: str, command: Any, context: Any) -> Iterator[str]:
    yield f".SS ratedb {_roff(' '.join([name, *command.collect_usage_pieces(context)]))}"
    paragraphs = [" ".join(one.split()) for one in (command.help or "").split("\n\n")]
    for number, paragraph in enumerate(paragraphs):
        yield from ([".PP"] if number else [])
        yield _roff(paragraph)
    yield from _parameters(command, context)


def _parameters(command: Any, context: Any) -> Iterator[str]:
    records = (one.get_help_record(context) for one in command.get_params(context))
    return _entries(one for one in records if one is not None)


def _entries(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in pairs:
        yield from (".TP", f"\\fB{_roff(term.strip())}\\fR", _roff(" ".join(text.split())))


def _roff(text: str) -> str:
    """Return a text in which nothing is a request or an escape of roff; hyphens stay those of options."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
