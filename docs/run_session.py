"""Run the commands and the Python examples of a document, and write what they print below them.

A block ```console has commands after `$ `, with `| tail -N` at most; a block ```python has examples after
`>>> `; what follows each is its output. `make docs` rewrites the outputs of README.md, a test compares them.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Commands = Callable[[list[str]], int]
"""Runs the words of a command and returns its exit code."""

_BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)


def executed(document: str, main: Commands, folder: Path) -> str:
    """Return a document with the outputs of its blocks, in order, run in a folder.

    Raises RuntimeError where a command fails; what an example raises is raised.
    """
    names: dict[str, Any] = {"__name__": "__main__"}

    def run(block: re.Match[str]) -> str:
        kind, text = block.groups()
        if kind == "console":
            lines = _commands(text, main)
        elif ">>> " in text:
            lines = _examples(text, names)
        else:
            return block[0]
        return f"```{kind}\n{''.join(lines)}```"

    with contextlib.chdir(folder):
        return _BLOCK.sub(run, document)


def _commands(text: str, main: Commands) -> Iterator[str]:
    for line in text.splitlines():
        if not line.startswith("$ "):
            continue
        command, _, tail = line[2:].partition(" | tail -")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = main(shlex.split(command, comments=True)[1:])
        if code:
            raise RuntimeError(f"code {code}: {line}")
        # Without empty lines, and without spaces at the ends of lines.
        printed = [row.rstrip() for row in out.getvalue().splitlines() if row.strip()]
        yield "".join(f"{row}\n" for row in [line, *printed[-int(tail or 0) :]])


def _examples(text: str, names: dict[str, Any]) -> Iterator[str]:
    for example in doctest.DocTestParser().get_examples(text):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(example.source, "example", "single"), names)
        prompts = textwrap.indent(example.source, "... ", lambda line: True)
        yield ">>> " + prompts.removeprefix("... ")
        yield out.getvalue()
