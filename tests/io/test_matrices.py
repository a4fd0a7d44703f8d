from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lamda_text import changed
from rate_texts import NUMBERED, PAIRS, SQUARES, line_of, read_rates, refused

from ratedb.io.contents import MoleculeFile

KB_CM1 = 1.438776877  # K per cm-1
ALL = {"numbered": NUMBERED, "squares": SQUARES, "pairs": PAIRS}


def read(folder: Path, text: str | bytes, molecule: str = "HD", **options: str) -> MoleculeFile:
    return read_rates(folder, text, molecule=molecule, **options)  # type: ignore[arg-type]


def slow(text: str, size: int, lead: int) -> list[list[list[float]]]:
    """Return the matrices of a file: rows of as many numbers as there are levels, with an exponent."""
    rows = []
    for line in text.splitlines():
        words = line.split()[lead:]
        if len(words) == size and all("-" in word or "+" in word for word in words):
            rows.append(
                [
                    float(word.replace("D", "e").replace("0-1", "0e-1").replace("0-0", "0e-0"))
                    for word in words
                ]
            )
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@pytest.mark.parametrize(
    ("name", "size", "lead", "kelvin", "energy_k", "states"),
    [
        ("numbered", 3, 0, [100.0, 200.0], [0.0, 509.85, 5987.124], [(0, 0), (0, 2), (1, 0)]),
        ("squares", 3, 1, [80.0, 100.0], [0.0, 128.4, 384.2], [(0, 0), (0, 1), (0, 2)]),
        ("pairs", 2, 0, [100.0, 120.0], [0.0, 128.4], [(0, 0), (0, 1)]),
    ],
)
def test_columns_are_initial_and_rows_are_final_levels(
    tmp_path: Path,
    name: str,
    size: int,
    lead: int,
    kelvin: list[float],
    energy_k: list[float],
    states: list[tuple[int, int]],
) -> None:
    file = read(tmp_path, ALL[name])
    rates = file.partners[0].rates
    expected = slow(ALL[name], size, lead)
    assert len(expected) == len(kelvin)
    assert rates.temperature_k.tolist() == kelvin
    assert sorted(zip(rates.upper.tolist(), rates.lower.tolist(), strict=True)) == [
        (a, b) for a in range(size) for b in range(a)
    ]
    for upper, lower, values in zip(rates.upper, rates.lower, rates.rate_cm3_s, strict=True):
        assert values.tolist() == [matrix[lower][upper] for matrix in expected]
    np.testing.assert_allclose(file.levels.energy_cm1, np.array(energy_k) / KB_CM1, rtol=1e-12)
    v, j = file.levels.need_vj()
    assert list(zip(v.tolist(), j.tolist(), strict=True)) == states
    assert "elastic rates are left out" in file.warnings
    assert any("in both directions" in note for note in file.warnings)


def test_labels_and_weights_follow_v_and_j(tmp_path: Path) -> None:
    assert read(tmp_path, NUMBERED).levels.label == ("0_0", "0_2", "1_0")
    assert read(tmp_path, SQUARES).levels.label == ("0", "1", "2")
    assert read(tmp_path, SQUARES).levels.weight.tolist() == [1.0, 3.0, 5.0]
    assert read(tmp_path, SQUARES, molecule="H2").levels.weight.tolist() == [1.0, 9.0, 5.0]
    assert read(tmp_path, NUMBERED, molecule="H2").levels.weight.tolist() == [1.0, 5.0, 1.0]


def test_the_title_is_the_reference(tmp_path: Path) -> None:
    reference = read(tmp_path, SQUARES).partners[0].reference
    assert reference.startswith("downloaded from")
    assert "Somebody, E., 1999" in reference


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "way", ["Windows", "old Mac", "blank lines", "tabs", "BOM", "Latin-1", "no last line end"]
)
def test_another_way_to_write_the_same_file_gives_the_same_rates(tmp_path: Path, name: str, way: str) -> None:
    text = ALL[name]
    other = {
        "Windows": text.replace("\n", "\r\n").encode(),
        "old Mac": text.replace("\n", "\r").encode(),
        "blank lines": text.replace("\n", "\n \n").encode(),
        "tabs": text.replace("    ", " \t").encode(),
        "BOM": text.encode("utf-8-sig"),
        "Latin-1": text.replace("degres", "degrés").encode("latin-1"),
        "no last line end": text.rstrip("\n").encode(),
    }[way]
    plain, changed_ = (read(tmp_path, one).partners[0].rates for one in (text, other))
    assert changed_.levels.energy_cm1.tolist() == plain.levels.energy_cm1.tolist()
    assert changed_.temperature_k.tolist() == plain.temperature_k.tolist()
    np.testing.assert_array_equal(changed_.rate_cm3_s, plain.rate_cm3_s)


def test_levels_that_do_not_start_with_zero_keep_their_labels(tmp_path: Path) -> None:
    text = SQUARES.replace("      2.000   384.2", "      3.000   384.2").replace(
        "0       2.0\n", "0       3.0\n"
    )
    text = text.replace("\n   2.0  ", "\n   3.0  ")
    file = read(tmp_path, text)
    assert file.levels.label == ("0", "1", "3")
    assert file.partners[0].rates.rate_cm3_s.tolist()[-1] == [1.354e-11, 1.631e-11]


def test_exponents_without_their_letter_are_read(tmp_path: Path) -> None:
    text = changed(("8.643E-17", "8.643-117"), text=NUMBERED)
    rates = read(tmp_path, text).partners[0].rates
    row = [(u, w) for u, w in zip(rates.upper, rates.lower, strict=True)].index((2, 0))
    assert rates.rate_cm3_s[row, 0] == 8.643e-117


@pytest.mark.parametrize(
    ("name", "old", "new", "words", "at"),
    [
        ("numbered", "7.200E-14", "-7.200E-14", "negative", "-7.200E-14"),
        ("numbered", "7.200E-14", "7.200E+14", "impossibly large", "7.200E+14"),
        ("numbered", "7.200E-14", "nan", "cannot be read", "nan"),
        ("numbered", "7.200E-14", "inf", "cannot be read", "inf"),
        ("numbered", "7.200E-14", "*******", "cannot be read", "*****"),
        ("numbered", "7.200E-14", "", "cannot be read", "8.643E-17"),
        ("numbered", "7.200E-14", "7.200E-14 1e-11", "cannot be read", "1e-11"),
        (
            "numbered",
            "7.200E-14    8.643E-17",
            "7.200E-14    8.643E-17\n    a b",
            "cannot be read",
            "    a b",
        ),
        ("numbered", "   200.000000000000", "   100.000000000000", "do not increase", None),
        ("numbered", "   200.000000000000", "   50.0", "do not increase", "   50.0"),
        ("numbered", "   200.000000000000", "   -200.0", "temperature was expected", "   -200.0"),
        ("numbered", "   200.000000000000", "   0.0", "temperature was expected", None),
        ("numbered", "   200.000000000000\n", "", "temperature was expected", "8.200E-14"),
        ("numbered", "   200.000000000000", "   two hundred", "temperature was expected", "8.200E-14"),
        (
            "numbered",
            "    2.200E-15    1.013E-09    2.901E-15\n",
            "",
            "cannot be read",
            "   200.000000000000",
        ),
        ("numbered", " 2      0.000", " 3      0.000", "cannot be read", " 3      0.000"),
        ("numbered", "0.000       2.000", "0.500       2.000", "cannot be read", "0.500"),
        ("numbered", "0.000       2.000", "0.000       1.500", "cannot be read", "1.500"),
        ("numbered", "0.000       2.000", "0.000      -2.000", "impossible", "-2.000"),
        ("numbered", "0.000       2.000", "-1.000       2.000", "impossible", "-1.000"),
        ("numbered", "0.000       2.000", "1e300       2.000", "impossible", "1e300"),
        ("numbered", "0.000       2.000", "0.000       0.000", "duplicate", "509.850"),
        ("numbered", "509.850", "1e30", "impossible", "1e30"),
        ("squares", "   1.0    7.875D-12", "   2.0    7.875D-12", "not where it belongs", "7.875D-12"),
        ("squares", "   1.0    7.875D-12", "   0.6    7.875D-12", "not where it belongs", "7.875D-12"),
        ("squares", "jf / ji  0.0       1.0", "jf / ji  1.0       0.0", "in their order", "jf / ji  1.0"),
        (
            "squares",
            "jf / ji  0.0       1.0       2.0",
            "jf / ji  0.0       1.0",
            "in their order",
            "jf / ji",
        ),
        (
            "squares",
            "=    80.000 degres",
            "=    80.x degres",
            "temperature was expected",
            "0.000D+00 1.306D-11",
        ),
        ("pairs", "( 0, 0) ( 0, 1)", "( 0, 1) ( 0, 0)", "in their order", "( 0, 1) ( 0, 0)"),
        ("pairs", "( 0, 0) ( 0, 1)", "( 0, 0) ( 1, 1)", "in their order", "( 0, 0) ( 1, 1)"),
        ("pairs", "   2\n", "   3\n", "3 levels as declared", "  100."),
        ("pairs", "   2\n", "   1\n", "temperature was expected", "   128.400"),
        ("pairs", "   128.400\n", "   128.4x\n", "2 levels as declared", "128.4x"),
    ],
)
def test_a_broken_file_is_refused_with_its_line_and_a_remedy(
    tmp_path: Path, name: str, old: str, new: str, words: str, at: str | None
) -> None:
    text = changed((old, new), text=ALL[name])
    refused(tmp_path, text, words, line=None if at is None else line_of(text, at), file_format="matrix")


@pytest.mark.parametrize("name", ALL)
def test_a_file_cut_short_within_a_matrix_is_refused(tmp_path: Path, name: str) -> None:
    lines = ALL[name].rstrip("\n").split("\n")
    refused(tmp_path, "\n".join(lines[:-1]) + "\n", "ends within a matrix", "complete the matrix")
    refused(tmp_path, "\n".join(lines)[:-12], "cannot be read", line=len(lines))


@pytest.mark.parametrize("name", ALL)
def test_a_list_of_levels_without_matrices_is_refused(tmp_path: Path, name: str) -> None:
    start = {"numbered": "   100.0", "squares": " taux", "pairs": "      100."}[name]
    refused(tmp_path, ALL[name].partition(start)[0], "no matrices", file_format="matrix")


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"10", b"lev no. v J Energy (K)", b"\x89PNG\r\n\0\0", b"text\n"]
)
def test_what_is_no_file_of_matrices_is_refused_even_where_the_format_is_said(
    tmp_path: Path, content: bytes
) -> None:
    refused(tmp_path, content)
    refused(tmp_path, content, file_format="matrix")
    refused(tmp_path, NUMBERED.encode("utf-16"), "plain text")


def test_an_elastic_rate_may_be_anything_that_is_a_number(tmp_path: Path) -> None:
    text = changed(("    2.381E-10    7.2", "   -2.381E-10    7.2"), text=NUMBERED)
    np.testing.assert_array_equal(
        read(tmp_path, text).partners[0].rates.rate_cm3_s,
        read(tmp_path, NUMBERED).partners[0].rates.rate_cm3_s,
    )


def test_molecule_and_collider_are_asked_for(tmp_path: Path) -> None:
    refused(tmp_path, NUMBERED, "--molecule", "--collider", molecule=None)
    refused(tmp_path, NUMBERED, "--molecule", "--collider", collider=None)
