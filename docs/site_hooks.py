"""What the documentation site has besides docs/: README, changes and the like, schemas, and a report."""

from __future__ import annotations

import posixpath
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

import ratedb
from ratedb.radiative.radex import lamda_folder

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
}
FILES = ("CITATION.cff", *(f"schemas/{path.name}" for path in sorted((ROOT / "schemas").glob("*.json"))))
_PLACES = {**PAGES, **{name: name for name in FILES}}
_ORIGINS = {site: origin for origin, site in PAGES.items()}
_SHIM, _OWN_SHIM = "https://unpkg.com/iframe-worker/shim", "assets/iframe-worker.js"
_LINK = re.compile(r"(?<=\]\()([^)#\s:]+)(?=[)#])")


def on_files(files: Any, config: Any) -> Any:
    """Add what stands outside docs/."""
    for origin, site in _PLACES.items():
        files.append(File.generated(config, site, content=(ROOT / origin).read_text(encoding="utf-8")))
    files.append(File.generated(config, "demo-report.html", content=report_of_co()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Lead links, which are right in the repository, to the same files on the site."""
    here = page.file.src_uri
    origin = _ORIGINS.get(here, f"docs/{here}")

    def on_site(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link[0]))
        place = target.removeprefix("docs/") if target.startswith("docs/") else _PLACES.get(target)
        return link[0] if place is None else posixpath.relpath(place, posixpath.dirname(here) or ".")

    return _LINK.sub(on_site, markdown)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Take the script that searches without a server from the site itself."""
    return output.replace(_SHIM, posixpath.relpath(_OWN_SHIM, posixpath.dirname(page.url) or "."))


def on_post_template(output_content: str, **_: Any) -> str:
    """Do the same for pages that are no documents."""
    return output_content.replace(_SHIM, f"/{_OWN_SHIM}")


@cache
def report_of_co() -> str:
    """Return the page of CO + p-H2 with predicted j, or why there is none."""
    folder = lamda_folder()
    if folder is None:
        return "<!DOCTYPE html><title>No report</title><p>The LAMDA files of spectralradex are not installed."
    with tempfile.TemporaryDirectory() as name:
        db = ratedb.open(Path(name) / "co.duckdb", create=True)
        plan = db.plan("CO+p-H2", j="5:20", given_j="5", sizes="4")
        db.import_(folder / "co.dat", j="1:6,9,10,14,19", collider="p-H2", method="CC")
        db.train("CO+p-H2", plan=plan)
        db.fill("CO+p-H2", j="1:20")
        db.import_(folder / "co.dat", j="1:20", collider="p-H2", method="CC")
        db.report("CO+p-H2", Path(name) / "report.html")
        return (Path(name) / "report.html").read_text(encoding="utf-8")
