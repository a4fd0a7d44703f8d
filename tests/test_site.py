"""The documentation site is built without a warning, and needs nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser

import ratedb.database

pytest.importorskip("mkdocs", reason="MkDocs (the docs extra) is not installed")
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_every_document_is_a_page_of_the_site(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").is_file(), page
    for name in ("index", "changes", "contributing", "security"):
        assert (site / f"{name}.html").is_file()


def test_every_link_on_the_site_leads_to_a_file_of_it(site: Path) -> None:
    for page in site.rglob("*.html"):
        if page.name in ("demo-report.html", "404.html"):
            continue
        for link in re.findall(r'(?:href|src)="([^"#]+)', page.read_text(encoding="utf-8")):
            if not link.startswith(("http", "data:", "mailto:")):
                assert (page.parent / link.partition("?")[0]).exists(), f"{page.name}: {link}"


def test_no_script_style_or_picture_is_fetched_from_elsewhere(site: Path) -> None:
    pages = [page for page in site.rglob("*.html") if page.name != "demo-report.html"]
    for page in pages:
        elsewhere = r'<(?:script|img|iframe)[^>]* src="https?:|<link[^>]* rel="stylesheet"[^>]* href="https?:'
        assert not re.search(elsewhere, page.read_text(encoding="utf-8")), page.name


def test_the_reference_has_every_method_with_its_options(site: Path) -> None:
    text = (site / "python.html").read_text(encoding="utf-8")
    methods = [name for name in vars(ratedb.database.Database) if not name.startswith("_")]
    for name in methods:
        assert f'id="ratedb.database.Database.{name}"' in text
    assert "train_j: " in text


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


def test_the_search_works_from_a_folder_and_asks_nobody(site: Path, browser: Browser) -> None:
    browser.driver.get((site / "index.html").as_uri())
    browser.run("document.querySelector('input.md-search__input').focus()")
    browser.driver.switch_to.active_element.send_keys("critical density")
    found = (
        "return [...document.querySelectorAll('.md-search-result__item h1')].map((one) => one.textContent)"
    )
    browser.wait(lambda: "Lines" in browser.run(found))
    assert browser.complaints() == []
    assert all(one.startswith(("file:", "about:", "blob:")) for one in browser.requests())
