"""The weights of HIBRIDON levels are those that microscopic reversibility shows in the cross sections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ratedb.errors import RatedbError
from ratedb.io.hibridon import read_hibridon
from ratedb.levels import Levels
from ratedb.physics.constants import CM1_PER_HARTREE

TOTAL_CM1 = 60.0
ENERGY_CM1 = np.array([0.0, 15.0, 31.0])


def sigma(weight: list[float]) -> np.ndarray:
    """Return cross sections from level i (row) to level f (column) that obey reversibility with weights."""
    flux = np.array([[7.0, 1.3, 0.4], [1.3, 9.0, 2.2], [0.4, 2.2, 5.0]])
    return flux / (np.array(weight) * (TOTAL_CM1 - ENERGY_CM1))[:, None]


def ics(codes: list[tuple[int, int]], weight: list[float], flags: str) -> str:
    rows = [" ".join(f"{x:.8E}" for x in row) for row in sigma(weight).T]  # rows are final levels
    energies = " ".join(f"{x:.12E}" for x in ENERGY_CM1 / CM1_PER_HARTREE)
    levels = " ".join(f"{code} {index}" for code, index in codes)
    head = f" date\n made up\n a potential\n {TOTAL_CM1} 3.0\n  {flags}\n 0 40 1 0 0 1 -1 0\n 3 3\n"
    return "\n".join([head + levels, energies, *rows, ""])


def xxsc(codes: list[tuple[str, int]], weight: list[float], first: str = "0") -> str:
    levels = [f"{n} {j} {i} {e}" for n, ((j, i), e) in enumerate(zip(codes, ENERGY_CM1, strict=True), 1)]
    rows = [f"{n} " + " ".join(f"{x:.4E}" for x in row) for n, row in enumerate(sigma(weight), 1)]
    return "\n".join(
        [
            "\n INTEGRAL CROSS SECTIONS CALCULATED FROM S-MATRICES ON FILE Made.smt",
            f" IEN= 0 RMU= 3.0 E= {TOTAL_CM1} JTOT-1= {first} JTOT-2= 40 JTOT-D= 1\n",
            " LEVEL LIST FOR INTEGRAL CROSS SECTIONS\n N J INDEX EINT(cm-1)",
            *levels,
            "\n CC INTEGRAL CROSS SECTIONS\n",
            " ** COLUMN HEADINGS ARE FINAL STATES, ROW HEADINGS ARE INITIAL STATES **\n\n 1 2 3",
            *rows,
            "",
        ]
    )


def read(folder: Path, name: str, text: str) -> tuple[Levels, tuple[str, ...], list[str]]:
    path = folder / name
    path.write_text(text)
    file = read_hibridon(path, molecule="XO", collider="p-H2")
    return file.tables[0].levels, file.warnings, [one.rule for one in file.findings]


def test_two_molecules_with_half_integer_j(tmp_path: Path) -> None:
    text = ics([(11, 1), (21, 1), (22, -1)], [12, 18, 30], "F T F T F")
    levels, warnings, findings = read(tmp_path, "a.ics", text)
    assert levels.label == ("1.5_1_1", "2.5_1_1", "2.5_-1_2")
    assert levels.weight.tolist() == [12, 18, 30]
    assert (warnings, findings) == ((), [])


@pytest.mark.parametrize(
    ("codes", "weight", "first", "label"),
    [
        ([("10", 1), ("20", 1), ("21", 1)], [3, 5, 15], "0", ("1_1_0", "2_1_0", "2_1_1")),
        ([("11.5", 1), ("21.5", 1), ("1.5", 2)], [12, 18, 6], "0.5", ("1.5_1_1", "2.5_1_1", "0.5_2_1")),
    ],
)
def test_a_listing_of_two_molecules_is_known_by_its_matrix(
    tmp_path: Path, codes: list[tuple[str, int]], weight: list[float], first: str, label: tuple[str, ...]
) -> None:
    levels, warnings, findings = read(tmp_path, "a.xxsc", xxsc(codes, weight, first))
    assert levels.label == label
    assert levels.weight.tolist() == weight
    assert "two molecules" in warnings[0]
    assert findings == []


def test_an_atom_has_the_weights_of_its_index(tmp_path: Path) -> None:
    text = ics([(0, 2), (0, 1), (2, 2)], [5, 3, 25], "F F F F T")
    levels, warnings, findings = read(tmp_path, "a.ics", text)
    assert levels.weight.tolist() == [5, 3, 25]
    assert len(warnings) == 1
    assert findings == []


def test_one_molecule_keeps_its_weights(tmp_path: Path) -> None:
    levels, warnings, findings = read(
        tmp_path, "a.xxsc", xxsc([("10", 1), ("20", 1), ("21", 1)], [21, 41, 43])
    )
    assert levels.label == ("10_1", "20_1", "21_1")
    assert (warnings, findings) == ((), [])


def test_weights_that_no_reading_has_are_refused_and_named(tmp_path: Path) -> None:
    text = ics([(0, 0), (1, 0), (2, 0)], [2, 7, 4], "F F F F F")
    with pytest.raises(RatedbError, match="weights of the levels contradict") as caught:
        read(tmp_path, "a.ics", text)
    assert "0: 2, 1: 7, 2: 4" in str(caught.value)
