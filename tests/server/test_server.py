"""A store over HTTP: the numbers are the store's, nothing is written, and nothing outside is reached."""

from __future__ import annotations

import csv
import http.client
import io
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import duckdb
import numpy as np
import pytest
from pages import hostile_store, rich_store
from serving import Server, serving
from small_co import of_j, put, truth

import ratedb
from ratedb.errors import RatedbError, UsageError
from ratedb.files import sha256_of
from ratedb.rates import Rates
from ratedb.server.refusals import parts_of
from ratedb.store.opening import state_of
from ratedb.store.store import Store

pytest.importorskip("uvicorn", reason="uvicorn (the serve extra) is not installed")

SYSTEM = "CO%2Bp-H2"
QUERIES = ("systems", "rates", "levels", "lines", "sources", "findings")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_store(tmp_path_factory.mktemp("served") / "rich.duckdb")


@pytest.fixture(scope="module")
def server(db: Path) -> Iterator[Server]:
    """A server of the rich store, which has the same bytes afterwards."""
    before = sha256_of(db)
    with serving(db, "--title", "Rates of a <group>") as running:
        yield running
    assert sha256_of(db) == before


@pytest.fixture(scope="module")
def rates(db: Path) -> Rates:
    return ratedb.open(db).rates("CO+p-H2")


Values = dict[tuple[str, str, float], str]


def values_of(rows: list[dict[str, object]]) -> Values:
    """Return rates in hexadecimal by labels and temperature."""
    return {
        (str(row["upper_label"]), str(row["lower_label"]), float(str(row["temperature_k"]))): float(
            str(row["rate_cm3_s"])
        ).hex()
        for row in rows
    }


def stored(rates: Rates) -> Values:
    return {
        (*names, float(kelvin)): float(rates.rate_cm3_s[row, column]).hex()
        for row, names in enumerate(rates.transitions.names())
        for column, kelvin in enumerate(rates.temperature_k)
        if np.isfinite(rates.rate_cm3_s[row, column])
    }


def test_rates_are_those_of_the_store_bit_by_bit(server: Server, rates: Rates) -> None:
    answer = server.ask(f"/api/rates?system={SYSTEM}").json()
    assert values_of(answer["rates"]) == stored(rates)
    assert answer["total"] == len(answer["rates"])
    assert answer["units"]["rate_cm3_s"] == "cm3 s-1"


def test_a_row_says_what_a_value_is_and_where_it_is_from(server: Server, rates: Rates) -> None:
    answer = server.ask(f"/api/rates?system={SYSTEM}").json()
    names = rates.transitions.names()
    for row in answer["rates"]:
        at = names.index((row["upper_label"], row["lower_label"]))
        column = rates.temperature_k.tolist().index(row["temperature_k"])
        assert row["kind"] == rates.kind[at, column]
        assert row["source_id"] == rates.source_id[at, column]
        assert row["marked"] == rates.marked[at, column]
        dex = rates.log10_half_width_68[at, column]
        assert row["log10_half_width_68"] == (None if np.isnan(dex) else dex)
        assert str(row["source_id"]) in answer["sources"]


def test_rates_between_temperatures_are_those_of_the_library(server: Server, rates: Rates) -> None:
    answer = server.ask(f"/api/rates?system={SYSTEM}&temperature=15,50:60:5&upper=5&lower=3").json()
    one = rates.curve("5", "3").at([15.0, 50.0, 55.0, 60.0])
    assert values_of(answer["rates"]) == stored(one)


def test_a_plus_sign_may_be_written_as_it_is(server: Server) -> None:
    plain, quoted = (server.ask(f"/api/rates?system={name}") for name in ("CO+p-H2", SYSTEM))
    assert plain.content == quoted.content


def test_kinds_levels_and_quality_are_selected_as_by_the_library(server: Server, db: Path) -> None:
    for query, options in (
        ("kinds=predicted", {"kinds": "predicted"}),
        ("kinds=computed,scaled&j_max=5", {"kinds": ("computed", "scaled"), "j_max": 5}),
        ("min_quality=unmarked", {"min_quality": "unmarked"}),
    ):
        answer = server.ask(f"/api/rates?system={SYSTEM}&{query}").json()
        assert values_of(answer["rates"]) == stored(ratedb.open(db).rates("CO+p-H2", **options)), query


@pytest.mark.parametrize(
    ("offset", "limit"), [(0, 1), (3, 4), (333, 10), (334, 1), (1000, 5), (17, 300), (0, 0), (0, 99_999_999)]
)
def test_a_part_is_that_of_the_whole(server: Server, offset: int, limit: int) -> None:
    whole = server.ask(f"/api/rates?system={SYSTEM}").json()["rates"]
    part = server.ask(f"/api/rates?system={SYSTEM}&offset={offset}&limit={limit}").json()
    assert part["rates"] == whole[offset : offset + limit]
    assert part["total"] == len(whole)


def test_tables_have_the_same_values(server: Server, rates: Rates, tmp_path: Path) -> None:
    text = server.ask(f"/api/rates?system={SYSTEM}&format=csv").content.decode()
    assert values_of(list(csv.DictReader(io.StringIO(text)))) == stored(rates)
    file = tmp_path / "rates.parquet"
    file.write_bytes(server.ask(f"/api/rates?system={SYSTEM}&format=parquet").content)
    found = duckdb.sql(f"SELECT * FROM '{file}'")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    assert values_of(rows) == stored(rates)


@pytest.mark.parametrize(
    ("ending", "file_format"), [(".dat", "lamda"), (".csv", "csv"), (".parquet", "parquet")]
)
def test_a_file_is_that_of_an_export(
    server: Server, db: Path, tmp_path: Path, ending: str, file_format: str
) -> None:
    answer = server.ask(f"/files/{SYSTEM}{ending}")
    own = ratedb.open(db).export("CO+p-H2", tmp_path / f"CO+p-H2{ending}", format=file_format)
    assert answer.content == Path(own.path).read_bytes()
    assert quote(f"CO+p-H2{ending}") in answer.headers["content-disposition"]
    beside = server.ask(f"/files/{SYSTEM}{ending}.provenance.json").json()
    assert beside["sha256"] == own.sha256
    assert beside["file"] == f"CO+p-H2{ending}"


def test_the_page_of_a_system_is_its_report(server: Server, db: Path, tmp_path: Path) -> None:
    ratedb.open(db).report("CO+p-H2", tmp_path / "page.html")
    page = server.ask(f"/systems/{SYSTEM}").content.decode()
    data = re.compile(r'<script type="application/json" id="report-data">(.*?)</script>', re.S)
    assert data.findall(page) == data.findall((tmp_path / "page.html").read_text())


def test_tables_next_to_rates_have_the_rows_of_the_library(server: Server, db: Path) -> None:
    base = ratedb.open(db)
    assert server.ask("/api/systems").json()["systems"] == base.systems().dicts()
    levels = server.ask(f"/api/levels?system={SYSTEM}").json()["levels"]
    assert [row["label"] for row in levels] == base.levels("CO").column("label")
    found = server.ask(f"/api/sources?system={SYSTEM}").json()["sources"]
    assert [row["source_id"] for row in found] == base.sources("CO+p-H2").column("source_id")
    assert len(server.ask(f"/api/findings?system={SYSTEM}").json()["findings"]) == len(
        base.findings("CO+p-H2").rows
    )


def test_a_search_finds_systems_by_parts_of_their_names(server: Server) -> None:
    def found(text: str) -> list[str]:
        return [row["system"] for row in server.ask(f"/api/systems?search={text}").json()["systems"]]

    assert found("o-h2") == ["CO+o-H2"]
    assert found("co%20p-h2") == ["CO+p-H2"]
    assert found("xyz") == []
    page = server.ask("/?search=o-h2").content.decode()
    assert "CO%2Bo-H2" in page
    assert SYSTEM not in page


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/api/rates", 400, "missing"),
        ("/api/rates?system=CO%2BpH2", 404, "CO+p-H2"),
        ("/api/rates?system=CO%2Bp-H2&temperatur=10", 400, "temperature"),
        (f"/api/rates?system={SYSTEM}&system={SYSTEM}", 400, "twice"),
        (f"/api/rates?system={SYSTEM}&temperature=0", 400, "temperatures"),
        (f"/api/rates?system={SYSTEM}&temperature=9000", 422, "9000"),
        (f"/api/rates?system={SYSTEM}&kinds=guessed", 400, "computed"),
        (f"/api/rates?system={SYSTEM}&format=xml", 400, "parquet"),
        (f"/api/rates?system={SYSTEM}&limit=-1", 400, "limit"),
        (f"/api/rates?system={SYSTEM}&temperature=10:200:0.1", 400, "1000 at most"),
        (f"/api/rates?system={SYSTEM}&format=csv&limit=5", 400, "JSON"),
        (f"/api/rates?system={SYSTEM}&format=parquet&offset=5", 400, "JSON"),
        (f"/api/rates?system={SYSTEM}&upper=99", 404, "99"),
        (f"/api/rates?system={SYSTEM}&temperature={','.join(['10:200:1'] * 40)}", 400, "1000 at most"),
        ("/api/rates?system=" + "x" * 5000, 400, "too long"),
        ("/api/rates?system=" + "x" * 9000, 400, "too long"),
        ("/api/nothing", 404, "Not Found"),
    ],
)
def test_what_cannot_be_answered_says_why(server: Server, path: str, status: int, words: str) -> None:
    answer = server.ask(path)
    assert answer.status == status
    assert words in json.dumps(answer.error)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_reading_is_answered(server: Server, method: str) -> None:
    for path in ("/", f"/api/rates?system={SYSTEM}", f"/files/{SYSTEM}.csv", f"/systems/{SYSTEM}"):
        assert server.ask(path, method).status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/files/../../etc/passwd",
        "/files/..%2F..%2Fetc%2Fpasswd.csv",
        "/files/%2Fetc%2Fpasswd.csv",
        "/files/rich.duckdb",
        "/files/CO%2Bp-H2.dat%00.csv",
        "/files/.csv",
        "/files/CO%2Bp-H2.molecule",
        "/systems/..%2F..%2Fetc",
        "/systems/%3Cscript%3E",
        "//etc/passwd",
        "/api/rates?system=..%2F..%2Fetc%2Fpasswd",
        "/api/systems?search='%20OR%201=1;--",
    ],
)
def test_no_address_leads_outside(server: Server, path: str) -> None:
    answer = server.ask(path)
    assert answer.status in (200, 404)
    assert b"root:" not in answer.content
    if answer.status == 200:
        assert answer.json() == {"systems": []}


def test_no_answer_names_the_place_of_the_store(server: Server, db: Path) -> None:
    paths = [f"/api/{name}?system={SYSTEM}" for name in QUERIES] + ["/", "/api", f"/systems/{SYSTEM}"]
    paths += [f"/api/rates?system={SYSTEM}&temperature=9000", "/api/lines?system=X%2BHe"]
    for path in paths:
        assert str(db.parent).encode() not in server.ask(path).content, path


def test_users_and_comments_stay_at_home(db: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.duckdb"
    ratedb.open(db).export("CO+p-H2", tmp_path / "rates.csv", format="csv", computed_only=True)
    ratedb.open(own, create=True).import_(tmp_path / "rates.csv", comment="from Ann's laptop")
    assert "laptop" in str(ratedb.open(own).sql("SELECT comment FROM sources").rows)
    with serving(own) as server:
        for path in (f"/api/rates?system={SYSTEM}", f"/api/sources?system={SYSTEM}", f"/systems/{SYSTEM}"):
            answer = server.ask(path)
            assert answer.status == 200
            assert b"user_name" not in answer.content
            assert b"laptop" not in answer.content


def test_another_host_name_is_refused(server: Server) -> None:
    assert server.ask("/", Host=f"localhost:{server.port}").status == 200
    assert server.ask("/", Host="rates.example.org").status == 400


def test_texts_of_the_store_are_no_markup(tmp_path: Path) -> None:
    with serving(
        hostile_store(tmp_path / "hostile.duckdb"), "--title", "<script>alert(1)</script>"
    ) as server:
        for path in ("/", "/api", "/systems/nothing", "/?search=%3Cscript%3Ealert(1)%3C/script%3E"):
            page = server.ask(path).content
            assert b"<script>alert" not in page
            assert b"\x1b" not in page


def test_every_answer_forbids_scripts_of_others(server: Server) -> None:
    for path in ("/", "/api", "/systems/none", f"/systems/{SYSTEM}", f"/api/rates?system={SYSTEM}"):
        answer = server.ask(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        if path in ("/", "/api", "/systems/none"):
            assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_what_a_browser_has_is_not_sent_again_until_the_store_changes(tmp_path: Path) -> None:
    db = rich_store(tmp_path / "rich.duckdb")
    path = f"/api/rates?system={SYSTEM}"
    with serving(db) as server:
        first = server.ask(path)
        tag = first.headers["etag"]
        again = server.ask(path, If_None_Match=tag)
        assert (again.status, again.content) == (304, b"")
        with Store(db, write=True) as store:
            put(store, of_j(truth(), (11,), 1.3), "computed", "Newest et al. (2026)")
        newer = server.ask(path, If_None_Match=tag)
        assert newer.status == 200
        assert values_of(newer.json()["rates"]) == stored(ratedb.open(db).rates("CO+p-H2"))
        assert newer.content != first.content


def test_head_has_the_headers_and_no_body(server: Server) -> None:
    answer = server.ask(f"/api/rates?system={SYSTEM}", "HEAD")
    assert (answer.status, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 1000


def test_the_description_is_openapi_and_its_examples_work(server: Server) -> None:
    validator = pytest.importorskip(
        "openapi_spec_validator", reason="openapi-spec-validator is not installed"
    )
    document = server.ask("/api/openapi.json").json()
    validator.validate(document)
    assert {f"/api/{name}" for name in QUERIES} == set(document["paths"])
    page = server.ask("/api").content.decode()
    examples = re.findall(r'href="(/api/[^"]+\?[^"]+)"', page)
    assert len(examples) == len(QUERIES)
    for example in examples:
        assert server.ask(example.replace("&amp;", "&")).status == 200, example


def test_a_store_over_the_limits_is_not_sent_as_a_whole(db: Path, rates: Rates) -> None:
    with serving(db, "--max-values", "100") as server:
        whole = (f"/api/{name}?system={SYSTEM}" for name in ("rates", "lines"))
        for path in (*whole, f"/files/{SYSTEM}.csv", f"/systems/{SYSTEM}"):
            assert server.ask(path).status == 413
        answer = server.ask(f"/api/rates?system={SYSTEM}&upper=5&lower=3").json()
        assert values_of(answer["rates"]) == stored(rates.curve("5", "3"))


def test_a_store_in_use_is_waited_for_and_then_refused_for_now(tmp_path: Path) -> None:
    db = rich_store(tmp_path / "rich.duckdb")
    with serving(db, "--max-seconds", "0.5") as server:
        with Store(db, write=True):
            answer = server.ask("/api/systems")
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) > 0
        for _ in range(40):  # what was being made is made
            if (answer := server.ask("/api/systems")).status == 200:
                break
        assert answer.json()["systems"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(db: Path, number: signal.Signals) -> None:
    with serving(db) as server:
        server.ask("/health")
        server.process.send_signal(number)
        out, error = server.process.communicate(timeout=30)
    assert server.process.returncode == 0
    assert "answered 1 requests" in out
    assert error == ""


def test_the_second_signal_ends_it_at_once_and_an_error_is_no_traceback(tmp_path: Path) -> None:
    db = rich_store(tmp_path / "rich.duckdb")
    with serving(db, "--wait", "60") as server, Store(db, write=True), ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(server.ask, "/api/systems") for _ in range(4)]
        while not any(one.running() for one in waiting):
            pass
        for _ in range(2):
            server.process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        assert server.process.wait(30) == 128 + signal.SIGINT
        assert server.process.stderr is not None
        assert "Traceback" not in server.process.stderr.read()


def test_names_with_a_plus_sign_at_their_end_and_ions_are_found(tmp_path: Path) -> None:
    db = tmp_path / "ions.duckdb"
    with Store(db, write=True, create=True) as store:
        rates = replace(truth(), collider="H+")
        put(store, rates, "computed", "Somebody (2020)")
    with serving(db) as server:
        for path in ("rates?system=CO+H+", "rates?system=CO%2BH%2B", "levels?system=CO%2BH%2B"):
            assert server.ask(f"/api/{path}").status == 200
        assert server.ask("/systems/CO%2BH%2B").status == 200


def test_a_local_address_answers_to_its_own_names_only(db: Path) -> None:
    with serving(db, "--host", "127.0.0.2") as server:
        connection = http.client.HTTPConnection("127.0.0.2", server.port, timeout=30)
        for host, status in (("127.0.0.2", 200), ("evil.example.org", 400)):
            connection.request("GET", "/health", headers={"Host": f"{host}:{server.port}"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()


def test_another_title_is_shown_at_once(db: Path) -> None:
    tags = []
    for title in ("Old", "New"):
        with serving(db, "--title", title) as server:
            tags.append(server.ask("/").headers["etag"])
    assert tags[0] != tags[1]


def test_a_host_that_is_none_is_one_message(db: Path) -> None:
    for host in ("a" * 70, "x..y", "256.1.1.1"):
        with pytest.raises(ratedb.RatedbError, match="cannot listen"):
            ratedb.open(db).serve(host=host, port=0)


def test_a_snapshot_is_served_and_noticed_when_it_is_replaced(db: Path, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    ratedb.open(db).publish(folder, version="1")
    before = state_of(folder)
    with serving(folder) as server:
        assert server.ask(f"/api/rates?system={SYSTEM}&upper=5&lower=3").status == 200
        assert server.ask(f"/files/{SYSTEM}.dat").status == 200
    os.utime(next(folder.glob("*/manifest.json")))
    assert state_of(folder) != before


def test_paths_in_errors_are_cut_to_their_last_part() -> None:
    error = RatedbError("x", where="/tmp/.ratedb-tmp-1/CO.dat", got="/data/b.duckdb, /api/rates", todo="a/b")
    parts = parts_of(error, "/data/b.duckdb")
    assert parts["where"] == "CO.dat"
    assert parts["got"] == "the store, /api/rates"
    assert parts["todo"] == "a/b"


def test_a_port_in_use_is_one_message(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ratedb.RatedbError, match="cannot listen") as caught:
            ratedb.open(db).serve(port=port)
    assert str(port) in str(caught.value.where)


def test_limits_and_ports_that_are_none_are_refused(db: Path) -> None:
    for options in ({"port": 70000}, {"port": -1}, {"max_values": 0}, {"max_seconds": -1.0}):
        with pytest.raises(UsageError):
            ratedb.open(db).serve(**options)
