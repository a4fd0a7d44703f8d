"""Import TensorFlow and GPflow without their start-up messages."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from ratedb.models.workers import signals_handled_by

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back what C++ writes to standard error; show it if the block fails."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(saved, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextmanager
def late_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait for the end of the block: inside the import of TensorFlow it would be swallowed.

    The same for other signals that this program handles, such as SIGTERM.
    """
    received: list[int] = []
    handled = [number for number in _ENDING if callable(signal.getsignal(number))]
    with signals_handled_by(lambda number, frame: received.append(number), handled):
        yield
    if received:
        signal.raise_signal(received[0])


def import_gpflow() -> None:
    """Import GPflow (and TensorFlow, some 7 s) once, quietly."""
    if "gpflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # The log level alone does not silence the messages that precede TensorFlow's own logging.
    with late_interrupt(), _quiet_stderr():
        import gpflow  # noqa: F401  (imported for its effect)
        import tensorflow as tf

        tf.constant(0.0)  # the first operation sets up the devices, with messages


@contextmanager
def unchecked_shapes() -> Iterator[None]:
    """Turn GPflow's shape checks off inside the block: they double the time of tracing a small training.

    Shapes are validated where tables are made.
    """
    import check_shapes

    with check_shapes.disable_check_shapes():
        yield
