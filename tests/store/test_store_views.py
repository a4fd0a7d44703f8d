from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from stores import by_transition, model_record, put
from synthetic import prediction_of, rotor_levels, rotor_rates, with_missing

from ratedb.database import Database
from ratedb.layers import KINDS
from ratedb.methods import METHOD_CLASSES
from ratedb.store.store import Store

PUBLISHED = {
    "rates": """system molecule collider v j v_final j_final upper_label lower_label temperature_k rate_cm3_s
        log10_half_width_68 kind source_id model_id extrapolated marked log10_std
        ka kc k inversion parity n f j2 ka2 kc2
        ka_final kc_final k_final inversion_final
        parity_final n_final f_final j2_final ka2_final kc2_final
        quantum_numbers quantum_numbers_final
        j_value omega f1 multiplicity l tau ortho v2 k2 inversion2 parity2 tau2 ortho2 v1 v3
        j_value_final omega_final f1_final multiplicity_final l_final tau_final ortho_final v2_final
        k2_final inversion2_final parity2_final tau2_final ortho2_final v1_final v3_final""",
    "rates_all": """system molecule collider v j v_final j_final upper_label lower_label temperature_k
        rate_cm3_s log10_half_width_68 kind source_id model_id extrapolated marked log10_std
        ka kc k inversion parity n f j2 ka2 kc2
        ka_final kc_final k_final inversion_final
        parity_final n_final f_final j2_final ka2_final kc2_final
        quantum_numbers quantum_numbers_final
        j_value omega f1 multiplicity l tau ortho v2 k2 inversion2 parity2 tau2 ortho2 v1 v3
        j_value_final omega_final f1_final multiplicity_final l_final tau_final ortho_final v2_final
        k2_final inversion2_final parity2_final tau2_final ortho2_final v1_final v3_final""",
    "levels": """molecule label v j energy_cm1 weight level_id level_set_id quantum_numbers molecule_kind
        ka kc k inversion parity n f j2 ka2 kc2
        j_value omega f1 multiplicity l tau ortho v2 k2 inversion2 parity2 tau2 ortho2 v1 v3""",
    "radiative": """molecule upper_label lower_label v j v_final j_final einstein_a_s1 frequency_ghz
        level_set_id upper_id lower_id
        upper_energy_k frequency_computed
        ka kc k inversion parity n f ka_final kc_final k_final inversion_final parity_final n_final f_final
        quantum_numbers quantum_numbers_final
        j2 ka2 kc2 j_value omega f1 multiplicity l tau ortho v2 k2 inversion2 parity2 tau2 ortho2 v1 v3
        j2_final ka2_final kc2_final j_value_final omega_final f1_final multiplicity_final l_final
        tau_final ortho_final v2_final k2_final inversion2_final parity2_final tau2_final ortho2_final
        v1_final v3_final""",
    "sources": """source_id system kind method reference file_name file_sha256 model_id warnings imported_at
        ratedb_version library_versions method_class grade authors year journal doi withdrawn
        title bibtex user_name comment""",
    "models": """model_id system engine kernel features train_j validate_j target_j training_sha256
        training_source_ids criterion seed validation tried seconds trained_at ratedb_version
        library_versions mean prior train_units validate_units""",
    "findings": """system source_id rule severity upper_label lower_label v j v_final j_final temperature_k
        value expected detail accepted_because found_at ratedb_version""",
    "derivations": "source_id system target input_system input_source_ids method reference derived_at"
    " ratedb_version withdrawn rates_sha256",
    "source_events": """event_id system source_id action field old_value new_value reason happened_at
        ratedb_version imported_as user_name""",
    "source_orders": "order_id system source_ids reason ordered_at ratedb_version joined user_name",
    "source_files": "source_id file_name file_sha256",
    "plans": "plan_id system strategy request candidates chosen planned_at ratedb_version",
    "set_scores": "search system kernel train_j validate_j dex_rms log10_percent_error",
}
INNER = """rate_row rate_value best_value mark whole_mark source_place source_change source_now unit_doubt
    level_named complete_source source_turn chosen_row chosen_value known_curve best_curve level_set_rank
    system_level best_row newest_order"""
STORE_MD = Path(__file__).parents[2] / "docs" / "store.md"
GRID = (10.0, 20.0, 30.0)
LEVELS = 3  # so three downward transitions


Values = dict[tuple[str, str, float], float]


@dataclass(frozen=True)
class Said:
    """What one generated source says: its kind, and which of the three by three values it has."""

    kind: str
    has: tuple[tuple[bool, ...], ...]


sources = st.lists(
    st.builds(
        Said,
        st.sampled_from(KINDS),
        st.tuples(*[st.tuples(st.booleans(), st.booleans(), st.booleans()) for _ in range(3)]).filter(
            lambda rows: any(any(row) for row in rows)
        ),
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("views") / "s.duckdb", write=True, create=True) as opened:
        yield opened


MOLECULES = (f"M{number}" for number in count())


def store_sources(store: Store, molecule: str, said: list[Said]) -> tuple[list[int], list[Values]]:
    """Store generated sources and return their ids and, for each, its values by transition."""
    levels = rotor_levels(LEVELS - 1, molecule=molecule)
    name = f"{molecule}+He"
    ids, values = [], []
    # A system needs levels and a model before it can hold a prediction.
    put(store, with_missing(rotor_rates(levels), np.ones((3, 3), dtype=np.bool_)))
    model = store.model(store.put_model(model_record(store.system(name).system_id or 0)))
    for seed, one in enumerate(said):
        has = np.array(one.has)
        rates = with_missing(rotor_rates(levels, temperature_k=GRID, seed=seed), ~has)
        if one.kind == "predicted":
            prediction = prediction_of(rotor_rates(levels, temperature_k=GRID, seed=seed), seed=seed)
            ids.append(store.put_prediction(name, prediction, has, model))
            rates = with_missing(prediction, ~has)
        else:
            ids.append(put(store, rates, f"number {seed}", kind=one.kind).source_id or 0)
        values.append(by_transition(rates))
    return ids, values


def transitions_of(values: Values) -> set[tuple[str, str]]:
    return {(upper, lower) for upper, lower, _ in values}


def curves(said: list[Said], values: list[Values]) -> dict[tuple[str, str, float], tuple[int, float]]:
    """Return number and value of what files say, one source for each transition; the slow obvious way."""
    known = [number for number, one in enumerate(said) if one.kind != "predicted"]
    every = {transition for number in known for transition in transitions_of(values[number])}

    def key(number: int) -> tuple[int, bool, int]:
        complete = transitions_of(values[number]) == every
        return KINDS.index(said[number].kind), not complete, -number

    first: dict[tuple[str, str], int] = {}
    for number in sorted(known, key=key):
        for transition in transitions_of(values[number]):
            first.setdefault(transition, number)
    return {
        (*transition, kelvin): (number, value)
        for transition, number in first.items()
        for (upper, lower, kelvin), value in values[number].items()
        if (upper, lower) == transition
    }


# No shrinking: a counterexample is small as it is, and each try costs some tenths of a second.
@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=sources)
def test_each_transition_has_the_values_of_one_file_and_predictions_where_it_has_none(
    shared: Store, said: list[Said]
) -> None:
    molecule = next(MOLECULES)
    ids, values = store_sources(shared, molecule, said)
    best: dict[tuple[str, str, float], tuple[int, float]] = {}
    for number, one in enumerate(said):  # later ones are newer
        if one.kind == "predicted":
            best |= {key: (number, value) for key, value in values[number].items()}
    known = curves(said, values)
    best |= known
    rows = shared.query("SELECT * FROM rates WHERE molecule = ?", [molecule])
    view = {
        (row["upper_label"], row["lower_label"], row["temperature_k"]): (row["source_id"], row["rate_cm3_s"])
        for row in rows
    }
    assert view == {key: (ids[number], value) for key, (number, value) in best.items()}
    assert len(rows) == len(best)
    of_files = {key: value for key, (_, value) in known.items()}
    every = {key: value for key, (_, value) in best.items()}
    assert by_transition(shared.rates(f"{molecule}+He")) == every
    assert by_transition(shared.known_rates(f"{molecule}+He")) == of_files
    everything = shared.query(
        "SELECT source_id, upper_label, lower_label, temperature_k, rate_cm3_s FROM rates_all"
        " WHERE molecule = ?",
        [molecule],
    )
    expected = [(i, *key, value) for i, one in zip(ids, values, strict=True) for key, value in one.items()]
    assert sorted(tuple(row.values()) for row in everything) == sorted(expected)


@pytest.mark.parametrize(("better", "worse"), list(pairwise(KINDS)))
def test_a_newer_curve_of_a_lesser_kind_never_hides_a_better_one(
    shared: Store, better: str, worse: str
) -> None:
    everywhere = tuple([(True, True, True)] * 3)
    here = ((True, False, False), (False, False, False), (False, True, False))
    molecule = next(MOLECULES)
    store_sources(shared, molecule, [Said(better, here), Said(worse, everywhere)])
    rows = shared.query(
        "SELECT kind, count(*) AS n FROM rates WHERE molecule = ? GROUP BY kind ORDER BY n", [molecule]
    )
    # Predictions complete a curve; another file does not.
    assert [tuple(row.values()) for row in rows] == [(better, 2), (worse, 7 if worse == "predicted" else 3)]


def test_a_row_of_the_view_names_its_quantum_numbers_and_its_origin(store: Store) -> None:
    levels = rotor_levels(1, v_max=1)
    put(store, rotor_rates(levels, temperature_k=(10.0,)).select(np.array([4])), "somebody", kind="scaled")
    row = store.query("SELECT * FROM rates")[0]
    assert row["system"] == "XY+He"
    assert (row["v"], row["j"], row["v_final"], row["j_final"]) == (1, 1, 0, 1)
    assert (row["upper_label"], row["lower_label"]) == ("1_1", "0_1")
    assert (row["kind"], row["model_id"], row["log10_std"], row["extrapolated"]) == (
        "scaled",
        None,
        None,
        False,
    )


@pytest.mark.parametrize("view", PUBLISHED)
def test_a_published_view_keeps_its_columns(store: Store, view: str) -> None:
    columns = [row["column_name"] for row in store.query(f"DESCRIBE {view}")]
    assert columns == PUBLISHED[view].split()


def test_every_view_is_published_or_named_here_as_an_inner_one(store: Store) -> None:
    views = store.column("SELECT view_name FROM duckdb_views() WHERE NOT internal")
    assert set(views) == {*PUBLISHED, *INNER.split()}


def test_the_help_of_sql_and_the_docs_name_every_published_view() -> None:
    words = re.findall(r"\w+", (Database.sql.__doc__ or "").split("Options:")[0].split("views are")[1])
    assert set(words) - {"and"} == set(PUBLISHED)
    table = re.findall(r"^\| (`.*?) \|", STORE_MD.read_text("utf-8"), re.MULTILINE)
    assert {name.strip("`") for row in table for name in row.split(", ")} == set(PUBLISHED)


def test_kinds_agree_with_the_table_of_ranks(store: Store) -> None:
    rows = store.query("SELECT kind, rank FROM kind_rank ORDER BY rank")
    assert [(row["kind"], row["rank"]) for row in rows] == [(kind, i) for i, kind in enumerate(KINDS)]


def test_classes_of_methods_agree_with_the_table_of_ranks(store: Store) -> None:
    rows = store.rows("SELECT class, rank FROM method_rank ORDER BY rank")
    assert rows == [(name, i) for i, name in enumerate(METHOD_CLASSES)]


def test_the_views_of_what_was_put_in_show_it(tmp_path: Path, store: Store) -> None:
    rates = rotor_rates(rotor_levels(3))
    put(store, rates, "somebody (2020)", warnings=("one", "two"))
    store.put_model(model_record(validation={"dex_rms": 0.25}))
    source = store.query("SELECT * FROM sources")[0]
    assert (source["system"], source["kind"], source["reference"]) == ("XY+He", "computed", "somebody (2020)")
    assert source["file_sha256"] == "0" * 64
    assert source["warnings"] == '["one", "two"]'
    assert len(store.query("SELECT * FROM radiative WHERE j = j_final + 1 AND molecule = 'XY'")) == 3
    assert len(store.query("SELECT * FROM levels WHERE weight = 2 * j + 1")) == 4
    model = store.query("SELECT system, validation->>'dex_rms' AS dex FROM models")[0]
    assert model == {"system": "XY+He", "dex": "0.25"}
