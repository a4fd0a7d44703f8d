"""Walk over the numbered lines of a LAMDA file, past comments and blank lines."""

from __future__ import annotations

import re
from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.io.text import Line, to_number

# Headers that some files leave without their `!`. Only lines that start with a letter are tried.
_BARE_HEADER = re.compile(
    r"(?:NUMBER OF\b.*|(?:MOLECULE|ATOM|ION|MASS)\s*|(?:MOLECULAR|ATOMIC) (?:WEIGHT|MASS)\s*"
    r"|(?:LEVELS?|TRANS(?:ITIONS?)?)\s*\+.*|COLLISIONS? (?:BETWEEN|WITH)\s*|(?:COLLISION )?PARTNER\s*\d*\s*"
    r"|(?:COLL(?:ISION(?:AL)?)?\.? )?TEMP(?:ERATURE)?S?\s*)",
    re.IGNORECASE,
)


class Cursor:
    """The lines of one file, taken one by one past comments and blank lines.

    `comments` holds the comments passed since the line before, and `bare_headers` counts the headers
    that had no `!`.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.position = 0
        self.comments: list[str] = []
        self.bare_headers = 0

    def next_line(self) -> Line | None:
        """Return the next line that is neither blank nor a comment and step past it; None at the end."""
        self.comments = []
        lines, end = self.lines, len(self.lines)
        while self.position < end:
            text = lines[self.position].strip()
            self.position += 1
            if not text:
                continue
            if text[0] == "!":
                self.comments.append(text)
            elif text[0].isalpha() and _BARE_HEADER.fullmatch(text):
                self.comments.append(text)
                self.bare_headers += 1
            else:
                return Line(self.position, text, self.path)
        return None

    def take(self, expected: str) -> Line:
        """Return the next line as `next_line` does; raises RatedbError at the end of the file."""
        line = self.next_line()
        if line is None:
            raise RatedbError(
                "the file ends too early",
                where=f"{self.path}:{len(self.lines)}",
                expected=expected,
                got="the end of the file",
                todo="compare the declared counts with the rows; correct the count, or get the file again",
            )
        return line

    def continuation(self) -> Line | None:
        """Return the next line if it carries on a wrapped row (no comment between), else None."""
        position = self.position
        while position < len(self.lines) and not self.lines[position].strip():
            position += 1
        if position == len(self.lines) or self.lines[position].lstrip()[0] not in "+-.0123456789":
            return None
        self.position = position + 1
        return Line(self.position, self.lines[position].strip(), self.path)

    def count(self, name: str) -> int:
        """Take a line with a count alone on it; raises RatedbError where it is none."""
        line = self.take(f"the number of {name}")
        fields = line.fields()
        value = to_number(fields[0]) if fields else None
        if value is None or value < 0 or value != int(value) or any(map(_is_number, fields[1:])):
            raise line.refuse(
                f"the number of {name} is not a count",
                "one whole number alone on its line",
                "check that the list before it has as many rows as the file declares",
            )
        return int(value)


def _is_number(word: str) -> bool:
    return to_number(word) is not None
