import csv
import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from cross_section_text import (
    ENERGIES,
    MOLSCAT_TAIL,
    RISING,
    SKIPPED,
    block,
    energy_of,
    ios_text,
    molscat_head,
    molscat_text,
    progress,
    real_folder,
    refused,
    rotor,
    sigma_of,
    values_of,
)

from ratedb.cross_sections import CrossSections
from ratedb.files import as_input
from ratedb.io.cross_sections import CrossSectionFile, join
from ratedb.io.molscat import looks_like_molscat, read_molscat
from ratedb.levels import Levels, vj

SIO = "xs-sio-like-he-molscat-2026"


def read(folder: Path, text: str | bytes, levels: Levels | None = None) -> CrossSectionFile:
    path = folder / "run.out"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_molscat(path, molecule="CO", collider="He", levels=levels)


def changed(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new, 1)


def test_final_comes_first_and_kinetic_energy_counts_from_the_initial_level(tmp_path: Path) -> None:
    file = read(tmp_path, molscat_text())
    (table,) = file.tables
    expected = {
        (str(i), str(f), round(e - energy_of(i), 6)): sigma_of(f, i, e)
        for e in ENERGIES
        for i in range(5)
        for f in range(5)
        if max(energy_of(i), energy_of(f)) < e
    }
    found = values_of(table)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=1e-5)
    assert (table.method, table.reduced_mass_u, table.collider) == ("CC", 2.5, "He")
    assert (file.warnings, file.findings, file.paths) == ((), (), (tmp_path / "run.out",))


def test_quantum_numbers_come_from_the_list_and_not_from_the_level_number(tmp_path: Path) -> None:
    (table,) = read(tmp_path, molscat_text(levels=(1, 3, 5))).tables
    assert table.levels.label == ("1", "3", "5")
    v, j = table.levels.need_vj()
    assert (v.tolist(), j.tolist()) == ([0, 0, 0], [1, 3, 5])
    assert table.levels.weight.tolist() == [3, 7, 11]
    assert values_of(table)["3", "1", 50 - energy_of(3)] == pytest.approx(sigma_of(1, 3, 50), rel=1e-5)


def test_energies_are_columns_in_rising_order_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    (table,) = read(tmp_path, molscat_text((10.0, 50.0, 30.0), scratch=False)).tables
    elastic = table.kinetic_cm1[(table.initial == 0) & (table.final == 0)]
    assert elastic.tolist() == [[10.0, 30.0, 50.0]]
    closed = table.kinetic_cm1[(table.initial == 4) & (table.final == 0)]
    np.testing.assert_array_equal(closed, [[np.nan, np.nan, 10.0]])


def test_a_gzip_file_reads_like_its_text_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(molscat_text().encode())
    assert values_of(read(tmp_path, packed).tables[0]) == values_of(read(tmp_path, molscat_text()).tables[0])
    for broken in (packed[:-20], packed[:40] + b"??" + packed[42:]):
        assert "gzip" in refused(lambda broken=broken: read(tmp_path, broken)).what  # type: ignore[misc]


def test_other_texts_do_not_look_like_molscat() -> None:
    assert looks_like_molscat(molscat_text().encode())
    for text in (b"", b"!MOLECULE\nCO\n", b"\x1f\x8b"):
        assert not looks_like_molscat(text)


def test_an_output_that_is_not_whole_is_refused_with_its_last_line(tmp_path: Path) -> None:
    text = molscat_text()
    for end in range(200, text.index("This run used"), 97):
        error = refused(lambda end=end: read(tmp_path, text[:end]))  # type: ignore[misc]
        line = len(text[:end].rstrip().split("\n"))
        assert error.where == f"{tmp_path / 'run.out'}:{line}"
        assert "cut off" in error.what


def test_a_second_run_that_is_cut_off_is_not_dropped_in_silence(tmp_path: Path) -> None:
    error = refused(lambda: read(tmp_path, molscat_text() + molscat_head()))
    assert "cut off" in error.what
    assert "1 run(s) before it are complete" in str(error.expected)


def test_a_missing_row_is_refused_with_the_block_and_the_pair(tmp_path: Path) -> None:
    row = re.search(r".* 30\.00000000 .*  2    1  .*\n", molscat_text())
    assert row is not None
    text = changed(molscat_text(), row[0], "")
    error = refused(lambda: read(tmp_path, text))
    assert "SIG(2,1) is missing" in error.what
    assert "30 cm-1" in error.what


def test_a_missing_block_is_refused_with_the_energy_that_was_asked_for(tmp_path: Path) -> None:
    text = changed(molscat_text(), block(30.0, (0, 1, 2, 3, 4)), "")
    error = refused(lambda: read(tmp_path, text))
    assert "30.0" in str(error.got)
    assert "30 cm-1" in str(error.expected)


def test_a_damaged_digit_is_found_by_the_sums_below_the_table(tmp_path: Path) -> None:
    row = re.search(r" 50\.00000000 .*  3    1 +(\d\.\d+)", molscat_text())
    assert row is not None
    digit = row[1][3]
    worse = f"{row[1][:3]}{(int(digit) + 5) % 10}{row[1][4:]}"
    error = refused(lambda: read(tmp_path, changed(molscat_text(), row[0], row[0].replace(row[1], worse))))
    assert "add up" in error.what


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("(DALTONS)", "(ELECTRON MASSES)", "reduced mass"),
        ("SIG(F,I)", "SIG(F,I) X", "columns"),
        ("IN ANGSTROM**2 BETWEEN", "IN BOHR**2 BETWEEN", "unit"),
        ("ANGSTROM**2 FROM LEVEL", "BOHR**2 FROM LEVEL", "unit"),
        ("PAIR ENERGY (CM-1)", "PAIR ENERGY (K)", "unit"),
        ("        J ---", "      TAU ---", "quantum numbers"),
        ("     4.0000000\n", "     4.5000000\n", "threshold"),
        ("    4 LEVELS WITH", "    5 LEVELS WITH", "thresholds"),
        ("  0      1     10", "  0      0     10", "JTOT"),
        ("EACH PAIR STATE", "SOME PAIR STATE", "pair levels"),
    ],
)
def test_what_cannot_be_trusted_is_refused_with_file_and_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    text = molscat_text((18.0,), (0, 1, 2, 3)) if "LEVELS" in old else molscat_text()
    text = text.replace("   3 LEVELS", "   4 LEVELS") if "LEVELS" in old else text
    rows = text.replace(old, new) if "JTOT" in says else changed(text, old, new)
    error = refused(lambda: read(tmp_path, rows))
    assert says in error.what
    assert re.fullmatch(rf"{re.escape(str(tmp_path / 'run.out'))}:\d+", str(error.where))


def test_a_negative_cross_section_is_refused(tmp_path: Path) -> None:
    error = refused(lambda: read(tmp_path, molscat_text(sigma=lambda f, i, e: -1.0 if f == i else 1.0)))
    assert "negative" in error.what


def test_a_duplicate_energy_must_give_the_same_values(tmp_path: Path) -> None:
    (table,) = read(tmp_path, molscat_text((50.0, 50.0))).tables
    assert table.sigma_angstrom2.shape == (25, 1)
    text = molscat_text((50.0, 50.0)).replace(block(50.0, range(5)), block(50.0, range(5), factor=1.5), 1)
    assert "duplicate" in refused(lambda: read(tmp_path, text)).what


"""At the first energy symmetry block 1 of JTOT 1 has no open channel."""


def test_a_scratch_file_written_without_open_channels_is_refused(tmp_path: Path) -> None:
    error = refused(lambda: read(tmp_path, molscat_text(RISING, progress=progress(SKIPPED))))
    assert "symmetry block 1 of JTOT 1 has no open channel" in error.what
    assert "JTOT =    1, SYMMETRY BLOCK =  1" in str(error.got)
    assert "highest energy first" in str(error.todo)


def test_the_trap_is_found_where_energies_were_asked_for_in_another_unit(tmp_path: Path) -> None:
    text = molscat_text(RISING, progress=progress(SKIPPED)).replace("     CM-1\n", "     KELVIN\n")
    assert "has no open channel" in refused(lambda: read(tmp_path, text)).what


def test_blocks_that_sum_over_other_angular_momenta_are_refused(tmp_path: Path) -> None:
    other = block(30.0, range(5), jtot=(0, 2, 10))
    text = changed(molscat_text(), block(30.0, range(5)), other)
    assert "JSTEP differ" in refused(lambda: read(tmp_path, text)).what


def test_rising_energies_are_accepted_where_every_block_is_open_at_the_first(tmp_path: Path) -> None:
    whole = [(j, b, k) for j in (0, 1) for b in (1, 2) for k in (1, 2)]
    file = read(tmp_path, molscat_text(RISING, progress=progress(whole)))
    assert file.findings == ()


def test_without_a_scratch_file_or_with_the_highest_energy_first_nothing_is_suspected(tmp_path: Path) -> None:
    assert read(tmp_path, molscat_text(RISING, progress=progress(SKIPPED), scratch=False)).findings == ()
    falling = [(j, b, 3 - k) for j, b, k in SKIPPED]
    assert read(tmp_path, molscat_text(RISING[::-1], progress=progress(falling))).findings == ()


def test_an_energy_that_has_converged_before_is_no_longer_the_first(tmp_path: Path) -> None:
    low, high = block(3.0, range(5)), block(10.0, range(5))
    text = molscat_text(RISING, progress=progress([(10, 1, 1), (10, 1, 2), (11, 1, 2)]))
    text = changed(text, high, block(10.0, range(5), jtot=(0, 1, 11)))
    assert read(tmp_path, text).findings == ()
    longer = changed(text, low, block(3.0, range(5), jtot=(0, 1, 11)))
    assert "has no open channel" in refused(lambda: read(tmp_path, longer)).what


def test_rising_energies_without_progress_lines_are_an_error_among_the_findings(tmp_path: Path) -> None:
    (finding,) = read(tmp_path, molscat_text(RISING)).findings
    assert (finding.rule, finding.severity) == ("scratch-order", "error")


def test_sparse_sums_are_left_out_near_a_threshold_and_counted(tmp_path: Path) -> None:
    file = read(tmp_path, molscat_text((50.0, 40.0), jtot=(0, 3, 12)))
    kinetic = {e: [e - energy_of(j) for j in range(5)] for e in (50.0, 40.0)}
    kept = sum(sum(k >= 30 for k in row) ** 2 for row in kinetic.values())
    given = sum(sum(k > 0 for k in row) ** 2 for row in kinetic.values())
    assert np.isfinite(file.tables[0].sigma_angstrom2).sum() == kept
    assert any(f"{given - kept} of {given} cross sections are left out" in text for text in file.warnings)


def test_sums_that_begin_above_zero_are_a_finding(tmp_path: Path) -> None:
    (finding,) = read(tmp_path, molscat_text(jtot=(10, 1, 40))).findings
    assert (finding.rule, finding.severity, finding.value) == ("partial-waves", "warning", 10.0)


APPROXIMATIONS = {
    "": "CC",
    "  *EFFECTIVE POTENTIAL METHOD* WILL BE USED. SEE H. RABITZ\n     ITYPE =  11\n": "EP",
    "  COUPLED STATES APPROXIMATION OF MCGUIRE AND KOURI WILL BE USED.\n           ITYPE = 21\n": "CS",
    "  COUPLED STATES APPROXIMATION OF MCGUIRE AND KOURI WILL BE USED.\n           ITYPE = 21\n"
    "  DIAGONAL CORIOLIS TERM INCLUDED IN CENTRIFUGAL POTENTIAL\n": "CS-DC",
    "  DECOUPLED L-DOMINANT APPROX. OF DEPRISTO AND ALEXANDER WILL BE USED.\n": "DLD",
}


def test_several_runs_in_one_output_give_a_table_for_each_with_its_method(tmp_path: Path) -> None:
    text = "".join(molscat_text(approximation=words) for words in APPROXIMATIONS)
    assert [table.method for table in read(tmp_path, text).tables] == list(APPROXIMATIONS.values())


def test_an_unknown_approximation_is_refused(tmp_path: Path) -> None:
    error = refused(lambda: read(tmp_path, molscat_text(approximation="  ITYPE = 31\n")))
    assert "unknown approximation" in error.what


def test_a_run_without_a_table_is_named_and_an_output_without_any_is_refused(tmp_path: Path) -> None:
    empty = molscat_head() + MOLSCAT_TAIL
    file = read(tmp_path, empty + molscat_text())
    assert len(file.tables) == 1
    assert "line 1 has no cross sections" in file.warnings[0]
    assert "no state-to-state" in refused(lambda: read(tmp_path, empty)).what


def pair_list(names: str, rows: list[str], count: int) -> str:
    return "\n".join(
        [
            f"  EACH PAIR STATE IS LABELLED BY  {count} QUANTUM NUMBERS",
            "",
            "  PAIR STATE     PAIR STATE QUANTUM NUMBERS    PAIR LEVEL     PAIR ENERGY (CM-1)",
            f"    ----   {names} ----",
            *rows,
            "",
            "",
        ]
    )


def one_energy(pairs: str, thresholds: list[float], rows: list[tuple[int, int, float]]) -> str:
    """Return an output at 100 cm-1 with any list of pair levels; all levels are open."""
    lines = [f"  100.0000000   0   1   9  {f:4d} {i:4d}  {value:.5f}" for f, i, value in rows]
    return "\n".join(
        [
            molscat_head(),
            pairs,
            "  ENERGY    1           =   100.0000000     CM-1",
            "  INITIALIZATION DONE.  TIME WAS   0.00 CPU SECS.",
            f"  STATE-TO-STATE INTEGRAL CROSS SECTIONS IN ANGSTROM**2 BETWEEN {len(thresholds)} LEVELS WITH "
            "THRESHOLD ENERGIES (IN CM-1):",
            *(f"  {k} {energy:.9f}" for k, energy in enumerate(thresholds, 1)),
            "",
            "   ENERGY (CM-1)    JTOTL  JSTEP  JTOTU      F    I         SIG(F,I)",
            *lines,
            MOLSCAT_TAIL,
        ]
    )


ALL_OF_TWO = [(1, 1, 9.0), (2, 1, 1.0), (1, 2, 2.0), (2, 2, 8.0)]


def test_a_vibrating_rotor_has_v_and_j(tmp_path: Path) -> None:
    pairs = pair_list("J  V", [" 1  0  0  1  0.0", " 2  2  1  2  60.0"], 2)
    (table,) = read(tmp_path, one_energy(pairs, [0.0, 60.0], ALL_OF_TWO)).tables
    assert table.levels.label == ("0_0", "1_2")
    v, j = table.levels.need_vj()
    assert (v.tolist(), j.tolist(), table.levels.weight.tolist()) == ([0, 1], [0, 2], [1, 5])


def test_two_molecules_have_both_j_but_not_their_coupling_in_the_label(tmp_path: Path) -> None:
    rows = [" 1 0 1 1 1  5.0", " 2 2 1 1 2 60.0", " 3 2 1 2 2 60.0", " 4 2 1 3 2 60.0"]
    pairs = pair_list("J1 J2 J12", rows, 3)
    (table,) = read(tmp_path, one_energy(pairs, [5.0, 60.0], ALL_OF_TWO)).tables
    assert table.levels.label == ("0_1", "2_1")
    assert table.levels.weight.tolist() == [3, 15]
    assert not table.levels.has_vj


def test_a_top_has_its_named_quantum_numbers_in_the_label(tmp_path: Path) -> None:
    pairs = pair_list("J TAU PRTY", [" 1 3 -3 0 1 7 1  5.0", " 2 4 -4 0 8 9 2 60.0"], 5)
    (table,) = read(tmp_path, one_energy(pairs, [5.0, 60.0], ALL_OF_TWO)).tables
    assert table.levels.label == ("3_-3_0", "4_-4_0")
    assert table.levels.weight.tolist() == [7, 9]


def test_swapped_directions_are_a_finding(tmp_path: Path) -> None:
    findings = read(tmp_path, molscat_text(sigma=lambda f, i, e: sigma_of(i, f, e))).findings
    assert [(finding.rule, finding.severity) for finding in findings] == [("reversibility", "warning")]


def test_two_levels_with_one_set_of_quantum_numbers_are_refused(tmp_path: Path) -> None:
    pairs = pair_list("J", [" 1 0 1  0.0", " 2 0 2 60.0"], 1)
    error = refused(lambda: read(tmp_path, one_energy(pairs, [0.0, 60.0], ALL_OF_TWO)))
    assert "two levels have the same" in error.what


def test_what_jzcsmx_leaves_out_may_be_missing_or_negative_and_is_said(tmp_path: Path) -> None:
    pairs = pair_list("J", [" 1 0 1  0.0", " 2 4 -2 60.0"], 1)
    missing = read(tmp_path, one_energy(pairs, [0.0, 60.0], ALL_OF_TWO[:3]))
    assert len(missing.tables[0]) == 3
    assert "JZCSMX" in missing.warnings[0]
    negative = read(tmp_path, one_energy(pairs, [0.0, 60.0], [*ALL_OF_TWO[:3], (2, 2, -8.0)]))
    assert len(negative.tables[0]) == 3
    assert "1 incomplete" in negative.warnings[1]
    error = refused(lambda: read(tmp_path, one_energy(pairs, [0.0, 60.0], ALL_OF_TWO[1:])))
    assert "SIG(1,1) is missing" in error.what


def test_an_exponent_without_its_letter_is_read(tmp_path: Path) -> None:
    pairs = pair_list("J", [" 1 0 1  0.0", " 2 4 2 60.0"], 1)
    text = one_energy(pairs, [0.0, 60.0], ALL_OF_TWO).replace(" 2.00000", " 2.00000-101")
    assert values_of(read(tmp_path, text).tables[0])["4", "0", 40.0] == 2e-101


def test_a_sudden_output_is_read_by_j_and_kinetic_energy_without_starred_sums(tmp_path: Path) -> None:
    file = read(tmp_path, ios_text(), rotor(5))
    (table,) = file.tables
    assert values_of(table) == {
        (str(i), str(f), e): 100 * i + f + e
        for e in (20.0, 40.0)
        for i in range(3)
        for f in range(3)
        if (i, f) != (2, 2)
    }
    assert (table.method, table.sigma_angstrom2.shape) == ("IOS", (8, 2))
    assert file.warnings == ("IOS: 2 starred (incomplete) cross sections are left out",)
    assert [finding.rule for finding in file.findings] == ["reversibility"]  # not kept by these numbers


def test_a_sudden_output_needs_the_energies_of_levels_and_counts_those_unknown(tmp_path: Path) -> None:
    error = refused(lambda: read(tmp_path, ios_text()))
    assert "energies of its levels" in error.what
    file = read(tmp_path, ios_text(), rotor(2))
    assert len(file.tables[0]) == 4
    assert "8 of 16 cross sections are left out" in file.warnings[1]
    (_, sudden) = read(tmp_path, molscat_text() + ios_text()).tables
    assert sudden.levels.label == ("0", "1", "2", "3", "4")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("      1  1.2100E+02", "", "not complete"),
        ("FOR INITIAL LEVEL J =   1", "FOR INITIAL LEVEL J =   2", "not complete"),
        ("2.4100E+02", "2.41x0E+02", "cannot be read"),
        ("ITYPE = 101", "ITYPE = 103", "kind"),
        ("=    20.000000000 ", "=    25.000000000 ", "requested"),
    ],
)
def test_a_damaged_sudden_output_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = ios_text().replace("  =   20.", "  =    20.")
    assert says in refused(lambda: read(tmp_path, changed(text, old, new), rotor(5))).what


# Real outputs


def sio_levels() -> Levels:
    with (real_folder(SIO) / "levels.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    return Levels(
        "SiO",
        tuple(row["j"] for row in rows),
        np.array([float(row["energy_cm1"]) for row in rows]),
        np.array([float(row["weight"]) for row in rows]),
        vj(np.zeros(len(rows)), np.array([int(row["j"]) for row in rows])),
    )


def sio(method: str) -> CrossSections:
    """Return the joined production runs of one method."""
    files = sorted((real_folder(SIO) / "output").glob(f"{method}*"))
    levels = sio_levels() if method == "IOS" else None
    parts = [read_molscat(path, molecule="SiO", collider="He", levels=levels) for path in files]
    (table,) = join(parts).tables
    return table


@pytest.mark.parametrize(("method", "count"), [("CC", 16080), ("CS", 40241), ("IOS", 9826)])
def test_every_published_value_is_read_and_no_other(method: str, count: int) -> None:
    table = sio(method)
    label, energy = table.levels.label, table.levels.energy_cm1
    found = {}
    for (initial, final, kinetic), value in values_of(table).items():
        at = kinetic if method == "IOS" else kinetic + energy[label.index(initial)]
        found[round(at, 4), initial, final] = value
    with (real_folder(SIO) / f"sigma_{method}.csv").open() as handle:
        rows = [list(row.values()) for row in csv.DictReader(handle)]
    published = {(round(float(e), 4), i, f): float(value) for e, i, f, value in rows}
    assert len(published) == count
    assert published.keys() <= found.keys()
    # the published sudden set ends at j = 16, its output at j = 20
    assert all(int(max(key[1:], key=int)) > 16 for key in found.keys() - published.keys())
    assert method == "IOS" or found.keys() == published.keys()
    for key, value in published.items():
        assert found[key] == pytest.approx(value, rel=2e-6)


def test_the_trap_is_refused_by_its_progress_lines_and_its_right_twin_accepted() -> None:
    folder = real_folder(SIO) / "output"
    error = refused(lambda: read_molscat(folder / "trap_order_wrong.out", molecule="SiO", collider="He"))
    assert "no open channel at energy 1" in error.what
    file = read_molscat(folder / "trap_order_right.out", molecule="SiO", collider="He")
    assert file.findings == ()


def test_all_other_real_outputs_are_read() -> None:
    levels = sio_levels()
    paths = [p for p in sorted((real_folder(SIO) / "output").iterdir()) if "wrong" not in p.name]
    assert len(paths) == 38
    for path in paths:
        assert looks_like_molscat(as_input(path).content)
        file = read_molscat(path, molecule="SiO", collider="He", levels=levels)
        assert [table.method for table in file.tables] == [
            path.name.removeprefix("chk_").split("_")[0].split(".")[0].replace("trap", "CC")
        ]
        assert file.findings == ()


def test_a_check_run_contradicts_the_production_run_and_both_are_named() -> None:
    folder = real_folder(SIO) / "output"
    names = ("CC_E02.out.gz", "chk_CC_E02_tight.out.gz")
    files = [read_molscat(folder / name, molecule="SiO", collider="He") for name in names]
    error = refused(lambda: join(files))
    assert all(name in str(error.where) for name in names)


def test_the_examples_of_molscat_give_their_methods_and_labels() -> None:
    folder = real_folder("xs-molscat-examples")
    files = {
        path.stem.removeprefix("molscat-"): read_molscat(path, molecule="X", collider="He")
        for path in sorted(folder.iterdir())
    }
    methods = {name: [table.method for table in file.tables] for name, file in files.items()}
    assert methods == {
        "all_iadds": ["CC", "EP", "CS", "CS-DC", "DLD", "IOS"],
        "basic2": ["CC"],
        "ityp3": ["CC", "CC", "CS", "CS", "CC"],
        "ityp5": ["CC", "CS"],
        "ityp6": ["CC"],
    }
    assert files["all_iadds"].tables[0].levels.label == ("0_0", "0_2", "0_4", "0_6", "1_0", "1_2")
    assert files["ityp3"].tables[0].levels.label == ("0_1", "0_3", "2_1")
    assert files["ityp5"].tables[0].levels.label[:3] == ("1_1_2", "1_1_1", "2_1_2")
    assert files["ityp6"].tables[0].levels.label[:3] == ("0_0_0", "3_3_0", "4_-4_0")
    assert values_of(files["all_iadds"].tables[0])["0_2", "0_0", 1070.0] == 3.257688e-2


def test_real_close_coupling_obeys_reversibility() -> None:
    for name in ("ityp3", "ityp5", "ityp6"):
        path = real_folder("xs-molscat-examples") / f"molscat-{name}.output"
        table = read_molscat(path, molecule="X", collider="He").tables[0]
        n = len(table.levels)
        flux = np.full((n, n), np.nan)
        column = table.sigma_angstrom2.shape[1] - 1
        flux[table.initial, table.final] = (
            table.levels.weight[table.initial]
            * table.kinetic_cm1[:, column]
            * table.sigma_angstrom2[:, column]
        )
        known = np.isfinite(flux)
        np.testing.assert_allclose(flux[known], flux.T[known], rtol=2e-4)


def test_a_text_about_molscat_is_no_output_of_it() -> None:
    assert looks_like_molscat(b"  ---- MOLSCAT ------ MOLSCAT ---\n| Non-reactive quantum scattering |\n")
    assert not looks_like_molscat(b"# ratedb\n\nQuantum scattering; outputs of MOLSCAT are averaged.\n")
