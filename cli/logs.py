"""What the library logs, on standard error: warnings, with -v what is done, with -vv each step of it."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from .output import printable

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class _Said(logging.Handler):
    """A handler that prints to what standard error is at that moment, so that it fits progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message, its hidden characters as escapes."""
        with suppress(OSError):  # a closed terminal does not stop the work
            print(printable(f"ratedb: {self.format(record)}"), file=sys.stderr, flush=True)


def listen(verbose: int, *, quiet: bool) -> None:
    """Print what ratedb logs from now on, in place of what was asked for before."""
    logger = logging.getLogger("ratedb")
    for one in [one for one in logger.handlers if isinstance(one, _Said)]:
        logger.removeHandler(one)
    logger.setLevel(_LEVELS[min(verbose, len(_LEVELS) - 1)])
    if not quiet:
        logger.addHandler(_Said())
