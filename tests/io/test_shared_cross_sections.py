"""Every file of cross sections in the folder with real data: what must come out of it, or why it is refused.

The numbers themselves are compared in test_molscat, test_hibridon and test_mqct; here no file goes by unread.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cross_section_text import values_of

from ratedb.errors import RatedbError
from ratedb.io.cross_sections import join
from ratedb.io.level_lists import read_levels_of
from ratedb.io.registry import ReadOptions, read_cross_sections, read_rates
from ratedb.levels import Levels

SIO = "xs-sio-like-he-molscat-2026/"
XO = "xs-xo-like-he-rovib-molscat-2026/"
MQCT = "xs-ph2o-ph2-mqct/"
HIBRIDON = "xs-hibridon-tests/"
MOLSCAT = "xs-molscat-examples/molscat-"

# The methods of the tables that come out, each with its number of pairs of levels.
GOOD: dict[str, list[tuple[str, int]]] = {
    # JZCSMX leaves one pair out of the decoupled runs, which the reader says.
    MOLSCAT + "all_iadds.output": [
        ("CC", 16),
        ("EP", 16),
        ("CS", 15),
        ("CS-DC", 15),
        ("DLD", 15),
        ("IOS", 36),
    ],
    HIBRIDON + "arn2/Cctest1.ics": [("CC", 36)],
    HIBRIDON + "arno/Arno_tes1.ics": [("CC", 676)],
    HIBRIDON + "aroh/Aroh_new1.ics": [("CC", 256)],
    HIBRIDON + "aroh/Aroh_new1.xxsc": [("CC", 256)],
    HIBRIDON + "ch3he_vib/Job1.ics": [("CC", 196)],
    HIBRIDON + "ch3he_vib/Job1.xxsc": [("CC", 196)],
    HIBRIDON + "hecn/Hecn1.ics": [("CC", 81)],
    HIBRIDON + "nh3h2/I188_1.ics": [("CC", 30625)],
    XO + "output/A.out.gz": [("CS", 99)],
    XO + "output/B.out.gz": [("CS", 256)],
    XO + "output/C1.out.gz": [("CS", 676)],
    XO + "output/D1.out.gz": [("CS", 1748)],
    MQCT + "CollisionEnergy_20/formatted_cross_sections_pp_J0_U20.out": [("MQCT", 1255)],
    MQCT + "CollisionEnergy_41/formatted_cross_sections_pp_J0_U41.out": [("MQCT", 2755)],
    MQCT + "CollisionEnergy_84/formatted_cross_sections_pp_J0_U84.out": [("MQCT", 5547)],
    MQCT + "CollisionEnergy_170/formatted_cross_sections_pp_J0_U170.out": [("MQCT", 11217)],
    MQCT + "CollisionEnergy_346/formatted_cross_sections_pp_J0_U346.out": [("MQCT", 22245)],
}
# Tables of several methods whose sizes differ by run; test_molscat looks at them closely.
METHODS: dict[str, list[str]] = {
    MOLSCAT + "basic2.output": ["CC"],
    MOLSCAT + "ityp3.output": ["CC", "CC", "CS", "CS", "CC"],
    MOLSCAT + "ityp5.output": ["CC", "CS"],
    MOLSCAT + "ityp6.output": ["CC"],
}
# Levels of the .ics of the same run.
WITH_LEVELS_OF: dict[str, tuple[str, list[tuple[str, int]]]] = {
    HIBRIDON + "arn2/Cctest1.xsc": (HIBRIDON + "arn2/Cctest1.ics", [("CC", 24)]),
    HIBRIDON + "arno/Arno_tes1.xsc": (HIBRIDON + "arno/Arno_tes1.ics", [("CC", 676)]),
    HIBRIDON + "hecn/Hecn1.xsc": (HIBRIDON + "hecn/Hecn1.ics", [("CC", 81)]),
    HIBRIDON + "nh3h2/I188_1.xsc": (HIBRIDON + "nh3h2/I188_1.ics", [("CC", 30625)]),
}
# Tables of cross sections, which need the list of levels next to them.
COLUMNS: dict[str, tuple[str, int]] = {
    SIO + "sigma_CC.csv": (SIO + "levels.csv", 484),
    SIO + "sigma_CS.csv": (SIO + "levels.csv", 841),
    SIO + "sigma_IOS.csv": (SIO + "levels.csv", 289),
    XO + "sigma.csv.gz": (XO + "levels.csv", 1777),
}
REFUSED: dict[str, str] = {
    HIBRIDON + "hecn/Hecn1.hfx": "hyperfine",
    SIO + "output/trap_order_wrong.out": "scratch file are wrong",
    SIO + "README.md": "not a file of cross sections",
    **{
        f"{XO}{name}": "not a file of cross sections"
        for name in ("README.md", "levels.csv", "rates_errors.csv")
    },
    XO + "rates.csv": "no column of cross sections",
    # These need the levels that they refer to.
    XO + "sigma.csv.gz": "no levels of its own",
    **{f"{SIO}sigma_{name}.csv": "no levels of its own" for name in ("CC", "CS", "IOS")},
    MQCT + "ParaH2O_ParaH2_EnergyLevel.out": "not a file of cross sections",
    **{
        f"{SIO}{name}": "not a file of cross sections"
        for name in (
            "levels.csv",
            "rates_CC.csv",
            "rates_CS.csv",
            "rates_CC_errors.csv",
            "rates_CS_errors.csv",
        )
    },
}


def data_folder() -> Path:
    folder = Path(os.environ.get("RATEDB_TEST_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no folder with real data; name it in RATEDB_TEST_DATA")
    return folder


def read(name: str, levels: Levels | None = None) -> list[tuple[str, int]]:
    options = ReadOptions("XY", "He", known_levels=lambda molecule: levels, reduced_mass_u=1.8)
    tables = read_cross_sections(data_folder() / name, options).tables
    return [(table.method, len(table)) for table in tables]


def outputs() -> list[str]:
    """Return the outputs of the model system that must be read: all but the trap."""
    folder = data_folder()
    names = [str(path.relative_to(folder)) for path in sorted((folder / SIO / "output").iterdir())]
    return [name for name in names if name not in REFUSED]


def test_every_file_of_cross_sections_has_an_outcome() -> None:
    folder = data_folder()
    found = {str(path.relative_to(folder)) for path in folder.glob("xs-*/**/*") if path.is_file()}
    for name in (SIO, XO):
        found -= {str(path.relative_to(folder)) for path in (folder / name / "input").iterdir()}
    assert found == {*GOOD, *METHODS, *WITH_LEVELS_OF, *COLUMNS, *REFUSED, *outputs()}


@pytest.mark.parametrize("name", GOOD)
def test_a_file_gives_all_its_pairs_of_levels(name: str) -> None:
    assert read(name) == GOOD[name]


@pytest.mark.parametrize("name", METHODS)
def test_a_file_of_several_runs_gives_a_table_for_each(name: str) -> None:
    assert [method for method, _ in read(name)] == METHODS[name]


@pytest.mark.parametrize("name", WITH_LEVELS_OF)
def test_a_file_without_energies_is_read_with_the_levels_of_another_and_refused_without(name: str) -> None:
    other, expected = WITH_LEVELS_OF[name]
    options = ReadOptions("XY", "He")
    [table] = read_cross_sections(data_folder() / other, options).tables
    assert read(name, table.levels) == expected
    with pytest.raises(RatedbError, match="levels"):
        read(name)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_table_of_cross_sections_is_read_with_the_list_of_levels_and_refused_without(name: str) -> None:
    levels, count = COLUMNS[name]
    options = ReadOptions("XY", "He", levels=(data_folder() / levels,), reduced_mass_u=3.7)
    [table] = read_cross_sections(data_folder() / name, options).tables
    assert len(table) == count
    with pytest.raises(RatedbError, match="no levels of its own"):
        read(name)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_or_no_cross_section_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(RatedbError, match=REFUSED[name]):
        read(name)


def test_all_outputs_of_the_model_system_are_read_and_join_by_method() -> None:
    folder = data_folder()
    options = ReadOptions("SiO", "He", levels=(folder / SIO / "levels.csv",))
    production = [name for name in outputs() if Path(name).name.startswith(("CC_", "CS_", "IOS"))]
    assert len(production) == 28
    for name in set(outputs()) - set(production):  # the checks and the right twin of the trap
        assert len(read_cross_sections(folder / name, options).tables) == 1
    joined = join([read_cross_sections(folder / name, options) for name in production])
    columns = {table.method: table.sigma_angstrom2.shape[1] for table in joined.tables}
    assert columns == {"CC": 130, "CS": 195, "IOS": 34}


@pytest.mark.parametrize("name", [*GOOD, *METHODS, SIO + "output/CC_E07b.out"])
def test_read_as_rates_a_file_of_cross_sections_says_what_it_is(name: str) -> None:
    with pytest.raises(RatedbError, match="cross sections") as caught:
        read_rates(data_folder() / name)
    assert "--cross-sections" in str(caught.value)


def test_the_levels_of_the_model_system_are_a_list_of_levels() -> None:
    levels = read_levels_of([data_folder() / SIO / "levels.csv"], "SiO").levels
    assert (len(levels), levels.label[-1]) == (32, "31")
    assert levels.energy_cm1[3] == 8.6904


def test_starred_sums_of_coupled_states_agree_with_the_tabulated_cross_sections() -> None:
    folder = data_folder()
    [read_from_output] = read_cross_sections(
        folder / XO / "output" / "D1.out.gz", ReadOptions("XO", "He")
    ).tables
    options = ReadOptions("XO", "He", levels=(folder / XO / "levels.csv",), reduced_mass_u=3.7)
    [tabulated] = read_cross_sections(folder / XO / "sigma.csv.gz", options).tables
    # The table rounds the energies of the levels.
    printed = {(*key[:2], round(key[2], 1)): value for key, value in values_of(read_from_output).items()}
    rounded = {(*key[:2], round(key[2], 1)): value for key, value in values_of(tabulated).items()}
    listed = {key: value for key, value in rounded.items() if key in printed}
    assert len(listed) > 1000
    for key, value in listed.items():
        assert printed[key] == pytest.approx(value, rel=1e-5)
