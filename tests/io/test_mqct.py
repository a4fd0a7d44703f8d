import re
from pathlib import Path

import numpy as np
import pytest
from cross_section_text import MQCT_TITLE, kinetic, mqct_row, mqct_text, real_folder, refused, values_of

from ratedb.io.cross_sections import CrossSectionFile, join
from ratedb.io.mqct import looks_like_mqct, read_mqct


def read(folder: Path, text: str | bytes, **options: object) -> CrossSectionFile:
    path = folder / "cross_sections_U.out"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    options.setdefault("reduced_mass_u", 1.8)
    return read_mqct(path, molecule="p-H2O", collider="p-H2", **options)  # type: ignore[arg-type]


def test_energies_are_kinetic_and_follow_from_the_effective_energy(tmp_path: Path) -> None:
    file = read(tmp_path, mqct_text(100.0))
    (table,) = file.tables
    assert table.levels.label == ("0_0_0_0", "1_1_1_0", "2_0_2_0", "0_0_0_2")
    assert table.levels.energy_cm1.tolist() == [0.0, 37.158, 70.133, 365.118]
    assert table.levels.weight.tolist() == [1, 3, 5, 5]
    assert (table.method, table.reduced_mass_u, table.sigma_angstrom2.shape) == ("MQCT", 1.8, (12, 1))
    gap = table.levels.energy_cm1[table.final] - table.levels.energy_cm1[table.initial]
    np.testing.assert_allclose(table.kinetic_cm1[:, 0], [kinetic(100.0, g) for g in gap], rtol=1e-6)
    up = (table.initial == 0) & (table.final == 1)
    assert table.sigma_angstrom2[up][0, 0] == pytest.approx(1.01 * 100 / kinetic(100, 37.158), rel=1e-8)
    assert file.warnings == ("4 elastic rows are zero, which is a placeholder, and are left out",)


def test_an_elastic_number_is_kept_at_the_effective_energy(tmp_path: Path) -> None:
    zero = mqct_row((0, 0, 0, 0), (0, 0, 0, 0), 0.0, 100.0)
    text = mqct_text().replace(zero, zero + mqct_row((0, 0, 0, 0), (0, 0, 0, 0), 150.0, 100.0))
    (table,) = read(tmp_path, text).tables
    elastic = (table.initial == table.final) & (table.initial == 0)
    assert table.kinetic_cm1[elastic][0, 0] == pytest.approx(100.0, rel=1e-7)
    assert table.sigma_angstrom2[elastic].tolist() == [[150.0]]


ONE = mqct_row((1, 1, 1, 0), (0, 0, 0, 0), 1.1, 100.0)


def test_equal_duplicates_are_read_once_and_different_ones_refused(tmp_path: Path) -> None:
    whole = values_of(read(tmp_path, mqct_text()).tables[0])
    assert ONE in mqct_text()
    assert values_of(read(tmp_path, mqct_text() + ONE).tables[0]) == whole
    other = mqct_row((1, 1, 1, 0), (0, 0, 0, 0), 1.2, 100.0)
    error = refused(lambda: read(tmp_path, mqct_text() + other))
    assert "duplicate" in error.what
    assert str(error.where).endswith(f":{len(mqct_text().splitlines()) + 1}")


def test_beside_a_duplicate_zeros_and_rows_at_another_energy_give_way_and_are_found(tmp_path: Path) -> None:
    whole = values_of(read(tmp_path, mqct_text()).tables[0])
    zero = mqct_row((1, 1, 1, 0), (0, 0, 0, 0), 0.0, 100.0)
    words = ONE.split("\t")
    strange = "\t".join([*words[:8], words[8], words[8], *words[10:]])  # sigmaE = sigmaU: E = U
    for other in (zero, strange):
        file = read(tmp_path, mqct_text().replace(ONE, other + ONE))
        assert values_of(file.tables[0]) == whole
        (finding,) = file.findings
        assert (finding.rule, finding.upper, finding.lower) == ("duplicate", "1_1_1_0", "0_0_0_0")
    error = refused(lambda: read(tmp_path, mqct_text().replace(ONE, strange)))
    assert "contradict the kinetic energy" in error.what


def test_the_reduced_mass_must_be_given(tmp_path: Path) -> None:
    error = refused(lambda: read(tmp_path, mqct_text(), reduced_mass_u=None))
    assert "reduced mass" in error.what
    assert "give it" in str(error.todo)


def test_files_at_several_effective_energies_are_joined_row_by_mqct_row(tmp_path: Path) -> None:
    files = [read(tmp_path, mqct_text(u)) for u in (400.0, 100.0, 200.0)]
    (joined,) = join(files).tables
    assert joined.sigma_angstrom2.shape == (12, 3)
    for r in range(12):
        gap = joined.levels.energy_cm1[joined.final[r]] - joined.levels.energy_cm1[joined.initial[r]]
        expected = [kinetic(u, gap) for u in (100.0, 200.0, 400.0)]
        np.testing.assert_allclose(joined.kinetic_cm1[r], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("sigmaE(Ang^2)", "sigmaE(bohr^2)", "not a table"),
        ("\t1.100000000E+00", "\tx", "cannot be read"),
        ("\t1.100000000E+00", "\t-1.100000000E+00", "cannot be read"),
        ("\t3.71580000E+01", "\t3.81580000E+01", "two energies"),
        ("1\t1\t1\t0\t0\t0\t0\t0\t", "1.5\t1\t1\t0\t0\t0\t0\t0\t", "cannot be read"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in mqct_text()
    error = refused(lambda: read(tmp_path, mqct_text().replace(old, new, 1)))
    assert says in error.what
    assert re.fullmatch(r".*cross_sections_U\.out:\d+", str(error.where))


def test_a_file_that_ends_within_a_number_is_refused(tmp_path: Path) -> None:
    assert "no line end" in refused(lambda: read(tmp_path, mqct_text()[:-5])).what


def test_a_table_without_inelastic_rows_has_no_effective_energy(tmp_path: Path) -> None:
    text = MQCT_TITLE + mqct_row((0, 0, 0, 0), (0, 0, 0, 0), 150.0, 100.0)
    assert "effective energy" in refused(lambda: read(tmp_path, text)).what
    assert "no rows" in refused(lambda: read(tmp_path, MQCT_TITLE)).what


def test_only_the_title_is_recognised() -> None:
    assert looks_like_mqct(mqct_text().encode())
    assert not looks_like_mqct(b"#N =          J1         KA         KC         J2          E\n")
    assert not looks_like_mqct(b"")


# Real files

ENERGIES = {"20": 20.0, "41": 41.28, "84": 84.0, "170": 170.479, "346": 346.41}
"""What each file's rows give; their names round it."""


def real(name: str) -> CrossSectionFile:
    folder = real_folder("xs-ph2o-ph2-mqct")
    path = folder / f"CollisionEnergy_{name}" / f"formatted_cross_sections_pp_J0_U{name}.out"
    return read_mqct(path, molecule="p-H2O", collider="p-H2", reduced_mass_u=1.813)


@pytest.mark.parametrize(("name", "effective"), ENERGIES.items())
def test_real_kinetic_energies_obey_the_relation(name: str, effective: float) -> None:
    (table,) = real(name).tables
    gap = table.levels.energy_cm1[table.final] - table.levels.energy_cm1[table.initial]
    np.testing.assert_allclose(table.kinetic_cm1[:, 0], [kinetic(effective, g) for g in gap], atol=3e-3)


@pytest.mark.slow
def test_the_real_energies_join_and_a_core_of_rows_has_all_five() -> None:
    files = [real(name) for name in ENERGIES]
    assert [len(file.tables[0]) for file in files] == [1255, 2755, 5547, 11217, 22245]
    assert [len(file.findings) for file in files] == [0, 0, 0, 0, 81]
    (joined,) = join(files).tables
    count = np.isfinite(joined.sigma_angstrom2).sum(axis=1)
    assert joined.sigma_angstrom2.shape[1] == 5
    assert (count == 5).sum() == 1255
    assert count.sum() == sum(len(file.tables[0]) for file in files)


def test_the_real_level_list_is_refused_as_no_table_of_cross_sections() -> None:
    path = real_folder("xs-ph2o-ph2-mqct") / "ParaH2O_ParaH2_EnergyLevel.out"
    assert not looks_like_mqct(path.read_bytes())
    error = refused(lambda: read_mqct(path, molecule="p-H2O", collider="p-H2", reduced_mass_u=1.813))
    assert "not a table of MQCT cross sections" in error.what
