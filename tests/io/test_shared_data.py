"""Every file of the folder with real data: what must come out of it, or why it is refused.

A file that is not in these tables fails, so that no new file goes by unread. Numbers were typed from the
files, and counts from the README beside them; where the two differ, a comment says who is right.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from rate_texts import need_clear, written

from ratedb.errors import RatedbError
from ratedb.io.contents import PartnerRates
from ratedb.io.registry import ReadOptions, read_rates

Value = tuple[str, str, float, float]
"""Labels of the initial and the final level, temperature (K), rate (cm3 s-1) as printed."""


@dataclass(frozen=True)
class Partner:
    """What must come out for a collider: transitions, temperatures (count, first, last), printed values.

    `levels` counts those that have rates, None where the README does not say.
    """

    transitions: int
    kelvin: tuple[int, float, float]
    values: tuple[Value, ...]
    levels: int | None = None


@dataclass(frozen=True)
class Good:
    """A file that is read: its options, and what comes out."""

    molecule: str
    levels: int
    lines: int
    partners: dict[str, Partner]
    collider: str | None = None
    lists: tuple[str, ...] = ()
    others: str | None = None
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A file that is refused: its options, and a phrase of the reason."""

    phrase: str
    options: ReadOptions = field(default_factory=ReadOptions)


CO = ("co-h2-rot-flower2001/CO_rotation.molecule",)
SIO = ("sio-rot-dayou2006/SiO_rotation.molecule",)
H2 = ("h2-h-rovib-lique2015/energy_X.dat",)
WATER = "h2o-h2-twobody-daniel2011/"
ORTHO_H2 = WATER + "H2-ortho_IDT16_vt1_IDC149_vc1.lev"
PARA_H2 = WATER + "H2-para_IDT4_vt1_IDC148_vc1.lev"
ORTHO_WATER = WATER + "H2O-ortho_IDT1_vt1_IDC94_vc1.lev"
PARA_WATER = WATER + "H2O-para_IDT14_vt1_IDC149_vc1.lev"
ROTOR = "rotor"  # a list that the test writes, since the folder has none

LAMDA: dict[str, Good] = {
    "cn-h2-rot-lique2010/cn.dat": Good(
        "CN",
        41,
        59,
        {
            "H2": Partner(
                820, (12, 5, 300), (("1_0.5", "0_0.5", 5, 1.21e-11), ("1_0.5", "0_0.5", 10, 9.10e-12)), 41
            ),
            "e": Partner(
                61, (12, 10, 1000), (("1_0.5", "0_0.5", 10, 1.7e-07), ("1_0.5", "0_0.5", 500, 5.4e-07))
            ),
        },
    ),
    "co-h2-rot-neufeld-extrapolated/co@neufeld.dat": Good(
        "CO",
        81,
        80,
        {
            "p-H2": Partner(3240, (25, 2, 3000), (("1", "0", 2, 3.0e-11), ("1", "0", 5, 3.3e-11)), 81),
            "o-H2": Partner(3240, (25, 2, 3000), (("1", "0", 2, 4.2e-11), ("1", "0", 10, 3.8e-11)), 81),
        },
    ),
    "co-h2-rot-yang2010/co.dat": Good(
        "CO",
        41,
        40,
        {
            "p-H2": Partner(820, (25, 2, 3000), (("1", "0", 2, 2.954e-11), ("1", "0", 70, 3.415e-11)), 41),
            "o-H2": Partner(820, (25, 2, 3000), (("1", "0", 2, 4.231e-11), ("1", "0", 70, 3.385e-11)), 41),
        },
    ),
    "h2co-h2-rot-wiesenfeld2013/oh2co-h2.dat": Good(
        "o-H2CO",
        40,
        104,
        {
            "p-H2": Partner(
                780, (21, 10, 300), (("1_1_0", "1_1_1", 10, 8.2e-11), ("1_1_0", "1_1_1", 60, 4.8e-11)), 40
            ),
            "o-H2": Partner(
                780, (21, 10, 300), (("1_1_0", "1_1_1", 10, 2.2e-10), ("1_1_0", "1_1_1", 15, 2.1e-10)), 40
            ),
        },
    ),
    "hcl-h2-rot-lanza2014/hcl.dat": Good(
        "HCl",
        40,
        83,
        {
            "p-H2": Partner(
                190, (8, 10, 300), (("5 3.5", "5 6.5", 10, 6.64e-13), ("5 3.5", "5 6.5", 300, 1.06e-13)), 20
            ),
            "o-H2": Partner(
                190, (8, 10, 300), (("5 3.5", "5 6.5", 10, 1.86e-12), ("5 3.5", "5 6.5", 300, 9.99e-13)), 20
            ),
        },
    ),
    "hcn-h2-rot-dumouchel2010/hcn.dat": Good(
        "HCN",
        26,
        25,
        {
            "H2": Partner(325, (25, 5, 500), (("01", "00", 5, 2.31e-11), ("01", "00", 10, 2.39e-11)), 26),
            "e": Partner(36, (10, 5, 800), (("01", "00", 5, 4.031e-06), ("08", "07", 5, 1.193e-06))),
        },
    ),
    "hcop-h2-rot-flower1999/hco+@xpol.dat": Good(
        "HCO+",
        31,
        30,
        {"H2": Partner(465, (15, 10, 2000), (("1", "0", 10, 2.6e-10), ("1", "0", 30, 2.1e-10)), 31)},
    ),
    "hf-rot-lamda/hf.dat": Good(
        "HF",
        16,
        19,
        {
            "p-H2": Partner(15, (6, 10, 150), (("0,1", "0,0", 10, 1.09e-10), ("0,1", "0,0", 150, 1.20e-10))),
            "o-H2": Partner(15, (6, 10, 150), (("0,1", "0,0", 10, 8.68e-11), ("0,1", "0,0", 150, 1.90e-10))),
            "e": Partner(8, (12, 10, 1000), ()),
            "He": Partner(36, (7, 10, 300), (("0,8", "0,7", 10, 3.42e-12), ("0,8", "0,7", 30, 3.76e-12)), 9),
        },
    ),
    "nacl-h2-rovib-ios/nacl.dat": Good(
        "NaCl",
        244,
        960,
        {
            "H2": Partner(
                29280, (5, 10, 2000), (("3_60", "3_59", 10, 7.2e-11), ("3_60", "3_59", 2000, 1.2e-10)), 244
            )
        },
        says=("29280 transitions are listed in both directions", "10980 of 292800 rates are below 1e-40"),
    ),
    "sio-h2-rot-lamda/sio.dat": Good(
        "SiO",
        41,
        40,
        {"H2": Partner(820, (33, 10, 2000), (("1", "0", 10, 8.1e-11), ("1", "0", 110, 5.3e-11)), 41)},
    ),
    "so-h2-rot-lique2006/so@lique.dat": Good(
        "SO",
        91,
        301,
        {
            "H2": Partner(
                4095, (8, 60, 300), (("0_1", "1_0", 60, 3.07e-12), ("0_1", "1_0", 300, 1.37e-12)), 91
            )
        },
        says=("15 rows at all temperatures",),
    ),
}

KIJ: dict[str, Good] = {
    "co-h-rot-balakrishnan2002/CO_48.kij": Good(
        "CO",
        36,
        29,
        {
            "H": Partner(
                28,
                (11, 5, 100),
                (("1", "0", 5, 1.78e-10), ("7", "6", 5, 2.08e-10), ("7", "6", 100, 3.12e-10)),
                8,
            )
        },
        "H",
        CO,
    ),
    "co-h-rot-balakrishnan2002/CO_60.kij": Good(
        "CO",
        36,
        29,
        {
            "H": Partner(
                136,
                (10, 100, 3000),
                (("1", "0", 100, 2.37e-10), ("16", "15", 100, 1.56e-10), ("16", "15", 3000, 2.58e-10)),
                17,
            )
        },
        "H",
        CO,
    ),
    "co-h2-rot-flower2001/CO_33.kij": Good(
        "CO",
        36,
        29,
        {
            "o-H2": Partner(
                210,
                (41, 5, 400),
                (("1", "0", 5, 3.80e-11), ("20", "19", 5, 1.48e-12), ("20", "19", 400, 2.14e-10)),
                21,
            )
        },
        "o-H2",
        CO,
    ),
    "co-h2-rot-flower2001/CO_34.kij": Good(
        "CO",
        36,
        29,
        {
            "p-H2": Partner(
                435,
                (41, 5, 400),
                (("1", "0", 5, 2.55e-11), ("29", "28", 5, 2.85e-13), ("29", "28", 400, 1.14e-10)),
                30,
            )
        },
        "p-H2",
        CO,
    ),
    "co-he-rot-cecchi2002/CO_50.kij": Good(
        "CO",
        36,
        29,
        {
            "He": Partner(
                105,
                (10, 5, 500),
                (("1", "0", 5, 3.4e-11), ("14", "13", 5, 9.2e-11), ("14", "13", 500, 1.7e-10)),
                15,
            )
        },
        "He",
        CO,
    ),
    "sio-rot-dayou2006/SiO_100.kij": Good(
        "SiO",
        33,
        26,
        {
            "p-H2": Partner(
                190,
                (30, 10, 300),
                (("1", "0", 10, 5.936e-11), ("19", "18", 10, 9.339e-11), ("19", "18", 300, 1.169e-10)),
                20,
            )
        },
        "p-H2",
        SIO,
    ),
    "sio-rot-dayou2006/SiO_95.kij": Good(
        "SiO",
        33,
        26,
        {
            "He": Partner(
                351,
                (30, 10, 300),
                (("1", "0", 10, 5.855e-11), ("26", "25", 10, 8.289e-11), ("26", "25", 300, 9.105e-11)),
                27,
            )
        },
        "He",
        SIO,
    ),
    "sio-rot-turner1992/SiO_23.kij": Good(
        "SiO",
        33,
        26,
        {
            "p-H2": Partner(
                210,
                (8, 20, 300),
                (("1", "0", 20, 3.65e-11), ("20", "19", 20, 9.01e-12), ("20", "19", 300, 1.99e-11)),
                21,
            )
        },
        "p-H2",
        SIO,
    ),
    "sio-h2-rovib-bieniek-green/SiO_H2_vib.kij": Good(
        "SiO",
        100,
        361,
        {
            "H2": Partner(
                4950,
                (17, 10, 3000),
                (
                    ("0_1", "0_0", 10, 1.979077e-12),
                    ("4_19", "4_18", 10, 1.355158e-11),
                    ("4_19", "4_18", 3000, 7.501122e-11),
                ),
                100,
            )
        },
        "H2",
        ("sio-h2-rovib-bieniek-green/SiO_vib.lev", "sio-h2-rovib-bieniek-green/SiO_vib.aij"),
    ),
    "sis-he-rot-vincent2007/SiS_119.kij.svn-base": Good(
        "SiS",
        26,
        0,
        {
            "He": Partner(
                325,
                (20, 10, 200),
                (("1", "0", 10, 2.66992e-11), ("25", "24", 10, 4.71695e-11), ("25", "24", 200, 4.66374e-11)),
                26,
            )
        },
        "He",
        (ROTOR,),
    ),
    # The temperatures are as printed, though the README shows that they are one column off.
    "hcop-h2-rot-flower1999/HCO+_11.kij.svn-base": Good(
        "HCO+",
        31,
        30,
        {
            "p-H2": Partner(
                210,
                (40, 5, 390),
                (("1", "0", 5, 2.85e-10), ("20", "19", 5, 4.83e-10), ("20", "19", 390, 5.17e-10)),
                21,
            )
        },
        "p-H2",
        ("hcop-h2-rot-flower1999/hco+@xpol.dat",),
    ),
    # The tenth level of hf.dat is v = 1, j = 0; that of this table is j = 9.
    "hf-he-rot-reese2005/HF_63.kij.svn-base": Good(
        "HF",
        26,
        0,
        {
            "He": Partner(
                45,
                (9, 0.1, 300),
                (("1", "0", 0.1, 1.15e-13), ("9", "8", 0.1, 1.15e-11), ("9", "8", 300, 2.19e-11)),
                10,
            )
        },
        "He",
        (ROTOR,),
    ),
    WATER + "H2O-ortho_H2-ortho_statetostate_ID147_v1.kij": Good(
        "o-H2O(o-H2)",
        90,
        0,
        {
            "o-H2": Partner(
                1200,
                (27, 5, 1500),
                (("1_1_0_0_1", "1_0_1_0_1", 5, 2.3376e-10), ("7_7_0_0_1", "9_4_5_0_1", 1500, 5.5411e-12)),
            )
        },
        "o-H2",
        (ORTHO_WATER,),
        ORTHO_H2,
        ("190 upward row(s) are converted",),
    ),
    WATER + "H2O-para_H2-ortho_statetostate_ID149_v1.kij": Good(
        "p-H2O(o-H2)",
        90,
        0,
        {
            "o-H2": Partner(
                1270,
                (27, 5, 1500),
                (("1_1_1_0_1", "0_0_0_0_1", 5, 1.1181e-10), ("7_7_1_0_1", "9_4_6_0_1", 5, 1.6907e-12)),
            )
        },
        "o-H2",
        (PARA_WATER,),
        ORTHO_H2,
        ("189 upward row(s) are converted",),
    ),
    WATER + "H2O-para_H2-para_statetostate_ID148_v1.kij": Good(
        "p-H2O(p-H2)",
        90,
        0,
        {
            "p-H2": Partner(
                2360,
                (27, 5, 1500),
                (("1_1_1_0_0", "0_0_0_0_0", 5, 4.1549e-11), ("1_1_1_0_2", "0_0_0_0_0", 5, 1.2368e-13)),
            )
        },
        "p-H2",
        (PARA_WATER,),
        PARA_H2,
        ("427 upward row(s) are converted",),
    ),
}

OTHER: dict[str, Good] = {
    # The list has 302 levels, the README says 300: the list is right, v = 0 to 14 with two more than counted.
    "h2-h-rovib-lique2015/coll_rates_H_15.dat": Good(
        "H2",
        302,
        0,
        {
            "H": Partner(
                1431,
                (50, 100, 5000),
                (
                    ("0_2", "0_0", 100, 0.6561e-13),
                    ("3_8", "3_7", 100, 0.2841e-13),
                    ("3_8", "3_7", 5000, 0.3584e-10),
                ),
                54,
            )
        },
        "H",
        H2,
    ),
    "h2-h-rovib-wrathmall2007/coll_rates_H_07.dat": Good(
        "H2",
        302,
        0,
        {
            "H": Partner(
                1485,
                (60, 100, 6000),
                (
                    ("0_2", "0_0", 100, 2.801e-14),
                    ("0_23", "3_15", 100, 2.854e-18),
                    ("0_23", "3_15", 6000, 5.013e-14),
                ),
                78,
            )
        },
        "H",
        H2,
    ),
    "h2-ph2-rovib-lebourlot1999/coll_rates_H2para_LeBourlot.dat": Good(
        "H2",
        302,
        0,
        {
            "p-H2": Partner(
                627,
                (9, 100, 6000),
                (
                    ("0_2", "0_0", 100, 5.909e-13),
                    ("1_0", "0_4", 6000, 2.437e-13),
                    ("3_8", "3_6", 6000, 6.660e-11),
                ),
            )
        },
        "p-H2",
        H2,
    ),
    "hd-h-rot-flower1999/Rates_H_HD.dat": Good(
        "HD",
        10,
        0,
        {
            "H": Partner(
                45,
                (96, 100, 2000),
                (("1", "0", 100, 1.5e-11), ("2", "1", 100, 2.0e-11), ("1", "0", 120, 1.7e-11)),
                10,
            )
        },
        "H",
        says=("elastic rates are left out", "45 transitions are listed in both directions"),
    ),
    "hd-he-rot-roueff1999/roueff_hd_he.dat": Good(
        "HD",
        10,
        0,
        {
            "He": Partner(
                45,
                (97, 80, 2000),
                (("1", "0", 80, 1.306e-11), ("9", "8", 80, 5.649e-13), ("9", "8", 100, 8.024e-13)),
                10,
            )
        },
        "He",
        says=("elastic rates are left out", "45 transitions are listed in both directions"),
    ),
}

A_LIST = Refused("this is a list of levels, without rates")

REFUSED: dict[str, Refused] = {
    "co-h2-rot-flower2001/CO_rotation.molecule": A_LIST,
    "h2-h-rovib-lique2015/energy_X.dat": A_LIST,
    ORTHO_H2: A_LIST,
    PARA_H2: A_LIST,
    ORTHO_WATER: A_LIST,
    PARA_WATER: A_LIST,
    "sio-h2-rovib-bieniek-green/SiO_vib.aij": A_LIST,
    "sio-h2-rovib-bieniek-green/SiO_vib.lev": A_LIST,
    "sio-rot-dayou2006/SiO_rotation.molecule": A_LIST,
    # The README does not know that some rates from 5400 K on are negative, as -3.212E-16 in line 3003.
    "h2-h-rovib-wrathmall2007/para_h_h2_rates.txt": Refused(
        "a rate coefficient is negative", ReadOptions("H2", "H")
    ),
    "README.md": Refused("not a file of rate coefficients"),
}

# The files of each set of tops and pairs of molecules, which the folder rewrote from published tables.
TOPS: dict[str, str] = {
    "README.md": "not a file of rate coefficients",
    "levels.csv": "this is a list of levels, without rates",
    "partner_levels.csv": "this is a list of levels, without rates",
    "values.csv.gz": "does not name its molecule and collider",
}

GOOD = {**LAMDA, **KIJ, **OTHER}


def data_folder() -> Path:
    folder = Path(os.environ.get("RATEDB_TEST_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no folder with real data; name it in RATEDB_TEST_DATA")
    return folder


def rotor_list(folder: Path) -> Path:
    """Write the levels of a rigid rotor with B = 0.3035 cm-1, j = 0 to 25."""
    rows = [f"{j},{0.3035 * j * (j + 1):.6f},{2 * j + 1}" for j in range(26)]
    return written(folder, "rotor.csv", "\n".join(["j,energy_cm1,weight", *rows]) + "\n")


def test_every_file_has_an_outcome() -> None:
    folder = data_folder()
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    # The folders xs-* have a table of their own, in test_shared_cross_sections.py.
    found = {name for name in found if not name.startswith("xs-")}
    tops = {name for name in found if name.startswith("tops/")}
    assert {Path(name).name for name in tops} == set(TOPS)
    assert found - tops == {*GOOD, *REFUSED}


@pytest.mark.parametrize("name", ["hdo-oh2", "oh3op-ph2", "ph2o-h2o-mqct"])
def test_files_of_a_set_of_tops_say_what_else_they_need(name: str) -> None:
    for path in sorted((data_folder() / "tops" / name).iterdir()):
        with pytest.raises(RatedbError, match=TOPS[path.name]):
            read_rates(path)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_right_is_refused(name: str) -> None:
    with pytest.raises(RatedbError) as caught:
        read_rates(data_folder() / name, REFUSED[name].options)
    need_clear(caught.value, REFUSED[name].phrase)


@pytest.mark.parametrize("name", GOOD)
def test_a_file_gives_what_is_printed_in_it(name: str, tmp_path: Path) -> None:
    folder, good = data_folder(), GOOD[name]
    lists = tuple(rotor_list(tmp_path) if one == ROTOR else folder / one for one in good.lists)
    others = None if good.others is None else folder / good.others
    molecule = good.molecule.partition("(")[0] if good.collider else None
    file = read_rates(folder / name, ReadOptions(molecule, good.collider, lists, others))
    assert file.levels.molecule == good.molecule
    assert (len(file.levels), len(file.lines)) == (good.levels, good.lines)
    assert [partner.rates.collider for partner in file.partners] == list(good.partners)
    for partner in file.partners:
        same(partner, good.partners[partner.rates.collider])
    for phrase in good.says:
        assert any(phrase in note for note in file.warnings), file.warnings


def same(partner: PartnerRates, expected: Partner) -> None:
    rates = partner.rates
    assert len(rates) == expected.transitions
    kelvin = rates.temperature_k.tolist()
    assert (len(kelvin), kelvin[0], kelvin[-1]) == expected.kelvin
    if expected.levels is not None:
        assert len(np.union1d(rates.upper, rates.lower)) == expected.levels
    label = rates.levels.label
    row_of = {
        (label[u], label[w]): row for row, (u, w) in enumerate(zip(rates.upper, rates.lower, strict=True))
    }
    for upper, lower, at, value in expected.values:
        assert rates.rate_cm3_s[row_of[upper, lower], kelvin.index(at)] == value, (upper, lower, at)
