"""The pictures of `verify` and `impact` show the numbers that they are made of."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ratedb.plots.figures import plots_available
from ratedb.plots.impact import draw_impact, impact_figure
from ratedb.plots.lines import number, percent
from ratedb.plots.verification import draw_verification, verification_figure
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.drivers import Driver, JImpact
from ratedb.radiative.impact import Impact, LineImpact
from ratedb.radiative.radex_lines import RadexLines
from ratedb.radiative.verify import Verification, compare_lines

pytestmark = pytest.mark.skipif(not plots_available(), reason="matplotlib is not installed")

FILES = (Path("new.dat"), Path("old.dat"))
TEMPERATURES, DENSITIES = (10.0, 100.0), (1e3, 2e4, 1e6)


def grid(*gases: str, columns: tuple[float, ...] = (1e14,)) -> tuple[Conditions, ...]:
    return tuple(
        Conditions(t, {gas: n}, column)
        for gas, t, n, column in product(gases, TEMPERATURES, DENSITIES, columns)
    )


def radex(flux: tuple[float, ...], names: tuple[str, ...] = ("0", "1", "2", "3")) -> RadexLines:
    """Return RADEX's answer for a ladder, with nothing but fluxes."""
    ones = np.ones(len(flux))
    frequency = 100.0 * np.arange(1, len(flux) + 1)
    return RadexLines(
        names[1 : len(flux) + 1],
        names[: len(flux)],
        frequency,
        0.048 * frequency.cumsum(),
        20.0 * ones,
        0.1 * ones,
        0.1 * ones,
        0.2 * ones,
        np.array(flux),
    )


def verified(conditions: tuple[Conditions, ...], factors: list[float]) -> Verification:
    """Compare a ladder whose faint third line is `factors` times as strong in the first file.

    The second line, which is bright, changes by a tenth of the logarithm of that.
    """
    ours = [radex((1.0, 0.5 * factor**0.1, 1e-4 * factor)) for factor in factors]
    return compare_lines(ours, [radex((1.0, 0.5, 1e-4))] * len(factors), conditions)


def maps(figure: Any) -> list[Any]:
    return [axes for axes in figure.axes if axes.images]


def words(axes: Any) -> str:
    return "\n".join(text.get_text() for text in axes.texts)


def test_a_map_shows_the_worst_line_at_each_temperature_and_density_over_all_columns() -> None:
    conditions = grid("He", columns=(1e14, 1e16))
    # Up and down, the second column worse than the first by itself.
    factors = [1.0 + 0.01 * n if n % 3 else 1.0 / (1.0 + 0.01 * n) for n in range(1, len(conditions) + 1)]
    found = verified(conditions, factors)
    bright, every = maps(verification_figure(found, *FILES))
    worst = np.maximum(factors, 1.0 / np.array(factors)).reshape(2, 3, 2).max(axis=2).T
    np.testing.assert_allclose(every.images[0].get_array(), worst - 1.0, rtol=1e-9)
    np.testing.assert_allclose(bright.images[0].get_array(), worst**0.1 - 1.0, rtol=1e-9)
    assert words(every).count("3-2") == words(bright).count("2-1") == 6
    assert "−11 %\n3-2" in words(every)
    assert [label.get_text() for label in every.get_xticklabels()] == ["10", "100"]
    assert [label.get_text() for label in every.get_yticklabels()] == [number(n) for n in DENSITIES]
    assert (every.get_xlabel(), every.get_ylabel()) == ("kinetic temperature (K)", "n(He) (cm$^{-3}$)")
    assert "over 2 columns" in every.get_title()


def test_the_left_panel_has_every_compared_line_and_names_the_worst() -> None:
    conditions = grid("He")
    ours = [radex((1.0, 0.5, 2e-4, -0.1, 1e-9), ("0", "1", "2", "3", "4", "5"))] * 6
    theirs = [radex((1.0, 0.4, 1e-4, -0.2, 1e-8), ("0", "1", "2", "3", "4", "5"))] * 6
    figure = verification_figure(compare_lines(ours, theirs, conditions), *FILES)
    points = np.concatenate([dots.get_offsets() for dots in figure.axes[0].collections])
    assert len(points) == 3 * 6
    expected = {(1.0, 0.0), (0.5, np.log(1.25)), (2e-4, np.log(2.0))}
    assert {tuple(map(float, np.round(point, 9))) for point in points} == {
        (x, round(float(y), 9)) for x, y in expected
    }
    title = figure.axes[0].get_title(loc="left")
    assert title.splitlines()[0].startswith("a  3-2 (300.0 GHz) at 10 K, 10$^{3}$ cm$^{-3}$: × 2 ")
    assert "+25 % (factor 1.25)" in title.splitlines()[1]
    assert len(title.splitlines()) == 2  # each line once, and none that does not change
    said = figure.get_suptitle()
    assert "new.dat against old.dat" in said
    assert "6 below 10$^{-6}$ of the strongest, 6 in absorption" in said


def test_every_gas_has_maps_of_its_own() -> None:
    conditions = (*grid("p-H2"), *grid("e"))
    figure = verification_figure(verified(conditions, [1.1] * 6 + [1.3] * 6), *FILES)
    labels = [axes.get_ylabel() for axes in maps(figure)]
    assert labels == ["n(p-H2) (cm$^{-3}$)"] * 2 + ["n(e) (cm$^{-3}$)"] * 2
    assert maps(figure)[1].images[0].get_array().max() == pytest.approx(0.1)
    assert maps(figure)[3].images[0].get_array().min() == pytest.approx(0.3)


def test_one_condition_is_said_in_the_title_and_has_no_map() -> None:
    figure = verification_figure(verified((Conditions(50.0, {"He": 1e4}),), [1.2]), *FILES)
    assert maps(figure) == []
    assert "50 K, 10$^{4}$ cm$^{-3}$" in figure.get_suptitle()


def test_nothing_but_absorption_and_no_change_at_all_can_be_drawn() -> None:
    conditions = grid("He")
    dark = compare_lines([radex((-1.0, -0.5))] * 6, [radex((-0.5, -0.5))] * 6, conditions)
    assert "no line could be compared" in words(verification_figure(dark, *FILES).axes[0])
    same = verified(conditions, [1.0] * 6)
    assert "no flux changes" in verification_figure(same, *FILES).get_suptitle()


def test_names_that_look_like_mathematics_are_drawn_as_they_are(tmp_path: Path) -> None:
    lines = [radex((1.0, 0.5), ("$0_{", "$1^", "{2}$")), radex((1.0, 0.4), ("$0_{", "$1^", "{2}$"))]
    found = compare_lines(lines[:1] * 6, lines[1:] * 6, grid("He"))
    draw_verification(found, Path("$a_{.dat$"), Path("b{}.dat"), tmp_path / "v.svg")
    assert "{2}$-$1^" in (tmp_path / "v.svg").read_text()


def impact(conditions: tuple[Conditions, ...], count: int, systems: tuple[str, ...] = ("AB+He",)) -> Impact:
    """Make an impact of `count` lines, whose uncertainty grows up the ladder and with the condition."""
    lines = [
        LineImpact(
            condition,
            str(j),
            str(j - 1),
            100.0 * j,
            flux,
            flux,
            (flux, flux),
            (flux, flux),
            20.0,
            20.0,
            (20.0, 20.0),
            (20.0, 20.0),
            1e-3 * j * (1 + condition),
            2.4 * j * (j + 1),
            flux,
        )
        for condition in range(len(conditions))
        for j in range(1, count + 1)
        for flux in (10.0 ** -(j - 1),)
    ]
    next_j = [JImpact(systems[n % len(systems)], 5 + n, 0.5 / (1 + n), 0.01 * (2 + n)) for n in range(14)]
    drivers = [Driver(systems[n % len(systems)], f"{5 + n} -> {n}", 0.3 / (1 + n)) for n in range(10)]
    return Impact(systems, 40, conditions, tuple(lines), 0.01, 0.08, tuple(drivers), tuple(next_j), (1,), 0)


def test_the_map_of_an_impact_names_the_least_certain_bright_line() -> None:
    conditions = grid("He", columns=(1e14, 1e16))
    figure = impact_figure(impact(conditions, 5))
    (only,) = maps(figure)
    # Lines up to 3-2 have at least 1 % of the strongest flux; the second column is less certain.
    expected = 3e-3 * np.arange(2.0, 13.0, 2.0).reshape(2, 3).T
    np.testing.assert_allclose(only.images[0].get_array(), expected, rtol=1e-9)
    assert words(only).count("3-2\n± ") == 6
    assert "3-2\n± 3.6 %" in words(only)
    assert "over 2 columns" in only.get_title()


def test_bright_and_faint_lines_are_told_apart_and_all_are_there() -> None:
    lines = impact_figure(impact(grid("He"), 5)).axes[0]
    faint, bright = lines.collections
    assert (len(faint.get_offsets()), len(bright.get_offsets())) == (2 * 6, 3 * 6)
    assert sorted(set(bright.get_offsets()[:, 1].tolist())) == pytest.approx(
        sorted({1e-3 * j * n for j in (1, 2, 3) for n in range(1, 7)})
    )
    assert [label.get_text() for label in lines.get_xticklabels()] == ["1-0", "2-1", "3-2", "4-3", "5-4"]
    assert "95 % interval" in lines.get_ylabel()


def test_bars_show_the_shares_in_their_order_with_their_systems() -> None:
    systems = ("AB+He", "AB+p-H2")
    found = impact((*grid("He"), *grid("p-H2")), 4, systems)
    figure = impact_figure(found)
    assert len(maps(figure)) == 2
    bars = [axes for axes in figure.axes if axes.patches and "share" in axes.get_xlabel()]
    for axes, shown in zip(bars, (found.next_j, found.drivers), strict=True):
        assert [bar.get_width() for bar in axes.patches] == [one.share for one in shown[:10]]
        assert [text.get_text() for text in axes.get_legend().get_texts()] == list(systems)
    names = [[label.get_text() for label in axes.get_yticklabels()] for axes in bars]
    assert names[0][:2] == ["5 → 2 %", "6 → 3 %"]
    assert names[1] == [one.name.replace("->", "→") for one in found.drivers]
    assert "10 of 14" in bars[0].get_title(loc="left")


@pytest.mark.parametrize(("conditions", "count"), [(grid("He")[:1], 3), (grid("He"), 40)])
def test_an_impact_of_any_size_can_be_drawn(
    tmp_path: Path, conditions: tuple[Conditions, ...], count: int
) -> None:
    found = impact(conditions, count)
    assert len(maps(impact_figure(found))) == (len(conditions) > 1)
    if count == 40:
        draw_impact(found, tmp_path / "i.png")
        assert (tmp_path / "i.png").read_bytes().startswith(b"\x89PNG")


def test_shares_are_written_as_people_read_them() -> None:
    assert [percent(x) for x in (0.0, 1e-6, 2e-4, 0.0584, 0.254, 3.2)] == [
        "0 %",
        "<0.01 %",
        "0.02 %",
        "5.8 %",
        "25 %",
        "320 %",
    ]
    assert [number(x) for x in (1.0, 300.0, 1e3, 2.5e4, 1e-6)] == [
        "1",
        "300",
        "10$^{3}$",
        "2.5×10$^{4}$",
        "10$^{-6}$",
    ]
