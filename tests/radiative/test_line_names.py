"""Lines by the names that people use, and by frequency."""

from __future__ import annotations

import numpy as np
import pytest

from ratedb.errors import ListError, RatedbError, UsageError
from ratedb.numbers import parse_frequencies, parse_line_names
from ratedb.radiative.line_names import NamedLines, check_ghz

CO = NamedLines("CO", ["1", "2", "3"], ["0", "1", "2"], np.array([115.2712, 230.538, 345.79599]))
HCN = NamedLines("HCN", ["01", "02"], ["00", "01"], np.array([88.63, 177.26]))
SIO = NamedLines("SiO", ["0_3", "1_3"], ["0_2", "1_2"], np.array([130.27, 129.36]))
H2CO = NamedLines("o-H2CO", ["2_1_2", "12_1_2"], ["1_1_1", "1_1_1"], np.array([140.8, 900.0]))
HFS = NamedLines("HCN(hfs)", ["1_2", "1_1"], ["0_1", "0_1"], np.array([88.6318, 88.6304]))
IONS = NamedLines("HCO+", ["1"], ["0"], np.array([89.188]))


@pytest.mark.parametrize(
    ("lines", "name", "row"),
    [
        (CO, "3-2", 2),
        (CO, "CO(3-2)", 2),
        (CO, "CO 3-2", 2),
        (CO, "CO J=3-2", 2),
        (CO, "J = 3-2", 2),
        (CO, "CO (3 - 2)", 2),
        (CO, "CO(3→2)", 2),
        (CO, "3->2", 2),
        (HCN, "HCN(1-0)", 0),
        (HCN, "01-00", 0),
        (SIO, "SiO(3-2)", 0),
        (SIO, "1_3-1_2", 1),
        (H2CO, "2_1_2-1_1_1", 0),
        (H2CO, "o-H2CO 2_1_2-1_1_1", 0),
        (H2CO, "H2CO(2(1,2)-1(1,1))", 0),
        (H2CO, "2(1,2)-1(1,1)", 0),
        (H2CO, "H2CO 2_{12}-1_{11}", 0),
        (H2CO, "o-H2CO 212-111", 0),
        (HFS, "HCN(hfs)(1_2-0_1)", 0),
        (HFS, "HCN 1_1-0_1", 1),
        (IONS, "HCO+(1-0)", 0),
    ],
)
def test_a_line_is_found_by_the_names_that_people_use(lines: NamedLines, name: str, row: int) -> None:
    assert lines.row_of(name) == row


@pytest.mark.parametrize("name", ["CS(3-2)", "CS 3-2", "13CO(3-2)", "HCO+(1-0)"])
def test_a_line_of_another_molecule_is_said_to_be_one(name: str) -> None:
    with pytest.raises(RatedbError, match="and the rates are of CO"):
        CO.row_of(name)


def test_the_other_spin_species_is_another_molecule() -> None:
    with pytest.raises(RatedbError, match=r"a line of p-H2CO, and the rates are of o-H2CO"):
        H2CO.row_of("p-H2CO(2_1_2-1_1_1)")


def test_an_unknown_line_brings_those_that_look_like_it() -> None:
    with pytest.raises(RatedbError, match=r"did you mean .*CO\(3-2\)"):
        CO.row_of("CO(3-1)")


def test_a_name_of_several_lines_is_refused() -> None:
    both = NamedLines("XY", ["1_12", "11_2"], ["0", "0"], np.array([1.0, 2.0]))
    assert both.row_of("1_12-0") == 0
    with pytest.raises(RatedbError, match="several lines"):
        both.row_of("112-0")


def test_a_frequency_names_the_nearest_line_and_one_far_off_lists_the_nearest() -> None:
    assert CO.chosen((), (345.796,)).tolist() == [False, False, True]
    assert CO.chosen((), (345.5,)).tolist() == [False, False, True]
    with pytest.raises(RatedbError, match=r"no line is near") as caught:
        CO.chosen((), (345.0,))
    assert "CO(3-2) at 345.79599, CO(2-1) at 230.538" in str(caught.value)
    assert CO.chosen(("CO(2-1)",), (100.0, 240.0)).tolist() == [False, True, False]
    with pytest.raises(RatedbError, match="none of the chosen lines"):
        CO.chosen(("CO(2-1)",), (345.796,))


def test_names_and_frequencies_are_read_as_they_are_written() -> None:
    assert parse_line_names("CO(3-2), 2(1,2)-1(1,1),1-0") == ("CO(3-2)", "2(1,2)-1(1,1)", "1-0")
    assert parse_frequencies("345.796") == (345.796,)
    assert parse_frequencies("84:116") == (84.0, 116.0)
    for text in ("116:84", "84:84", "x", "1:2:3", "-1", "nan"):
        with pytest.raises(ListError):
            parse_frequencies(text)
    for ghz in ((116.0, 84.0), (-1.0,), (1.0, 2.0, 3.0)):
        with pytest.raises(UsageError):
            check_ghz(ghz)
