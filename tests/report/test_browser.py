"""A page in a real browser: what it shows are the store's numbers, and it asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import top_store
from browser import Browser
from pages import hostile_store, predicted_only, rich_store
from small_co import GAP, KELVIN, WRONG

import ratedb
from ratedb.rates import Rates

pytest.importorskip("bokeh", reason="Bokeh (the report extra) is not installed")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    db = rich_store(tmp_path_factory.mktemp("rich") / "rich.duckdb")
    ratedb.open(db).report(["CO+p-H2", "CO+o-H2"], db.with_name("page.html"))
    return db


@pytest.fixture
def page(browser: Browser, rich: Path) -> Iterator[Browser]:
    """The page of the rich store, opened anew; afterwards the console is silent and nothing was asked for."""
    path = rich.with_name("page.html")
    browser.open(path)
    yield browser
    browser.emulate()
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]


@pytest.fixture
def rates(rich: Path) -> Rates:
    return ratedb.open(rich).rates("CO+p-H2")


def choose(page: Browser, kelvin: float) -> None:
    """Move the slider to a temperature by the keyboard, from the left."""
    page.press("slider-0", "\ue011", *("\ue014" for _ in range(KELVIN.index(kelvin))))


def value(rates: Rates, upper: str, lower: str, kelvin: float) -> str:
    """Return a rate as Python prints it with four digits."""
    row = rates.transitions.names().index((upper, lower))
    return f"{rates.rate_cm3_s[row, KELVIN.index(kelvin)]:.3e}"


@pytest.mark.parametrize("kelvin", KELVIN)
def test_the_slider_changes_the_temperature_the_value_and_the_row(
    page: Browser, rates: Rates, kelvin: float
) -> None:
    page.click_cell(5, 3)
    choose(page, kelvin)
    assert page.text("kelvin-0") == f"{kelvin:g} K"
    assert f"5 \u2192 3 at {kelvin:g} K: k = {value(rates, '5', '3', kelvin)} cm3 s-1" in page.text("value-0")
    here = page.run("return document.querySelector('#numbers-0 .here th').textContent")
    assert here == f"{kelvin:g}"


@pytest.mark.parametrize(("upper", "lower"), [(5, 3), (7, 0), (8, 7), (10, 9), (12, 11), (1, 0)])
def test_a_click_on_a_cell_shows_the_numbers_of_the_store(
    page: Browser, rates: Rates, upper: int, lower: int
) -> None:
    page.click_cell(upper, lower)
    page.wait(lambda: page.text("value-0").startswith(f"{upper} \u2192 {lower} "))
    for kelvin, cells in zip(KELVIN, page.table(), strict=True):
        assert cells[0] == f"{kelvin:g}"
        used = page.run(
            "const row = document.getElementById('numbers-0').tBodies[0].rows[arguments[0]];"
            "return row.querySelector('.used').firstChild.textContent",
            KELVIN.index(kelvin),
        )
        assert used == value(rates, str(upper), str(lower), kelvin)


def test_every_source_of_a_transition_has_a_column_and_a_prediction_its_interval(
    page: Browser, rich: Path
) -> None:
    page.click_cell(7, 5)
    page.wait(lambda: page.text("value-0").startswith("7 "))
    query = (
        "SELECT source_id, temperature_k, rate_cm3_s, log10_half_width_68 FROM rates_all WHERE system ="
        " 'CO+p-H2' AND upper_label = '7' AND lower_label = '5' ORDER BY source_id, temperature_k"
    )
    heads = page.run(
        "return [...document.querySelectorAll('#numbers-0 thead th')].map((one) => one.textContent)"
    )
    table = page.table()
    for source_id, kelvin, rate, half_width in ratedb.open(rich).sql(query).rows:
        [column] = [place for place, head in enumerate(heads) if head.startswith(f"source {source_id},")]
        expected = f"{rate:.3e}"
        if half_width is not None:
            factor = 10 ** (half_width * 2.6588795303133708)
            expected += f" ({rate / factor:.3e} to {rate * factor:.3e})"
        assert table[KELVIN.index(kelvin)][column] == expected
    assert len(heads) == 3


def test_a_flagged_value_and_a_gap_are_said(page: Browser) -> None:
    upper, lower, kelvin = WRONG
    page.click_cell(int(upper), int(lower))
    choose(page, kelvin)
    assert "flagged" in page.text("value-0")
    page.click_cell(int(GAP[0]), int(GAP[1]))
    choose(page, GAP[2])
    assert page.text("value-0").endswith("no rate")


def test_boxes_and_arrow_keys_choose_a_transition_too(page: Browser, rates: Rates) -> None:
    page.press("upper-0", "9")
    page.press("lower-0", "6")
    page.wait(lambda: page.text("value-0").startswith("9 \u2192 6 "))
    page.press("keys-0", "\ue015")  # down
    assert page.text("value-0").startswith("9 \u2192 5 ")
    page.press("keys-0", "\ue014")  # right
    assert page.text("value-0").startswith("10 \u2192 5 ")
    page.press("keys-0", "\ue014")  # j = 11 is missing
    assert page.text("value-0").startswith("12 \u2192 5 ")
    assert value(rates, "12", "5", KELVIN[2]) in page.text("value-0")


def test_the_first_tab_reaches_the_skip_link(page: Browser) -> None:
    page.driver.find_element("tag name", "body").send_keys("\ue004")
    assert page.run("return document.activeElement.className") == "skip"


def test_the_second_system_has_its_own_numbers(page: Browser, rich: Path) -> None:
    page.click_cell(4, 2, number=1)
    page.wait(lambda: page.text("value-1").startswith("4 \u2192 2 "))
    other = ratedb.open(rich).rates("CO+o-H2")
    assert value(other, "4", "2", KELVIN[2]) in page.text("value-1")
    assert not page.text("value-0").startswith("4 \u2192 2 ")


def test_the_references_are_copied(page: Browser, rich: Path) -> None:
    page.driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    page.run("document.querySelector('button.copy').scrollIntoView({block: 'center'})")
    page.driver.find_element("css selector", "button.copy").click()
    page.wait(lambda: page.run("return document.querySelector('.copied').textContent") == "copied")
    text = "\n\n".join(ratedb.open(rich).cite("CO+p-H2").bibtex)
    assert page.text("bibtex-0") == text


@pytest.mark.parametrize(("media", "scheme", "dark"), [("", "dark", True), ("print", "dark", False)])
def test_pictures_have_the_colours_of_the_page_in_the_dark_and_on_paper(
    page: Browser, media: str, scheme: str, dark: bool
) -> None:
    page.emulate(media, scheme)
    script = "return Bokeh.documents[0].roots()[0].below[0].axis_label_text_color"
    page.wait(lambda: _is_light(str(page.run(script))) == dark)
    paper = page.run("return getComputedStyle(document.body).backgroundColor")
    assert _is_light(paper) != dark
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")


def test_paper_shows_what_is_folded_on_the_screen(page: Browser) -> None:
    folded = "return document.querySelectorAll('details:not([open])').length"
    before = page.run(folded)
    page.run("dispatchEvent(new Event('beforeprint'))")
    assert (before > 3, page.run(folded)) == (True, 0)
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run(folded) == before
    assert len(page.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]) > 100_000


def _is_light(colour: str) -> bool:
    if colour.startswith("#"):
        return int(colour[1:3], 16) > 127
    return int(colour.removeprefix("rgb(").split(",")[0]) > 127


@pytest.mark.parametrize("partner", [(), top_store.PARTNER_CM1], ids=["top", "pair"])
def test_tops_and_pairs_work_by_labels(browser: Browser, partner: tuple[float, ...], tmp_path: Path) -> None:
    db = top_store.put(tmp_path / "top.duckdb", top_store.rates(partner=partner))
    [(system, *_)] = ratedb.open(db).systems().rows
    ratedb.open(db).report(system, tmp_path / "top.html")
    browser.open(tmp_path / "top.html")
    rates = ratedb.open(db).rates(system)
    of_energy = rates.levels.energy_cm1.argsort(kind="stable").tolist()
    for row in (0, len(rates) // 2, len(rates) - 1):
        x, y = (of_energy.index(level[row]) for level in (rates.upper, rates.lower))
        browser.click_cell(x, y)
        name = "{} \u2192 {}".format(*rates.transitions.names()[row])
        browser.wait(lambda name=name: browser.text("value-0").startswith(f"{name} "))
        assert [cells[1] for cells in browser.table()] == [f"{k:.3e}" for k in rates.rate_cm3_s[row]]
    assert browser.complaints() == []
    assert browser.requests() == [(tmp_path / "top.html").as_uri()]


def test_hostile_texts_do_nothing(browser: Browser, tmp_path: Path) -> None:
    db = hostile_store(tmp_path / "hostile.duckdb")
    ratedb.open(db).report("CO+p-H2", tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    browser.click_cell(5, 3)
    browser.wait(lambda: "$$5$$" in browser.text("value-0").split("\u2192")[0])
    assert browser.run("return document.querySelectorAll('main img, main script:not([type])').length") == 0
    assert browser.run("return [...document.querySelectorAll('.bk-tooltip img')].length") == 0
    assert browser.complaints() == []
    assert browser.requests() == [(tmp_path / "page.html").as_uri()]


def test_a_system_of_predictions_only_shows_them(browser: Browser, tmp_path: Path) -> None:
    db = predicted_only(tmp_path / "some.duckdb")
    ratedb.open(db).report("CO+He", tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    assert ", predicted, 95 % interval " in browser.text("value-0")
    assert browser.complaints() == []
