"""Check what `make dist` has built: the source is complete, and the wheel works in an empty environment.

Usage: check_dist.py FOLDER
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from small_lamda import lamda_text  # noqa: E402  (after its path is set)

# Parts of a wheel that are no modules, by how their paths end.
_DATA = (
    "ratedb/py.typed",
    "ratedb/kinds/linear.toml",
    "ratedb/models/corpus/corpus.json",
    "ratedb_schemas/provenance.schema.json",
    "data/share/man/man1/ratedb.1",
    "licenses/LICENSE",
)
_LEVELS = [(0.0, 1.0, "0"), (3.845, 3.0, "1"), (11.535, 5.0, "2")]


def check_source(archive: Path) -> None:
    """Stop where the source distribution lacks a file of the repository."""
    with tarfile.open(archive) as source:
        there = {name.partition("/")[2] for name in source.getnames()}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    if lacking := sorted(set(listed.stdout.splitlines()) - there):
        sys.exit(f"{archive.name} lacks {', '.join(lacking)}")
    print(f"{archive.name}: all {len(listed.stdout.splitlines())} files of the repository")


def check_wheel(wheel: Path) -> None:
    """Stop where the wheel lacks a module or data, or has what is not for users."""
    names = zipfile.ZipFile(wheel).namelist()
    if lacking := [end for end in _DATA if not any(name.endswith(end) for name in names)]:
        sys.exit(f"{wheel.name} lacks {', '.join(lacking)}")
    folders = {"ratedb": "ratedb", "cli": "ratedb_cli", "schemas": "ratedb_schemas"}
    modules = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    shipped = {
        "/".join([folders[path.relative_to(ROOT).parts[0]], *path.relative_to(ROOT).parts[1:]])
        for path in modules
    }
    if lacking := sorted(shipped - set(names)):
        sys.exit(f"{wheel.name} lacks {', '.join(lacking)}")
    if more := [name for name in names if name.startswith(("tests", "docs", "benchmarks"))]:
        sys.exit(f"{wheel.name} has {', '.join(more)}")
    print(f"{wheel.name}: {len(shipped)} modules and their data")


def check_installed(wheel: Path) -> None:
    """Stop where the wheel cannot be installed alone, or its commands fail."""
    # Nothing of the repository, or of who runs this, may have a part in it.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RATEDB_"))}
    clean["RATEDB_CONFIG"] = ""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "venv", with_pip=True)
        (place / "ab.dat").write_text(lamda_text("AB", _LEVELS, "J", "1 AB-He ! AB-He"), encoding="utf-8")
        programs = place / "venv" / "bin"
        for words in (
            [
                "pip",
                "install",
                "--quiet",
                "--constraint",
                str(ROOT / "constraints.txt"),
                str(wheel.absolute()),
            ],
            ["ratedb", "--help"],
            ["ratedb", "--version"],
            ["ratedb", "import", "ab.dat", "--collider", "He"],
            ["ratedb", "systems"],
            ["ratedb", "doctor"],
            ["python", "-m", "ratedb", "show", "AB+He"],
        ):
            print("$", " ".join(words), flush=True)
            subprocess.run([programs / words[0], *words[1:]], cwd=place, env=clean, check=True)


if __name__ == "__main__":
    [source], [wheel] = (sorted(Path(sys.argv[1]).glob(kind)) for kind in ("*.tar.gz", "*.whl"))
    check_source(source)
    check_wheel(wheel)
    check_installed(wheel)
