"""What a server answers where it gives no data: a status, and an error in the parts of RatedbError."""

from __future__ import annotations

import re

from ratedb.errors import IntegrityError, LockedError, RatedbError, UsageError
from ratedb.server.keeping import BusyError

RETRY_AFTER_S = 2
_AGAIN = "ask again in some seconds"
# The folders of an absolute path; an address of this server is none.
_FOLDERS = re.compile(r"(?<![\w/.])/(?!(?:api|files|systems)\b)(?:[^/\s'\"]+/)*(?=[^/\s])")
_INTERNAL = "the server failed; its log says why"


class TooLargeError(RatedbError):
    """An answer would be larger than the server sends."""


class NotFoundError(RatedbError):
    """There is nothing of this name."""


# The first that fits counts.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFoundError, 404),
    (TooLargeError, 413),
    (UsageError, 400),
    (LockedError, 503),
    (BusyError, 503),
    (IntegrityError, 500),
    (RatedbError, 422),
)


def status_of(error: Exception) -> int:
    """Return the HTTP status of an error, 500 for one that nobody expects."""
    return next((status for of, status in _STATUS if isinstance(error, of)), 500)


def parts_of(error: Exception, hidden: str) -> dict[str, str | None]:
    """Return what an answer says of an error, without what is not for the world, such as paths."""
    if isinstance(error, BusyError):
        return {"what": "the server is busy", "got": str(error), "todo": _AGAIN}
    if isinstance(error, LockedError):
        return {"what": "somebody writes to the store", "todo": _AGAIN}
    if not isinstance(error, RatedbError):
        return {"what": _INTERNAL}
    parts = {name: text for name, text in error.to_json().items() if name != "exit_code"}
    return {name: _cleaned(text, hidden) for name, text in parts.items()}


def _cleaned(text: object, hidden: str) -> str | None:
    """Return a text in which the store is "the store", and other paths are the names at their ends."""
    return None if text is None else _FOLDERS.sub("", str(text).replace(hidden, "the store"))
