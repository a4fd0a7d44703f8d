"""The pages of a server in a real browser: search, open a system, download, and no request elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser
from pages import rich_store
from serving import Server, serving

import ratedb

pytest.importorskip("uvicorn", reason="uvicorn (the serve extra) is not installed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_store(tmp_path_factory.mktemp("served") / "rich.duckdb")


@pytest.fixture(scope="module")
def server(db: Path) -> Iterator[Server]:
    with serving(db) as running:
        yield running


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(downloads: Path) -> Iterator[Browser]:
    browser = Browser(downloads)
    yield browser
    browser.close()


@pytest.fixture
def index(browser: Browser, server: Server) -> Iterator[Browser]:
    """The list of systems, opened anew; afterwards the console is silent and only the server was asked."""
    browser.go(f"{server.address}/")
    yield browser
    assert browser.complaints() == []
    assert all(one.startswith(server.address) for one in browser.requests())


def shown(page: Browser) -> list[str]:
    found: list[str] = page.run(
        "return [...document.querySelectorAll('tr[data-name]')].filter((row) => !row.hidden)"
        ".map((row) => row.dataset.name)"
    )
    return found


def test_typing_shows_the_systems_that_are_searched_for(index: Browser) -> None:
    assert shown(index) == ["CO+o-H2", "CO+p-H2"]
    index.press("search", *"O-h2")
    assert shown(index) == ["CO+o-H2"]
    assert index.text("count") == "1 of 2"
    index.press("search", "x")
    assert shown(index) == []
    assert index.run("return document.getElementById('nothing').offsetHeight > 0")


def test_a_click_opens_the_page_of_a_system_with_the_numbers_of_the_store(index: Browser, db: Path) -> None:
    index.driver.find_element("link text", "CO+p-H2").click()
    index.ready()
    assert "CO+p-H2" in index.driver.title
    index.click_cell(5, 3)
    rates = ratedb.open(db).rates("CO+p-H2")
    one = rates.curve("5", "3")
    kelvin = float(index.run("return document.getElementById('slider-0').value"))
    number = f"{one.rate_cm3_s[0, round(kelvin)]:.3e}"
    assert number in index.text("value-0")


def test_a_download_is_the_file_of_an_export(index: Browser, db: Path, downloads: Path) -> None:
    for name in ("LAMDA", "CSV", "Parquet"):
        index.driver.find_elements("link text", name)[1].click()
    index.driver.find_element("css selector", "a.beside").click()
    names = {"CO+p-H2.dat", "CO+p-H2.csv", "CO+p-H2.parquet", "CO+o-H2.dat.provenance.json"}
    index.wait(lambda: {one.name for one in downloads.iterdir()} == names)
    for name in sorted(names):
        if not name.endswith(".json"):
            own = ratedb.open(db).export(
                "CO+p-H2",
                downloads.parent / name,
                format="lamda" if name.endswith(".dat") else name.rpartition(".")[2],
            )
            assert (downloads / name).read_bytes() == Path(own.path).read_bytes()


def test_the_page_of_the_query_api_opens_from_the_list(index: Browser) -> None:
    index.driver.find_element("link text", "Query API").click()
    assert "/api/rates" in index.run("return document.body.textContent")
    index.driver.find_elements("css selector", "section p a")[0].click()
    assert '"systems":[' in index.run("return document.body.textContent")


def test_an_unknown_system_is_a_page_with_a_suggestion(browser: Browser, server: Server) -> None:
    browser.driver.get(f"{server.address}/systems/COpH2")
    assert "CO+p-H2" in browser.run("return document.getElementById('main').textContent")
