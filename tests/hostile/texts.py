"""Hostile texts of all kinds, and what must be true of whatever is printed."""

from __future__ import annotations

import unicodedata

from commands import Answer

HIDDEN = {
    "colour": "red\x1b[31mtext",
    "clear screen": "\x1b[2J\x1b[H",
    "title of the window": "\x1b]0;owned\x07",
    "link": "\x1b]8;;http://example.org\x1b\\click\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJm\x07",
    "answer back": "\x1b[6n\x1b[c",
    "8-bit CSI": "a\x9b31mb",
    "8-bit OSC": "a\x9d0;x\x9c",
    "null": "a\0b",
    "bell": "a\x07b",
    "backspace": "real\b\b\b\bfake",
    "delete": "a\x7fb",
    "carriage return": "real\rfake",
    "line feed": "a\nall is well",
    "vertical tab": "a\x0bb",
    "form feed": "a\x0cb",
    "tab": "a\tb",
    "unit separator": "a\x1fb",
    "next line": "a\x85b",
    "shift out": "a\x0eb\x0f",
    "right to left": "a\u202eb",
    "left to right": "a\u202db\u202c",
    "isolate": "a\u2066b\u2069",
    "mark": "a\u200fb\u200e",
    "Arabic mark": "a\u061cb",
    "zero width space": "a\u200bb",
    "zero width joiner": "a\u200db",
    "byte order mark": "a\ufeffb",
    "word joiner": "a\u2060b",
    "soft hyphen": "a\u00adb",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "tag": "a\U000e0041b",
    "lone surrogate": "a\udc80b",
}
"""Texts with a character that no name may have."""

SEEN = {
    "formula": "=1+1",
    "plus": "+1+1",
    "minus": "-1+1",
    "at": "@SUM(1)",
    "command": "=cmd|' /C calc'!A0",
    "full width": "\uff1d1",
    "quoted": "'=1",
    "markup": "[red]x[/blue]",
    "closing markup": "[/]",
    "emoji": ":smile:",
    "path": "../../etc/passwd",
    "format": "{0.__class__} %s %n",
    "statement": "'; DROP TABLE rate; --",
    "accents": "Müller & Łuński, 中文, Ελληνικά",
    "long": "x" * 5000,
    "option": "--help",
}
"""Texts that are only strange: they are kept as they are."""


def raw(text: str) -> list[str]:
    """Return the characters of a printed text that a terminal would obey or not show, but for line ends."""
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return [one for one in text if one != "\n" and unicodedata.category(one) in hidden]


def need_harmless(answer: Answer) -> None:
    """Check that a command printed no raw control and no traceback, and ended with one of its codes."""
    assert raw(answer.out) == []
    assert raw(answer.err) == []
    assert "Traceback" not in answer.err
    assert answer.code in (0, 1, 2, 4)


def need_refused(answer: Answer) -> None:
    """Check that a command said in one message what is wrong."""
    need_harmless(answer)
    assert answer.code in (1, 2)
    assert answer.err.count("ratedb: ") == 1 or answer.err.startswith("Usage: ")
