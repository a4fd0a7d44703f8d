"""A page says what the store has, to the last bit; what comes from the store is never markup."""

from __future__ import annotations

import base64
import hashlib
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import top_store
from pages import HOSTILE, PLANNED, Page, best_of, hostile_store, predicted_only, rich_store, values_of
from ratedb_cli.app import main
from real import shared_folder
from small_co import put, truth

import ratedb
from ratedb.errors import RatedbError, UsageError
from ratedb.layers import RATIO_95_68
from ratedb.report import installed
from ratedb.store.store import Store

pytest.importorskip("bokeh", reason="Bokeh (the report extra) is not installed")


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with something of everything, for reading only."""
    return rich_store(tmp_path_factory.mktemp("rich") / "rich.duckdb")


@pytest.fixture(scope="module")
def written(rich: Path) -> Path:
    """The page of its two systems."""
    target = rich.with_name("report.html")
    ratedb.open(rich).report(["CO+p-H2", "CO+o-H2"], target)
    return target


def assert_embedded_as_stored(db: Path, page: Path) -> None:
    store = ratedb.open(db)
    for system in Page.read(page).data:
        rows = store.sql(
            "SELECT source_id, upper_label, lower_label, temperature_k, rate_cm3_s,"
            " coalesce(log10_half_width_68, 'nan'::DOUBLE), coalesce(marked, false),"
            f" coalesce(extrapolated, false) FROM rates_all WHERE system = '{system['system']}'"
        ).rows
        there = {row[:4]: (row[4].hex(), row[5].hex(), row[6], row[7]) for row in rows}
        assert len(there) > 0
        assert values_of(system) == there
        best = store.rates(system["system"])
        names = best.transitions.names()
        chosen = {
            (*names[row], best.temperature_k[column]): best.source_id[row, column]
            for row, column in np.argwhere(best.source_id >= 0).tolist()
        }
        assert best_of(system) == chosen


def test_the_numbers_in_the_page_are_those_of_the_store_bit_by_bit(rich: Path, written: Path) -> None:
    assert_embedded_as_stored(rich, written)


def test_a_computed_value_keeps_the_prediction_behind_it(written: Path) -> None:
    system = Page.read(written).data[0]
    of_pair = {key[0]: value for key, value in values_of(system).items() if key[1:] == ("7", "5", 50.0)}
    kinds = {source["id"]: source["kind"] for source in system["sources"]}
    assert sorted(kinds[number] for number in of_pair) == ["computed", "predicted"]
    assert kinds[best_of(system)["7", "5", 50.0]] == "computed"


@pytest.mark.parametrize("partner", [(), top_store.PARTNER_CM1], ids=["top", "pair"])
def test_tops_and_pairs_have_pages_too(partner: tuple[float, ...], tmp_path: Path) -> None:
    db = top_store.put(tmp_path / "top.duckdb", top_store.rates(partner=partner))
    [(system, *_)] = ratedb.open(db).systems().rows
    ratedb.open(db).report(system, tmp_path / "top.html")
    assert_embedded_as_stored(db, tmp_path / "top.html")
    assert "Transitions by initial state" in Page.read(tmp_path / "top.html").text


@pytest.mark.slow
def test_a_real_top_has_a_page(tmp_path: Path) -> None:
    store = ratedb.open(tmp_path / "h2co.duckdb", create=True)
    store.import_(shared_folder("h2co-h2-rot-wiesenfeld2013") / "oh2co-h2.dat")
    systems = store.systems().column("system")
    store.report(systems, tmp_path / "page.html")
    assert_embedded_as_stored(store.path, tmp_path / "page.html")


def test_a_store_with_predictions_only_and_one_without_any(tmp_path: Path) -> None:
    db = predicted_only(tmp_path / "some.duckdb")
    ratedb.open(db).report(["CO+He", "CO+o-H2"], tmp_path / "page.html")
    assert_embedded_as_stored(db, tmp_path / "page.html")
    text = Page.read(tmp_path / "page.html").text
    assert "Expected, from the intervals of the predicted rates" in text
    assert "Nothing is predicted here" in text
    assert text.count("The store has no plan for this system") == 2
    assert "The store has no models of this system." in text


def test_a_flagged_value_does_not_take_the_colours_of_the_map(rich: Path, written: Path) -> None:
    query = "SELECT max(rate_cm3_s) FROM rates WHERE system = 'CO+p-H2' AND NOT marked"
    [(largest,)] = ratedb.open(rich).sql(query).rows
    assert 10 ** Page.read(written).data[0]["colours"][1] == pytest.approx(largest)


def test_the_missing_transitions_are_counted(rich: Path, written: Path) -> None:
    shown = ratedb.open(rich).show("CO+p-H2")
    missing = sum(row["missing"] for row in shown.coverage)
    assert missing > 0
    assert f"{missing} transitions of these levels have no rates." in Page.read(written).text


def test_the_expected_error_is_the_median_of_the_half_widths(rich: Path, written: Path) -> None:
    rows = (
        ratedb.open(rich)
        .sql("SELECT j, log10_half_width_68 FROM rates WHERE system = 'CO+p-H2' AND kind = 'predicted'")
        .rows
    )
    text = Page.read(written).text
    for j in {j for j, _ in rows}:
        dex = statistics.median(width for of_j, width in rows if of_j == j)
        assert f"{j} 8 {10**dex:.4g} {10 ** (RATIO_95_68 * dex):.4g}" in text


@pytest.mark.slow
def test_the_error_is_measured_where_the_truth_is_in_the_store(tmp_path: Path) -> None:
    store = ratedb.open(tmp_path / "rotor.duckdb", create=True)
    with Store(store.path, write=True) as opened:
        put(opened, truth(), "computed", "First et al. 2010")
    sets = {"train_j": "3,6,9,12", "validate_j": "4,7", "kernels": "M32", "features": "physics"}
    model = store.train("CO+p-H2", **sets)
    store.report("CO+p-H2", tmp_path / "page.html")
    text = Page.read(tmp_path / "page.html").text
    assert "Measured: model 1 against the computed rates of this store" in text
    for one in store.evaluate(model.model_id).by_j:
        found = one.model
        assert f"{one.value} {one.transitions} {found.factor_median:.4g} {found.factor_p95:.4g}" in text


def test_the_plan_says_what_the_chosen_set_saves(written: Path) -> None:
    text = Page.read(written).text
    assert "saves 76.0 % of the computing time, 380 hours. Its expected error is 4.5 % of a rate." in text
    assert f"chosen {', '.join(map(str, PLANNED['train_j']))} 6 24 120 380 4.5" in text
    assert "5, 12 6 18 120 410 9.25" in text


def test_findings_sources_and_references_are_listed(rich: Path, written: Path) -> None:
    page = Page.read(written)
    assert "off-curve" in page.text
    assert "100 times its neighbours" in page.text
    assert "10 \u2192 9" in page.text
    for row in ratedb.open(rich).sources("CO+p-H2").dicts():
        assert row["reference"] in page.text
    hashes = ratedb.open(rich).sql("SELECT file_sha256 FROM sources WHERE file_sha256 IS NOT NULL").rows
    assert all(sha256 in page.text for (sha256,) in hashes)
    for entry in ratedb.open(rich).cite("CO+p-H2").bibtex:
        assert " ".join(entry.split()) in page.text


def test_a_doi_is_a_link_and_what_is_no_doi_is_none(tmp_path: Path) -> None:
    db = top_store.put(tmp_path / "top.duckdb", top_store.rates())
    store = ratedb.open(db)
    store.sources(top_store.SYSTEM, correct=(1, "doi=10.1088/0004-637X/718/2/1062"), because="known")
    store.report(top_store.SYSTEM, tmp_path / "page.html")
    links = [attrs.get("href") for tag, attrs in Page.read(tmp_path / "page.html").elements if tag == "a"]
    outside = {link for link in links if link is not None and not link.startswith("#")}
    assert outside == {"https://doi.org/10.1088/0004-637X/718/2/1062"}


def test_what_comes_from_the_store_is_text_and_never_markup(tmp_path: Path, written: Path) -> None:
    db = hostile_store(tmp_path / "hostile.duckdb")
    ratedb.open(db).report("CO+p-H2", tmp_path / "page.html")
    page, usual = Page.read(tmp_path / "page.html"), Page.read(written)
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in usual.elements}
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert page.data[0]["label"][0].startswith(HOSTILE)
    assert " ".join(HOSTILE.split()) in page.text
    assert "49" not in page.text.split("Sources")[1].split("SHA-256 of the tr")[0]


def test_the_policy_allows_the_two_scripts_of_the_page_and_no_connection(written: Path) -> None:
    page = Page.read(written)
    [policy] = [
        a["content"] or "" for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"
    ]
    code = [text for attributes, text in page.scripts if "type" not in attributes]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in code]
    parts = policy.split("; ")
    assert f"script-src 'sha256-{hashes[0]}' 'sha256-{hashes[1]}'" in parts
    assert {"default-src 'none'", "connect-src 'none'", "img-src data:"} <= set(parts)
    assert "unsafe-eval" not in policy
    sources = [a.get("src") or a.get("href") for tag, a in page.elements if tag in ("script", "link", "img")]
    assert [source for source in sources if source not in (None, "data:,")] == []


def test_the_page_has_a_title_a_skip_link_and_names_for_its_parts(written: Path) -> None:
    page = Page.read(written)
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    assert "CO+p-H2, CO+o-H2: rate coefficients" in page.text
    [skip] = [attrs for tag, attrs in page.elements if attrs.get("class") == "skip"]
    assert skip["href"] == "#main"
    named = [attrs["aria-labelledby"] for _, attrs in page.elements if "aria-labelledby" in attrs]
    assert len(named) > 10
    assert set(named) | {"main"} <= ids


def test_the_command_says_what_it_wrote(
    rich: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    assert main(["--db", str(rich), "--json", "report", "CO+p-H2", "-o", str(target)]) == 0
    content = target.read_bytes()
    assert json.loads(capfd.readouterr().out) == {
        "path": str(target),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "systems": ["CO+p-H2"],
    }


def test_the_same_store_gives_the_same_page(rich: Path, written: Path, tmp_path: Path) -> None:
    ratedb.open(rich).report(["CO+p-H2", "CO+o-H2"], tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == written.read_bytes()


def test_a_page_that_fails_leaves_the_old_one(rich: Path, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text("old")
    with pytest.raises(RatedbError, match="no system"):
        ratedb.open(rich).report(["CO+p-H2", "XX+He"], target)
    with pytest.raises(UsageError, match="needs a system"):
        ratedb.open(rich).report([], target)
    assert target.read_text() == "old"
    with pytest.raises(RatedbError, match="overwrite a database"):
        ratedb.open(rich).report("CO+p-H2", rich)
    assert list(tmp_path.iterdir()) == [target]


def test_without_bokeh_the_message_names_the_extra(
    rich: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "report_available", lambda: False)
    with pytest.raises(RatedbError, match=r"ratedb\[report\]"):
        ratedb.open(rich).report("CO+p-H2", tmp_path / "page.html")


def test_a_system_whose_sources_are_withdrawn_says_that_nothing_counts(tmp_path: Path) -> None:
    db = top_store.put(tmp_path / "top.duckdb", top_store.rates())
    store = ratedb.open(db)
    store.sources(top_store.SYSTEM, withdraw=1, because="wrong")
    store.report(top_store.SYSTEM, tmp_path / "page.html")
    text = Page.read(tmp_path / "page.html").text
    assert "has no rates of TOP+He that count" in text
    assert "computed, withdrawn" in text


IMPACT: dict[str, Any] = {
    "systems": ["CO+p-H2", "CO+He"],
    "samples": 100,
    "conditions": [{"temperature_k": 20.0, "density_cm3": {"p-H2": 1e4, "o-H2": 3e4}}],
    "lines": [
        {
            "condition": 0,
            "upper": "1",
            "lower": "0",
            "frequency_ghz": 115.2712,
            "flux": 1.5,
            "flux_95": [1.4, 1.6],
            "uncertainty": 0.0667,
        },
        {
            "condition": 0,
            "upper": "7",
            "lower": "6",
            "frequency_ghz": 806.65,
            "flux": 0.25,
            "flux_95": [0.2, 0.35],
            "uncertainty": 0.3,
        },
    ],
    "uncertainty_median": 0.0667,
    "uncertainty_p95": 0.3,
    "next_j": [{"system": "CO+p-H2", "j": 7, "share": 0.8, "uncertainty_after": 0.01}],
    "model_ids": [1],
}


def report_with(rich: Path, folder: Path, impact: object) -> Page:
    file = folder / "lines.json"
    file.write_text(impact if isinstance(impact, str) else json.dumps(impact))
    ratedb.open(rich).report(["CO+p-H2", "CO+o-H2"], folder / "page.html", lines=file)
    return Page.read(folder / "page.html")


def test_the_lines_of_an_impact_are_shown_with_the_least_certain_first(rich: Path, tmp_path: Path) -> None:
    text = report_with(rich, tmp_path, IMPACT).text
    assert text.index("7 → 6 806.6500 20 K, n(p-H2 + o-H2) = 4e+04 cm-3 0.25 0.2 to 0.35 30") < text.index(
        "1 → 0 115.2712"
    )
    assert "95 of 100 by less than 30 %" in text
    assert "CO+p-H2 7 80 1" in text
    assert text.count("The least certain lines") == 1  # the other system is not in the file
    assert "earlier predictions" not in text


def test_an_impact_of_earlier_predictions_is_shown_as_such(rich: Path, tmp_path: Path) -> None:
    text = report_with(rich, tmp_path, IMPACT | {"model_ids": [99]}).text
    assert "These are of earlier predictions: the store now has some of model 1." in text


@pytest.mark.parametrize(
    ("impact", "words"),
    [
        (IMPACT | {"systems": ["CO+He"]}, "other systems"),
        ("no JSON", "not a file of line uncertainties"),
        ([], "not a file of line uncertainties"),
        (IMPACT | {"conditions": []}, "not a file of line uncertainties"),
        (IMPACT | {"lines": [{"uncertainty": "large"}]}, "not a file of line uncertainties"),
        (IMPACT | {"conditions": [{"temperature_k": 1e400, "density_cm3": 5}]}, "not a file of line"),
    ],
)
def test_another_file_than_an_impact_is_refused_before_the_page_is_made(
    rich: Path, tmp_path: Path, impact: object, words: str
) -> None:
    with pytest.raises(RatedbError, match=words):
        report_with(rich, tmp_path, impact)
    assert not (tmp_path / "page.html").exists()
