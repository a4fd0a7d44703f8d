from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lamda_text import LEVELS, LINES, PARTNER, TEXT, changed, read_text, shared_files, spectralradex_files

from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile
from ratedb.io.lamda import looks_like_lamda, read_lamda
from ratedb.io.lamda_partner import clean_molecule, read_partner
from ratedb.io.text import to_number

RATES = np.array([[3.302e-11, 3.249e-11], [6.1e-11, 6.0e-11], [7.1e-11, 7.3e-11]])


def same_numbers(file: MoleculeFile) -> None:
    """Assert that a file says what TEXT says."""
    assert file.levels.energy_cm1.tolist() == [0.0, 3.845033413, 11.534919938]
    assert file.levels.weight.tolist() == [1.0, 3.0, 5.0]
    assert file.lines.upper.tolist() == [1, 2]
    assert file.lines.frequency_ghz.tolist() == [115.2712018, 230.537]
    rates = file.partners[0].rates
    assert (rates.upper.tolist(), rates.lower.tolist()) == ([1, 2, 2], [0, 0, 1])
    assert rates.temperature_k.tolist() == [10.0, 20.0]
    np.testing.assert_array_equal(rates.rate_cm3_s, RATES)


def refused(folder: Path, text: str | bytes, *words: str, line: int | None = None, **options: str) -> None:
    with pytest.raises(RatedbError) as caught:
        read_text(folder, text, **options)
    assert caught.value.where
    assert caught.value.expected
    assert caught.value.todo
    for word in words:
        assert word in str(caught.value)
    if line is not None:
        assert f"molecule.dat:{line}" in caught.value.where


def test_a_plain_file_is_read_without_a_warning(tmp_path: Path) -> None:
    file = read_text(tmp_path, TEXT)
    same_numbers(file)
    assert file.warnings == ()
    assert file.levels.molecule == "CO"
    assert file.levels.molecular_weight == 28.0
    assert file.levels.j is not None
    assert file.levels.j.tolist() == [0, 1, 2]
    assert file.partners[0].rates.system == "CO+p-H2"
    assert file.partners[0].reference == "CO-pH2 from Yang et al. (2010)"


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.replace("  ", "\t"),
        TEXT.replace("!MOLECULE", "! MOLECULE"),
        TEXT.replace("!MOLECULE\n", "!ATOM\n"),
        TEXT.replace("!MOLECULE\n", "!Ion\n"),
        TEXT.replace("!NUMBER OF COLL", "! number of coll").replace("!COLL TEMPS", "  !temperatures"),
        TEXT.replace("!LEVEL", "\n! a comment\n\n!LEVEL").replace("!TRANS", "! more\n!TRANS"),
        TEXT.replace("    2     3.8", "! between rows\n\n    2     3.8"),
        TEXT.rstrip("\n"),
        TEXT + "\n!NOTES:\n! 1 2 3\nby hand, without a mark\n\n",
        TEXT.replace("10.0    20.0", "10.0\n    20.0"),
        TEXT.replace("6.100E-11  6.000E-11", "6.100E-11\n   6.000E-11"),
        TEXT.replace("6.100E-11  6.000E-11", "\n  6.100E-11\n\n   6.000E-11 ! wrapped twice"),
        TEXT.replace("6.100E-11", "6.100D-11").replace("7.100E-11", "7.100d-11"),
        TEXT.replace("230.5370000    16.60", "230.5370000    16.60  1.0  2"),
        TEXT.replace("\n    2     3     1", "\n  999     3     1"),
        TEXT.replace("     1.0     0\n", "     1.0     0  ! ground\n"),
        TEXT.encode("utf-8-sig"),
        TEXT.replace("Yang et al.", "Yáng ét al.").encode("latin-1"),
        TEXT.replace("Yang et al.", "Yáng ét al.").encode(),
    ],
)
def test_another_way_to_write_the_same_file_gives_the_same_numbers(tmp_path: Path, text: str | bytes) -> None:
    file = read_text(tmp_path, text)
    same_numbers(file)
    assert file.warnings == ()
    assert file.levels.has_vj


def test_headers_without_their_mark_are_headers_and_counted(tmp_path: Path) -> None:
    file = read_text(tmp_path, TEXT.replace("!NUMBER OF", "NUMBER OF").replace("!COLLISIONS", " COLLISIONS"))
    same_numbers(file)
    assert next(w for w in file.warnings if "without their `!`" in w).startswith("6 ")


@pytest.mark.parametrize(
    ("labels", "read", "has_vj"),
    [
        (('" 00 "', '" 01 "', "' 02 '"), ("00", "01", "02"), True),
        (("0.5  ! 2P", "1.5  ! 2P", "2.5"), ("0.5", "1.5", "2.5"), False),
        (("5/2 3+ 2PI3/2", "1_0.5_0", "0 "), ("5/2 3+ 2PI3/2", "1_0.5_0", "0"), False),
        (("'0  1.5'", "0,5", "0 5"), ("0 1.5", "0,5", "0 5"), False),
    ],
)
def test_labels_are_read_as_they_stand(
    tmp_path: Path, labels: tuple[str, str, str], read: tuple[str, str, str], has_vj: bool
) -> None:
    text = changed(
        ("1.0     0\n", f"1.0  {labels[0]}\n"),
        ("3.0     1\n", f"3.0  {labels[1]}\n"),
        ("5.0     2\n", f"5.0  {labels[2]}\n"),
    )
    file = read_text(tmp_path, text)
    assert file.levels.label == read
    assert file.levels.has_vj is has_vj


def test_missing_labels_become_the_level_numbers_and_never_j(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("1.0     0\n", "1.0\n"), ("3.0     1", "3.0"), ("5.0     2", "5.0")))
    assert file.levels.label == ("L1", "L2", "L3")
    assert not file.levels.has_vj
    assert "3 level(s) have no label" in file.warnings[0]


def test_duplicate_labels_are_numbered(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("3.0     1\n", "3.0     0\n"), ("5.0     2\n", "5.0     0.2\n")))
    assert file.levels.label == ("0", "0.3", "0.2")
    assert "1 duplicate level label(s)" in file.warnings[0]
    assert not file.levels.has_vj


def test_two_number_labels_are_v_and_j_only_with_a_header_that_names_v(tmp_path: Path) -> None:
    labels = (("1.0     0\n", "1.0 0_0\n"), ("3.0     1\n", "3.0 0_1\n"), ("5.0     2\n", "5.0 0_2\n"))
    assert not read_text(tmp_path, changed(*labels)).levels.has_vj
    levels = read_text(tmp_path, changed(*labels, ("WEIGHT + J", "WEIGHT + J + V"))).levels
    assert levels.need_vj()[1].tolist() == [0, 1, 2]


def test_levels_out_of_energy_order_stay_in_file_order(tmp_path: Path) -> None:
    text = changed(("11.534919938", " 1.000000000"), ("    2     3     2  6.9", "    2     2     3  6.9"))
    file = read_text(tmp_path, text)
    assert file.levels.energy_cm1.tolist() == [0.0, 3.845033413, 1.0]
    assert file.lines.frequency_ghz.tolist() == [115.2712018, 230.537]
    assert (file.lines.upper.tolist(), file.lines.lower.tolist()) == ([1, 1], [0, 2])


def test_levels_listed_by_other_numbers_are_put_in_order(tmp_path: Path) -> None:
    rows = LEVELS.splitlines(keepends=True)
    file = read_text(tmp_path, TEXT.replace(LEVELS, rows[1] + rows[0] + rows[2]))
    same_numbers(file)
    assert "order of the numbers" in file.warnings[0]


def test_the_lowest_energy_need_not_be_zero_and_weights_need_not_be_whole(tmp_path: Path) -> None:
    text = changed(
        ("0.000000000     1.0", "10.53900000     1.3"),
        ("     3.845033413", "    14.384033413"),
        ("    11.534919938", "    22.073919938"),
    )
    file = read_text(tmp_path, text)
    assert file.levels.weight[0] == 1.3
    assert not file.levels.has_vj


def test_absent_frequencies_are_computed_and_said_so(tmp_path: Path) -> None:
    for old, new in (("     115.2712018     5.53", ""), ("     115.2712018", "     0.0")):
        file = read_text(tmp_path, changed((old, new)))
        assert file.lines.frequency_ghz[0] == pytest.approx(115.2712018, rel=1e-6)
        assert file.lines.frequency_computed.tolist() == [True, False]
        assert "1 line(s) have no frequency" in file.warnings[0]


def test_frequencies_and_upper_energies_in_other_units_are_computed_and_the_unit_is_named(
    tmp_path: Path,
) -> None:
    for factor, unit in ((1e3, "MHz"), (1 / 29.9792458, "cm-1")):
        words = [(f"{ghz:.7f}", f"{ghz * factor:.7f}") for ghz in (115.2712018, 230.537)]
        file = read_text(tmp_path, changed(*words))
        np.testing.assert_allclose(file.lines.frequency_ghz, [115.2712018, 230.537], rtol=1e-4)
        assert file.lines.frequency_computed.all()
        assert [unit in text for text in file.warnings] == [True]
    file = read_text(tmp_path, changed(("     5.53", "     3.85"), ("    16.60", "    11.53")))
    assert np.isnan(file.lines.upper_energy_k).all()
    assert ["cm-1, not in K" in text for text in file.warnings] == [True]


def test_a_frequency_that_contradicts_its_levels_is_kept_as_listed(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("     115.2712018", "     115271.2018")))
    assert file.lines.frequency_ghz.tolist() == [115271.2018, 230.537]
    assert not file.lines.frequency_computed.any()


def test_a_measured_frequency_is_kept_where_the_energies_are_only_rounded(tmp_path: Path) -> None:
    text = changed(("3.845033413", "3.85       "))
    file = read_text(tmp_path, text)
    assert file.lines.frequency_ghz[0] == 115.2712018
    assert file.warnings == ()


def test_the_upper_energy_is_kept_as_listed_and_absent_where_the_file_has_none(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("    16.60", "    12.34"), ("     5.53", "")))
    np.testing.assert_array_equal(file.lines.upper_energy_k, [np.nan, 12.34])


def test_a_line_with_up_and_low_exchanged_is_turned(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("1     2     1  7.2", "1     1     2  7.2")))
    same_numbers(file)
    assert "up and low are exchanged" in file.warnings[0]


def test_an_upward_row_is_turned_by_detailed_balance(tmp_path: Path) -> None:
    factor = 3.0 * np.exp(-3.845033413 * 1.438776877 / np.array([10.0, 20.0]))
    up = RATES[0] * factor
    text = changed(("1     2     1  3.302E-11  3.249E-11", f"1     1     2  {up[0]:.9E}  {up[1]:.9E}"))
    file = read_text(tmp_path, text)
    rates = file.partners[0].rates
    assert (rates.upper[-1], rates.lower[-1]) == (1, 0)
    np.testing.assert_allclose(rates.rate_cm3_s[-1], RATES[0], rtol=1e-8)
    assert "p-H2: 1 upward row(s) are converted" in file.warnings[0]


def test_a_zero_of_an_upward_row_is_unknown_downward(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("2     1  3.302E-11  3.249E-11", "1     2  0.0  3.249E-11")))
    assert np.isnan(file.partners[0].rates.rate_cm3_s[-1]).tolist() == [True, False]
    assert any("stay unknown" in text for text in file.warnings)


def test_a_tiny_upward_rate_that_turns_into_an_ordinary_one_is_a_rate(tmp_path: Path) -> None:
    far = "  2000.000000000"
    factor = (5.0 / 3.0) * np.exp(-(2000.0 - 3.845033413) * 1.438776877 / np.array([10.0, 20.0]))
    up = np.array([7.1e-11, 6.9e-11]) * factor
    assert up[0] < 1e-100
    text = changed(
        ("    11.534919938", far),
        ("    3     3     2  7.100E-11  7.300E-11", f"    3     2     3  {up[0]:.6E}  {up[1]:.6E}"),
    )
    rates = read_text(tmp_path, text).partners[0].rates
    row = int(np.flatnonzero((rates.upper == 2) & (rates.lower == 1))[0])
    np.testing.assert_allclose(rates.rate_cm3_s[row], [7.1e-11, 6.9e-11], rtol=1e-5)


def test_a_row_that_cannot_be_an_upward_rate_is_left_out(tmp_path: Path) -> None:
    text = changed(
        ("    11.534919938", "  3000.000000000"), ("    3     3     2  7.1", "    3     2     3  7.1")
    )
    file = read_text(tmp_path, text)
    assert len(file.partners[0].rates) == 2
    assert any("they are no upward rates" in text for text in file.warnings)


def test_of_both_directions_the_downward_row_is_kept_and_their_agreement_told(tmp_path: Path) -> None:
    factor = 3.0 * np.exp(-3.845033413 * 1.438776877 / np.array([10.0, 20.0]))
    up = RATES[0] * factor * np.array([1.0, 1.5])
    text = changed(
        ("TRANS\n3\n", "TRANS\n4\n"),
        (
            "    1     2     1  3.302",
            f"    1     1     2  {up[0]:.6E}  {up[1]:.6E}\n    1     2     1  3.302",
        ),
    )
    file = read_text(tmp_path, text)
    same_numbers(file)
    assert "1 transitions are listed in both directions" in file.warnings[0]
    assert "1 of 2 values agree" in file.warnings[0]


def test_rows_between_equal_energies_stay_as_listed(tmp_path: Path) -> None:
    text = changed(
        ("11.534919938", " 3.845033413"), ("2     3     2  6.910E-07     230.5370000", "2 3 1 1E-7 115.27")
    )
    file = read_text(tmp_path, text.replace("    3     3     2  7.1", "    3     2     3  7.1"))
    assert file.partners[0].rates.upper.tolist() == [1, 2, 1]
    assert file.partners[0].rates.lower.tolist() == [0, 0, 2]


def test_equal_duplicates_are_read_once(tmp_path: Path) -> None:
    row = "    2     3     1  6.100E-11  6.000E-11\n"
    file = read_text(tmp_path, changed(("TRANS\n3\n", "TRANS\n4\n"), (row, row + row)))
    same_numbers(file)
    assert "1 duplicate row(s) with equal rates" in file.warnings[0]


def test_different_duplicates_are_refused_with_both_lines(tmp_path: Path) -> None:
    row = "    2     3     1  6.100E-11  6.000E-11\n"
    other = "    2     3     1  6.100E-11  6.001E-11\n"
    text = changed(("TRANS\n3\n", "TRANS\n4\n"), (row, row + other))
    at = text.splitlines().index(other.rstrip()) + 1
    refused(tmp_path, text, "duplicate", f"line {at - 1}", line=at)
    line = "    1     2     1  7.203E-08     115.2712018     5.53\n"
    text = changed(("TRANSITIONS\n2\n", "TRANSITIONS\n3\n"), (line, line + line.replace("7.2", "7.3")))
    refused(tmp_path, text, "duplicate radiative transition has different values")


def test_zeros_and_placeholders_are_kept_and_counted(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("3.302E-11  3.249E-11", "0.0 0.0"), ("6.100E-11", "6.070-102")))
    assert file.partners[0].rates.rate_cm3_s[:2].tolist() == [[0.0, 0.0], [6.07e-102, 6.0e-11]]
    assert "2 of 6 rates are zero and kept (1 rows at all temperatures)" in file.warnings[0]
    assert "1 of 6 rates are below 1e-40" in file.warnings[1]


def test_elastic_rows_are_left_out(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("    1     2     1  3.3", "    1     2     2  3.3")))
    assert len(file.partners[0].rates) == 2
    assert "1 elastic row(s)" in file.warnings[0]


def test_rates_beyond_any_collision_are_pointed_out(tmp_path: Path) -> None:
    file = read_text(tmp_path, changed(("3.302E-11", "3.302E-06")))
    assert "1 of 6 rates are above 1e-07" in file.warnings[0]


def test_partners_may_have_different_temperatures_and_one_alone(tmp_path: Path) -> None:
    second = changed(
        ("2 CO-pH2", "3 CO-oH2"),
        ("TEMPS\n2\n", "TEMPS\n1\n"),
        ("    10.0    20.0", "5.1"),
        ("  3.249E-11", ""),
        ("  6.000E-11", ""),
        ("  7.300E-11", ""),
        text=PARTNER,
    )
    file = read_text(tmp_path, changed(("PARTNERS\n1\n", "PARTNERS\n2\n")) + second)
    assert [p.rates.collider for p in file.partners] == ["p-H2", "o-H2"]
    assert file.partners[1].rates.temperature_k.tolist() == [5.1]
    only = read_text(
        tmp_path, changed(("PARTNERS\n1\n", "PARTNERS\n2\n")) + second, collider="o-H2", molecule="13CO"
    )
    assert [p.rates.system for p in only.partners] == ["13CO+o-H2"]
    assert only.warnings[0].endswith("says it is of CO; it is read as 13CO, as requested")
    assert "left out: p-H2" in only.warnings[1]


@pytest.mark.parametrize(
    ("line", "molecule", "collider", "warns"),
    [
        ("2 CO-pH2 from Yang et al. (2010)", "CO", "p-H2", False),
        ("2  para-H2 from Guillon & Stoecklin 2012 MNRAS", "HF", "p-H2", False),
        ("2 o-H2CO - p_H2 - from Wiesenfeld & Faure", "o-H2CO", "p-H2", False),
        ("2 CO + H2(j=0)", "CO", "p-H2", False),
        ("3 CO with ortho H2", "CO", "o-H2", False),
        ("4    Electrons: Born approximation scaled to R-matrix", "HF", "e", False),
        ("4 e-N+ collisions from Tayal (2011)", "N+", "e", False),
        ("4 CO + e- ", "CO", "e", False),
        ("5 C+ + H  ! Barinovs et al. 2005", "C+", "H", False),
        ("6   He collisions from Reese et al.", "HF", "He", False),
        ("7 C + H+  !  Roueff & Le Bourlot 1990", "C", "H+", False),
        ("1 SiO-H2 scaled (by 1.38) SiO-He from Dayou & Balanca", "SiO", "H2", False),
        ("1 ortho-CH2-H2, obtained from o-CH2-He rates", "o-CH2", "H2", False),
        ("1 oH3O+ - H2 Scaled radiative and NH3 rates", "o-H3O+", "H2", False),
        ("5 H2 + H from Lique 2015", "H2", "H", False),
        ("CO-pH2", "CO", "p-H2", False),
        ("1 unknown work", "CO", "H2", False),
        ("3 CO with ortho-H2 or para-H2", "CO", "o-H2", False),
        ("1 CN-He rates from Lique et al. 2010; scaled by 1.37", "CN", "H2", True),
        ("1 CN-He from Lique et al. 2010", "CN", "He", True),
        ("2 Fe+ + e", "Fe+", "e", True),
        ("1 H2 = HCN-pH2 collision data", "HCN", "p-H2", True),
        ("3 CO-H2 by somebody", "CO", "o-H2", True),
        ("2 CO - p-H2O from EMAA", "CO", "p-H2O", True),
        ("5 H2O - CO", "H2O", "CO", True),
        ("3 HCN with ortho H2O", "HCN", "o-H2O", True),
        ("HCN-Ar", "HCN", "Ar", False),
        ("9 something", "CO", None, False),
    ],
)
def test_the_text_of_a_partner_line_decides(
    line: str, molecule: str, collider: str | None, warns: bool
) -> None:
    partner = read_partner(line, molecule)
    assert partner.collider == collider
    assert bool(partner.warning) is warns


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("HCl rotation-hyperfine spectrum from JPL", "HCl"),
        (" CN v=0 from constants of Klisch", "CN"),
        ("o-H2CO", "o-H2CO"),
        ("HCO+", "HCO+"),
        ("C+ (atomic ion)", "C+"),
        ("ortho H2CO", "o-H2CO"),
        ("SiC2 (v=0) up to 50 cm^-1", "SiC2"),
        ("28.0", ""),
    ],
)
def test_the_molecule_is_the_first_word_of_its_line(line: str, name: str) -> None:
    assert clean_molecule(line) == name


def test_an_unknown_partner_is_asked_for_and_can_be_named(tmp_path: Path) -> None:
    text = changed(("2 CO-pH2 from Yang et al. (2010)", "12 CO and another"))
    refused(tmp_path, text, "--collider", "12 CO and", line=19)
    assert read_text(tmp_path, text, collider="H2").partners[0].rates.collider == "H2"
    two = changed(("PARTNERS\n1\n", "PARTNERS\n2\n"), text=text) + PARTNER
    assert [p.rates.collider for p in read_text(tmp_path, two, collider="He").partners] == ["He", "p-H2"]
    refused(tmp_path, two, "two collision partners are both p-H2", collider="p-H2")


def test_the_caller_can_overrule_a_single_partner_and_hears_so(tmp_path: Path) -> None:
    file = read_text(tmp_path, TEXT, collider="He")
    assert file.partners[0].rates.collider == "He"
    assert "as requested" in file.warnings[0]


def test_two_partners_that_are_the_same_collider_are_refused(tmp_path: Path) -> None:
    text = changed(("PARTNERS\n1\n", "PARTNERS\n2\n")) + PARTNER.replace("2 CO-pH2", "3 CO-pH2")
    refused(tmp_path, text, "two collision partners are both p-H2", "line 19")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("LEVELS\n3\n", "LEVELS\n4\n", ("4 levels as declared; 3 were found",)),
        ("LEVELS\n3\n", "LEVELS\n2\n", ("the number of radiative transitions is not a count",)),
        ("LEVELS\n3\n", "LEVELS\n1000000000000\n", ("1000000000000 levels as declared; 3",)),
        ("LEVELS\n3\n", "LEVELS\n0\n", ("no level",)),
        ("LEVELS\n3\n", "LEVELS\n-3\n", ("not a count",)),
        ("LEVELS\n3\n", "LEVELS\n2.5\n", ("not a count",)),
        ("TRANSITIONS\n2\n", "TRANSITIONS\n3\n", ("3 lines as declared; 2 were found",)),
        ("TRANSITIONS\n2\n", "TRANSITIONS\n1\n", ("collision partners is not a count",)),
        ("PARTNERS\n1\n", "PARTNERS\n2\n", ("ends too early",)),
        (
            "COLL TRANS\n3\n",
            "COLL TRANS\n4\n",
            ("4 collisional transitions as declared; 3", "ends too early"),
        ),
        ("COLL TRANS\n3\n", "COLL TRANS\n2\n", ("continues after its declared counts",)),
        ("COLL TRANS\n3\n", "COLL TRANS\n1000000000000\n", ("1000000000000 collisional", "3 were found")),
        ("COLL TEMPS\n2\n", "COLL TEMPS\n1000000000000\n", ("found 2",)),
        ("COLL TEMPS\n2\n", "COLL TEMPS\n1\n", ("found 2",)),
        ("COLL TEMPS\n2\n", "COLL TEMPS\n0\n", ("0 temperatures",)),
        ("    10.0    20.0", "    20.0    10.0", ("that increase",)),
        ("    10.0    20.0", "    0.0    10.0", ("in 0..1e9 K",)),
        ("    10.0    20.0", "    10.0    20e20", ("in 0..1e9 K",)),
        ("3.845033413     3.0", "3.845033413     1e308", ("a level is impossible",)),
        ("7.203E-08", "7.203E+80", ("transition is impossible",)),
        ("  6.000E-11\n", "\n", ("2 numbers, one for each temperature",)),
        ("  6.000E-11\n", "  6.000E-11  5.9E-11\n", ("2 numbers",)),
        ("6.000E-11", "-6.000E-11", ("negative",)),
        ("6.000E-11", "6.000E-1", ("impossibly large",)),
        ("6.000E-11", "nan", ("cannot be read",)),
        ("6.000E-11", "1e999", ("cannot be read",)),
        ("6.000E-11", "6_0.0E-11", ("cannot be read",)),
        ("6.000E-11", "٦.0E-11", ("cannot be read",)),
        ("6.000E-11", "6.000E-11x", ("cannot be read",)),
        ("    2     3     1  6.1", "    2     4     1  6.1", ("a level that does not exist",)),
        ("    2     3     1  6.1", "    2     0     1  6.1", ("a level that does not exist",)),
        ("3.845033413     3.0", "3.845033413     0.0", ("a level is impossible",)),
        ("3.845033413     3.0", "1e300     3.0", ("a level is impossible",)),
        ("    2     3.845033413", "    1     3.845033413", ("duplicate level number",)),
        ("    2     3.845033413", "    7     3.845033413", ("a level is impossible",)),
        ("3.845033413", "inf", ("a level cannot be read",)),
        ("1  7.203E-08", "1 -7.203E-08", ("transition is impossible",)),
        ("2     1  7.203E-08", "2     2  7.203E-08", ("transition is impossible",)),
        ("  7.203E-08     115.2712018     5.53", "", ("transition cannot be read",)),
        ("28.0", "heavy", ("molecular weight",)),
        ("CO\n!MOLECULAR WEIGHT\n", "!MOLECULAR WEIGHT\n", ("no name", "--molecule")),
        ("!MOLECULE\nCO\n", "110416 // magic number\n", ("not a LAMDA file",)),
    ],
)
def test_what_cannot_be_read_for_certain_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    refused(tmp_path, changed((old, new)), *words)


def test_a_second_partner_behind_the_declared_one_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, TEXT + PARTNER.replace("2 CO-pH2", "3 CO-oH2"), "no more collision partners")
    file = read_text(tmp_path, TEXT + PARTNER.replace("\n", "\n!").replace("!!", "!").rstrip("!"))
    same_numbers(file)


def test_two_short_rows_are_never_joined_to_one(tmp_path: Path) -> None:
    text = changed(("  6.100E-11  6.000E-11", ""), ("    3     3     2  7.100E-11  7.300E-11", "  3 3"))
    refused(tmp_path, text, "cannot be read", line=28)


def test_every_cut_of_a_file_within_its_numbers_is_refused(tmp_path: Path) -> None:
    for cut in range(len(TEXT.rstrip())):
        with pytest.raises(RatedbError):
            read_text(tmp_path, TEXT[:cut])


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\0\1\2" * 50, TEXT.encode("utf-16"), b"PK\3\4", b"!", b"!MOLECULE"]
)
def test_what_is_no_text_or_no_lamda_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RatedbError):
        read_text(tmp_path, content)
    assert not looks_like_lamda(content)


def test_a_lamda_file_is_told_by_its_first_lines() -> None:
    assert looks_like_lamda(TEXT.encode())
    assert looks_like_lamda(TEXT.encode("utf-8-sig").replace(b"\n", b"\r\n"))
    assert looks_like_lamda(TEXT.replace("!", "! ").encode())
    assert not looks_like_lamda(b"level,energy\n0,0.0\n")
    assert not looks_like_lamda(b"110416 // magic number\n1 2 3\n")


def test_an_unknown_collider_of_the_caller_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="not the name of a collider"):
        read_text(tmp_path, TEXT, collider="p H2")


@pytest.mark.parametrize(
    ("word", "value"),
    [("1e-10", 1e-10), ("1.0D-10", 1e-10), ("6.070-102", 6.07e-102), (".5", 0.5), ("7", 7.0), ("-1.", -1.0)],
)
def test_numbers_are_read_in_c_and_fortran_style(word: str, value: float) -> None:
    assert to_number(word) == value


@pytest.mark.parametrize(
    "word", ["", "nan", "inf", "1_0", "0x1", "1e", "6-102", "1.0.0", "٣", "1e9999", "--1"]
)
def test_what_is_no_number_is_none(word: str) -> None:
    assert to_number(word) is None


BYTES = TEXT.encode()


@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 4))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path: Path, seed: int, steps: int) -> None:
    draw = random.Random(seed)
    content = bytearray(BYTES)
    for _ in range(steps):
        i, n = draw.randrange(len(content)), draw.randrange(1, 40)
        kind = draw.choice(["cut", "double", "flip", "word", "end"])
        if kind == "cut":
            del content[i : i + n]
        elif kind == "double":
            content[i:i] = content[i : i + n]
        elif kind == "flip":
            content[i] ^= 1 << draw.randrange(8)
        elif kind == "word":
            content[i:i] = draw.choice(
                [b" 1e308 ", b"\n", b"!", b"-", b" 0 ", b"9" * 30, b"nan", b"\xff", b"_"]
            )
        else:
            del content[max(i, 1) :]
    try:
        file = read_text(tmp_path, bytes(content))
    except RatedbError:
        return
    assert isinstance(file, MoleculeFile)


def test_a_million_rates_are_read_with_few_calls_for_each(tmp_path: Path) -> None:
    n, m = 284, 25
    pairs = [(i + 1, k + 1) for i in range(n) for k in range(i)][:40000]
    values = " ".join(["1.234E-11"] * m)
    levels = "".join(f"{i + 1} {2.0 * i * (i + 1):.4f} {2 * i + 1}.0 {i}\n" for i in range(n))
    text = changed((LEVELS, levels), ("LEVELS\n3\n", f"LEVELS\n{n}\n"), (LINES, ""))
    text = text.replace("TRANSITIONS\n2\n", "TRANSITIONS\n0\n").replace("TRANS\n3\n", "TRANS\n40000\n")
    text = text.replace("TEMPS\n2\n", f"TEMPS\n{m}\n")
    text = text.replace("    10.0    20.0", " ".join(f"{10.0 * (k + 1)}" for k in range(m)))
    start = text.index("    1     2     1  3.302")
    text = text[:start] + "".join(f"{r + 1} {u} {low} {values}\n" for r, (u, low) in enumerate(pairs))
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        file = read_text(tmp_path, text)
    finally:
        sys.setprofile(None)
    assert file.partners[0].rates.rate_cm3_s.shape == (40000, 25)
    assert calls < 3 * 40000 * 25


def slow_parse(path: Path) -> dict[str, dict[tuple[int, int], list[float]]]:
    """Return the rows of each partner line as they are listed, by the plain layout alone."""
    rows = [
        row.strip()
        for row in path.read_text("latin-1").splitlines()
        if row.strip() and row.strip()[0] != "!" and not row.startswith("NUMBER OF")
    ]
    rows = rows[3 + int(rows[2]) :]
    rows = rows[1 + int(rows[0]) :]
    found: dict[str, dict[tuple[int, int], list[float]]] = {}
    partners, rows = int(rows[0]), rows[1:]
    for _ in range(partners):
        n = int(rows[1])
        found[rows[0]] = {
            (int(row.split()[1]), int(row.split()[2])): [float(word) for word in row.split()[3:]]
            for row in rows[4 : 4 + n]
        }
        rows = rows[4 + n :]
    return found


def downward_rows_are_those_of_a_slow_parse(path: Path) -> None:
    file = read_lamda(path)
    slow = list(slow_parse(path).values())
    assert len(slow) == len(file.partners)
    for listed, partner in zip(slow, file.partners, strict=True):
        rates, energy = partner.rates, file.levels.energy_cm1
        got = {
            (u + 1, low + 1): row.tolist()
            for u, low, row in zip(rates.upper, rates.lower, rates.rate_cm3_s, strict=True)
        }
        down = {p: row for p, row in listed.items() if energy[p[0] - 1] >= energy[p[1] - 1]}
        assert down
        assert {pair: got[pair] for pair in down} == down


SPECTRALRADEX = {  # colliders, rates of the first, whether v and j are known, a word of the warnings
    "SO-pH2.dat": ("p-H2", 465, False, "both directions"),
    "c+.dat": ("p-H2 o-H2 H e", 1, False, ""),
    "catom.dat": ("H e H+ He p-H2 o-H2", 3, True, ""),
    "ch2_h2_ortho.dat": ("H2", 231, False, ""),
    "ch2_h2_para.dat": ("H2", 276, False, "zero"),
    "co.dat": ("p-H2 o-H2", 820, True, ""),
    "cs@lique.dat": ("H2", 465, True, ""),
    "hc3n.dat": ("H2", 210, True, "zero"),
    "hcl.dat": ("p-H2 o-H2", 190, False, ""),
    "hcl@hfs.dat": ("H2", 378, False, "below 1e-40"),
    "hcn.dat": ("H2 e", 325, True, ""),
    "hcn@hfs.dat": ("p-H2", 300, False, "the text is taken"),
    "hco+.dat": ("H2", 210, True, ""),
    "hd.dat": ("p-H2 o-H2", 9, True, ""),
    "hnc.dat": ("H2", 325, True, ""),
    "n+.dat": ("e", 3, True, ""),
    "o-c3h2.dat": ("H2", 1081, False, ""),
    "o-h3o+.dat": ("H2", 36, False, ""),
    "o-nh3.dat": ("p-H2", 136, False, ""),
    "o-sic2.dat": ("H2", 780, False, "zero"),
    "o2.dat": ("H2", 630, False, "He rates scaled"),
    "oatom.dat": ("p-H2 o-H2 H H+ e", 3, False, ""),
    "oh+.dat": ("e", 176, False, ""),
    "oh.dat": ("p-H2 o-H2", 190, False, ""),
    "oh2cs.dat": ("p-H2 o-H2", 780, False, "converted to de-excitation"),
    "oh2s.dat": ("p-H2 o-H2", 973, False, "no upward rates"),
    "oh@hfs.dat": ("p-H2 o-H2", 276, False, "zero"),
    "p-c3h2.dat": ("H2", 1128, False, "zero"),
    "p-h3o+.dat": ("H2", 91, False, ""),
    "p-nh3.dat": ("p-H2", 276, False, ""),
    "ph2cs.dat": ("p-H2 o-H2", 816, False, "no upward rates"),
    "ph2s.dat": ("p-H2 o-H2", 975, False, "no upward rates"),
    "sio.dat": ("H2", 820, True, ""),
    "so2@lowT.dat": ("p-H2 o-H2", 465, False, "without their `!`"),
}


def test_all_files_of_spectralradex_are_read_as_expected() -> None:
    files = spectralradex_files()
    assert sorted(SPECTRALRADEX) == sorted(path.name for path in files)
    for path in files:
        colliders, n_rates, has_vj, word = SPECTRALRADEX[path.name]
        assert looks_like_lamda(path.read_bytes()), path.name
        file = read_lamda(path)
        assert " ".join(p.rates.collider for p in file.partners) == colliders, path.name
        assert len(file.partners[0].rates) == n_rates, path.name
        assert file.levels.has_vj is has_vj, path.name
        assert word in " ".join(file.warnings), path.name
        assert bool(word) is bool(file.warnings), (path.name, file.warnings)


def test_the_rates_of_spectralradex_files_are_those_of_a_slow_parse() -> None:
    for path in spectralradex_files():
        downward_rows_are_those_of_a_slow_parse(path)


@pytest.mark.slow
def test_the_shared_lamda_files_are_read_like_a_slow_parse() -> None:
    for path in shared_files():
        downward_rows_are_those_of_a_slow_parse(path)


def test_nacl_is_v_and_j_by_its_weights_and_its_directions_disagree() -> None:
    path = next((path for path in shared_files() if path.name == "nacl.dat"), None)
    if path is None:
        pytest.skip("nacl.dat is not in the data folder")
    file = read_lamda(path)
    v, j = file.levels.need_vj()
    assert (v.max(), j.max()) == (3, 60)
    assert len(file.partners[0].rates) == 29280
    assert any("10980 of 292800 rates are below 1e-40" in text for text in file.warnings)
    assert any("29280 transitions are listed in both directions" in text for text in file.warnings)
