"""The queries of docs/recipes.md give rows, and the right ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_co import FIRST_J, GAP, KELVIN, MISSING_J, PREDICTED_J, SECOND_J, WRONG, of_j, truth

import ratedb
from ratedb.database import Database
from ratedb.layers import RATIO_95_68
from ratedb.rates import Rates
from ratedb.store.query import QueryResult

RECIPES = Path(__file__).parents[1] / "docs" / "recipes.md"
QUERIES = [
    block
    for path in sorted(RECIPES.parent.glob("*.md"))
    for block in re.findall(r"```sql\n(.*?)```", path.read_text(), re.DOTALL)
]


@pytest.fixture(scope="module")
def db(small_co: Path) -> Database:
    return ratedb.open(small_co)


@pytest.fixture(scope="module")
def rates(db: Database) -> Rates:
    return db.rates("CO+p-H2")


Asked = Callable[[str], QueryResult]


@pytest.fixture(scope="module")
def answers(db: Database) -> dict[str, QueryResult]:
    """Every query of the docs with its answer."""
    return {query: db.sql(query) for query in QUERIES}


@pytest.fixture(scope="module")
def asked(answers: dict[str, QueryResult]) -> Asked:
    """Return the answer of the query whose comment begins so."""

    def answer(question: str) -> QueryResult:
        [found] = [answers[query] for query in QUERIES if query.startswith(f"-- {question}")]
        return found

    return answer


def test_every_query_of_the_docs_gives_rows(answers: dict[str, QueryResult]) -> None:
    assert len(answers) == 17
    assert [query for query, answer in answers.items() if not answer.rows] == []


def test_store_md_names_the_columns_of_the_view_rates(db: Database) -> None:
    text = " ".join(RECIPES.with_name("store.md").read_text().split())
    columns = ", ".join(db.sql("SELECT * FROM rates LIMIT 0").columns)
    first, _, later = columns.partition(", log10_std, ")
    assert f"`{first}`" in text
    later, _, new = later.partition(", quantum_numbers_final, ")
    initial, _, final = later.partition(", ka_final, ")
    assert f"`{initial}`" in text
    own = [name.removesuffix("_final") for name in final.split(", ")]
    assert own == [*initial.split(", ")[1:], "quantum_numbers"]
    doubles, _, final = new.partition(", j_value_final, ")
    assert f"`{doubles}`" in text
    assert [name.removesuffix("_final") for name in final.split(", ")] == doubles.split(", ")[1:]


def test_coverage_and_missing_j_are_those_of_show(db: Database, asked: Asked) -> None:
    said = db.show("CO+p-H2").coverage
    covered = asked("coverage of a system").rows
    assert [(row[0], row[1], row[2]) for row in covered] == [
        (entry["j"], entry["computed"], entry["predicted"]) for entry in said if not entry["missing"]
    ]
    missing = asked("missing j").rows
    assert missing == [(0, MISSING_J, MISSING_J, [str(j) for j in range(MISSING_J)])]
    assert asked("transitions that lack").rows == [(*GAP[:2], len(KELVIN) - 1)]
    superseded = asked("superseded values")
    assert set(superseded.column("source_id")) == {1}
    assert len(superseded) == len(of_j(truth(), SECOND_J)) * len(KELVIN)


def test_a_value_has_its_source_its_model_and_references(asked: Asked) -> None:
    whence = asked("source of one value")
    assert (len(whence), whence.column("kind"), whence.column("model_id")) == (1, ["predicted"], [1])
    trained = asked("if it is predicted")
    assert (trained.column("train_j"), trained.column("reference")) == ([[5, 9]], ["First et al. 2010"])
    cited = {(row[0], row[1]): row[3] for row in asked("references to cite").rows}
    known = of_j(truth(), tuple(j for j in FIRST_J if j not in SECOND_J))
    assert cited == {
        ("First et al. 2010", "computed"): known.rate_cm3_s.size,
        ("Second et al. 2020", "computed"): 6 * len(KELVIN),
        ("Third et al. 2000", "scaled"): 10 * len(KELVIN) - 1,
        ("First et al. 2010", "training of model 1"): 15 * len(KELVIN),
    }


def test_flagged_values_are_listed_with_their_reason(asked: Asked) -> None:
    [row] = asked("values flagged").rows
    assert row[1:4] == WRONG
    assert row[5:] == ("off-curve", "100 times its neighbours", 3, True)
    assert asked("errors found").rows == [("CO+p-H2", 3, "off-curve", 1)]


def test_the_stated_factor_is_that_of_the_95_percent_interval(asked: Asked) -> None:
    assert pytest.approx(2.66, abs=0.005) == RATIO_95_68
    uncertain = asked("most uncertain transitions")
    assert uncertain.column("factor_95") == pytest.approx([10 ** (2.66 * 0.1)] * 10)
    assert set(uncertain.column("upper_label")) <= {str(j) for j in PREDICTED_J}


def test_two_sources_differ_by_the_factor_that_one_was_made_with(asked: Asked) -> None:
    compared = asked("factor between two sources")
    assert compared.column("j") == list(SECOND_J)
    assert compared.column("median_factor") == pytest.approx([1.2] * 3)
    assert compared.column("largest_factor") == pytest.approx([1.2] * 3)


def test_lines_depend_on_predictions_where_rates_out_of_their_upper_level_do(asked: Asked) -> None:
    lines = asked("lines that depend").rows
    assert [(row[0], row[2]) for row in lines] == [("7-6", 100.0), ("8-7", 100.0)]


def test_critical_densities_are_those_of_a_sum_by_hand(asked: Asked, rates: Rates) -> None:
    found = {row[0]: row[2] for row in asked("critical density").rows}
    column = KELVIN.index(100.0)
    for j in (1, 7):
        expected = 1e-7 * j**3 / rates.rate_cm3_s[rates.j == j, column].sum()
        assert found[f"{j}-{j - 1}"] == pytest.approx(expected)


def test_the_other_direction_is_that_of_python(asked: Asked, rates: Rates) -> None:
    upward = asked("excitation rates").column("upward_rate_cm3_s")
    row = (rates.j == 7) & (rates.j_final == 5)
    np.testing.assert_allclose(upward, rates.upward_rate_cm3_s[row][0], rtol=1e-12)


def test_rates_between_temperatures_are_linear_in_logarithms(asked: Asked, rates: Rates) -> None:
    between = {row[:2]: row[2] for row in asked("rates at 35 K").rows}
    assert len(between) == len(rates)
    for upper, lower in (("7", "5"), GAP[:2]):
        curve = rates.curve(upper, lower)
        expected = np.exp(np.interp(np.log(35.0), np.log(curve.temperature_k), np.log(curve.rate_cm3_s[0])))
        assert between[upper, lower] == pytest.approx(expected, rel=1e-12)


def test_the_python_of_the_recipes_runs(small_co: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small_co.parent)
    [code] = re.findall(r"```python\n(.*?)```", RECIPES.read_text(), re.DOTALL)
    exec(code, {})
