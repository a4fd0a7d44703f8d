"""The notebook runs, and shows what is stored in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from quoted import assert_quoted, load_script
from real import co_file

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


def runner() -> ModuleType:
    return load_script(NOTEBOOK.with_name("run_notebook.py"))


def shown(notebook: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return what each code cell shows as text, and the kinds of its outputs."""
    found = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            texts = [output.get("text") or output["data"].get("text/plain", []) for output in cell["outputs"]]
            kinds = [kind for output in cell["outputs"] for kind in output.get("data", {"stdout": ""})]
            found.append(("".join(line for text in texts for line in text), kinds))
    return found


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_is_stored_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers may differ in the last digits between processors, not more."""
    co_file()
    for package in ("matplotlib", "pandas", "xarray"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    stored, now = shown(json.loads(NOTEBOOK.read_text("utf-8"))), shown(runner().executed(NOTEBOOK))
    assert len(stored) == len(now) > 12
    for (quoted, quoted_kinds), (text, kinds) in zip(stored, now, strict=True):
        assert kinds == quoted_kinds, f"run `make generate`: {text}"
        assert_quoted(quoted, text)
    assert list(tmp_path.iterdir()) == []


def test_a_cell_that_raises_stops_the_notebook_and_says_where(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": [line], "outputs": []} for line in ("a = 1\n", "a / 0\n")]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    with pytest.raises(ZeroDivisionError) as caught:
        runner().executed(path)
    assert "cell 2 of n.ipynb" in str(caught.traceback[-1].path)


def test_a_cell_shows_what_it_prints_its_last_value_and_its_figures(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    source = "import matplotlib.pyplot as plt\nprint('said')\nplt.plot([1, 2])\nplt.show()\n"
    cells = [{"cell_type": "code", "source": [text], "outputs": []} for text in (source, "x = 2", "x + 1")]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    runner().write_outputs(path)
    assert shown(json.loads(path.read_text())) == [
        ("said\n", ["stdout", "image/png"]),
        ("", []),
        ("3", ["text/plain"]),
    ]


def test_what_is_stored_in_the_notebook_is_small_and_names_no_place() -> None:
    text = NOTEBOOK.read_text("utf-8")
    assert len(text) < 150_000
    assert re.search(r"/tmp|/home|/root|/work", text.replace("image/png", "")) is None
