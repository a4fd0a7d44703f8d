"""Starting TensorFlow: quietly, and without losing Ctrl-C."""

from __future__ import annotations

import os
import signal

import pytest

from ratedb.models.gpflow.quiet import late_interrupt


def test_ctrl_c_inside_the_block_is_raised_at_its_end() -> None:
    done = []

    def press() -> None:
        with late_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        press()
    assert done == ["the rest of the block"]


def test_the_handler_of_ctrl_c_is_put_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with late_interrupt():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before
