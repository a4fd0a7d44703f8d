from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from lamda_checks import keeps_every_rule
from lamda_text import molecule, read_text, reread, rotor, shared_files, spectralradex_files

from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import LamdaText, read_lamda, render_lamda
from ratedb.levels import Levels, Lines, vj
from ratedb.rates import Rates
from ratedb.systems import COLLIDERS


def rules(written: LamdaText) -> list[str]:
    return [warning.rule for warning in written.warnings]


def test_a_clean_molecule_is_written_without_a_warning_and_read_back_the_same(tmp_path: Path) -> None:
    file = molecule()
    written, again = reread(tmp_path, file)
    keeps_every_rule(written.text)
    assert written.warnings == ()
    assert again.warnings == ()
    assert again.levels.label == file.levels.label
    assert again.levels.need_vj()[1].tolist() == [0, 1, 2, 3]
    assert again.partners[0].reference == "test"
    assert again.partners[0].rates.system == "CO+p-H2"
    np.testing.assert_allclose(
        again.partners[0].rates.rate_cm3_s, file.partners[0].rates.rate_cm3_s, rtol=1e-6
    )
    np.testing.assert_allclose(again.lines.einstein_a_s1, file.lines.einstein_a_s1, rtol=1e-8)
    np.testing.assert_allclose(again.lines.frequency_ghz, file.lines.frequency_ghz, rtol=1e-8)


def test_the_same_tables_give_the_same_bytes_in_whatever_order_of_rows() -> None:
    file = molecule()
    rates = file.partners[0].rates
    shuffled = rates.select(np.random.default_rng(3).permutation(len(rates)))
    other = MoleculeFile(file.levels, file.lines, (PartnerRates(shuffled, "test"),))
    assert render_lamda(other).text == render_lamda(file).text


def test_levels_are_sorted_by_energy_and_rows_follow(tmp_path: Path) -> None:
    levels = Levels("X", ("c", "a", "b"), [20.0, 0.0, 5.0], [5, 1, 3], molecular_weight=9.5)
    file = molecule(levels, pairs=[(0, 1), (0, 2), (2, 1)], lines=Lines.empty())
    written, again = reread(tmp_path, file)
    assert again.levels.label == ("a", "b", "c")
    assert again.levels.molecular_weight == 9.5
    rates = again.partners[0].rates
    assert list(zip(rates.upper, rates.lower, strict=True)) == [(1, 0), (2, 0), (2, 1)]
    np.testing.assert_allclose(rates.rate_cm3_s[:, 0], [3.3e-10, 1.1e-10, 2.2e-10])
    assert rules(written) == ["lines"]


def test_equal_energies_are_lifted_with_a_warning() -> None:
    levels = rotor(energy_cm1=[0.0, 3.8, 3.8, 3.8])
    written = render_lamda(molecule(levels, lines=Lines([1], [0], [1e-7], [3.8 * 29.9792458])))
    keeps_every_rule(written.text)
    assert "3.800000100" in written.text
    assert "3.800000200" in written.text
    assert "increasing energies" in rules(written)


def test_rows_that_run_upward_after_a_lift_are_turned_by_their_weights(tmp_path: Path) -> None:
    levels = rotor(3, energy_cm1=[0.0, 3.8, 3.8])
    file = molecule(levels, pairs=[(1, 0), (2, 0), (1, 2)], lines=Lines([1], [2], [1e-7], [0.0]))
    written, again = reread(tmp_path, file)
    keeps_every_rule(written.text)
    assert {"downward rates", "lines"} <= set(rules(written))
    rates = again.partners[0].rates
    assert (rates.upper[2], rates.lower[2]) == (2, 1)
    np.testing.assert_allclose(rates.rate_cm3_s[2, 0], 3.3e-10 * 3 / 5, rtol=1e-5)


def test_a_row_that_runs_far_upward_is_left_out_not_turned_into_an_impossible_rate() -> None:
    high = rotor(3, energy_cm1=[0.0, 3.8, 9000.0])
    rates = Rates(high, "H2", [1, 0], [0, 2], [5.0, 10.0], np.full((2, 2), 1e-11))
    result = render_lamda(MoleculeFile(high, Lines.empty(), (PartnerRates(rates),)))
    assert any("cannot be converted" in warning.detail for warning in result.warnings)
    assert result.partners["H2"][0].tolist() == [0]


def test_of_both_directions_between_equal_energies_the_downward_one_is_written(tmp_path: Path) -> None:
    levels = rotor(3, energy_cm1=[0.0, 3.8, 3.8])
    file = molecule(levels, pairs=[(1, 0), (2, 1), (1, 2)], lines=Lines.empty())
    written, again = reread(tmp_path, file)
    keeps_every_rule(written.text)
    np.testing.assert_allclose(again.partners[0].rates.rate_cm3_s[1, 0], 2.2e-10)
    assert len(again.partners[0].rates) == 2
    assert "downward rates" in rules(written)


@pytest.mark.parametrize("form", ["{v},{j}", "v={v} j={j}", '"{v} {j}"', "{v}_{j}"])
def test_v_and_j_can_be_read_from_the_labels_written(tmp_path: Path, form: str) -> None:
    v, j = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    label = tuple(form.format(v=a, j=b) for a, b in zip(v, j, strict=True))
    levels = Levels("SiO", label, [0, 1.5, 900.0, 901.5], 2 * j + 1, vj(v, j), 44.0)
    written, again = reread(tmp_path, molecule(levels))
    keeps_every_rule(written.text)
    assert [x.tolist() for x in again.levels.need_vj()] == [v.tolist(), j.tolist()]
    assert again.levels.label == ("0_0", "0_1", "1_0", "1_1")


def test_labels_without_v_and_j_do_not_gain_them(tmp_path: Path) -> None:
    levels = rotor(label=("0_0", "0_1", "0_2", "0_3"), quantum_numbers={})
    _, again = reread(tmp_path, molecule(levels))
    assert not again.levels.has_vj


def test_fractional_weights_and_temperatures_are_written_and_warned_of(tmp_path: Path) -> None:
    file = molecule(rotor(weight=[1.3, 4, 6.5, 9]), temperature_k=(5.1, 10, 316.22776601683796))
    written, again = reread(tmp_path, file)
    keeps_every_rule(written.text)
    assert {"whole weights", "whole temperatures"} <= set(rules(written))
    assert {w.reader for w in written.warnings if w.rule.startswith("whole")} == {"astroquery"}
    assert again.levels.weight.tolist() == [1.3, 4, 6.5, 9]
    np.testing.assert_allclose(again.partners[0].rates.temperature_k, [5.1, 10, 316.2277660], rtol=1e-9)


def test_frequencies_energies_and_a_are_written_as_the_source_prints_them(tmp_path: Path) -> None:
    levels = rotor(3, energy_cm1=[0.0, 3.845033413, 11.5349199384])
    ghz, a_s1, upper_k = [115.2712018, 230.538], [7.203e-8, 6.9101234567e-7], [5.53, 16.6]
    lines = Lines([1, 2], [0, 1], a_s1, ghz, upper_k)
    written, again = reread(tmp_path, molecule(levels, lines=lines))
    assert written.warnings == written.labels == written.computed_lines == ()
    keeps_every_rule(written.text)
    assert again.levels.energy_cm1.tolist() == levels.energy_cm1.tolist()
    assert again.lines.frequency_ghz.tolist() == ghz
    assert again.lines.einstein_a_s1.tolist() == a_s1
    assert again.lines.upper_energy_k.tolist() == upper_k


def test_computed_frequencies_follow_the_energies_as_written_and_are_named(tmp_path: Path) -> None:
    lines = Lines([1, 2], [0, 1], [1e-7, 1e-6], [1.0, 227.8], frequency_computed=[True, False])
    written, again = reread(tmp_path, molecule(rotor(3), lines=lines))
    np.testing.assert_allclose(again.lines.frequency_ghz, [3.8 * 29.9792458, 227.8], rtol=1e-9)
    assert written.computed_lines == (("1", "0"),)
    assert ["1 of 2 frequencies are computed" in one.detail for one in written.warnings] == [True]


def test_the_warning_for_pythonradex_names_the_line_or_the_level() -> None:
    up, j = np.arange(1, 6), np.arange(6)
    energy = np.round(1.92253 * j * (j + 1), 6)
    for shift, factor, named in ((0.0, 1.002, "3 -> 2"), (0.1, 1.0, "energy of level 3")):
        frequency = np.diff(energy) * 29.9792458
        frequency[2] *= factor
        levels = rotor(6, energy_cm1=energy + shift * (j == 3))
        written = render_lamda(molecule(levels, lines=Lines(up, up - 1, 1e-7 * up, frequency)))
        [warning] = written.warnings
        assert (warning.rule, warning.reader) == ("frequencies", "pythonradex")
        assert named in warning.detail


def test_labels_that_are_changed_are_listed_with_their_originals() -> None:
    written = render_lamda(molecule(rotor(3, label=("a b", "c", "d/e"), quantum_numbers={})))
    assert written.labels == (("a_b", "a b"), ("d_e", "d/e"))


def test_lines_without_a_positive_a_or_listed_twice_are_left_out() -> None:
    lines = Lines([1, 1, 2, 3], [0, 0, 1, 2], [1e-7, 2e-7, 0.0, np.nan], [113.92, 113.92, 1, 1])
    written = render_lamda(molecule(lines=lines))
    keeps_every_rule(written.text)
    assert rules(written)[:2] == ["lines", "lines"]
    assert "!NUMBER OF RADIATIVE TRANSITIONS\n1\n" in written.text


def test_a_reference_is_made_ascii_and_short() -> None:
    written = render_lamda(molecule(reference="Dayou & Balança\n(2006) ! " + "x" * 200))
    keeps_every_rule(written.text)
    assert "\n2 CO + p-H2 Dayou & Balanca (2006) xxx" in written.text
    assert rules(written) == ["partner line"]


def test_a_reference_that_names_other_partners_does_not_change_the_collider(tmp_path: Path) -> None:
    _, again = reread(tmp_path, molecule(collider="He", reference="scaled from o-H2 and e-"))
    assert again.partners[0].rates.collider == "He"
    assert again.partners[0].reference == "scaled from o-H2 and e-"


@pytest.mark.parametrize(("name", "wanted"), [("CO v=1", "CO"), ("日本", "unnamed"), ("X" * 99, "X" * 78)])
def test_the_molecule_is_one_short_ascii_word(name: str, wanted: str) -> None:
    written = render_lamda(molecule(rotor(molecule=name)))
    keeps_every_rule(written.text)
    assert written.text.splitlines()[1] == wanted
    assert rules(written) == ["molecule name"]


@pytest.mark.parametrize("collider", COLLIDERS)
@pytest.mark.parametrize("name", ["CO", "HCO+", "o-H2CO", "H2", "C+", "p-H2", "He", "HD"])
def test_every_collider_and_name_is_read_back(tmp_path: Path, collider: str, name: str) -> None:
    written, again = reread(tmp_path, molecule(rotor(molecule=name), collider=collider))
    keeps_every_rule(written.text)
    assert again.partners[0].rates.system == f"{name}+{collider}"
    assert ("Cloudy" in [w.reader for w in written.warnings]) is (collider == "H+")


def test_partners_are_sorted_by_id_and_each_written_once() -> None:
    files = [molecule(collider=name) for name in ("He", "H2", "o-H2", "He")]
    file = MoleculeFile(files[0].levels, files[0].lines, tuple(f.partners[0] for f in files))
    written = render_lamda(file)
    keeps_every_rule(written.text)
    assert re.findall(r"^(\d) CO", written.text, re.M) == ["1", "3", "6"]
    assert rules(written) == ["partners", "partners"]


def test_rates_of_another_table_of_the_same_levels_are_joined_by_label(tmp_path: Path) -> None:
    file = molecule()
    other = molecule(rotor(), collider="o-H2").partners[0]
    turned = other.rates.levels.select([3, 2, 1, 0])
    rates = Rates(
        turned, "o-H2", 3 - other.rates.upper, 3 - other.rates.lower, (10, 20, 50), other.rates.rate_cm3_s
    )
    _, again = reread(
        tmp_path, MoleculeFile(file.levels, file.lines, (file.partners[0], PartnerRates(rates)))
    )
    np.testing.assert_array_equal(again.partners[0].rates.rate_cm3_s, again.partners[1].rates.rate_cm3_s)
    strange = molecule(rotor(label=("p", "q", "r", "s")), collider="He").partners
    with pytest.raises(RatedbError, match="levels that are not in the file"):
        render_lamda(MoleculeFile(file.levels, file.lines, strange))


def test_zero_and_tiny_rates_are_written_as_1e_99_and_said_so(tmp_path: Path) -> None:
    rates = np.full((6, 3), 1e-10)
    rates[0, 0], rates[1, 1], rates[2, 2] = 0.0, 6.07e-102, 9.99999999e-100
    written, again = reread(tmp_path, molecule(rates=rates))
    keeps_every_rule(written.text)
    assert rules(written) == ["positive rates", "two-digit exponents"]
    assert written.text.count("1.0000E-99") + written.text.count("1.000000E-99") == 3
    assert (again.partners[0].rates.rate_cm3_s == 0).sum() == 3  # what stands for zero is read as zero


def test_rows_with_unknown_rates_and_temperatures_without_any_are_left_out(tmp_path: Path) -> None:
    rates = np.full((6, 3), 1e-10)
    rates[:, 0] = np.nan
    rates[5, 2] = np.nan
    written, again = reread(tmp_path, molecule(rates=rates))
    keeps_every_rule(written.text)
    assert rules(written) == ["temperatures", "complete rows"]
    assert again.partners[0].rates.temperature_k.tolist() == [20.0, 50.0]
    assert len(again.partners[0].rates) == 5


def test_elastic_rows_and_rates_beyond_two_digit_exponents_are_left_out() -> None:
    rates = np.full((3, 3), 1e-10)
    rates[2] = 1e120
    written = render_lamda(molecule(pairs=[(1, 0), (1, 1), (2, 1)], rates=rates))
    keeps_every_rule(written.text)
    assert rules(written) == ["complete rows"]


def test_levels_that_nothing_connects_are_left_out() -> None:
    rates = np.full((2, 3), 1e-10)
    rates[1] = 0.0
    file = molecule(pairs=[(1, 0), (2, 0)], rates=rates, lines=Lines([1], [0], [1e-7], [113.9211341]))
    written = render_lamda(file)
    keeps_every_rule(written.text)
    assert "!NUMBER OF ENERGY LEVELS\n2\n" in written.text
    assert rules(written)[:2] == ["connected", "connected"]


def test_a_missing_molecular_weight_is_warned_of() -> None:
    written = render_lamda(molecule(rotor(molecular_weight=None)))
    keeps_every_rule(written.text)
    assert rules(written) == ["molecular weight"]


@pytest.mark.parametrize(("count", "digits"), [(3, 6), (38, 6), (41, 5), (44, 4), (49, 3), (50, 6)])
def test_rates_have_as_many_digits_as_a_row_holds(count: int, digits: int) -> None:
    written = render_lamda(molecule(temperature_k=10.0 * np.arange(1, count + 1)))
    assert len(written.text.splitlines()[-1].split()[-1]) == digits + 6


def test_large_and_negative_energies_stay_within_sixteen_bytes(tmp_path: Path) -> None:
    levels = rotor(energy_cm1=[-5.25, -0.000000000004, 123456.789, 12345678.9])
    written, again = reread(tmp_path, molecule(levels, lines=Lines.empty()))
    keeps_every_rule(written.text)
    np.testing.assert_allclose(again.levels.energy_cm1, levels.energy_cm1, atol=1e-6)


def test_where_no_valid_file_can_be_made_it_is_refused() -> None:
    file = molecule()
    empty = file.partners[0].rates.select(np.zeros(6, dtype=np.bool_))
    nothing = Rates(file.levels, "He", [1], [0], [10.0, 20.0], [[np.nan, np.nan]])
    zeros = Rates(file.levels, "He", [1], [0], [10.0, 20.0], [[0.0, 0.0]])
    for partners in ((), (PartnerRates(empty),), (PartnerRates(nothing),)):
        with pytest.raises(RatedbError, match="no LAMDA file can be made"):
            render_lamda(MoleculeFile(file.levels, file.lines, partners))
    with pytest.raises(RatedbError, match="no LAMDA file can be made"):
        render_lamda(MoleculeFile(file.levels, Lines.empty(), (PartnerRates(zeros),)))
    with pytest.raises(RatedbError, match="no LAMDA file can hold"):
        render_lamda(molecule(rotor(weight=[1, 3, 5, 1e200])))
    bare = Levels("X", (), [], [])
    none = Rates(bare, "He", [], [], [10.0], np.empty((0, 1)))
    with pytest.raises(RatedbError, match="no LAMDA file can be made"):
        render_lamda(MoleculeFile(bare, Lines.empty(), (PartnerRates(none),)))


@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    log10_rates=hnp.arrays(np.float64, (6, 3), elements=st.floats(-39, -7.01)),
    gaps=st.lists(st.floats(0.0, 3000.0), min_size=3, max_size=3),
    temperature_k=st.lists(st.integers(1, 9999), min_size=3, max_size=3, unique=True),
    labels=st.lists(st.text(max_size=9), min_size=4, max_size=4, unique=True),
    collider=st.sampled_from(COLLIDERS),
    reference=st.text(max_size=150),
)
def test_any_molecule_keeps_every_rule_and_is_read_back_to_the_printed_digits(
    tmp_path: Path,
    log10_rates: np.ndarray,
    gaps: list[float],
    temperature_k: list[int],
    labels: list[str],
    collider: str,
    reference: str,
) -> None:
    levels = rotor(energy_cm1=np.cumsum([0.0, *gaps]), label=tuple(labels), quantum_numbers={})
    file = molecule(
        levels,
        collider=collider,
        temperature_k=sorted(temperature_k),
        rates=10**log10_rates,
        reference=reference,
    )
    written, again = reread(tmp_path, file)
    keeps_every_rule(written.text)
    rates = again.partners[0].rates
    assert rates.collider == collider
    assert rates.temperature_k.tolist() == sorted(temperature_k)
    assert again.levels.label == tuple(row.split()[3] for row in written.text.splitlines()[7:11])
    np.testing.assert_allclose(rates.rate_cm3_s, 10**log10_rates, rtol=1e-6)
    np.testing.assert_allclose(again.levels.energy_cm1, levels.energy_cm1, atol=1e-6)
    assert render_lamda(again).text == written.text


def written_file_says_what_the_source_says(folder: Path, path: Path) -> None:
    file = read_lamda(path)
    written, again = reread(folder, file)
    keeps_every_rule(written.text)
    order = np.argsort(file.levels.energy_cm1, kind="stable")
    np.testing.assert_allclose(again.levels.energy_cm1, file.levels.energy_cm1[order], atol=1e-6)
    np.testing.assert_allclose(again.levels.weight, file.levels.weight[order])
    assert again.levels.has_vj is file.levels.has_vj
    assert [p.rates.collider for p in again.partners] == sorted(
        (p.rates.collider for p in file.partners), key=COLLIDERS.index
    )
    source = {p.rates.collider: p.rates for p in file.partners}
    position = np.argsort(order)
    for partner in again.partners:
        old, new = source[partner.rates.collider], partner.rates
        upper, lower = position[old.upper], position[old.lower]
        row_of = {pair: row for row, pair in enumerate(zip(upper.tolist(), lower.tolist(), strict=True))}
        pairs = list(zip(new.upper.tolist(), new.lower.tolist(), strict=True))
        listed = np.array([row_of.get(pair, -1) for pair in pairs])  # -1: turned, between equal energies
        expected = np.where(old.rate_cm3_s[listed] <= 1e-99, 0.0, old.rate_cm3_s[listed])
        kept = listed >= 0
        assert kept.mean() > 0.95
        np.testing.assert_allclose(new.rate_cm3_s[kept], expected[kept], rtol=1e-6, atol=0)
        left_out = {row for pair, row in row_of.items() if pair[0] > pair[1]} - set(listed.tolist())
        assert all(np.isnan(old.rate_cm3_s[row]).any() for row in left_out)
    assert render_lamda(again).text == written.text


def test_exports_of_spectralradex_files_keep_every_rule_and_number(tmp_path: Path) -> None:
    for path in spectralradex_files():
        written_file_says_what_the_source_says(tmp_path, path)


def test_exports_of_shared_files_keep_every_rule_and_number(tmp_path: Path) -> None:
    for path in shared_files():
        if path.stat().st_size < 1_000_000:  # the large ones would take most of the time
            written_file_says_what_the_source_says(tmp_path, path)


def test_a_written_file_is_read_without_a_warning(tmp_path: Path) -> None:
    assert read_text(tmp_path, render_lamda(molecule()).text).warnings == ()


def test_half_integers_in_labels_are_written_as_decimals(tmp_path: Path) -> None:
    written, again = reread(tmp_path, molecule(rotor(3, label=("0 1/2", "1 3/2", "1-"), quantum_numbers={})))
    assert again.levels.label == ("0_0.5", "1_1.5", "1-")
    assert written.labels == (("0_0.5", "0 1/2"), ("1_1.5", "1 3/2"))
