"""Say which command holds a store."""

from __future__ import annotations

import re
from pathlib import Path

_PROGRAMS = ("ratedb", "ratedb_cli")
_WITH_VALUE = ("--db", "--wait")


def name_of_process(number: int) -> str:
    """Return a process as `ratedb import` with its number, or by its number alone."""
    command = _command_of(number)
    return f"`ratedb {command}` with PID {number}" if command else f"the process with PID {number}"


def _command_of(number: int) -> str | None:
    try:
        words = Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return None  # no Linux, another user's, or it has ended
    places = [place for place, word in enumerate(words) if Path(word).name in _PROGRAMS]
    rest = iter(words[places[0] + 1 :] if places else ())
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return word if re.fullmatch(r"[a-z]+", word) else None
    return None
