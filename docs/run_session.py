"""Run the commands and the Python examples of a document, and write what they print below them.

A block ```console has commands after `$ `, perhaps with `| head -N` or `| tail -N`; a block ```python has
examples after `>>> `. What follows each is its output: `make generate` rewrites that of README.md, and a test
compares it.
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

_PIPE = re.compile(r"(.*?)(?: \| (head|tail) -(\d+))?")
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
        command, pipe, count = _PIPE.fullmatch(line[2:]).groups()  # type: ignore[union-attr]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = main(shlex.split(command, comments=True)[1:])
        if code:
            raise RuntimeError(f"code {code}: {line}")
        printed = out.getvalue().splitlines()
        if pipe:
            printed = printed[: int(count)] if pipe == "head" else printed[-int(count) :]
        # Without empty lines, and without spaces at the ends of lines.
        yield "".join(f"{row.rstrip()}\n" for row in [line, *printed] if row.strip())


def _examples(text: str, names: dict[str, Any]) -> Iterator[str]:
    for example in doctest.DocTestParser().get_examples(text):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(example.source, "example", "single"), names)
        prompts = textwrap.indent(example.source, "... ", lambda line: True)
        yield ">>> " + prompts.removeprefix("... ")
        yield out.getvalue()
