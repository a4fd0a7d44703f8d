"""The installed command `ratedb`: Ctrl-C ends it with one message, also during the imports."""

from __future__ import annotations

import os
import signal
import sys

from . import interrupt


def run() -> None:
    """Run the command line and end the process with its exit code."""
    interrupt.watch()
    try:
        from .app import main  # here, so that Ctrl-C during the import is caught too

        interrupt.raise_if_interrupted()
        code = main()
    except KeyboardInterrupt:
        code = interrupt.exit_code() or 128 + signal.SIGINT
    # From here on Ctrl-C would only disturb the exit.
    interrupt.ignore()
    if code > 128:
        print("ratedb: interrupted; the database is as it was", file=sys.stderr, flush=True)
        # If the interrupt came within an exec(), such as the import of a dataclass, Python would end with the
        # signal and not with this code.
        os._exit(code)
    sys.exit(code)
