"""What is written as BASECOL's is what ratedb reads again, and what molpop takes by the order of lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from lamda_text import molecule, rotor

from ratedb.errors import RatedbError
from ratedb.io.basecol_write import BasecolText, render_basecol
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.registry import ReadOptions, read_rates
from ratedb.levels import Levels, Lines, vj
from ratedb.rates import Rates
from ratedb.systems import COLLIDERS


def reread(folder: Path, file: MoleculeFile) -> tuple[BasecolText, MoleculeFile]:
    written = render_basecol(file)
    rates, levels = folder / "x.kij", folder / "x.molecule"
    rates.write_text(written.rates_text, encoding="ascii")
    levels.write_text(written.levels_text, encoding="ascii")
    [partner] = file.partners
    options = ReadOptions(file.levels.molecule, partner.rates.collider, (levels,))
    return written, read_rates(rates, options)


def rules(written: BasecolText) -> list[str]:
    return [warning.rule for warning in written.warnings]


def by_places(file: MoleculeFile) -> dict[tuple[int, int], list[float]]:
    rates = file.partners[0].rates
    ends = zip(rates.upper.tolist(), rates.lower.tolist(), strict=True)
    return dict(zip(ends, rates.rate_cm3_s.tolist(), strict=True))


def pass_header(rows: Iterator[str]) -> None:
    while not next(rows).startswith(">"):
        pass


def takes_as_molpop(written: BasecolText) -> tuple[list[tuple[str, ...]], dict[tuple[int, int], list[float]]]:
    """Return levels and rates as molpop's Fortran takes them: by `>`, by `=`, and by counting lines."""
    rows = iter(written.levels_text.split("\n"))
    pass_header(rows)
    assert len(next(rows).split()) == 1
    pass_header(rows)
    count, mass = next(rows).split()
    assert float(mass) >= 0
    pass_header(rows)
    levels = []
    for number in range(1, int(count) + 1):
        row = next(rows)
        head, label, end = row.split("'")
        assert (int(head.split()[0]), len(head.split()), end) == (number, 3, "")
        levels.append((*head.split()[1:], label))
    pass_header(rows)
    for row in rows:
        if row:
            up, low, a = row.split()
            assert 1 <= int(low) < int(up) <= len(levels)
            assert float(a) > 0
    energies = [float(energy) for _, energy, _ in levels]
    assert all(a < b for a, b in itertools.pairwise(energies))  # it divides by the differences
    rows = iter(written.rates_text.split("\n"))
    pass_header(rows)
    columns = int(next(rows).split("=")[1])
    for _ in range(3):
        next(rows)
    assert len(next(rows).split()) == columns
    assert next(rows) == ""
    rates = {}
    for row in rows:
        if row:
            up, low, *values = row.split()
            assert int(up) > int(low)
            assert len(values) == columns
            rates[int(up) - 1, int(low) - 1] = [float(value) for value in values]
    return levels, rates


def test_a_clean_molecule_is_written_without_a_warning_and_read_back_the_same(tmp_path: Path) -> None:
    file = molecule()
    written, again = reread(tmp_path, file)
    assert written.warnings == ()
    assert again.warnings == ()
    assert again.levels.label == file.levels.label
    assert [one.tolist() for one in again.levels.need_vj()] == [[0, 0, 0, 0], [0, 1, 2, 3]]
    assert again.levels.energy_cm1.tolist() == pytest.approx(file.levels.energy_cm1.tolist(), abs=5.1e-10)
    assert again.levels.weight.tolist() == [1, 3, 5, 7]
    assert again.levels.molecular_weight == 28.0
    assert again.partners[0].reference == "test"
    np.testing.assert_allclose(again.lines.einstein_a_s1, file.lines.einstein_a_s1, rtol=1e-8)
    np.testing.assert_allclose(again.partners[0].rates.rate_cm3_s, file.partners[0].rates.rate_cm3_s, 6e-7)


def test_molpop_takes_the_same_numbers_by_the_places_of_the_lines(tmp_path: Path) -> None:
    file = molecule(rotor(molecule="HCO+"), temperature_k=(5.1, 10, 316.22776601683796))
    levels, rates = takes_as_molpop(render_basecol(file))
    assert [level[2] for level in levels] == ["J = 0", "J = 1", "J = 2", "J = 3"]
    assert [level[0] for level in levels] == ["1", "3", "5", "7"]  # whole, since it reads them as integers
    expected = by_places(file)
    assert rates.keys() == expected.keys()
    for pair, values in expected.items():
        np.testing.assert_allclose(rates[pair], values, rtol=5.1e-7)


def test_the_same_tables_give_the_same_bytes_in_whatever_order_of_rows() -> None:
    file = molecule()
    rates = file.partners[0].rates
    shuffled = rates.select(np.random.default_rng(3).permutation(len(rates)))
    written = render_basecol(file)
    again = render_basecol(MoleculeFile(file.levels, file.lines, (PartnerRates(shuffled, "test"),)))
    assert (again.rates_text, again.levels_text) == (written.rates_text, written.levels_text)


def test_levels_are_numbered_by_energy_and_rows_and_lines_follow(tmp_path: Path) -> None:
    levels = Levels("X", ("c", "a", "b"), [20.0, 0.0, 5.0], [5, 1, 3], molecular_weight=9.5)
    line = Lines([0], [2], [3e-7], [15 * 29.9792458])
    written, again = reread(tmp_path, molecule(levels, pairs=[(0, 1), (0, 2), (2, 1)], lines=line))
    assert again.levels.label == ("a", "b", "c")
    assert {pair: row[0] for pair, row in by_places(again).items()} == pytest.approx(
        {(2, 0): 1.1e-10, (2, 1): 2.2e-10, (1, 0): 3.3e-10}
    )
    assert (again.lines.upper.tolist(), again.lines.lower.tolist()) == ([2], [1])
    assert written.warnings == ()
    assert written.row.tolist() == [2, 0, 1]


def test_levels_without_rates_or_lines_stay(tmp_path: Path) -> None:
    written, again = reread(tmp_path, molecule(pairs=[(1, 0)], lines=Lines.empty()))
    assert again.levels.label == ("0", "1", "2", "3")
    assert len(again.lines) == 0
    assert [(w.rule, w.reader) for w in written.warnings] == [("lines", "molpop")]


def test_equal_energies_are_lifted_and_rates_between_them_turned_by_their_weights(tmp_path: Path) -> None:
    levels = rotor(3, energy_cm1=[0.0, 3.8, 3.8])
    file = molecule(levels, pairs=[(1, 0), (2, 0), (1, 2)], lines=Lines([1], [2], [1e-7], [0.0]))
    written, again = reread(tmp_path, file)
    takes_as_molpop(written)
    assert rules(written) == ["increasing energies", "lines", "downward rates"]
    assert again.levels.energy_cm1.tolist() == [0.0, 3.8, 3.8000001]
    np.testing.assert_allclose(by_places(again)[2, 1][0], 3.3e-10 * 3 / 5, rtol=1e-5)


def test_nine_decimals_tell_close_levels_apart_far_up_too(tmp_path: Path) -> None:
    energy = [-5.25, 0.0, 12345678.9, 12345678.900000002]
    written, again = reread(tmp_path, molecule(rotor(energy_cm1=energy), lines=Lines.empty()))
    assert again.levels.energy_cm1.tolist() == energy
    assert rules(written) == ["lines"]


def test_zeros_and_exponents_of_three_digits_stay(tmp_path: Path) -> None:
    rates = np.full((6, 3), 1e-10)
    rates[0, 0], rates[1, 1], rates[2] = 0.0, 6.07e-102, 0.0
    written, again = reread(tmp_path, molecule(rates=rates))
    np.testing.assert_array_equal(again.partners[0].rates.rate_cm3_s, rates)
    assert written.warnings == ()


def test_rows_that_are_unknown_elastic_or_impossible_are_left_out_with_a_warning(tmp_path: Path) -> None:
    rates = np.full((5, 3), 1e-10)
    rates[:, 1] = np.nan
    rates[1, 2] = np.nan
    rates[2, 0] = 0.5
    pairs = [(1, 0), (2, 0), (2, 1), (2, 2), (3, 0)]
    written, again = reread(tmp_path, molecule(pairs=pairs, rates=rates))
    assert rules(written) == ["temperatures", "complete rows"]
    assert by_places(again) == {(1, 0): [1e-10, 1e-10], (3, 0): [1e-10, 1e-10]}
    assert again.partners[0].rates.temperature_k.tolist() == [10.0, 50.0]
    assert (written.row.tolist(), written.temperature_k.tolist()) == ([0, 4], [10.0, 50.0])


def test_a_lone_temperature_and_more_than_molpop_holds_are_warned_of(tmp_path: Path) -> None:
    for count, wanted in ((1, ["temperatures"]), (2, []), (100, []), (101, ["limits"])):
        written, again = reread(tmp_path, molecule(temperature_k=10.0 * np.arange(1, count + 1)))
        assert rules(written) == wanted
        assert len(again.partners[0].rates.temperature_k) == count


def test_fractional_weights_and_an_unknown_mass_are_said(tmp_path: Path) -> None:
    levels = rotor(weight=[1.3, 4, 6.5, 9], quantum_numbers={}, molecular_weight=None)
    written, again = reread(tmp_path, molecule(levels))
    assert rules(written) == ["molecular mass", "whole weights"]
    assert again.levels.weight.tolist() == [1.3, 4, 6.5, 9]
    assert again.levels.molecular_weight is None


@pytest.mark.parametrize("form", ["{v}_{j}", "{v},{j}", "v={v} j={j}", "level {v} {j}"])
def test_v_and_j_are_read_again_whatever_the_labels_are(tmp_path: Path, form: str) -> None:
    v, j = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    label = tuple(form.format(v=a, j=b) for a, b in zip(v, j, strict=True))
    levels = Levels("SiO", label, [0, 1.5, 900.0, 901.5], 2 * j + 1, vj(v, j), 44.0)
    written, again = reread(tmp_path, molecule(levels))
    assert [one.tolist() for one in again.levels.need_vj()] == [v.tolist(), j.tolist()]
    assert again.levels.label == ("0_0", "0_1", "1_0", "1_1")
    assert rules(written) == ([] if form == "{v}_{j}" else ["labels"])


@pytest.mark.parametrize("label", [("0_0", "0_1", "0_2", "0_3"), ("0", "1", "2", "3")])
def test_the_form_of_the_labels_is_kept(tmp_path: Path, label: tuple[str, ...]) -> None:
    assert reread(tmp_path, molecule(rotor(label=label)))[1].levels.label == label


@pytest.mark.parametrize("odd", [3.0, 2.0, 1.0, 0.5])
def test_v_and_j_of_two_equal_nuclei_are_read_again_with_their_weights(tmp_path: Path, odd: float) -> None:
    v, j = np.repeat([0, 1], 4), np.tile(np.arange(4), 2)
    weight = (2.0 * j + 1.0) * np.where(j % 2, odd, 1.0) * 6
    label = tuple(f"{a}_{b}" for a, b in zip(v, j, strict=True))
    levels = Levels("H2", label, 4161.0 * v + 60.0 * j * (j + 1), weight, vj(v, j), 2.0)
    written, again = reread(tmp_path, molecule(levels, collider="H", lines=Lines.empty()))
    assert rules(written) == ["lines"]
    assert [one.tolist() for one in again.levels.need_vj()] == [v.tolist(), j.tolist()]
    assert again.levels.weight.tolist() == weight.tolist()


def test_v_and_j_that_weights_contradict_are_warned_of_and_never_exchanged(tmp_path: Path) -> None:
    v, j = np.array([0, 1, 2, 3]), np.array([0, 1, 1, 0])
    label = tuple(f"{a}_{b}" for a, b in zip(v, j, strict=True))
    for weight in (2 * v + 1, np.array([1, 7, 2, 5])):
        levels = Levels("X", label, 10.0 * v, weight, vj(v, j), 2.0)
        written, again = reread(tmp_path, molecule(levels))
        assert not again.levels.has_vj
        assert rules(written) == ["quantum numbers"]
        assert again.levels.label == label


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        (("1 1 0+", "a, b", "5/2 3+ 2PI", ">"), None),
        (("J = 0", "J = 1", "J = 2", "J = 3"), ("J - 0", "J - 1", "J - 2", "J - 3")),
        (("5'", '"5"', "ü", " "), ("5_", "_5_", "u", "L1")),
        (("a  b", "a b", "a!b", " a b"), ("a b", "L1", "L2", "L3")),
        (("x" * 99, "x" * 98, "y", "L1"), ("x" * 78, "L2", "y", "L1")),
    ],
)
def test_labels_without_v_and_j_are_kept_or_said_to_be_rewritten_and_gain_neither(
    tmp_path: Path, label: tuple[str, ...], wanted: tuple[str, ...] | None
) -> None:
    written, again = reread(tmp_path, molecule(rotor(label=label, quantum_numbers={})))
    takes_as_molpop(written)
    assert again.levels.label == (wanted or label)
    assert rules(written) == (["labels"] if wanted else [])
    assert not again.levels.has_vj


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("Dayou & Balança\n(2006)  !", "Dayou & Balanca (2006)"),
        ("Number of temperature columns = 7", ""),
        ("IS_H2O FS_H2O IS_H2 FS_H2", ""),
        ("x" * 9999, "x" * 2000),
        ("> References : a; b", None),
        ("", None),
    ],
)
def test_a_reference_is_one_line_that_no_reader_takes_for_the_table(
    tmp_path: Path, reference: str, wanted: str | None
) -> None:
    written, again = reread(tmp_path, molecule(reference=reference))
    takes_as_molpop(written)
    assert again.partners[0].reference == (reference if wanted is None else wanted)
    assert rules(written) == ([] if wanted is None else ["reference"])


def test_a_molecule_with_an_odd_name_is_said_to_be_renamed() -> None:
    written = render_basecol(molecule(rotor(molecule="CO v=1")))
    assert (rules(written), written.levels_text.split("\n")[4]) == (["molecule name"], "CO")


def test_where_no_valid_file_can_be_made_it_is_refused() -> None:
    file = molecule()
    nothing = Rates(file.levels, "He", [1], [0], [10.0, 20.0], [[np.nan, np.nan]])
    with pytest.raises(RatedbError, match="no BASECOL file can be made"):
        render_basecol(replace(file, partners=(PartnerRates(nothing),)))
    for partners in ((), (*file.partners, *molecule(collider="He").partners)):
        with pytest.raises(RatedbError, match="holds one collider"):
            render_basecol(replace(file, partners=partners))


LABELS = st.lists(st.text(max_size=9), min_size=4, max_size=4, unique=True)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    log10_rates=hnp.arrays(np.float64, (6, 3), elements=st.floats(-120, -6.01)),
    zero=hnp.arrays(np.bool_, (6, 3)),
    gaps=st.lists(st.floats(0.0, 3000.0), min_size=3, max_size=3),
    temperature_k=st.lists(st.floats(0.1, 99999.0), min_size=3, max_size=3, unique=True),
    labels=st.one_of(st.none(), LABELS),
    factor=st.floats(0.5, 9.0),
    log10_a=st.lists(st.floats(-60, 10), min_size=3, max_size=3),
    mass=st.one_of(st.none(), st.floats(1.0, 999.0)),
    collider=st.sampled_from(COLLIDERS),
    reference=st.text(max_size=150),
)
def test_any_molecule_is_read_back_to_the_printed_digits(
    tmp_path: Path,
    log10_rates: np.ndarray,
    zero: np.ndarray,
    gaps: list[float],
    temperature_k: list[float],
    labels: list[str] | None,
    factor: float,
    log10_a: list[float],
    mass: float | None,
    collider: str,
    reference: str,
) -> None:
    named = {} if labels is None else {"label": tuple(labels), "quantum_numbers": {}}
    energy = np.cumsum([0.0, *gaps])
    weight = factor * (2 * np.arange(4) + 1)
    levels = rotor(energy_cm1=energy, weight=weight, molecular_weight=mass, **named)
    lines = Lines([1, 2, 3], [0, 1, 2], 10.0 ** np.array(log10_a), np.ones(3))
    file = molecule(
        levels,
        collider=collider,
        temperature_k=sorted(temperature_k),
        rates=np.where(zero, 0.0, 10**log10_rates),
        reference=reference,
        lines=lines,
    )
    written, again = reread(tmp_path, file)
    takes_as_molpop(written)
    found, expected = by_places(again), by_places(file)
    assert found.keys() == expected.keys()
    for pair, values in expected.items():
        np.testing.assert_allclose(found[pair], values, rtol=5.1e-7, atol=0)
    assert again.partners[0].rates.temperature_k.tolist() == sorted(temperature_k)
    assert again.levels.weight.tolist() == weight.tolist()
    assert again.levels.molecular_weight == mass
    lifted = 4e-7 if "increasing energies" in rules(written) else 0
    np.testing.assert_allclose(again.levels.energy_cm1, energy, atol=6e-10 + lifted, rtol=0)
    np.testing.assert_allclose(again.lines.einstein_a_s1, 10.0 ** np.array(log10_a), rtol=1e-8)
    assert again.levels.has_vj == (labels is None)
    if "labels" not in rules(written):
        assert again.levels.label == levels.label
    if "reference" not in rules(written):
        assert again.partners[0].reference == " ".join(reference.split())
