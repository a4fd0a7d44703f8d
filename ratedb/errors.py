"""Every error that ratedb raises on purpose, each with the exit code the command line gives it."""

from __future__ import annotations

import re
from collections.abc import Iterable


class RatedbError(Exception):
    """Something in the data, a model or a file is not as it has to be.

    The message is built from its parts so that each error says *what* happened, *where*, what was
    *expected*, what was *got* and what to *do*.
    """

    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        todo: str | None = None,
    ) -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.got = got
        self.todo = todo
        parts = [
            ("where", where),
            ("expected", expected),
            ("got", got),
            ("what to do", todo),
        ]
        lines = [what] + [f"  {name}: {text}" for name, text in parts if text]
        super().__init__("\n".join(lines))

    def in_one_line(self) -> str:
        """Return the message for a cell of a table."""
        return "; ".join(line.strip() for line in str(self).splitlines())

    def to_json(self) -> dict[str, str | int | None]:
        """Return the parts of the message and the exit code as plain JSON values."""
        return {
            "what": self.what,
            "where": self.where,
            "expected": self.expected,
            "got": self.got,
            "todo": self.todo,
            "exit_code": self.exit_code,
        }


class IntegrityError(RatedbError):
    """Something stored is not what ratedb stored."""


class FitError(RatedbError):
    """A candidate model could not be fitted; another one may."""


class WorkersError(RatedbError):
    """The workers that were asked for cannot be had, or were lost."""


class UsageError(RatedbError):
    """The request itself is invalid, whatever the data."""

    exit_code = 2


_LONGEST_NAME, _MOST_SUGGESTED = 200, 3
_NO_PART_OF_NAMES = re.compile(r"[^\w+]|_")


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return "did you mean ...?" with the known names most like a name, None where none is.

    Case, hyphens and blanks count less than letters: CO+pH2 is CO+p-H2.
    """
    from difflib import get_close_matches  # here: only errors need it

    written: dict[str, list[str]] = {}
    for one in dict.fromkeys(known):
        written.setdefault(_bare(one), []).append(one)
    bare = _bare(name)
    if not bare or len(name) > _LONGEST_NAME:
        return None
    close = [bare] if bare in written else get_close_matches(bare, written, n=_MOST_SUGGESTED)
    found = [one for match in close for one in written[match]][:_MOST_SUGGESTED]
    return f"did you mean {' or '.join(found)}?" if found else None


def _bare(name: str) -> str:
    return _NO_PART_OF_NAMES.sub("", name.casefold())


def one_of(what: str, value: str, known: Iterable[str]) -> str:
    """Return a value that is among the known ones; raises UsageError for another."""
    if value not in (names := list(known)):
        todo = did_you_mean(value, names)
        raise UsageError(f"unknown {what} {value!r}", expected=", ".join(names), got=value, todo=todo)
    return value


class ListError(UsageError):
    """A text is not the list of numbers it should be; `place` is where in `text` the invalid part begins."""

    def __init__(self, what: str, text: str, place: int, expected: str) -> None:
        self.text = text
        self.place = place
        super().__init__(what, expected=expected, got=text)


class LockedError(RatedbError):
    """Another process holds the database."""

    exit_code = 3


class IncompleteError(RatedbError):
    """The work was finished but its result is not complete or not within its tolerance."""

    exit_code = 4
