"""The group of all commands; what is wrong with a command line is said without its hidden characters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from typer.core import TyperGroup

from ratedb.config import Config, read_config
from ratedb.errors import RatedbError

from .output import printable


class SafeGroup(TyperGroup):
    """A group whose errors quote the command line with escapes for control characters."""

    def make_context(self, *words: Any, **more: Any) -> Any:
        """Return the context of a command line; raises Typer's errors, made printable.

        Options that are not given, nor in the environment, are those of the config file.
        """
        config, error = _config()
        more |= {"default_map": dict(config.shared) | dict(config.commands), "obj": error}
        with _printable_errors():
            return super().make_context(*words, **more)

    def invoke(self, context: Any) -> Any:
        """Run the command that the command line names; raises Typer's errors, made printable."""
        with _printable_errors():
            return super().invoke(context)


def _config() -> tuple[Config, RatedbError | None]:
    """Return the config file and what is wrong with it: `--help` and `doctor` work all the same."""
    try:
        return read_config(), None
    except RatedbError as error:
        return Config(), error


@contextmanager
def _printable_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if hasattr(error, "format_message"):  # only Typer's own, which have no public class
            error.message = printable(error.message)  # type: ignore[attr-defined]
        raise
