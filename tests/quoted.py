"""Compare an output that a document quotes with the output now."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

NUMBER = r"-?\d+\.?\d*(?:e[+-]?\d+)?"


def assert_quoted(quoted: str, now: str) -> None:
    """Words must be equal; numbers may differ a little between processors; seconds are ignored."""
    quoted, now = (re.sub(r"[\d.]+\s+s\b", "", text) for text in (quoted, now))
    assert re.sub(NUMBER, "", now).split() == re.sub(NUMBER, "", quoted).split(), "run `make generate`"
    numbers = [float(number) for number in re.findall(NUMBER, now)]
    assert [float(n) for n in re.findall(NUMBER, quoted)] == pytest.approx(numbers, rel=0.15, abs=0), now


def load_script(path: Path) -> ModuleType:
    """Return a script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
