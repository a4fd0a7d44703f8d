from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lamda_text import TEXT, changed
from rate_texts import (
    AIJ,
    ENERGY,
    HYDROGEN,
    LEVELS_CSV,
    MOLPOP,
    MOLPOP_V,
    WATER,
    line_of,
    need_clear,
    written,
)

from ratedb.errors import RatedbError
from ratedb.io.level_lists import looks_like_levels, read_levels_of
from ratedb.io.listed_levels import LevelList
from ratedb.io.registry import ReadOptions, read_rates
from ratedb.physics.constants import GHZ_PER_CM1

ALL = {
    "molpop": MOLPOP,
    "molpop v J": MOLPOP_V,
    "Einstein": AIJ,
    "BASECOL": WATER,
    "H2": HYDROGEN,
    "energies": ENERGY,
    "CSV": LEVELS_CSV,
}


def read(folder: Path, *texts: str | bytes, molecule: str = "CO") -> LevelList:
    paths = [written(folder, f"list{place}", text) for place, text in enumerate(texts)]
    return read_levels_of(paths, molecule)


def refused(
    folder: Path,
    *texts: str | bytes,
    words: tuple[str, ...] = (),
    line: int | None = None,
    molecule: str = "CO",
) -> None:
    with pytest.raises(RatedbError) as caught:
        read(folder, *texts, molecule=molecule)
    need_clear(caught.value, *words, line=line)


def vj(found: LevelList) -> list[tuple[int, int]]:
    v, j = found.levels.need_vj()
    return list(zip(v.tolist(), j.tolist(), strict=True))


def test_a_molpop_list_gives_the_printed_levels_and_einstein_a(tmp_path: Path) -> None:
    found = read(tmp_path, MOLPOP)
    assert found.levels.label == ("0", "1", "2")
    assert found.levels.energy_cm1.tolist() == [0.0, 3.845033, 11.53492]
    assert found.levels.weight.tolist() == [1.0, 3.0, 5.0]
    assert vj(found) == [(0, 0), (0, 1), (0, 2)]
    assert (found.lines.upper.tolist(), found.lines.lower.tolist()) == ([1, 2], [0, 1])
    assert found.lines.einstein_a_s1.tolist() == [7.203353e-08, 6.910379e-07]
    expected = [3.845033 * GHZ_PER_CM1, (11.53492 - 3.845033) * GHZ_PER_CM1]
    np.testing.assert_allclose(found.lines.frequency_ghz, expected, rtol=1e-15)


def test_v_and_j_of_a_molpop_list_come_from_its_names_and_weights(tmp_path: Path) -> None:
    found = read(tmp_path, MOLPOP_V, molecule="SiO")
    assert found.levels.label == ("0_0", "0_1", "1_0", "1_1")
    assert vj(found) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert found.levels.energy_cm1.tolist() == [0.0, 1.448465, 1229.613, 1231.051]


def test_the_molecular_mass_is_taken_where_a_molpop_list_has_one(tmp_path: Path) -> None:
    assert read(tmp_path, MOLPOP).levels.molecular_weight == 28.0
    assert read(tmp_path, MOLPOP_V).levels.molecular_weight is None
    for mass in ("", "0", "-1", "x", "1e9"):
        changed_mass = changed(("3  28.0", f"3  {mass}"), text=MOLPOP)
        assert read(tmp_path, changed_mass).levels.molecular_weight is None


@pytest.mark.parametrize(
    ("weights", "has_vj"),
    [((1, 9, 1, 9), True), ((6, 9, 6, 9), True), ((1, 12, 1, 12), False), ((1, 9, 1, 3), False)],
)
def test_v_and_j_that_are_named_may_have_nuclear_spins_in_their_weights(
    tmp_path: Path, weights: tuple[int, ...], has_vj: bool
) -> None:
    rows = MOLPOP_V.split("\n")
    for place, weight in enumerate(weights, start=3):
        words = rows[place].split(None, 2)
        rows[place] = f"{words[0]} {weight} {words[2]}"
    found = read(tmp_path, "\n".join(rows), molecule="H2")
    assert found.levels.label == ("0_0", "0_1", "1_0", "1_1")
    assert found.levels.has_vj == has_vj
    if has_vj:
        assert vj(found) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_einstein_a_of_a_list_of_their_own_join_the_levels_and_zeros_are_no_lines(tmp_path: Path) -> None:
    found = read(tmp_path, AIJ, MOLPOP_V, molecule="SiO")
    assert (found.lines.upper.tolist(), found.lines.lower.tolist()) == ([1, 2], [0, 1])
    assert found.lines.einstein_a_s1.tolist() == [3.05e-06, 6.1]


def test_labels_that_would_be_lost_are_kept_as_they_stand(tmp_path: Path) -> None:
    text = changed(("'N = 1  '", "'N = 1 +'"), ("'N = 2  '", "'N = 1 -'"), text=MOLPOP)
    found = read(tmp_path, text)
    assert found.levels.label == ("N = 0", "N = 1 +", "N = 1 -")
    assert not found.levels.has_vj


def test_weights_that_contradict_j_leave_the_levels_without_j(tmp_path: Path) -> None:
    found = read(tmp_path, changed(("  2     3 ", "  2     4 "), text=MOLPOP))
    assert found.levels.weight.tolist() == [1.0, 4.0, 5.0]
    assert not found.levels.has_vj


def test_a_basecol_list_of_a_top_has_its_quantum_numbers_without_tau_as_label(tmp_path: Path) -> None:
    found = read(tmp_path, WATER, molecule="p-H2O")
    assert found.levels.label == ("0_0_0", "1_1_1", "2_0_2")
    assert found.levels.energy_cm1.tolist() == [0.0, 37.1371, 70.0907]
    assert found.levels.weight.tolist() == [1.0, 3.0, 5.0]
    assert not found.levels.has_vj


@pytest.mark.parametrize(
    ("j", "v", "label", "weight"),
    [(2, 0, ("0", "2"), 5.0), (3, 0, ("0", "3"), 21.0), (1, 1, ("0_0", "1_1"), 9.0)],
)
def test_odd_j_of_h2_weigh_three_times_as_much(
    tmp_path: Path, j: int, v: int, label: tuple[str, str], weight: float
) -> None:
    text = changed(
        ("354.350000              2              0", f"354.350000              {j}              {v}"),
        text=HYDROGEN,
    )
    found = read(tmp_path, text, molecule="H2")
    assert found.levels.weight.tolist() == [1.0, weight]
    assert vj(found) == [(0, 0), (v, j)]
    assert found.levels.label == label
    assert read(tmp_path, text, molecule="SiO").levels.weight.tolist() == [1.0, 2.0 * j + 1.0]


def test_half_integer_j_is_no_j_and_is_not_rounded(tmp_path: Path) -> None:
    text = changed(("              0              0\n", "            0.5              0\n"), text=HYDROGEN)
    found = read(
        tmp_path, text.replace("              2              0\n", "            1.5              0\n")
    )
    assert found.levels.label == ("0.5", "1.5")
    assert found.levels.weight.tolist() == [2.0, 4.0]
    assert not found.levels.has_vj


def test_energies_of_h2_have_v_j_labels_and_nuclear_spin_weights(tmp_path: Path) -> None:
    found = read(tmp_path, ENERGY, molecule="H2")
    assert found.levels.label == ("0_0", "0_1", "0_2", "1_0")
    assert found.levels.weight.tolist() == [1.0, 9.0, 5.0, 1.0]
    assert found.levels.energy_cm1.tolist() == [0.0, 118.4869, 354.3732, 4161.1693]
    assert vj(found) == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_energies_in_kelvin_become_wavenumbers(tmp_path: Path) -> None:
    found = read(tmp_path, ENERGY.replace("[cm^-1]", "(K)"), molecule="H2")
    np.testing.assert_allclose(found.levels.energy_cm1[1], 118.4869 / 1.438776877, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "label", "weight", "pairs"),
    [
        (LEVELS_CSV, ("0", "1", "2"), [1.0, 3.0, 5.0], [(0, 0), (0, 1), (0, 2)]),
        ("energy_cm1,j\n0,0\n1.5,1\n", ("0", "1"), [1.0, 3.0], [(0, 0), (0, 1)]),
        ('"j" , "v", "energy_cm1"\n"0","0",0\n"0","1","1e3"\n', ("0_0", "1_0"), [1.0, 1.0], [(0, 0), (1, 0)]),
        ('label,energy_cm1,weight\n"a, b",0,1\n0.5,1,2\n', ("a, b", "0.5"), [1.0, 2.0], None),
        ("label,j,energy_cm1,weight\nx,0,0,1\ny,1,1,3\n", ("x", "y"), [1.0, 3.0], [(0, 0), (0, 1)]),
    ],
)
def test_a_csv_list_names_its_columns(
    tmp_path: Path,
    text: str,
    label: tuple[str, ...],
    weight: list[float],
    pairs: list[tuple[int, int]] | None,
) -> None:
    found = read(tmp_path, text)
    assert found.levels.label == label
    assert found.levels.weight.tolist() == weight
    assert (vj(found) if found.levels.has_vj else None) == pairs


def test_the_levels_of_a_lamda_file_serve_as_a_list(tmp_path: Path) -> None:
    found = read(tmp_path, TEXT)
    assert found.levels.label == ("0", "1", "2")
    assert len(found.lines) == 2


WAYS = {
    "Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "old Mac": lambda text: text.replace("\n", "\r").encode(),
    "BOM": lambda text: text.encode("utf-8-sig"),
    "Latin-1": lambda text: text.replace("energy levels", "énergy levels").encode("latin-1"),
    "blank lines": lambda text: text.replace("\n", "\n \n").encode(),
    "tabs": lambda text: text.replace("      ", " \t ").encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["molpop", "molpop v J", "BASECOL", "H2", "energies", "CSV"])
def test_another_way_to_write_the_same_list_gives_the_same_levels(
    tmp_path: Path, name: str, way: str
) -> None:
    plain = read(tmp_path, ALL[name], molecule="H2")
    other = read(tmp_path, WAYS[way](ALL[name]), molecule="H2")
    assert other.levels.label == plain.levels.label
    assert other.levels.energy_cm1.tolist() == plain.levels.energy_cm1.tolist()
    assert other.levels.weight.tolist() == plain.levels.weight.tolist()
    assert other.lines.einstein_a_s1.tolist() == plain.lines.einstein_a_s1.tolist()
    assert other.levels.has_vj == plain.levels.has_vj


def test_fortran_exponents_are_read(tmp_path: Path) -> None:
    text = changed(("3.845033e+00", "3.845033D+00"), ("6.910379e-07", "6.910379-007"), text=MOLPOP)
    found = read(tmp_path, text)
    assert found.levels.energy_cm1[1] == 3.845033
    assert found.lines.einstein_a_s1[1] == 6.910379e-07


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("name", "old", "new", "words", "at"),
    [
        ("molpop", "  2     3 ", "  4     3 ", "not numbered one after the other", "  4     3 "),
        ("molpop", "  2     3 ", "  x     3 ", "cannot be read", "  x     3 "),
        ("molpop", "  2     3 ", "  2.5   3 ", "cannot be read", "  2.5   3 "),
        ("molpop", "3.845033e+00", "nan", "cannot be read", "nan"),
        ("molpop", "3.845033e+00", "inf", "cannot be read", "inf"),
        ("molpop", "3.845033e+00", "1e9", "impossible", "1e9"),
        ("molpop", "  2     3 ", "  2     0 ", "impossible", "  2     0 "),
        ("molpop", "  2     3 ", "  2    -3 ", "impossible", "  2    -3 "),
        ("molpop", "3  28.0", "4  28.0", "as many levels", "4  28.0"),
        ("molpop", "'N = 1  '", "'N = 0  '", "duplicate", None),
        ("molpop", "Energy in cm^{-1}", "Energy in eV", "unit", None),
        ("molpop", "  2       1   ", "  1       2   ", "does not go down", "  1       2   "),
        ("molpop", "  2       1   ", "  4       1   ", "impossible", "  4       1   "),
        ("molpop", "7.203353e-08", "-7.203353e-08", "impossible", "-7.203353e-08"),
        ("molpop", "7.203353e-08", "nan", "impossible", "nan"),
        ("molpop", "7.203353e-08", "7.2 e-08", "cannot be read", "7.2 e-08"),
        ("molpop", "  3       2        6.9", "  2       1        6.9", "duplicate", "6.910379e-07"),
        ("molpop v J", "     2        3", "     z        3", "cannot be read", "z        3"),
        ("molpop v J", ".1448465E+01 ", ".1448465E+0x ", "cannot be read", "E+0x"),
        ("BASECOL", "cm^-1", "K", "energies are in cm-1", None),
        ("BASECOL", "   Level ", "   Label ", "no header", None),
        ("BASECOL", "             J  ", "             N  ", "not named", " N  "),
        ("BASECOL", "Ka             Kc", "Ka             Ka", "not named", "Ka             Ka"),
        ("BASECOL", "       3      70.0907", "       4      70.0907", "one after the other", "70.0907"),
        ("BASECOL", "       3      70.0907", "     3.5      70.0907", "cannot be read", "70.0907"),
        ("BASECOL", "70.090700  ", "nan  ", "cannot be read", "nan"),
        ("BASECOL", "2              0              2 ", "2              0   ", "cannot be read", "70.0907"),
        ("BASECOL", "Lines :\n3", "Lines :\n4", "as many levels as it declares", None),
        ("H2", "354.350000              2              0", "354.350000  1e300  0", "impossible", "1e300"),
        ("H2", "354.350000              2              0", "354.350000  2  1e300", "impossible", "1e300"),
        ("H2", "354.350000              2              0", "354.350000  2  -1", "impossible", "2  -1"),
        ("energies", "0\t1\t118.4869", "0\t1", "cannot be read", "0\t1"),
        ("energies", "0\t1\t118.4869", "0\t1.5\t118.4869", "cannot be read", "1.5"),
        ("energies", "0\t1\t118.4869", "0\t0\t118.4869", "duplicate", "118.4869"),
        ("energies", "0\t1\t118.4869", "0\t9999999\t118.4869", "impossible", "9999999"),
        ("energies", "0\t1\t118.4869", "0\t1\t1184x869", "cannot be read", "1184x869"),
        ("energies", "Energy [cm^-1]", "Energy", "not a list of levels", None),
        ("CSV", "1,1.4484,3", "1,1,4484,3", "4 cells", "1,1,4484,3"),
        ("CSV", "1,1.4484,3", "1,1.4484", "2 cells", "1,1.4484"),
        ("CSV", "1,1.4484,3", "1.5,1.4484,3", "cannot be read", "1.5,"),
        ("CSV", "1,1.4484,3", "-1,1.4484,3", "cannot be read", "-1,"),
        ("CSV", "1,1.4484,3", "1,nan,3", "cannot be read", "nan"),
        ("CSV", "1,1.4484,3", "1,1.4484,0", "impossible", "1.4484,0"),
        ("CSV", "1,1.4484,3", "0,1.4484,3", "duplicate", "0,1.4484,3"),
        ("CSV", "1,1.4484,3", ",1.4484,3", "cannot be read", ",1.4484,3"),
        ("CSV", "weight", "j", "duplicate", "j,energy_cm1,j"),
        ("CSV", "0,0.0000,1\n1,1.4484,3\n2,4.3452,5\n", "", "no levels", None),
    ],
)
def test_a_broken_list_is_refused_with_its_line_and_a_remedy(
    tmp_path: Path, name: str, old: str, new: str, words: str, at: str | None
) -> None:
    text = changed((old, new), text=ALL[name])
    refused(tmp_path, text, words=(words,), line=None if at is None else line_of(text, at))


def test_an_empty_v_in_a_csv_list_is_not_taken_as_zero(tmp_path: Path) -> None:
    refused(tmp_path, "v,j,energy_cm1\n0,0,0\n,1,5\n", words=("cannot be read",), line=3)


def test_half_a_list_is_refused_where_it_declares_its_length(tmp_path: Path) -> None:
    for text in (WATER, HYDROGEN):
        cut = "\n".join(text.split("\n")[:-2]) + "\n"
        refused(tmp_path, cut, words=("as many levels as it declares",), line=line_of(text, "Lines :") + 1)


def test_one_list_of_levels_and_at_most_one_of_einstein_a_are_wanted(tmp_path: Path) -> None:
    for texts in ((MOLPOP, WATER), (AIJ,), (AIJ, AIJ, MOLPOP_V)):
        refused(tmp_path, *texts, words=("must come from one file", "--levels"))


def test_an_einstein_a_that_stands_twice_with_the_same_value_is_one_line(tmp_path: Path) -> None:
    text = AIJ + "   2     1       3.0500E-06\n"
    assert len(read(tmp_path, text, MOLPOP_V).lines) == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"words", MOLPOP.encode("utf-16"), b"\x7fELF\0\0\0", b"\0" * 100, b"\xff\xff\xff"],
)
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content)


@pytest.mark.parametrize("name", ALL)
def test_a_list_given_as_rates_is_named_as_a_list_of_levels(tmp_path: Path, name: str) -> None:
    assert looks_like_levels(ALL[name].encode())
    with pytest.raises(RatedbError, match="list of levels, without rates") as caught:
        read_rates(written(tmp_path, "list", ALL[name]), ReadOptions())
    need_clear(caught.value, "--levels")


def test_cross_sections_over_an_energy_are_no_list_of_levels() -> None:
    assert not looks_like_levels(b"total_energy_cm1,j_initial,j_final,sigma_angstrom2\n0.3,0,0,2.0\n")


def test_columns_that_are_no_quantum_numbers_are_named_where_levels_are_not_told_apart(
    tmp_path: Path,
) -> None:
    text = "j,kb,kd,energy_cm1,weight\n0,0,0,0,1\n1,0,1,10,3\n1,1,1,15,3\n"
    with pytest.raises(RatedbError, match="does not tell the levels of X apart") as caught:
        read(tmp_path, text, molecule="X")
    assert "kb, kd" in (caught.value.got or "")
    assert "levels 2 and 3 both have j = 1" in (caught.value.got or "")
    assert "docs/kinds.md" in (caught.value.todo or "")


def test_columns_of_other_names_are_no_harm_where_v_and_j_tell_levels_apart(tmp_path: Path) -> None:
    text = "j,comment,energy_cm1,weight\n0,a,0,1\n1,b,10,3\n"
    assert read(tmp_path, text, molecule="X").levels.label == ("0", "1")


@pytest.mark.parametrize("content", [b"", b"\n \n\t", b"\xef\xbb\xbf"])
def test_an_empty_list_is_called_empty(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RatedbError, match="the list of levels is empty") as caught:
        read(tmp_path, content)
    need_clear(caught.value)


@pytest.mark.parametrize("header", ["j,energy_cm1,weight\n", "j,ka,kc,energy_cm1,weight\n"])
def test_a_list_of_a_header_only_lists_no_levels(tmp_path: Path, header: str) -> None:
    with pytest.raises(RatedbError, match="lists no levels"):
        read(tmp_path, header)


def test_rows_with_an_empty_quantum_number_and_no_label_are_not_told_apart(tmp_path: Path) -> None:
    text = "level,energy_cm1,weigm1,weight,j,ka,kc\n1,0.0,1,0,0,0\n3,70.1,5,2, ,2\n3,70.1,5,2, ,2\n"
    with pytest.raises(RatedbError, match="does not tell the levels of X apart") as caught:
        read(tmp_path, text, molecule="X")
    assert "= nothing" in (caught.value.got or "")
