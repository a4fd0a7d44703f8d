"""Two sources side by side: ratios against a slow, obvious count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import rotor_levels, rotor_lines, rotor_rates

from ratedb.errors import RatedbError, UsageError
from ratedb.options import CompareOptions
from ratedb.plots.comparison import draw_comparison
from ratedb.plots.figures import plots_available
from ratedb.quality.comparison import SourceComparison
from ratedb.rates import Rates
from ratedb.store.store import Incoming, SourceInfo, Store
from ratedb.verbs.compare import compare

GRID = (10.0, 20.0, 50.0, 100.0)


def times(rates: Rates, factor: np.ndarray | float) -> Rates:
    return Rates(
        rates.levels,
        rates.collider,
        rates.upper,
        rates.lower,
        rates.temperature_k,
        rates.rate_cm3_s * factor,
    )


def put(store: Store, rates: Rates, reference: str) -> None:
    info = SourceInfo("computed", "CC", reference, f"{reference}.dat", "0" * 64)
    store.put_rates([Incoming(rotor_lines(rates.levels), ((rates, info),))])


def compared(folder: Path, first: Rates, second: Rates) -> SourceComparison:
    db = folder / "c.duckdb"
    with Store(db, write=True, create=True) as store:
        put(store, first, "first")
        put(store, second, "second")
    return compare(db, "XY+He", 1, 2, CompareOptions())


def test_a_source_that_is_twice_another_has_the_ratio_two_everywhere(tmp_path: Path) -> None:
    rates = rotor_rates(rotor_levels(6), temperature_k=GRID)
    found = compared(tmp_path, rates, times(rates, 2.0))
    for group in (found.total, *found.by_j, *found.by_delta_j, *found.by_temperature):
        assert (group.median, group.low, group.high) == pytest.approx((2.0, 2.0, 2.0), rel=1e-12)
        assert group.dex_rms == pytest.approx(np.log10(2.0), rel=1e-12)
    assert (found.outliers, found.outlier_count, found.interpolated) == ([], 0, False)
    assert (found.common_transitions, found.only_first, found.only_second) == (len(rates), 0, 0)


def test_groups_are_those_of_a_count_by_hand(tmp_path: Path) -> None:
    levels = rotor_levels(5)
    first, second = (rotor_rates(levels, temperature_k=GRID, seed=seed) for seed in (1, 2))
    found = compared(tmp_path, first, second)
    _, j = levels.need_vj()
    ratio = second.rate_cm3_s / first.rate_cm3_s
    for group in found.by_j:
        values = np.sort(ratio[first.initial_j() == group.of].ravel())
        assert group.values == len(values)
        assert group.median == pytest.approx(10 ** np.median(np.log10(values)), rel=1e-9)
    for group in found.by_delta_j:
        rows = j[first.lower] - j[first.upper] == group.of
        assert group.dex_rms == pytest.approx(np.sqrt(np.mean(np.log10(ratio[rows]) ** 2)), rel=1e-9)
    assert [group.of for group in found.by_temperature] == list(GRID)
    assert sum(group.values for group in found.by_temperature) == found.total.values == ratio.size


def test_a_wrong_transition_is_named_first_with_its_temperature(tmp_path: Path) -> None:
    rates = rotor_rates(rotor_levels(6), temperature_k=GRID)
    factor = np.ones(rates.rate_cm3_s.shape)
    factor[7, 2], factor[11, 0] = 10.0, 0.2
    found = compared(tmp_path, rates, times(rates, factor))
    assert found.outlier_count == 2
    assert [one.transition for one in found.outliers] == [rates.transition_name(7), rates.transition_name(11)]
    assert [one.temperature_k for one in found.outliers] == [50.0, 10.0]
    assert [one.ratio for one in found.outliers] == pytest.approx([10.0, 0.2])
    assert found.outliers[0].first_cm3_s == pytest.approx(rates.rate_cm3_s[7, 2])


def test_other_temperatures_are_interpolated_within_the_range_and_never_beyond(tmp_path: Path) -> None:
    levels = rotor_levels(4)  # the same power law in T twice
    first, second = (rotor_rates(levels, temperature_k=kelvin) for kelvin in ((5.0, 15.0, 40.0, 200.0), GRID))
    found = compared(tmp_path, first, second)
    assert found.interpolated
    assert found.temperature_k.tolist() == [15.0, 40.0]
    assert found.ratio == pytest.approx(np.ones_like(found.ratio), rel=1e-3)
    expected = second.at([15.0, 40.0]).rate_cm3_s / first.rate_cm3_s[:, 1:3]
    assert found.ratio == pytest.approx(expected, rel=1e-12)


def test_zeros_and_gaps_are_no_ratios(tmp_path: Path) -> None:
    rates = rotor_rates(rotor_levels(4), temperature_k=GRID)
    values = rates.rate_cm3_s.copy()
    values[0, 1], values[1, 2] = 0.0, np.nan
    second = Rates(rates.levels, "He", rates.upper, rates.lower, rates.temperature_k, values)
    found = compared(tmp_path, rates, second)
    # Gaps within a curve are interpolated; nothing is left out but what lies beyond the ends.
    assert found.total.values == values.size
    assert np.isfinite(found.ratio).all()


def test_sources_without_common_transitions_or_temperatures_are_refused(tmp_path: Path) -> None:
    rates = rotor_rates(rotor_levels(4), temperature_k=GRID)
    half = rates.initial_j() < 3
    with pytest.raises(RatedbError, match="no transition in common"):
        compared(tmp_path, rates.select(half), times(rates.select(~half), 1.0))
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(RatedbError, match="no temperature in common"):
        compared(other, rates, rotor_rates(rotor_levels(4), temperature_k=(500.0, 600.0)))


def test_a_source_beside_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="itself"):
        compare(tmp_path / "none.duckdb", "XY+He", 1, 1, CompareOptions())


@pytest.mark.skipif(not plots_available(), reason="matplotlib is not installed")
@pytest.mark.parametrize(("name", "begin"), [("r.png", b"\x89PNG"), ("r.svg", b"<?xml")])
def test_the_picture_is_the_same_file_for_the_same_result(tmp_path: Path, name: str, begin: bytes) -> None:
    levels = rotor_levels(4)
    found = compared(tmp_path, rotor_rates(levels, seed=1), rotor_rates(levels, seed=2))
    contents = []
    for _ in range(2):
        draw_comparison(found, tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    assert contents[0].startswith(begin)


def test_a_picture_of_an_unknown_format_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    levels = rotor_levels(4)
    found = compared(tmp_path, rotor_rates(levels, seed=1), rotor_rates(levels, seed=2))
    with pytest.raises(UsageError, match="picture"):
        draw_comparison(found, tmp_path / "r.gif")


def test_sources_are_named_by_authors_and_year_else_by_file(tmp_path: Path) -> None:
    db, rates = tmp_path / "c.duckdb", rotor_rates(rotor_levels(4), temperature_k=GRID)
    with Store(db, write=True, create=True) as store:
        for words in ("Yang et al. (2010)", "Dayou & Balanca 2006", "words", "from Yang et al. (2010)"):
            put(store, rates, words)
    named = [[one["name"] for one in compared_ids(db, pair)] for pair in ((1, 2), (1, 3), (1, 4))]
    assert named == [
        ["Yang et al. 2010", "Dayou & Balanca 2006"],
        ["Yang et al. 2010", "words.dat"],
        ["Yang et al. 2010 (source 1)", "Yang et al. 2010 (source 4)"],
    ]


def compared_ids(db: Path, pair: tuple[int, int]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    found = compare(db, "XY+He", *pair, CompareOptions())
    return found.first, found.second


@contextmanager
def mpl_texts() -> Iterator[dict[str, list[Any]]]:
    """Give the visible tick labels and the titles of both axes of ratios, of what is drawn."""
    from ratedb.plots import comparison

    texts: dict[str, list[Any]] = {"ticks": [], "titles": []}
    saved = comparison.save

    def save(figure: Any, path: Path) -> None:
        saved(figure, path)
        for axes in figure.axes[:2]:
            low, high = sorted(axes.get_ylim())
            ticks = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
            texts["ticks"].append([label.get_text() for at, label in ticks if low <= at <= high])
            texts["titles"].append(axes.get_title())

    comparison.save = save
    try:
        yield texts
    finally:
        comparison.save = saved


@pytest.mark.skipif(not plots_available(), reason="needs matplotlib")
@pytest.mark.parametrize("factor", [1.0, 1.3, 40.0, 1e6])
def test_ticks_of_ratios_are_plain_numbers_and_bars_are_explained(tmp_path: Path, factor: float) -> None:
    rates = rotor_rates(rotor_levels(4), temperature_k=GRID)
    factors = np.geomspace(1.0, factor, rates.rate_cm3_s.size).reshape(rates.rate_cm3_s.shape)
    found = compared(tmp_path, rates, times(rates, factors))
    with mpl_texts() as texts:
        draw_comparison(found, tmp_path / "x.png")
    left, right = texts["ticks"]
    for labels in (left, right):
        assert 2 <= len(labels) <= 12
        assert all(float(label) > 0 for label in labels)
    assert any("68 %" in words for words in texts["titles"])
