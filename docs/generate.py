"""Write what is generated: the command reference, outputs of notebook, README and demo, and all pictures.

`make generate` runs it; tests fail where what it would write differs from what is there.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "benchmarks")]

from manual_page import manual_page  # noqa: E402  (after the paths to `report` and `run_notebook` are set)
from ratedb_cli.app import app, main  # noqa: E402
from report import replace_section  # noqa: E402
from run_notebook import write_outputs  # noqa: E402
from run_session import executed  # noqa: E402

from ratedb.findings import Rule  # noqa: E402
from ratedb.quality.rules import RULES  # noqa: E402
from ratedb.radiative.radex import lamda_folder  # noqa: E402

_WIDTH = "100"
os.environ["RATEDB_CONFIG"] = ""  # not that of whoever runs it


def command_reference() -> str:
    """Return docs/cli.md: the help of every command."""
    names = [str(command.name) for command in app.registered_commands]
    parts = [
        "# Commands",
        "",
        "Written by `make generate` from the help of each command."
        " Options before the command may also follow it.",
    ]
    for words in ([], *([name] for name in names)):
        title = " ".join(["ratedb", *words])
        parts += ["", f"## {title}", "", "```text", _help([*words, "--help"]), "```"]
    return "\n".join(parts) + "\n"


def quality_rules() -> str:
    """Return the table of the rules of quality control in docs/quality.md."""
    rows = [
        f"| `{rule.name}` | {rule.severity} | {rule.threshold:g} | {rule.meaning} |"
        for rule in sorted(RULES, key=_grave)
    ]
    return "\n".join(["| rule | severity | threshold | what it means |", "|---|---|---|---|", *rows])


def _grave(rule: Rule) -> int:
    return ("error", "warning", "note").index(rule.severity)


def demo_output(folder: Path) -> str:
    """Run the demo in a folder and return what it prints, without the seconds, which differ."""
    with contextlib.chdir(folder):
        output = _captured(["demo"])
    return re.sub(r"done in \d+ s", "", output).strip("\n")


def write_demo(readme: Path, page: Path, picture: Path) -> None:
    """Run the demo; write its last table into the README, all of its output to a page, and its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        output = demo_output(Path(folder))
        state = json.loads((Path(folder) / "ratedb-demo" / "demo.json").read_text())
        drawn = state["steps"]["evaluate CO+p-H2"]["picture"]
        shutil.copy(Path(folder) / drawn, picture)
        write_line_pictures(Path(folder) / "ratedb-demo", picture.parent)
    _, found, closing = output.partition("How good is the filled file?")
    replace_section(readme, "closing", f"```text\n$ make demo\n...\n{found}{closing}\n```")
    replace_section(page, "demo", f"```text\n$ make demo\n{output}\n```")


def shipped_file(name: str) -> Path:
    """Return a LAMDA file in spectralradex; RuntimeError without it."""
    folder = lamda_folder()
    if folder is None:
        raise RuntimeError("spectralradex is not installed (pip install '.[radex]')")
    return folder / name


def with_outputs(document: Path, shipped: str = "co.dat") -> str:
    """Return a document with what its commands and its Python print, on a file that RADEX ships."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(shipped_file(shipped), folder)
        return executed(document.read_text(encoding="utf-8"), main, Path(folder))


def write_line_pictures(demo: Path, folder: Path) -> None:
    """Draw what `verify` and `impact` say of a demo's files and store: verify.png and impact.png."""
    filled, true = str(demo / "filled.dat"), str(demo / "true.dat")
    verified, impacted = folder / "verify.png", folder / "impact.png"
    _captured(["--quiet", "verify", filled, "--against", true, "--picture", str(verified)])
    words = ["impact", "CO+p-H2", "CO+o-H2", "--j-max", "20", "--samples", "100"]
    _captured(["--quiet", "--db", str(demo / "demo.duckdb"), *words, "--picture", str(impacted)])
    for picture in (verified, impacted):
        _shrink(picture)


def _shrink(picture: Path) -> None:
    """Keep 256 colours of a picture: it looks the same and takes half of the bytes."""
    from PIL import Image

    with Image.open(picture) as image:
        small = image.convert("RGB").quantize(256)
    small.save(picture, optimize=True)


def _help(words: list[str]) -> str:
    os.environ["TERMINAL_WIDTH"] = _WIDTH
    return _captured(words).strip()


def _captured(words: list[str]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main(words)
    return re.sub(r" +$", "", out.getvalue(), flags=re.MULTILINE)


if __name__ == "__main__":
    (ROOT / "docs" / "cli.md").write_text(command_reference(), encoding="utf-8")
    (ROOT / "docs" / "ratedb.1").write_text(manual_page(), encoding="utf-8")
    replace_section(ROOT / "docs" / "quality.md", "rules", quality_rules())
    write_outputs(ROOT / "docs" / "notebook.ipynb")
    write_demo(ROOT / "README.md", ROOT / "docs" / "demo.md", ROOT / "docs" / "demo.png")
    pages = {"README.md": "co.dat", "docs/tops.md": "oh2cs.dat", "docs/sharing.md": "co.dat"}
    pages |= {str(page.relative_to(ROOT)): "co.dat" for page in (ROOT / "docs" / "tutorials").glob("*.md")}
    for page, shipped in ((ROOT / name, shipped) for name, shipped in pages.items()):
        page.write_text(with_outputs(page, shipped), encoding="utf-8")
