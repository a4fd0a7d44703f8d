"""The installed command: from the first import to the last, Ctrl-C ends it with one message."""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


def run() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        from .app import main  # here, so that a Ctrl-C while it is imported is caught too

        code = main()
    except KeyboardInterrupt:
        code = INTERRUPTED
    # From here on a Ctrl-C would only break the end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if code == INTERRUPTED:
        print("ratedb: interrupted; the database is as it was", file=sys.stderr, flush=True)
        # Python kills itself with the signal, whatever the code, where the interrupt came within an exec(),
        # as of every dataclass that is imported.
        os._exit(code)
    sys.exit(code)
