from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from rate_texts import (
    HYDROGEN,
    LEVELS_CSV,
    PARTNER_CSV,
    TOP_CSV,
    TWO,
    WATER,
    WIDE,
    WIDE_PAIRS,
    WIDE_VJ,
    line_of,
    read_rates,
    refused,
    written,
)

from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile
from ratedb.io.registry import ReadOptions, read_cross_sections
from ratedb.io.registry import read_rates as read_any_rates
from ratedb.kinds.species import spin_species
from ratedb.levels import Levels, vj

ROW = "2,1,0,0,4.1e-11,3.5e-11"


def table(file: MoleculeFile) -> dict[str, list[float]]:
    (partner,) = file.partners
    rates = partner.rates
    return {rates.transition_name(row): rates.rate_cm3_s[row].tolist() for row in range(len(rates))}


def wide(folder: Path, text: str | bytes = WIDE, levels: str = TOP_CSV, **options: object) -> MoleculeFile:
    return read_rates(folder, text, levels=(levels,), **options)  # type: ignore[arg-type]


def test_the_rates_are_the_printed_numbers_of_levels_by_their_number(tmp_path: Path) -> None:
    file = wide(tmp_path)
    assert table(file) == {
        "1_1_1 -> 0_0_0": [4.1e-11, 3.5e-11],
        "2_0_2 -> 0_0_0": [4.6e-12, 3.4e-12],
        "2_0_2 -> 1_1_1": [1.2e-10, 1.3e-10],
    }
    assert file.levels.kind == "asymmetric top"
    assert file.partners[0].rates.temperature_k.tolist() == [10.0, 20.0]


def test_a_gzip_file_is_read(tmp_path: Path) -> None:
    assert table(wide(tmp_path, gzip.compress(WIDE.encode()))) == table(wide(tmp_path))


@pytest.mark.parametrize(
    "header",
    [
        "v,j,v_final,j_final,100,200.5",
        "v_initial,j_initial,v_final,j_final,100K,200.5 K",
        "V, J, V_final, J_final, 100, 2.005e2",
    ],
)
def test_linear_levels_are_named_by_v_and_j(tmp_path: Path, header: str) -> None:
    file = wide(tmp_path, WIDE_VJ.replace("v,j,v_final,j_final,100,200.5", header), LEVELS_CSV)
    assert table(file) == {"1 -> 0": [1.25e-11, 1.5e-11], "2 -> 1": [2.25e-11, 2.5e-11]}
    assert file.partners[0].rates.temperature_k.tolist() == [100.0, 200.5]


def test_levels_by_label_and_by_all_numbers_are_the_same(tmp_path: Path) -> None:
    by_label = WIDE.replace(WIDE.split("\n")[0], "initial_label,final_label,10,20")
    by_number = WIDE.replace(WIDE.split("\n")[0], "j,ka,kc,j_final,ka_final,kc_final,10,20")
    for number, label in ((1, "0_0_0"), (2, "1_1_1"), (3, "2_0_2")):
        for other in (1, 2):
            there = ("0_0_0", "1_1_1")[other - 1]
            by_label = by_label.replace(f"\n{number},{other},0,0,", f"\n{label},{there},")
            numbers = f"{label},{there}".replace("_", ",")
            by_number = by_number.replace(f"\n{number},{other},0,0,", f"\n{numbers},")
    assert table(wide(tmp_path, by_label)) == table(wide(tmp_path))
    assert table(wide(tmp_path, by_number)) == table(wide(tmp_path))


def test_names_refer_to_levels_of_the_store_and_numbers_do_not(tmp_path: Path) -> None:
    rotor = Levels("CO", ("0", "1", "2"), (0.0, 3.8, 11.5), (1, 3, 5), vj(np.zeros(3), np.arange(3)))
    known = ReadOptions("CO", "He", known_levels=lambda _: rotor)
    file = read_any_rates(written(tmp_path, "vj.csv", WIDE_VJ), known)
    assert list(table(file)) == ["1 -> 0", "2 -> 1"]
    with pytest.raises(RatedbError, match="no levels of its own"):
        read_any_rates(written(tmp_path, "numbers.csv", WIDE), known)


def test_upward_rows_become_downward_ones_and_a_downward_row_is_kept(tmp_path: Path) -> None:
    file = wide(tmp_path, WIDE + "1,2,0,0,1.0e-13,1.0e-11\n")
    assert table(file)["1_1_1 -> 0_0_0"] == [4.1e-11, 3.5e-11]
    assert any("listed in both directions" in note for note in file.warnings)
    file = wide(tmp_path, WIDE.replace(ROW, "1,2,0,0,1.0e-13,1.0e-11"))
    expected = 1.0e-11 / 3 * np.exp(1.4387769 * 37.1371 / 20.0)
    assert table(file)["1_1_1 -> 0_0_0"][1] == pytest.approx(expected, rel=1e-6)


def test_empty_cells_are_unknown_and_rows_without_any_rate_are_left_out(tmp_path: Path) -> None:
    file = wide(tmp_path, WIDE.replace(ROW, "2,1,0,0,,3.5e-11").replace("4.6e-12,3.4e-12", ","))
    assert list(table(file)) == ["1_1_1 -> 0_0_0", "2_0_2 -> 1_1_1"]
    np.testing.assert_array_equal(table(file)["1_1_1 -> 0_0_0"], [np.nan, 3.5e-11])
    assert "1 rows have no rate and are left out" in file.warnings


def test_pairs_are_those_of_the_same_table_of_basecol(tmp_path: Path) -> None:
    file = wide(tmp_path, WIDE_PAIRS, collider="p-H2", molecule="p-H2O", collider_levels=PARTNER_CSV)
    basecol = read_rates(
        tmp_path, TWO, levels=(WATER,), molecule="p-H2O", collider="p-H2", collider_levels=HYDROGEN
    )
    assert table(file) == table(basecol)
    one, two = file.levels, basecol.levels
    assert (one.molecule, one.label, one.kind) == (two.molecule, two.label, two.kind)
    assert one.weight.tolist() == two.weight.tolist()
    for name in ("j", "ka", "kc", "j2"):
        assert one.quantum_numbers[name].tolist() == two.quantum_numbers[name].tolist()


def test_pairs_may_be_named_by_their_quantum_numbers(tmp_path: Path) -> None:
    text = "j,ka,kc,j2,j_final,ka_final,kc_final,j2_final,100,200\n1,1,1,0,0,0,0,2,4.6422e-13,3.4998e-12\n"
    file = wide(tmp_path, text, collider="p-H2", collider_levels=PARTNER_CSV)
    (found,) = table(file).items()
    assert found[0] == "0_0_0_2 -> 1_1_1_0"  # upward in energy of the pair, so that it is turned round


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        (ROW, "2,1,0,0,4.1e-11", ("a row has 5 cells",), 2),
        (ROW, "2,4,0,0,4.1e-11,3.5e-11", ("numbers 1..3",), 2),
        (ROW, "2,1,0,0,4.1e-11,x", ("cannot be read",), 2),
        (ROW, "2,1,0,0,-4.1e-11,1e-11", ("negative",), 2),
        (ROW, "2,1,0,0,3.4648,5.4489", ("too large", "--cross-sections"), 2),
        (ROW, "2,1,1,0,4.1e-11,3.5e-11", ("summed over the final states of the collider",), 2),
        (ROW, f"{ROW}\n3,1,1,1,1e-12,1e-12", ("only some rows",), 3),
        ("10.0,20.0", "20.0,10.0", ("that increase",), 1),
        (f"{ROW}\n", f"{ROW}\n2,1,0,0,9e-11,9e-11\n", ("duplicate", "line 2"), 3),
    ],
)
def test_a_broken_table_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, words: tuple[str, ...], line: int
) -> None:
    text = WIDE.replace(old, new, 1)
    refused(tmp_path, text, *words, line=line, levels=(TOP_CSV,))


def test_pairs_without_the_levels_of_the_collider_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, WIDE_PAIRS, "the collider changes state too", "--collider-levels", levels=(TOP_CSV,))


def test_columns_that_do_not_tell_levels_apart_are_refused(tmp_path: Path) -> None:
    text = "j,j_final,10,20\n1,0,1e-11,1e-11\n"
    levels = TOP_CSV + "4,95.1757,5,2,1,1\n"
    refused(tmp_path, text, "columns j do not name", "same numbers", levels=(levels,))
    text = "j,ka,kc,v,j_final,ka_final,kc_final,v_final,10\n1,1,1,0,0,0,0,0,1e-11\n"
    refused(tmp_path, text, "no v in the list", levels=(levels,))


def test_a_list_of_the_collider_that_is_not_needed_is_said_not_to_be_used(tmp_path: Path) -> None:
    assert any("is not used" in note for note in wide(tmp_path, collider_levels=PARTNER_CSV).warnings)


def test_a_wide_table_of_cross_sections_is_told_what_form_it_needs(tmp_path: Path) -> None:
    options = ReadOptions("p-H2O", "He", (written(tmp_path, "levels", TOP_CSV),), reduced_mass_u=3.3)
    with pytest.raises(RatedbError, match="kinetic_energy_cm1"):
        read_cross_sections(written(tmp_path, "x.csv", WIDE), options)


# -- lists of levels -------------------------------------------------------------------------------


def test_columns_that_no_row_has_are_left_out_where_the_rest_tells_levels_apart(tmp_path: Path) -> None:
    levels = TOP_CSV.replace("j,ka,kc", "j,ka,kc,ortho")
    file = wide(tmp_path, levels=levels)
    assert file.levels.label == ("0_0_0", "1_1_1", "2_0_2")
    assert any("no row has ortho" in note for note in file.warnings)


def test_columns_that_no_row_has_and_that_are_needed_are_one_message(tmp_path: Path) -> None:
    levels = "level,energy_cm1,weight,j,ka,kc\n1,1.6,9,1\n2,2.2,9,1\n3,4.4,15,2\n"
    refused(tmp_path, WIDE, "does not tell the levels of CO apart", "ka, kc", line=3, levels=(levels,))


def test_rows_of_different_lengths_are_refused(tmp_path: Path) -> None:
    levels = TOP_CSV.replace("2,0,2", "2,0")
    refused(tmp_path, WIDE, "a row has 5 cells", line=line_of(levels, "70.0907"), levels=(levels,))


def test_levels_that_are_not_in_the_order_of_their_numbers_are_refused(tmp_path: Path) -> None:
    refused(tmp_path, WIDE, "not numbered one after the other", levels=(TOP_CSV.replace("\n2,", "\n3,"),))


def test_a_column_ortho_is_the_spin_species_and_no_part_of_labels(tmp_path: Path) -> None:
    rows = TOP_CSV.split("\n")
    levels = "\n".join([f"{rows[0]},ortho", *(f"{row},0" for row in rows[1:4]), "4,23.7943,3,1,0,1,1\n"])
    found = wide(tmp_path, levels=levels).levels
    assert found.label == ("0_0_0", "1_1_1", "2_0_2", "1_0_1")
    assert found.quantum_numbers["ortho"].tolist() == [0, 0, 0, 1]
    assert spin_species(found).value.tolist() == [0, 0, 0, 1]
    assert found.kind == "asymmetric top"


def test_pairs_of_a_molecule_of_no_kind_say_which_it_is_and_what_was_tried(tmp_path: Path) -> None:
    levels = "level,energy_cm1,weight,label\n1,0,1,X\n2,37.1,3,A\n3,70.1,5,B\n"
    found = wide(
        tmp_path, WIDE_PAIRS, levels, collider="p-H2", molecule="p-H2O", collider_levels=PARTNER_CSV
    ).levels
    assert found.kind == "unknown"
    assert found.kind_reason.startswith("p-H2O: labels such as 'X' are of no kind that is known")
    assert "(tried: asymmetric top with fine structure, asymmetric top," in found.kind_reason
    assert "p-H2:" not in found.kind_reason


def test_a_list_of_no_kind_keeps_labels_of_all_its_numbers(tmp_path: Path) -> None:
    file = wide(tmp_path, levels=TOP_CSV.replace("2,0,2", "2,2,2"))
    assert file.levels.label == ("0_0_0", "1_1_1", "2_2_2")
    assert (file.levels.kind, dict(file.levels.quantum_numbers)) == ("unknown", {})
    assert "0 <= ka + kc - j <= 1" in file.levels.kind_reason
