from pathlib import Path

import numpy as np
import pytest
from cross_section_text import energy_of, refused, rotor, values_of

from ratedb.cross_sections import CrossSections
from ratedb.findings import Finding
from ratedb.io.cross_sections import CrossSectionFile, Entries, entries_of, join, table_of
from ratedb.levels import Levels


def value(initial: int, final: int, total: float) -> float:
    return 1 + initial + 0.1 * final + 1e-3 * total


def table(
    totals: tuple[float, ...],
    levels: Levels | None = None,
    *,
    factor: float = 1.0,
    method: str = "CC",
    mass: float = 2.5,
) -> CrossSections:
    """Return the cross sections of all open pairs at some total energies."""
    levels = rotor(4) if levels is None else levels
    rows = [
        (i, f, e - levels.energy_cm1[i], factor * value(int(levels.label[i]), int(levels.label[f]), e))
        for e in totals
        for i in range(len(levels))
        for f in range(len(levels))
        if max(levels.energy_cm1[i], levels.energy_cm1[f]) < e
    ]
    initial, final, kinetic, sigma = (np.array(column) for column in zip(*rows, strict=True))
    return table_of(levels, "He", method, mass, Entries(initial, final, kinetic, sigma))


def file(name: str, *tables: CrossSections) -> CrossSectionFile:
    return CrossSectionFile(tables, paths=(Path(name),))


def test_entries_and_tables_turn_into_each_other() -> None:
    whole = table((10.0, 30.0, 50.0))
    again = table_of(whole.levels, "He", "CC", 2.5, entries_of(whole))
    np.testing.assert_array_equal(again.sigma_angstrom2, whole.sigma_angstrom2)
    np.testing.assert_array_equal(again.kinetic_cm1, whole.kinetic_cm1)


def test_columns_are_total_energies_where_there_is_a_grid_of_them() -> None:
    grid = table((30.0, 10.0, 50.0))
    total = grid.kinetic_cm1 + grid.levels.energy_cm1[grid.initial][:, None]
    for column, energy in zip(total.T, (10.0, 30.0, 50.0), strict=True):
        np.testing.assert_allclose(column[np.isfinite(column)], energy)


def test_rows_are_packed_where_every_row_has_energies_of_its_own() -> None:
    rng = np.random.default_rng(1)
    pairs = [(i, f) for i in range(4) for f in range(4)]
    initial, final = np.repeat(pairs, 3, axis=0).T
    kinetic = rng.uniform(1, 100, len(initial))
    packed = table_of(rotor(4), "He", "MQCT", 1.0, Entries(initial, final, kinetic, kinetic * 2))
    assert packed.sigma_angstrom2.shape == (16, 3)
    assert np.isfinite(packed.sigma_angstrom2).all()


def test_no_entry_is_lost_where_energies_are_almost_the_same() -> None:
    initial = np.array([0, 1, 0, 1])
    kinetic = np.array([10.0, 10.0 - energy_of(1) + 0.8e-6, 10.0 + 1.6e-6, 10.0 - energy_of(1) + 2.4e-6])
    made = table_of(rotor(2), "He", "CC", 1.0, Entries(initial, 0 * initial, kinetic, np.arange(4.0)))
    assert sorted(made.sigma_angstrom2[np.isfinite(made.sigma_angstrom2)]) == [0, 1, 2, 3]


def test_joined_files_give_the_table_of_one_calculation() -> None:
    parts = [file("a", table((10.0, 50.0))), file("b", table((30.0,))), file("c", table((5.0, 40.0)))]
    (joined,) = join(parts).tables
    assert values_of(joined) == values_of(table((5.0, 10.0, 30.0, 40.0, 50.0)))
    assert joined.sigma_angstrom2.shape == (16, 5)


def test_levels_are_the_same_by_label_however_many_a_file_lists() -> None:
    short, long = rotor(2), rotor(5)
    turned = long.select([3, 0, 4, 2, 1])
    (joined,) = join([file("a", table((10.0,), short)), file("b", table((50.0,), turned))]).tables
    assert joined.levels.label == ("0", "1", "2", "3", "4")
    assert joined.levels.need_vj()[1].tolist() == [0, 1, 2, 3, 4]
    expected = values_of(table((10.0,), short)) | values_of(table((50.0,), long))
    assert values_of(joined) == expected


def test_joined_levels_are_ordered_by_energy_and_not_by_label() -> None:
    long = rotor(12)
    (joined,) = join(
        [file("a", table((10.0,), long.select([11, 2, 0]))), file("b", table((50.0,), long))]
    ).tables
    assert joined.levels.label == tuple(str(j) for j in range(12))


def test_what_two_files_give_alike_is_kept_once() -> None:
    (joined,) = join([file("a", table((10.0, 30.0))), file("b", table((30.0, 50.0)))]).tables
    assert values_of(joined) == values_of(table((10.0, 30.0, 50.0)))


def test_a_contradiction_names_both_files_the_transition_the_energy_and_both_values() -> None:
    parts = [file("one.out", table((10.0, 30.0))), file("two.out", table((30.0,), factor=1.01))]
    error = refused(lambda: join(parts))
    assert error.where == "one.out and two.out"
    assert "0 -> 0" in error.what
    assert "kinetic energy of 30 cm-1" in str(error.expected)
    assert f"{value(0, 0, 30.0):.9g}" in str(error.got)
    assert f"{1.01 * value(0, 0, 30.0):.9g}" in str(error.got)


@pytest.mark.parametrize("change", [{"energy_cm1": [0, 4.001, 12, 24]}, {"weight": [1, 3, 5, 8]}])
def test_levels_that_disagree_are_refused_with_both_files(change: dict[str, object]) -> None:
    parts = [file("one.out", table((10.0,))), file("two.out", table((30.0,), rotor(4, **change)))]
    error = refused(lambda: join(parts))
    assert error.where == "one.out and two.out"
    assert "level" in error.what


def test_reduced_masses_that_disagree_are_refused_with_both_files() -> None:
    error = refused(
        lambda: join([file("one.out", table((10.0,))), file("two.out", table((30.0,), mass=2.6))])
    )
    assert error.where == "one.out and two.out"
    assert "2.5 u and 2.6 u" in str(error.got)


def test_methods_and_systems_stay_apart() -> None:
    other = table((10.0,), rotor(4, molecule="CS"))
    parts = [file("a", table((10.0,)), table((10.0,), factor=2, method="CS")), file("b", other)]
    assert [(t.system, t.method) for t in join(parts).tables] == [
        ("CO+He", "CC"),
        ("CO+He", "CS"),
        ("CS+He", "CC"),
    ]


def test_two_runs_of_one_method_in_one_file_are_joined_too() -> None:
    (joined,) = join([file("a", table((10.0,)), table((30.0,)))]).tables
    assert joined.sigma_angstrom2.shape == (16, 2)


def test_findings_and_paths_of_all_files_are_kept_once() -> None:
    finding = Finding("partial-waves", "warning", "CO+He", "why")
    parts = [
        CrossSectionFile((table((energy,)),), ("left out",), (finding,), (Path(name),))
        for name, energy in (("a", 10.0), ("b", 30.0))
    ]
    joined = join(parts)
    assert joined.findings == (finding,)
    assert joined.paths == (Path("a"), Path("b"))


def test_nothing_to_join_is_refused() -> None:
    assert "no cross sections" in refused(lambda: join([])).what


def test_warnings_of_joined_files_name_the_first_and_count_the_rest() -> None:
    files = [
        CrossSectionFile((), (f"{count} cross sections are left out",), (), (Path(name),))
        for name, count in (("a.out", 3), ("b.out", 5))
    ]
    other = CrossSectionFile((), ("the last energy is not there",), (), (Path("c.out"),))
    assert join([*files, other]).warnings == (
        "a.out: 3 cross sections are left out (and 1 more like this)",
        "c.out: the last energy is not there",
    )
