from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lamda_text import changed
from rate_texts import ENERGY, MOLPOP, VJ, line_of, read_rates, refused

from ratedb.io.contents import MoleculeFile

H2 = {"molecule": "H2", "collider": "H", "levels": (ENERGY,)}


def read(folder: Path, text: str | bytes) -> MoleculeFile:
    return read_rates(folder, text, **H2)  # type: ignore[arg-type]


def rows(file: MoleculeFile) -> dict[tuple[int, ...], list[float]]:
    rates = file.partners[0].rates
    v, j = rates.levels.need_vj()
    return {
        (int(v[u]), int(j[u]), int(v[w]), int(j[w])): values.tolist()
        for u, w, values in zip(rates.upper, rates.lower, rates.rate_cm3_s, strict=True)
    }


def slow(text: str) -> dict[tuple[int, ...], list[float]]:
    table = [line.split() for line in text.splitlines() if line[:1].isdigit() and "//" not in line]
    return {tuple(map(int, row[:4])): [float(word) for word in row[4:]] for row in table[1:]}


def test_the_rates_are_the_printed_numbers(tmp_path: Path) -> None:
    file = read(tmp_path, VJ)
    assert len(slow(VJ)) == 3
    assert rows(file) == slow(VJ)
    assert file.partners[0].rates.temperature_k.tolist() == [100.0, 200.0, 300.0]
    assert file.partners[0].reference == "H2 H coll Somebody, F., 2015, MNRAS, 1, 2"
    assert file.partners[0].rates.system == "H2+H"
    assert file.levels.weight.tolist() == [1.0, 9.0, 5.0, 1.0]
    assert file.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        VJ.replace("\n", "\r\n"),
        VJ.replace("\n", "\r"),
        VJ.replace("  ", "\t"),
        VJ.replace("\n", "\n\n \t\n"),
        VJ.replace("0.3098E-21", "0.3098D-21"),
        VJ.replace("0.3098E-21", "0.3098-21"),
        VJ.replace("0.1791E-16", "0.1791E-16  # reactive").replace("0.9070E-13", "0.9070E-13 // a note"),
        VJ.replace("0  2  0  0", "# of para-H2\n*****\n0  2  0  0"),
        VJ.partition("\n")[2],
        VJ.encode("utf-8-sig"),
        VJ.replace("today", "tódáy").encode("latin-1"),
        VJ + "0  1  0  0  0.3098E-21  0.1521E-18  0.1791E-16\n",
        VJ + "0  1  0  1  1e-10 1e-10 1e-10\n",
    ],
)
def test_another_way_to_write_the_same_table_gives_the_same_rates(tmp_path: Path, text: str | bytes) -> None:
    assert rows(read(tmp_path, text)) == slow(VJ)


def test_a_row_from_odd_to_even_j_is_turned_with_the_weights_of_the_nuclear_spins(tmp_path: Path) -> None:
    text = VJ + "0  1  0  2  1e-19  1e-18  1e-17\n"
    up, kelvin = np.array([1e-19, 1e-18, 1e-17]), np.array([100.0, 200.0, 300.0])
    down = up * 9 / 5 * np.exp(1.438776877 * (354.3732 - 118.4869) / kelvin)
    np.testing.assert_allclose(rows(read(tmp_path, text))[0, 2, 0, 1], down, rtol=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "words", "at"),
    [
        ("0  1  0  0", "0  7  0  0", "not in the list of levels", "0  7  0  0"),
        ("0  1  0  0", "0  1  2  0", "not 2, 0", "0  1  2  0"),
        ("0  2  0  0", "0  x  0  0", "cannot be read", "0  x  0  0"),
        ("0  2  0  0", "0  2.5  0  0", "cannot be read", "2.5"),
        ("0  2  0  0", "0  -2  0  0", "cannot be read", "0  -2"),
        ("0  2  0  0", "0  2  0", "cannot be read", "0.6561E-13"),
        ("0.6561E-13", "nan", "cannot be read", "nan"),
        ("0.6561E-13", "-Inf", "cannot be read", "-Inf"),
        ("0.6561E-13", "-0.6561E-13", "negative", "-0.6561E-13"),
        ("0.6561E-13", "0.6561", "impossibly large", "0.6561 "),
        ("0.6561E-13", "0.6561E-13 1e-13", "cannot be read", "0.6561E-13 1e-13"),
        ("0.6561E-13", "// 0.6561E-13", "cannot be read", "// 0.6561E-13"),
        ("0.9070E-13", "", "cannot be read", "0.6561E-13"),
        ("0  2  0  0", "0  1  0  0", "different rates", "0.6561E-13"),
        ("100.0\t200.0", "200.0\t100.0", "temperatures", "200.0\t100.0"),
        ("100.0\t200.0", "200.0\t200.0", "temperatures", "200.0\t200.0"),
        ("100.0\t200.0", "0\t200.0", "temperatures", "0\t200.0"),
        ("100.0\t200.0", "-1\t200.0", "temperatures", "-1\t200.0"),
    ],
)
def test_a_broken_table_is_refused_with_its_line_and_a_remedy(
    tmp_path: Path, old: str, new: str, words: str, at: str
) -> None:
    text = changed((old, new), text=VJ)
    refused(tmp_path, text, words, line=line_of(text, at), file_format="vj", **H2)


def test_a_table_cut_within_a_row_is_refused_or_doubted(tmp_path: Path) -> None:
    for cut in range(1, len("  0.1795E-14")):
        text = VJ.rstrip("\n")[:-cut]
        if text.endswith((" 0", " 0.")):  # a number too
            assert any("no line end" in note for note in read(tmp_path, text).warnings)
        else:
            refused(tmp_path, text, line=text.count("\n") + 1, **H2)


def test_a_table_of_a_header_only_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, VJ.partition("0  1  0  0")[0], "no rates", file_format="vj", **H2)
    refused(tmp_path, VJ.partition("100.0")[0], "temperatures", file_format="vj", **H2)
    refused(tmp_path, VJ.partition("0  1  0  0")[0], "not a file of rate coefficients", **H2)


def test_levels_without_v_and_j_are_refused(tmp_path: Path) -> None:
    levels = changed(("  2     3 ", "  2     4 "), text=MOLPOP)
    refused(tmp_path, VJ, "v and j", "--levels", molecule="H2", collider="H", levels=(levels,))


def test_levels_are_asked_for(tmp_path: Path) -> None:
    refused(tmp_path, VJ, "--levels", molecule="H2", collider="H")


@pytest.mark.parametrize("content", [b"", b"\n", VJ.encode("utf-16"), b"\x89PNG\r\n\0\0", b"text\n"])
def test_what_is_no_table_is_refused_even_where_the_format_is_said(tmp_path: Path, content: bytes) -> None:
    refused(tmp_path, content, **H2)
    refused(tmp_path, content, file_format="vj", **H2)


def test_a_table_with_long_lines_is_recognised(tmp_path: Path) -> None:
    kelvin = [10.0 * k for k in range(1, 7001)]
    text = "\n".join(
        [" ".join(map(str, kelvin))]
        + [f"0 {j} 0 0 " + " ".join(f"{1e-12:.3e}" for _ in kelvin) for j in (1, 2)]
    )
    assert len(read(tmp_path, text + "\n").partners[0].rates.temperature_k) == 7000
