from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lamda_text import changed
from rate_texts import (
    HYDROGEN,
    KIJ,
    MOLPOP,
    TWO,
    WATER,
    line_of,
    read_rates,
    refused,
)

from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile

HC_OVER_KB_CM_K = 1.438776877  # SI 2019: 6.62607015e-34 * 2.99792458e10 / 1.380649e-23


def slow(text: str, numbers: int) -> dict[tuple[int, ...], list[float]]:
    """Return the rates of a table by level numbers, read in the simplest way there is."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if (
            len(words) > numbers
            and all(word.isdigit() for word in words[:numbers])
            and "e-" in words[numbers]
        ):
            found[tuple(map(int, words[:numbers]))] = [float(word) for word in words[numbers:]]
    return found


def read(folder: Path, text: str | bytes) -> MoleculeFile:
    return read_rates(folder, text, levels=(MOLPOP,))


def read_two(folder: Path, text: str, **options: str) -> MoleculeFile:
    return read_rates(
        folder,
        text,
        levels=(WATER,),
        **{"molecule": "p-H2O", "collider": "p-H2", "collider_levels": HYDROGEN, **options},
    )


def rows(file: MoleculeFile) -> dict[tuple[str, str], list[float]]:
    rates = file.partners[0].rates
    label = rates.levels.label
    return {
        (label[u], label[w]): values.tolist()
        for u, w, values in zip(rates.upper, rates.lower, rates.rate_cm3_s, strict=True)
    }


def test_the_rates_are_the_printed_numbers(tmp_path: Path) -> None:
    file = read(tmp_path, KIJ)
    expected = {(str(a - 1), str(b - 1)): values for (a, b), values in slow(KIJ, 2).items()}
    assert len(expected) == 3
    assert rows(file) == expected
    rates = file.partners[0].rates
    assert rates.temperature_k.tolist() == [10.0, 20.0, 100.5]
    assert rates.system == "CO+He"
    assert file.partners[0].reference == "A.Somebody;Astron. Astrophys.1; Rotational excitation of CO"
    assert file.warnings == ()
    assert len(file.lines) == 2


@pytest.mark.parametrize(
    "text",
    [
        KIJ.replace("\n", "\r\n"),
        KIJ.replace("\n", "\r"),
        KIJ.replace("    ", "\t"),
        KIJ.replace("\n", "\n\n   \n"),
        KIJ.replace("5.936000e-11", "5.936D-11"),
        KIJ.replace("5.936000e-11", "5.936000-011"),
        KIJ.encode("utf-8-sig"),
        KIJ.replace("A.Somebody", "Á.Somebody").encode("latin-1"),
        KIJ.replace("       I1       J1       Temperature (K)\n", ""),
        KIJ.replace("Number of temperature columns = 3", "  NUMBER OF temperature columns =3"),
        KIJ + "       2       1        5.936000e-11        5.408000e-11        5.239000e-11\n",
        KIJ + "       2       2        1.0e-10        1.0e-10        1.0e-10\n",
        KIJ.rstrip("\n"),
    ],
)
def test_another_way_to_write_the_same_table_gives_the_same_rates(tmp_path: Path, text: str | bytes) -> None:
    assert rows(read(tmp_path, text)) == rows(read(tmp_path, KIJ))


def test_what_is_left_out_or_doubted_is_said(tmp_path: Path) -> None:
    elastic = read(tmp_path, KIJ + "   2   2   1.0e-10   1.0e-10   1.0e-10\n")
    assert "He: 1 elastic row(s), from a level to itself, are left out" in elastic.warnings
    twice = read(tmp_path, KIJ + "   2   1   5.936e-11   5.408e-11   5.239e-11\n")
    assert any("1 duplicate row(s) with equal rates" in note for note in twice.warnings)
    cut = read(tmp_path, KIJ.rstrip("\n"))
    assert any("no line end" in note for note in cut.warnings)


def test_an_upward_row_is_turned_by_detailed_balance(tmp_path: Path) -> None:
    text = changed(("       2       1        5.9", "       1       2        5.9"), text=KIJ)
    up = np.array([5.936e-11, 5.408e-11, 5.239e-11])
    down = up * (1 / 3) * np.exp(HC_OVER_KB_CM_K * 3.845033 / np.array([10.0, 20.0, 100.5]))
    np.testing.assert_allclose(rows(read(tmp_path, text))["1", "0"], down, rtol=1e-12)


def test_levels_without_rates_stay_and_levels_of_j_come_from_the_list(tmp_path: Path) -> None:
    short = "\n".join(KIJ.split("\n")[:-3]) + "\n"
    file = read(tmp_path, short)
    assert len(file.levels) == 3
    assert rows(file) == {("1", "0"): [5.936e-11, 5.408e-11, 5.239e-11]}
    assert file.partners[0].rates.initial_j().tolist() == [1]


@pytest.mark.parametrize(
    ("old", "new", "words", "at"),
    [
        (
            "       2       1        5.9",
            "       4       1        5.9",
            "level that does not exist",
            "4       1 ",
        ),
        (
            "       2       1        5.9",
            "       0       1        5.9",
            "level that does not exist",
            "0       1 ",
        ),
        ("       2       1        5.9", "     2.0       1        5.9", "cannot be read", "2.0 "),
        ("       2       1        5.9", "     two       1        5.9", "cannot be read", "two"),
        ("       2       1        5.9", "     nan       1        5.9", "cannot be read", "nan"),
        ("5.936000e-11", "-5.936000e-11", "negative", "-5.9"),
        ("5.936000e-11", "nan", "cannot be read", "nan"),
        ("5.936000e-11", "inf", "cannot be read", "inf"),
        ("5.936000e-11", "1e999", "cannot be read", "1e999"),
        ("5.936000e-11", "5.936000", "impossibly large", "5.936000 "),
        ("5.936000e-11", "*******", "cannot be read", "****"),
        ("5.936000e-11 ", "5.936000e-11 1e-11", "cannot be read", "5.936000e-11 1e-11"),
        ("5.239000e-11", "", "cannot be read", "5.936000e-11"),
        ("       3       1        9.6", "       2       1        9.6", "has different rates", "9.644"),
        ("10           20", "20           10", "temperatures", "20           10"),
        ("10           20", "20           20", "temperatures", "20           20"),
        ("10           20", "0           20", "temperatures", "0           20"),
        ("10           20", "-5           20", "temperatures", "-5           20"),
        ("10           20", "10 15          20", "3 temperatures", "10 15 "),
        ("columns = 3", "columns = 4", "4 temperatures", "100.5"),
        ("columns = 3", "columns = 0", "0 temperatures", "100.5"),
        ("100.5", "x", "temperatures", "20         x"),
    ],
)
def test_a_broken_table_is_refused_with_its_line_and_a_remedy(
    tmp_path: Path, old: str, new: str, words: str, at: str
) -> None:
    text = changed((old, new), text=KIJ)
    refused(tmp_path, text, words, levels=(MOLPOP,), line=line_of(text, at))


def test_a_table_cut_within_a_row_is_refused(tmp_path: Path) -> None:
    for cut in range(1, len("        5.239000e-11")):
        text = KIJ.rstrip("\n")[:-cut]
        refused(tmp_path, text, levels=(MOLPOP,), line=text.count("\n") + 1)


def test_a_table_of_a_header_only_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, KIJ.partition("       2       1 ")[0], "no rates", levels=(MOLPOP,))
    refused(tmp_path, KIJ.partition("      10 ")[0], "temperatures", levels=(MOLPOP,))


def test_levels_and_names_are_asked_for(tmp_path: Path) -> None:
    refused(tmp_path, KIJ, "--levels")
    refused(tmp_path, KIJ, "--molecule", "--collider", levels=(MOLPOP,), molecule=None)
    refused(tmp_path, KIJ, "--molecule", "--collider", levels=(MOLPOP,), collider=None)


@pytest.mark.parametrize("content", [b"", b"\n", KIJ.encode("utf-16"), b"\x89PNG\r\n\0\0", b"text\n"])
def test_what_is_no_table_is_refused_even_where_the_format_is_said(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content, levels=(MOLPOP,))
    refused(tmp_path, content, levels=(MOLPOP,), file_format="basecol")


# -- both molecules change ------------------------------------------------------------------------


def test_two_molecules_have_levels_of_pairs(tmp_path: Path) -> None:
    file = read_two(tmp_path, TWO)
    levels = file.levels
    assert levels.molecule == "p-H2O(p-H2)"
    assert levels.label == ("0_0_0_0", "1_1_1_0", "2_0_2_0", "0_0_0_2", "1_1_1_2", "2_0_2_2")  # by energy
    water, hydrogen = (0.0, 37.1371, 70.0907), (0.0, 354.35)
    np.testing.assert_allclose(levels.energy_cm1, [a + b for b in hydrogen for a in water], rtol=1e-15)
    assert levels.weight.tolist() == [a * b for b in (1, 5) for a in (1, 3, 5)]
    assert not levels.has_vj
    assert file.partners[0].rates.system == "p-H2O(p-H2)+p-H2"
    assert file.partners[0].reference == "BASECOL V1 2017-10"


def test_rows_that_go_down_in_total_energy_are_as_printed_and_others_are_turned(tmp_path: Path) -> None:
    found = rows(read_two(tmp_path, TWO))
    assert found["1_1_1_0", "0_0_0_0"] == [4.1549e-11, 3.5122e-11]
    assert found["1_1_1_2", "0_0_0_0"] == [1.2368e-13, 1.3773e-13]
    assert found["2_0_2_2", "0_0_0_2"] == [1.1963e-10, 1.2800e-10]
    up = np.array([4.6422e-13, 3.4998e-12])  # 1_1_1 with 0 -> 0_0_0 with 2: up by 354.35 - 37.1371 cm-1
    gap = 354.35 - 37.1371
    down = up * (3 * 1) / (1 * 5) * np.exp(HC_OVER_KB_CM_K * gap / np.array([100.0, 200.0]))
    np.testing.assert_allclose(found["0_0_0_2", "1_1_1_0"], down, rtol=1e-12)
    assert len(found) == 4


def test_only_pairs_of_states_that_occur_become_levels(tmp_path: Path) -> None:
    text = "\n".join(line for line in TWO.split("\n") if "    3      1" not in line)
    file = read_two(tmp_path, text.replace("transitions :\n4", "transitions :\n3"))
    assert len(file.levels) == 4


@pytest.mark.parametrize(
    "text",
    [TWO.replace("\n", "\r\n"), TWO.replace("\n", "\n\n"), TWO.replace("    ", "\t"), TWO.rstrip("\n")],
)
def test_another_way_to_write_a_table_of_two_gives_the_same_rates(tmp_path: Path, text: str) -> None:
    assert rows(read_two(tmp_path, text)) == rows(read_two(tmp_path, TWO))


@pytest.mark.parametrize(
    ("old", "new", "words", "at"),
    [
        ("    3      1      2 ", "    4      1      2 ", "level of p-H2O", "    4      1"),
        ("    3      1      2 ", "    3      1      3 ", "level of p-H2 that", "    3      1"),
        ("    3      1      2 ", "    3      0      2 ", "level of p-H2O", "    3      0"),
        ("    3      1      2 ", "    3      1     -2 ", "cannot be read", "-2 "),
        ("1.2800e-10", "-1.2800e-10", "negative", "-1.28"),
        ("1.2800e-10", "", "cannot be read", "    3      1"),
        ("2      1      1      2", "2      1      1      1", "different rates", "4.6422e-13"),
        ("transitions :\n4", "transitions :\n5", "as many rows as it declares", None),
        ("transitions :\n4", "transitions :\n3", "as many rows as it declares", None),
        ("transitions :\n4", "transitions :\nfour", "not a count", "four"),
        ("temperatures :\n2", "temperatures :\n3", "3 temperatures", "IS_H2O"),
        ("number of temperatures", "temperatures", "does not say its number of temperatures", None),
        ("100.0           200.0", "200.0           100.0", "that increase", "IS_H2O"),
    ],
)
def test_a_broken_table_of_two_is_refused(
    tmp_path: Path, old: str, new: str, words: str, at: str | None
) -> None:
    text = changed((old, new), text=TWO)
    options = {"molecule": "p-H2O", "collider": "p-H2", "collider_levels": HYDROGEN, "levels": (WATER,)}
    refused(tmp_path, text, words, line=None if at is None else line_of(text, at), **options)


def test_a_table_of_two_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    options = {"molecule": "p-H2O", "collider": "p-H2", "collider_levels": HYDROGEN, "levels": (WATER,)}
    for end in range(TWO.index("IS_H2O") + 60, TWO.index("1.2800e-10")):
        refused(tmp_path, TWO[:end], **options)


def test_the_levels_of_the_collider_are_asked_for(tmp_path: Path) -> None:
    refused(tmp_path, TWO, "--collider-levels", molecule="p-H2O", collider="p-H2", levels=(WATER,))


def test_a_heading_parted_over_two_lines_is_no_heading(tmp_path: Path) -> None:
    text = TWO.replace("FS_H2O  IS_H2", "FS_H2O\nIS_H2")
    options = {"molecule": "p-H2O", "collider": "p-H2", "collider_levels": HYDROGEN, "levels": (WATER,)}
    refused(tmp_path, text, **options)
    refused(tmp_path, text, file_format="basecol", **options)


# -- tables of molpop in other forms -----------------------------------------------------------------

NUMBERED = """\
Collision rates that are made up
>
Number of temperature columns = 3

  I   J                        TEMPERATURE (K)
                    2.0     5.0     10.0

    1    2   1    2.1E-11 3.1E-11 4.1E-11
    2    3   1    2.2E-11 3.2E-11 4.2E-11
    3    3   2    2.3E-11 3.3E-11 4.3E-11
"""
EXPECTED = {("1", "0"): [2.1e-11, 3.1e-11, 4.1e-11], ("2", "0"): [2.2e-11, 3.2e-11, 4.2e-11]}


@pytest.mark.parametrize(
    "text",
    [
        NUMBERED,
        NUMBERED.replace("Number of temperature columns", "temperature column"),
        "\n".join(
            [
                "  ilv   flv            2K           5K           10 K",
                "-----------------------------------------------------",
                *(line[5:] for line in NUMBERED.splitlines()[-3:]),
                "",
            ]
        ),
        "\n".join(
            [
                *NUMBERED.splitlines()[:4],
                "  vup jup vdo jdo   Temperature (K)",
                NUMBERED.splitlines()[5],
                "  0 1 0 0   2.1E-11 3.1E-11 4.1E-11",
                "  0 2 0 0   2.2E-11 3.2E-11 4.2E-11",
                "  0 2 0 1   2.3E-11 3.3E-11 4.3E-11",
                "",
            ]
        ),
    ],
    ids=["numbered", "temperature column", "titles", "v and j"],
)
def test_tables_in_other_forms_give_the_same_rates(tmp_path: Path, text: str) -> None:
    file = read(tmp_path, text)
    assert file.partners[0].rates.temperature_k.tolist() == [2.0, 5.0, 10.0]
    found = rows(file)
    assert len(found) == 3
    assert {key: found[key] for key in EXPECTED} == EXPECTED


def test_a_first_column_that_does_not_count_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RatedbError, match="row of rate coefficients cannot be read"):
        read(tmp_path, NUMBERED.replace("    3    3   2 ", "    4    3   2 "))
