from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from ratedb.errors import RatedbError
from ratedb.radiative import radex
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.radex import lamda_folder, radex_available, run_radex, run_radex_each
from ratedb.radiative.radex_file import file_outline
from ratedb.radiative.radex_lines import RadexLines

needs_radex = pytest.mark.skipif(not radex_available(), reason="RADEX (spectralradex) is not installed")

CONDITIONS = Conditions(50.0, {"p-H2": 2.5e4, "o-H2": 7.5e4})


def shipped(name: str) -> Path:
    folder = lamda_folder()
    assert folder is not None
    return folder / name


def molecule(levels: int = 3, lines: int | None = None, partner: str = "1 X + H2") -> str:
    """Return a small file in LAMDA's format, with `lines` lines between pairs of levels."""
    pairs = [(u, d) for u in range(2, levels + 1) for d in range(1, u)]
    radiative = [(u, u - 1) for u in range(2, levels + 1)] if lines is None else pairs[:lines]
    energy = [0.0] + [1.9 * j * (j + 1) for j in range(1, levels)]
    text = ["!MOLECULE", "X", "!WEIGHT", "28.0", "!LEVELS", str(levels), "!LEVELS"]
    text += [f"{i + 1} {e:.9f} {2 * i + 1}.0 {i}" for i, e in enumerate(energy)]
    text += ["!LINES", str(len(radiative)), "!LINES"]
    for number, (u, d) in enumerate(radiative, 1):
        ghz = 29.9792458 * (energy[u - 1] - energy[d - 1])
        text.append(f"{number} {u} {d} 1.0E-07 {ghz:.7f} {1.4388 * energy[u - 1]:.2f}")
    text += ["!PARTNERS", "1", "!COLLISIONS BETWEEN", partner, "!RATES", str(len(pairs))]
    text += ["!TEMPERATURES", "2", "!TEMPERATURES", "10.0 100.0", "!RATES"]
    text += [f"{number} {u} {d} 1.0E-11 2.0E-11" for number, (u, d) in enumerate(pairs, 1)]
    return "\n".join(text) + "\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "x.dat"
    path.write_text(text)
    return path


def populations(lines: RadexLines) -> dict[str, float]:
    """Return the fractional population of every level that has a line, by label."""
    found = dict(zip(lines.lower, lines.population_lower.tolist(), strict=True))
    return found | dict(zip(lines.upper, lines.population_upper.tolist(), strict=True))


@needs_radex
def test_radex_gives_the_published_line_of_co() -> None:
    (lines,) = run_radex(shipped("co.dat"), [CONDITIONS])
    assert lines.upper[0] == "1"
    assert lines.lower[0] == "0"
    assert lines.excitation_temperature_k[0] == pytest.approx(55.020, rel=5e-5)
    assert lines.optical_depth[0] == pytest.approx(8.49e-4, rel=5e-4)


@needs_radex
def test_all_lines_come_back_and_their_levels_hold_all_molecules() -> None:
    path = shipped("co.dat")
    (lines,) = run_radex(path, [CONDITIONS])
    assert len(lines) == 40
    assert lines.frequency_ghz.max() > 1000.0
    np.testing.assert_allclose(lines.frequency_ghz, file_outline(path).frequency_ghz)
    by_label = populations(lines)
    assert len(by_label) == 41
    assert sum(by_label.values()) == pytest.approx(1.0, abs=1e-9)


@needs_radex
def test_a_dense_gas_has_the_populations_of_boltzmann() -> None:
    (lines,) = run_radex(shipped("co.dat"), [Conditions(50.0, {"p-H2": 1e9})])
    by_label = populations(lines)
    expected = 5.0 * np.exp(-1.438777 * 11.534919938 / 50.0)
    assert by_label["2"] / by_label["0"] == pytest.approx(expected, rel=1e-3)


@needs_radex
def test_the_order_of_conditions_changes_nothing() -> None:
    grid = [CONDITIONS, Conditions(300.0, {"p-H2": 1e6}, 1e19), Conditions(10.0, {"o-H2": 1e3})]
    there = run_radex(shipped("co.dat"), grid)
    back = run_radex(shipped("co.dat"), grid[::-1])[::-1]
    for a, b in zip(there, back, strict=True):
        np.testing.assert_array_equal(a.flux_k_km_s, b.flux_k_km_s)


@needs_radex
def test_a_collider_that_is_not_named_has_no_density(tmp_path: Path) -> None:
    # Left to itself RADEX puts 1e5 cm-3 of H2 beside the helium.
    alone = molecule(partner="6 X + He")
    text = molecule().replace("!PARTNERS\n1\n", "!PARTNERS\n2\n")
    both = text + alone[alone.index("!COLLISIONS") :]
    helium = [Conditions(50.0, {"He": 1e4})]
    (a,) = run_radex(written(tmp_path, both), helium)
    (b,) = run_radex(written(tmp_path, alone), helium)
    np.testing.assert_allclose(a.flux_k_km_s, b.flux_k_km_s, rtol=1e-9)


@needs_radex
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_long_path_with_odd_characters_works(tmp_path: Path, line_end: str) -> None:
    folder = tmp_path / ("a, b: {c} " * 10) / ("d" * 120)
    folder.mkdir(parents=True)
    path = folder / "co.dat"
    path.write_bytes(shipped("co.dat").read_text().replace("\n", line_end).encode())
    assert len(str(path)) > 190
    (lines,) = run_radex(path, [CONDITIONS])
    assert lines.excitation_temperature_k[0] == pytest.approx(55.020, rel=5e-5)


@needs_radex
def test_more_than_500_lines_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, molecule(levels=40, lines=501))
    with pytest.raises(RatedbError, match="more lines") as caught:
        run_radex(path, [Conditions(50.0, {"H2": 1e4})])
    assert caught.value.got == "501"


@needs_radex
def test_500_lines_come_back(tmp_path: Path) -> None:
    (lines,) = run_radex(written(tmp_path, molecule(levels=40, lines=500)), [Conditions(50.0, {"H2": 1e4})])
    assert len(lines) == 500


@needs_radex
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff" * 500,
        b"a file\nof another kind\n" * 40,
        b"!MOLECULE\nX\n!W\n28.0\n!N\n3\n!L\n1 0.0 1.0 0\n",
    ],
    ids=["empty", "binary", "prose", "cut"],
)
def test_garbage_is_an_error_and_no_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.dat"
    path.write_bytes(content)
    with pytest.raises(RatedbError, match="RADEX cannot read this file") as caught:
        run_radex(path, [CONDITIONS])
    assert "line" in str(caught.value.where)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2 3.800000000 3.0 1\n", "2 3.800000000 3.0\n"),  # RADEX would take the next line for the label
        (" 5.47\n", "\n"),  # and here for the upper energy
        ("1 2 1 1.0E-11 2.0E-11\n", "1 2 1 1.0E-11\n"),  # and here for the rate
        ("10.0 100.0\n", "100.0 10.0\n"),
        ("1 X + H2", " 1 X + H2"),
        ("1 X + H2", "9 X + Fe"),
        ("1 2 1 1.0E-11", "1 7 1 1.0E-11"),
        ("2 3.800000000", "3 3.800000000"),
        ("1 2 1 1.0E-07 113.9211340", "1 2 1 1.0E-07 0.0"),  # RADEX would leave the line out
    ],
)
def test_what_radex_would_misread_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = molecule()
    assert text.count(old) == 1
    with pytest.raises(RatedbError, match="RADEX cannot read this file"):
        file_outline(written(tmp_path, text.replace(old, new)))


def test_rates_wrapped_over_two_lines_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, molecule().replace("1.0E-11 2.0E-11", "1.0E-11\n  2.0E-11"))
    assert file_outline(path).temperature_range_k == {"H2": (10.0, 100.0)}


def test_labels_that_stand_twice_stay_apart(tmp_path: Path) -> None:
    text = molecule().replace("3.0 1\n", "3.0 0\n").replace("5.0 2\n", "5.0 '2 a' ! remark\n")
    assert file_outline(written(tmp_path, text)).label == ("0@1", "0@2", "2 a")


@needs_radex
@pytest.mark.parametrize("temperature", [9.9, 100.1])
def test_a_temperature_outside_the_rates_is_refused(tmp_path: Path, temperature: float) -> None:
    with pytest.raises(RatedbError, match=f"do not reach {temperature:g} K"):
        run_radex(written(tmp_path, molecule()), [Conditions(temperature, {"H2": 1e4})])


@needs_radex
def test_a_collider_without_rates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="no rates for He"):
        run_radex(written(tmp_path, molecule()), [Conditions(50.0, {"H2": 1e4, "He": 1e3})])


@needs_radex
def test_h2_beside_its_nuclear_spins_is_refused(tmp_path: Path) -> None:
    text = molecule().replace("!PARTNERS\n1\n", "!PARTNERS\n2\n")
    text += text[text.index("!COLLISIONS") :].replace("1 X + H2", "2 X + p-H2")
    with pytest.raises(RatedbError, match="count H2 twice"):
        run_radex(written(tmp_path, text), [Conditions(50.0, {"H2": 1e4})])


@needs_radex
def test_a_run_that_does_not_converge_is_named_and_not_dropped() -> None:
    grid = [Conditions(100.0, {"H2": 1e4}), Conditions(100.0, {"H2": 1e2}, 1e20)]
    with pytest.raises(RatedbError, match="failed for 1 of 2") as caught:
        run_radex(shipped("hcn.dat"), grid)
    assert "n(H2) = 100 cm-3, N = 1e+20 cm-2" in str(caught.value)
    assert "did not converge" in str(caught.value)


@needs_radex
def test_files_in_one_process_come_out_as_each_alone_and_a_failure_stays_with_its_file() -> None:
    paths = [shipped(name) for name in ("sio.dat", "hcn.dat", "cs@lique.dat")]
    grid = [Conditions(100.0, {"H2": 1e4}), Conditions(100.0, {"H2": 1e2}, 1e20)]
    first, failed, last = run_radex_each(paths, grid)
    assert isinstance(failed, RatedbError)
    assert "hcn.dat" in str(failed)
    for path, outcome in ((paths[0], first), (paths[2], last)):
        assert not isinstance(outcome, RatedbError)
        for ours, alone in zip(outcome, run_radex(path, grid), strict=True):
            assert ours.upper == alone.upper
            np.testing.assert_array_equal(ours.flux_k_km_s, alone.flux_k_km_s)


@needs_radex
def test_a_file_never_has_the_rates_of_the_file_before_it() -> None:
    paths = [shipped(name) for name in ("SO-pH2.dat", "o-nh3.dat")]
    grid = [Conditions(30.0, {"p-H2": 1e4})]
    _, after = run_radex_each(paths, grid)
    assert not isinstance(after, RatedbError)
    (alone,) = run_radex(paths[1], grid)
    np.testing.assert_array_equal(after[0].excitation_temperature_k, alone.excitation_temperature_k)
    np.testing.assert_array_equal(after[0].flux_k_km_s, alone.flux_k_km_s)


@needs_radex
def test_a_process_that_dies_is_one_error_naming_the_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radex.sys, "executable", shutil.which("false"))
    with pytest.raises(RatedbError, match="ended before its work was done") as caught:
        run_radex(shipped("co.dat"), [CONDITIONS])
    assert "condition 1: T = 50 K" in str(caught.value)


@needs_radex
def test_a_process_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(RatedbError, match=r"did not end within 0\.01 s"):
        run_radex(shipped("co.dat"), [CONDITIONS], timeout_s=0.01)


def test_without_radex_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(radex.importlib.util, "find_spec", lambda name: None)
    assert not radex_available()
    assert lamda_folder() is None
    with pytest.raises(RatedbError, match="RADEX is not installed") as caught:
        run_radex(written(tmp_path, molecule()), [CONDITIONS])
    assert "ratedb[radex]" in str(caught.value.todo)


@pytest.mark.parametrize(
    "arguments",
    [
        {"temperature_k": 0.0},
        {"temperature_k": float("nan")},
        {"density_cm3": {}},
        {"density_cm3": {"H2": 0.0}},
        {"density_cm3": {"H2": -1.0}},
        {"density_cm3": {"water": 1.0}},
        {"column_density_cm2": 1.0},
        {"line_width_km_s": 0.0},
        {"background_k": 0.0},
        {"geometry": 4},
    ],
)
def test_conditions_that_radex_would_stop_at_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(RatedbError):
        Conditions(**({"temperature_k": 50.0, "density_cm3": {"H2": 1e4}} | arguments))
