"""What every command shares: where the database is, and how to print for people and for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ratedb.results import plain
from ratedb.safe_text import visible
from ratedb.store.waiting import DEFAULT_WAIT_S

from .interrupt import raise_if_interrupted
from .progress import Count, Pace, lines, words_of

if TYPE_CHECKING:
    from rich.console import Console

# Where output is not a terminal there is no width to ask for; tables then get this many columns.
_PLAIN_WIDTH = 100
_LONG = 1000


def printable(text: str) -> str:
    r"""Return a text as it is printed for people: hidden characters but line ends are escapes, as \x1b."""
    return visible(text, keep="\n")


@dataclass(frozen=True)
class Context:
    """The options that come before the command."""

    db: Path
    as_json: bool
    quiet: bool
    wait: float = DEFAULT_WAIT_S

    def console(self, *, stderr: bool = False) -> Console:
        """Return a console; colour is off where it is not a terminal or NO_COLOR is set."""
        from .terminal import SafeConsole

        stream = sys.stderr if stderr else sys.stdout
        return SafeConsole(stderr=stderr, width=None if stream.isatty() else _PLAIN_WIDTH)

    def emit(self, data: dict[str, Any], show: Callable[[Console], None]) -> None:
        """Print the result: one JSON object with --json, else what `show` prints (nothing with --quiet)."""
        if self.as_json:
            print(json.dumps(plain(data), allow_nan=False))
        elif not self.quiet:
            show(self.console())

    def warn(self, warnings: Iterable[str | Mapping[str, str]]) -> None:
        """Print warnings to standard error, each once; those of a writer name their rule and reader."""
        if not self.quiet:
            console = self.console(stderr=True)
            texts = [
                w if isinstance(w, str) else f"{w['rule']} ({w['reader']}): {w['detail']}" for w in warnings
            ]
            for text in dict.fromkeys(texts):
                console.print(f"warning: {text}", style="yellow", markup=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a word on what is going on to standard error."""
        if not self.quiet:
            print(f"ratedb: {text}", file=sys.stderr, flush=True)

    def report(self, text: str) -> None:
        """Print a step of long work, with --json to standard error, and notice a swallowed Ctrl-C."""
        raise_if_interrupted()
        if not self.quiet:
            self.console(stderr=self.as_json).print(text, markup=False)

    @contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Give a function that shows the step being worked on, on standard error, and when it will end.

        A terminal gets a bar where the step counts, another output a line now and then. Commands call it
        before each step, so that is where a Ctrl-C that was swallowed is noticed.
        """
        if self.quiet:
            yield lambda text: raise_if_interrupted()
        elif sys.stderr.isatty():
            with self._bar() as show:
                yield show
        else:
            with lines(lambda text: self.say(printable(text))) as said:

                def take(text: str) -> None:
                    raise_if_interrupted()
                    said.show(text)

                yield take

    @contextmanager
    def _bar(self) -> Iterator[Callable[[str], None]]:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console(stderr=True), transient=True) as bar:
            task, pace = bar.add_task("starting", total=None), Pace()

            def show(text: str) -> None:
                raise_if_interrupted()
                count = Count.of(text)
                # An update to None would leave the last step's total.
                bar.tasks[0].total = None if count is None else count.total
                text = printable(text) + words_of(pace.left_s(text))
                bar.update(task, description=text, completed=0 if count is None else count.done)

            yield show


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, text: Sequence[int] = (0,)
) -> Any:
    """Return a rich table; the columns at the indices `text` are words, the others numbers.

    A long one is lines of text as wide as they need: rich takes a millisecond to lay out a row.
    """
    from rich import box
    from rich.table import Table

    rows = list(rows)
    if len(rows) > _LONG:
        return LongTable(title, columns, rows, text)
    grid = Table(title=title, box=box.SIMPLE, title_justify="left", pad_edge=False)
    for number, column in enumerate(columns):
        grid.add_column(column, justify="left" if number in text else "right", overflow="fold")
    for row in rows:
        grid.add_row(*(cell(value) for value in row))
    return grid


class LongTable:
    """A table of many rows, which the console prints as lines."""

    def __init__(
        self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], text: Sequence[int]
    ) -> None:
        cells = [list(columns), *([cell(value) for value in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                word.ljust(width) if number in text else word.rjust(width)
                for number, (word, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in cells
        ]
        self._lines = [visible(title), lines[0], "-" * len(lines[0]), *lines[1:]]

    def __rich_console__(self, *_: object) -> Iterator[Any]:
        from rich.segment import Segment

        for line in self._lines:
            yield Segment(line)
            yield Segment.line()


def cell(value: object) -> str:
    """Return a value as a cell of a table."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, (list, tuple)):
        return ",".join(cell(item) for item in value)
    return visible(str(value))
