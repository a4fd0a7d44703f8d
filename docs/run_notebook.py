"""Run the cells of a notebook in this process and keep what they show; no Jupyter is needed.

`make generate` writes docs/notebook.ipynb with it, and a test runs the cells and compares. What a cell shows
is what Jupyter would: what it prints, the value of its last line, and the figures of matplotlib.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

Cell = dict[str, Any]


def executed(path: Path) -> dict[str, Any]:
    """Return a notebook with the outputs of its cells; what a cell raises is raised."""
    import matplotlib as mpl

    mpl.use("agg")
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, start=1):
        cell["outputs"] = _run("".join(cell["source"]), f"cell {number} of {path.name}", names, number)
        cell["execution_count"] = number
    return notebook


def write_outputs(path: Path) -> None:
    """Run a notebook and keep its outputs in it."""
    path.write_text(json.dumps(executed(path), indent=1, ensure_ascii=False) + "\n", "utf-8")


def _run(source: str, where: str, names: dict[str, Any], number: int) -> list[Cell]:
    tree = ast.parse(source, where)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    value, printed = None, io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
        exec(compile(tree, where, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), where, "eval"), names)
    outputs: list[Cell] = []
    if printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())})
    if value is not None:
        data = {"text/plain": _lines(repr(value))}
        outputs.append(
            {"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"}
        )
    outputs += [
        {"data": {"image/png": picture}, "metadata": {}, "output_type": "display_data"}
        for picture in _pictures()
    ]
    return outputs


def _pictures() -> list[str]:
    import matplotlib.pyplot as plt

    found = []
    for number in plt.get_fignums():
        buffer = io.BytesIO()
        plt.figure(number).savefig(buffer, format="png", dpi=70, metadata={"Software": None})
        found.append(base64.b64encode(buffer.getvalue()).decode())
    plt.close("all")
    return found


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
