"""Rates: the parts of a table are what the whole holds there, layer by layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import rotor_levels, rotor_rates

from ratedb.errors import RatedbError
from ratedb.layers import KINDS, LAYERS, Kind
from ratedb.rates import Rates

KELVIN = (10.0, 20.0, 50.0, 100.0)


def layered(seed: int = 0) -> Rates:
    """Return rates with holes and every layer, each value of a layer another."""
    rates = rotor_rates(rotor_levels(5), "He", KELVIN, seed=seed)
    draw = np.random.default_rng(seed)
    shape = rates.rate_cm3_s.shape
    layers = {
        "kind_code": draw.integers(0, 4, shape),
        "source_id": draw.integers(1, 9, shape),
        "log10_half_width_68": draw.uniform(0.01, 0.3, shape),
        "extrapolated": draw.random(shape) < 0.3,
        "marked": draw.random(shape) < 0.3,
    }
    return replace(rates, layers=layers).blanked(draw.random(shape) < 0.2)


def cells(rates: Rates) -> dict[tuple[str, float], tuple[object, ...]]:
    """Return all that is known of each value, by transition and temperature: the slow way."""
    found = {}
    for row in range(len(rates)):
        for column, kelvin in enumerate(rates.temperature_k.tolist()):
            rate = rates.rate_cm3_s[row, column]
            if np.isfinite(rate):
                said = tuple(rates.layer(name)[row, column].item() for name in LAYERS)
                found[rates.transition_name(row), kelvin] = (float(rate), *said)
    return found


masks = st.lists(st.booleans(), min_size=60, max_size=60).map(lambda bits: np.array(bits).reshape(15, 4))


@settings(max_examples=25, deadline=None)
@given(masks, st.integers(0, 5))
def test_where_keeps_just_the_values_asked_for_with_all_that_is_said_of_them(
    keep: np.ndarray, seed: int
) -> None:
    rates = layered(seed)
    wanted = {
        key: value for key, value in cells(rates).items() if keep[_row(rates, key[0]), KELVIN.index(key[1])]
    }
    part = rates.where(keep & np.isfinite(rates.rate_cm3_s))
    assert cells(part) == wanted
    assert np.isfinite(part.rate_cm3_s).any(axis=0).all()
    assert np.isfinite(part.rate_cm3_s).any(axis=1).all()


def _row(rates: Rates, name: str) -> int:
    return [rates.transition_name(row) for row in range(len(rates))].index(name)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=15, max_size=15))
def test_parts_that_are_joined_are_the_whole(first: list[bool]) -> None:
    rates = layered()
    mask = np.array(first)
    joined = Rates.join([rates.select(mask), rates.select(~mask)])
    assert cells(joined) == cells(rates)
    assert joined.sha256() == rates.sha256()


def test_nothing_is_known_or_said_where_a_value_is_blanked() -> None:
    rates = layered()
    blank = np.zeros(rates.rate_cm3_s.shape, dtype=np.bool_)
    blank[3] = True
    left = rates.blanked(blank)
    assert np.isnan(left.rate_cm3_s[3]).all()
    assert (left.kind[3] == "").all()
    assert (left.source_id[3] == -1).all()
    assert np.isnan(left.log10_half_width_68[3]).all()
    assert not left.marked[3].any()
    assert cells(left) == {
        key: value for key, value in cells(rates).items() if key[0] != rates.transition_name(3)
    }


def test_known_leaves_out_what_is_predicted_or_flagged() -> None:
    rates = layered()
    expected = {key for key, value in cells(rates).items() if value[1] != Kind.PREDICTED and not value[5]}
    assert set(cells(rates.known())) == expected
    with_flagged = {key for key, value in cells(rates).items() if value[1] != Kind.PREDICTED}
    assert set(cells(rates.known(with_marked=True))) == with_flagged


@pytest.mark.parametrize("kind", KINDS)
def test_of_kinds_keeps_values_of_that_kind_only(kind: str) -> None:
    rates = layered()
    expected = {key for key, value in cells(rates).items() if KINDS[int(value[1])] == kind}  # type: ignore[call-overload]
    assert set(cells(rates.of_kinds([kind]))) == expected


def test_a_layer_that_was_not_given_says_nothing() -> None:
    rates = rotor_rates(rotor_levels(3), "He", KELVIN)
    assert (rates.kind == "").all()
    assert (rates.source_id == -1).all()
    assert not rates.marked.any()
    assert np.isnan(rates.log10_half_width_68).all()


def test_a_layer_of_another_shape_or_a_duplicate_transition_is_refused() -> None:
    rates = rotor_rates(rotor_levels(3), "He", KELVIN)
    with pytest.raises(RatedbError, match="marked has the wrong shape"):
        replace(rates, layers={"marked": np.zeros((2, 4))})
    with pytest.raises(RatedbError, match="duplicate transition"):
        rates.select([0, 0])


def test_no_array_can_be_changed() -> None:
    rates = layered()
    for name in ("rate_cm3_s", "temperature_k", "upper", "kind_code", "marked"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(rates, name)[0] = 1


def test_known_temperatures_keep_their_values_to_the_last_bit_and_others_are_said_to_be_interpolated() -> (
    None
):
    rates = layered()
    found = rates.at([20.0, 35.0, 100.0])
    assert 35.0 in found.interpolated_k
    before = cells(rates)
    after = {key: value for key, value in cells(found).items() if key[1] != 35.0 and key in before}
    assert after
    assert all(value[0] == before[key][0] for key, value in after.items())
