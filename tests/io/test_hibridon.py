import re
from pathlib import Path

import numpy as np
import pytest
from cross_section_text import ICS, XSC, XXSC, real_folder, refused, rotor, values_of

from ratedb.io.cross_sections import CrossSectionFile
from ratedb.io.hibridon import looks_like_hibridon, read_hibridon
from ratedb.levels import Levels

HARTREE_CM1 = 219474.63136320


def read(folder: Path, text: str | bytes, levels: Levels | None = None) -> CrossSectionFile:
    path = folder / "small.ics"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_hibridon(path, molecule="OH", collider="He", levels=levels)


def pairs(file: CrossSectionFile) -> dict[tuple[str, str], float]:
    return {key[:2]: value for key, value in values_of(file.tables[0]).items()}


def test_rows_of_the_matrix_are_final_and_columns_initial(tmp_path: Path) -> None:
    file = read(tmp_path, ICS)
    (table,) = file.tables
    assert pairs(file)["0", "1"] == 2.1
    assert pairs(file)["1", "0"] == 1.1
    assert pairs(file)["2", "1"] == 2.2
    assert (len(table), table.method, table.reduced_mass_u) == (9, "CC", 2.5)
    kinetic = table.kinetic_cm1[(table.initial == 1) & (table.final == 0)]
    assert kinetic[0, 0] == pytest.approx(100 - 5e-5 * HARTREE_CM1, rel=1e-12)
    assert table.levels.energy_cm1[3] == pytest.approx(6e-4 * HARTREE_CM1, rel=1e-12)
    assert file.warnings == ()


def test_a_plain_rotor_is_labelled_by_j_and_has_v_and_j(tmp_path: Path) -> None:
    levels = read(tmp_path, ICS).tables[0].levels
    assert levels.label == ("0", "1", "2", "3")
    assert levels.need_vj()[1].tolist() == [0, 1, 2, 3]
    assert levels.weight.tolist() == [1, 3, 5, 7]


def test_half_integer_j_and_the_index_are_in_the_label(tmp_path: Path) -> None:
    text = ICS.replace("F  F  F  F  F", "F  T  F  F  F").replace(
        "   1    0    2    0 ", "   0    1    1   -1 "
    )
    levels = read(tmp_path, text).tables[0].levels
    assert levels.label == ("0.5_0", "0.5_1", "1.5_-1", "3.5_0")
    assert levels.weight.tolist() == [2, 2, 4, 8]
    assert not levels.has_vj


def test_two_molecules_have_both_j_in_the_label_and_the_product_of_weights(tmp_path: Path) -> None:
    text = ICS.replace("F  F  F  F  F", "F  F  F  T  F").replace(
        "   1    0    2    0 ", "  11    1  123  -11 "
    )
    levels = read(tmp_path, text).tables[0].levels
    assert levels.label == ("0_0_0", "1_1_1", "12_-11_3", "0_0_3")
    assert levels.weight.tolist() == [1, 9, 175, 7]


def test_the_coupled_states_flag_gives_the_method(tmp_path: Path) -> None:
    assert read(tmp_path, ICS.replace("F  F  F  F  F", "T  F  F  F  F")).tables[0].method == "CS"


def test_sparse_sums_and_missing_waves_are_said(tmp_path: Path) -> None:
    file = read(tmp_path, ICS.replace("    0   20    1 ", "    4   20    5 ").replace("100.000", " 60.000"))
    assert "5 of 9 cross sections are left out" in file.warnings[0]
    assert file.findings[0].rule == "partial-waves"


def test_an_xxsc_file_says_which_way_its_matrix_lies_and_rounds_half_integers_down(tmp_path: Path) -> None:
    file = read(tmp_path, XXSC)
    assert file.tables[0].levels.label == ("0.5_-1", "0.5_1", "1.5_-1")
    assert file.tables[0].levels.weight.tolist() == [2, 2, 4]
    assert pairs(file)["0.5_-1", "0.5_1"] == 2.1
    assert pairs(file)["1.5_-1", "0.5_1"] == 2.2
    assert len(pairs(file)) == 9
    swapped = (
        XXSC.replace("ARE FINAL", "ARE X").replace("ARE INITIAL", "ARE FINAL").replace("ARE X", "ARE INITIAL")
    )
    assert pairs(read(tmp_path, swapped))["0.5_-1", "0.5_1"] == 1.1


def test_an_xsc_file_needs_levels_and_gives_what_the_ics_file_gives(tmp_path: Path) -> None:
    error = refused(lambda: read(tmp_path, XSC))
    assert "the energies of its levels" in error.what
    assert ".ics" in str(error.todo)
    whole = read(tmp_path, ICS)
    assert values_of(read(tmp_path, XSC, whole.tables[0].levels).tables[0]) == values_of(whole.tables[0])
    assert "not among the levels" in refused(lambda: read(tmp_path, XSC, rotor(2))).what


def test_numbers_that_break_reversibility_are_found_with_the_worst(tmp_path: Path) -> None:
    matrix = np.array([[10.0, 1.1, 1.2], [2.1, 20.0, 2.2], [3.1, 3.2, 30.0]])
    flux = np.array([1.0, 3.0, 5.0]) * (100 - HARTREE_CM1 * np.array([0, 5e-5, 1.5e-4])) * matrix
    matrix = matrix * np.sqrt(flux.T / flux)  # as large one way as the other
    for broken in (False, True):
        matrix[2, 1] *= 1.5 if broken else 1
        start = ICS[: ICS.index(" 1.00000000E+01")]
        rows = "".join("".join(f"{value:15.8E}" for value in row) + "\n" for row in matrix)
        findings = read(tmp_path, start + rows).findings
        assert [(f.rule, f.severity, f.transition) for f in findings] == (
            [("reversibility", "warning", "1 -> 2")] if broken else []
        )
    assert findings[0].value == pytest.approx(1.5 * float(findings[0].expected or 0))


def test_initial_levels_that_a_listing_leaves_out_are_said(tmp_path: Path) -> None:
    text = XSC[: XSC.index("\n            J=    2")]
    levels = read(tmp_path, ICS).tables[0].levels
    assert "2 of 3 open levels" in read(tmp_path, text, levels).warnings[0]


def test_a_hyperfine_file_is_refused_with_the_reason(tmp_path: Path) -> None:
    error = refused(lambda: read(tmp_path, "\n HYPERFINE-RESOLVED CROSS SECTIONS\n      LABEL: X\n"))
    assert "neither level energies nor the reduced mass" in error.what
    assert ".ics" in str(error.todo)


def test_each_kind_is_known_by_its_content() -> None:
    for text in (ICS, XSC, XXSC, "\n HYPERFINE-RESOLVED CROSS SECTIONS\n"):
        assert looks_like_hibridon(text.encode())
    for text in ("", "!MOLECULE\nCO\n!MOLECULAR WEIGHT\n28.0\n!X\n", "a\nb\nc\n1.0 2.0\nT F\n"):
        assert not looks_like_hibridon(text.encode())


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("F  F  F  F  F", "F  F  T  F  F", 5, "surface"),
        ("    4    3\n", "    4    2\n", 7, "levels are not those below"),
        ("    4    3\n", "    3    4\n", 7, "invalid"),
        ("   1    0    2    0 ", "   1    0    1    0 ", 8, "duplicate"),
        ("2.20000000E+00", "2.2x", 11, "cannot be read"),
        (" 2.20000000E+00", "", 12, "cannot be read"),
        (" 3.10000000E+00 3.20000000E+00 3.00000000E+01\n", "", 11, "file ends"),
        ("2.20000000E+00", "-2.2", 11, "negative"),
        ("3.00000000E+01\n", "3.00000000E+01\n 7.0\n", 13, "follows"),
        ("  2.50000000000", "  0.00000000000", 7, "invalid"),
    ],
)
def test_a_damaged_ics_file_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in ICS
    error = refused(lambda: read(tmp_path, ICS.replace(old, new, 1)))
    assert says in error.what
    assert re.fullmatch(rf".*small\.ics:{line}", str(error.where)), error.where


@pytest.mark.parametrize(
    ("text", "old", "new", "says"),
    [
        (XXSC, "   3   3.0000E+01\n", "", "not complete: 1 of 9"),
        (XXSC, "   2   1.1000E+00  2.0000E+01", "   2   1.1000E+00", "row of cross sections"),
        (XXSC, "          3\n", "          2\n", "column is a duplicate"),
        (XXSC, "   3   1.0    -1     30.000", "   3   1.0    -1    130.000", "not open"),
        (XXSC, "   3   1.0    -1", "   4   1.0    -1", "level cannot be read"),
        (XXSC, "ARE FINAL STATES", "ARE OTHER STATES", "headings"),
        (XXSC, "RMU=   2.5000", "RMU=   x", "settings"),
        (XSC, "    2    0  3.000E+01\n", "", "not complete: 1 of 9"),
        (XSC, "    1    0  2.200E+00", "    7    0  2.200E+00", "belongs to no level"),
        (XSC, "   J    I | I=    0         0\n", "", "headings of columns"),
        (XSC, "            J=    2", "            J=    1", "duplicate"),
        (XSC, "            J=    0         1\n", "", "headings of columns"),
        (XSC, XSC[XSC.index("    2    0  3.100E+00") :], "", "into 2 levels only"),
        (XSC, "3.000E+01\n", "3.00", "no line end"),
        (ICS, "3.00000000E+01\n", "3.000", "no line end"),
        (ICS, "0    0    1    0", "0    0    1e300    0", "cannot be read"),
    ],
)
def test_a_damaged_listing_is_refused(tmp_path: Path, text: str, old: str, new: str, says: str) -> None:
    assert old in text
    levels = rotor(4, energy_cm1=[0, 10, 30, 130])
    assert says in refused(lambda: read(tmp_path, text.replace(old, new, 1), levels)).what


# Real files


@pytest.mark.parametrize(
    ("name", "shape", "open_levels"),
    [
        ("arn2/Cctest1", (6, 6), 6),
        ("arno/Arno_tes1", (26, 26), 26),
        ("aroh/Aroh_new1", (30, 16), 16),
        ("ch3he_vib/Job1", (47, 14), 14),
        ("hecn/Hecn1", (17, 9), 9),
        ("nh3h2/I188_1", (216, 175), 175),
    ],
)
def test_real_files_are_whole_and_reversible_and_agree(
    name: str, shape: tuple[int, int], open_levels: int
) -> None:
    path = real_folder("xs-hibridon-tests") / f"{name}.ics"
    file = read_hibridon(path, molecule="X", collider="He")
    (table,) = file.tables
    assert file.findings == ()
    assert (len(table.levels), len(table)) == (shape[0], open_levels**2)
    _need_reversible(table.levels, values_of(table), 1e-4)
    for other in (path.with_suffix(".xsc"), path.with_suffix(".xxsc")):
        if other.is_file():
            file = read_hibridon(other, molecule="X", collider="He", levels=table.levels)
            assert file.findings == ()
            _need_reversible(file.tables[0].levels, values_of(file.tables[0]), 2e-3)
            if "arno" not in name:  # that listing is of a run at another energy
                listed = {key[:2]: value for key, value in values_of(file.tables[0]).items()}
                whole = {key[:2]: value for key, value in values_of(table).items()}
                np.testing.assert_allclose([*listed.values()], [whole[key] for key in listed], rtol=1e-3)


def _need_reversible(levels: Levels, found: dict[tuple[str, str, float], float], tolerance: float) -> None:
    weight = dict(zip(levels.label, levels.weight, strict=True))
    flux = {(i, f): weight[i] * kinetic * value for (i, f, kinetic), value in found.items()}
    both = [(value, flux[f, i]) for (i, f), value in flux.items() if (f, i) in flux]
    there, back = np.array(both).T
    np.testing.assert_allclose(there, back, rtol=tolerance)


def test_the_real_hyperfine_file_is_refused() -> None:
    path = real_folder("xs-hibridon-tests") / "hecn" / "Hecn1.hfx"
    assert looks_like_hibridon(path.read_bytes())
    assert "hyperfine" in refused(lambda: read_hibridon(path, molecule="CN", collider="He")).what
