"""Cross sections that refer to a separate list of levels: the output of MQCT, and CSV tables."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError
from ratedb.io.registry import ReadOptions, read_cross_sections

LEVELS = "j,energy_cm1\n0,0.0\n1,3.84\n2,11.53\n"
TITLE = "   ilv     flv       sigma(U),ANG^2    E_coll,cm^-1  sigma(E_coll),ANG^2\n"
GAP = {1: 0.0, 2: 3.84, 3: 11.53}


def block(effective: float) -> str:
    rows = []
    for final, gap in GAP.items():
        kinetic = effective * (1 + gap / (4 * effective)) ** 2
        rows.append(
            f"  1  {final}  {8.0 / final:.6E}  {kinetic:.6f}  {8.0 / final * effective / kinetic:.6E}\n"
        )
    errors = "TOTAL P CONSERVATION ERROR,%  0.10000E-06\nTOTAL NUMBER OF TRAJECTORIES =  30\n"
    return f"U=   {effective:.6f} cm^-1\n{TITLE}{''.join(rows)}{errors}"


def read(folder: Path, name: str, text: str | bytes, mass: float | None = 3.5) -> CrossSections:
    (folder / "levels.csv").write_text(LEVELS)
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    options = ReadOptions("XO", "He", (folder / "levels.csv",), reduced_mass_u=mass)
    return read_cross_sections(path, options).tables[0]


def values(table: CrossSections) -> dict[tuple[int, int], list[tuple[float, float]]]:
    return {
        (i, f): [(e, s) for e, s in zip(energy, sigma, strict=True) if np.isfinite(e)]
        for i, f, energy, sigma in zip(
            table.initial.tolist(),
            table.final.tolist(),
            table.kinetic_cm1.tolist(),
            table.sigma_angstrom2.tolist(),
            strict=True,
        )
    }


@pytest.mark.parametrize("packed", [False, True])
def test_the_output_of_mqct_gives_sigma_at_the_kinetic_energy(tmp_path: Path, packed: bool) -> None:
    text = (block(30.0) + block(40.0)).encode()
    table = read(tmp_path, "CROSS_SECTIONS.out", gzip.compress(text) if packed else text)
    assert table.method == "MQCT"
    assert table.levels.label == ("0", "1", "2")
    found = values(table)
    assert set(found) == {(0, 0), (0, 1), (0, 2)}
    expected = [30 * (1 + 3.84 / 120) ** 2, 40 * (1 + 3.84 / 160) ** 2]
    assert [e for e, _ in found[0, 1]] == pytest.approx(expected, abs=1e-5)
    assert found[0, 1][0][1] == pytest.approx(4.0 * 30 / expected[0], rel=1e-5)


def test_a_list_of_other_levels_is_refused(tmp_path: Path) -> None:
    wrong = block(30.0).replace("  1  3  ", "  1  2  ").replace("  1  2  4", "  1  3  4")
    with pytest.raises(RatedbError, match="contradicts the energies of the levels"):
        read(tmp_path, "CROSS_SECTIONS.out", wrong)
    with pytest.raises(RatedbError, match="not in its list"):
        read(tmp_path, "CROSS_SECTIONS.out", block(30.0).replace("  1  3  ", "  1  4  "))
    with pytest.raises(RatedbError, match="reduced mass"):
        read(tmp_path, "CROSS_SECTIONS.out", block(30.0), mass=None)


def test_a_csv_table_gives_cross_sections_at_total_or_kinetic_energy(tmp_path: Path) -> None:
    total = read(
        tmp_path, "a.csv", "total_energy_cm1,j_initial,j_final,sigma_angstrom2\n20,2,0,1.5\n20,1,0,2\n"
    )
    assert values(total)[2, 0] == [(pytest.approx(20 - 11.53), 1.5)]
    assert values(total)[1, 0] == [(pytest.approx(20 - 3.84), 2.0)]
    kinetic = "kinetic_energy_cm1,initial_label,final_label,cross_section_a2\n20,2,0,1.5\n"
    assert values(read(tmp_path, "b.csv", kinetic))[2, 0] == [(20.0, 1.5)]


def test_a_row_that_is_there_twice_counts_once_and_one_that_differs_is_refused(tmp_path: Path) -> None:
    head = "kinetic_energy_cm1,j,j_final,sigma_angstrom2\n"
    assert values(read(tmp_path, "a.csv", head + "20,2,0,1.5\n20,2,0,1.5\n")) == {(2, 0): [(20.0, 1.5)]}
    with pytest.raises(RatedbError, match="another cross section than line 2") as caught:
        read(tmp_path, "a.csv", head + "20,2,0,1.5\n20,2,0,1.6\n")
    assert "a.csv:3" in str(caught.value)
    with pytest.raises(RatedbError, match="another cross section than line"):
        read(
            tmp_path, "CROSS_SECTIONS.out", block(30.0) + block(30.0).replace("8.000000E+00", "8.100000E+00")
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("j,j_final,sigma_angstrom2\n2,0,1.5\n", "columns of the table are not complete"),
        ("total_energy_cm1,j,j_final,sigma_angstrom2\n20,2,0\n", "a row cannot be read"),
        ("total_energy_cm1,j,j_final,sigma_angstrom2\n20,2,0,-1\n", "a row cannot be read"),
        ("total_energy_cm1,j,j_final,sigma_angstrom2\n20,7,0,1\n", "not in the list of levels"),
        ("total_energy_cm1,j,j_final,sigma_angstrom2\n5,2,0,1\n", "is not open"),
        ("total_energy_cm1,j,j_final,sigma_angstrom2\n", "no rows"),
        ('total_energy_cm1,j,j_final,sigma_angstrom2\n20,2,0,"1\n20,2,1,1"\n', "a row cannot be read"),
        ('total_energy_cm1,j,j_final,sigma_angstrom2\n20,2,"0\n', "a row cannot be read"),
    ],
)
def test_a_csv_table_that_cannot_be_read_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RatedbError, match=says):
        read(tmp_path, "a.csv", text)
