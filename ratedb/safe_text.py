"""Texts from outside: which characters no name may have, and how texts are cleaned, shown and put in cells.

Control characters can drive a terminal, marks of direction and invisible characters make a text look like
another one, and a spreadsheet takes a cell that begins with `=` for a formula.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ratedb.errors import RatedbError

# Controls (ESC, newlines, DEL), formats (marks of direction, zero width), lone surrogates, line separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_SEPARATES = re.compile("\r\n|[\t-\r\x1c-\x1f\x85\u2028\u2029]")
_LINE_ENDS = re.compile("\r\n|[\n-\r\x1c-\x1e\x85\u2028\u2029]")
# What a spreadsheet may compute; the last four are the full-width forms of the first.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_QUOTED_FORMULA = re.compile(f"'{_FORMULA.pattern}")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)

IS_FORMULA, IS_QUOTED_FORMULA, IS_NUMBER = (
    f"^(?s:{one.pattern})" for one in (_FORMULA, _QUOTED_FORMULA, re.compile(f"(?:{_NUMBER.pattern})$"))
)
"""Patterns of `to_cell` and `from_cell` for DuckDB's regexp_matches."""


def is_hidden(character: str) -> bool:
    """Return whether a character is a control, a mark of direction, invisible, or a lone surrogate."""
    return unicodedata.category(character) in _HIDDEN


def has_hidden(text: str) -> bool:
    """Return whether a text has a character that no name may have."""
    return not text.isprintable() and any(map(is_hidden, text))


def visible(text: str, *, keep: str = "") -> str:
    r"""Return a text whose hidden characters are escapes, such as \x1b; those in `keep` stay."""
    if not has_hidden(text):
        return text
    return "".join(_escape(one) if is_hidden(one) and one not in keep else one for one in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def clean(text: str) -> str:
    """Return a free text on one line: tabs and line ends are blanks, other hidden characters are left out."""
    return _seen(text).strip() if has_hidden(text) else text


def clean_lines(text: str) -> str:
    """Return a free text of several lines, such as a BibTeX entry, each of them cleaned."""
    if not has_hidden(text):
        return text
    return "\n".join(_seen(line).rstrip() for line in _LINE_ENDS.split(text))


def _seen(text: str) -> str:
    return "".join(one for one in _SEPARATES.sub(" ", text) if not is_hidden(one))


def refuse_hidden(what: str, texts: Iterable[str], where: str | None = None) -> None:
    """Raise RatedbError for the first of several names, of `what`, with a character that no name may have."""
    for text in texts:
        if has_hidden(text):
            raise RatedbError(
                f"{what} has a control, direction or invisible character",
                where=where,
                expected="characters that can be seen",
                got=visible(text)[:100],
                todo="remove the character; it is shown as an escape",
            )


def to_cell(text: str) -> str:
    """Return a text as a cell of a CSV file that no spreadsheet takes for a formula; `from_cell` undoes it.

    A number such as -1.5 stays as it is.
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def from_cell(text: str) -> str:
    """Return the text of a cell that `to_cell` wrote; other texts as they are."""
    return text[1:] if _QUOTED_FORMULA.match(text) else text
