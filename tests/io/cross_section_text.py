"""Small outputs of scattering codes, written here, damage for them, and where real ones lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError
from ratedb.levels import Levels, vj

B_CM1 = 2.0
ENERGIES = (50.0, 30.0, 10.0)


def real_folder(name: str) -> Path:
    """Return a folder of real data, or skip."""
    default = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("RATEDB_TEST_DATA", default)) / name
    if not folder.is_dir():
        pytest.skip(f"no folder {name} with real data; name the folder above it in RATEDB_TEST_DATA")
    return folder


def energy_of(j: int) -> float:
    return B_CM1 * j * (j + 1)


def sigma_of(final: int, initial: int, energy: float) -> float:
    """A made-up cross section; it obeys reversibility, and each pair of j has its own size."""
    low, high = sorted((final, initial))
    return (1 + 0.1 * low + 0.37 * high) / (2 * initial + 1) / (energy - energy_of(initial)) * 10


def rotor(n: int, **changes: object) -> Levels:
    j = np.arange(n)
    parts: dict[str, object] = {
        "molecule": "CO",
        "label": tuple(str(k) for k in j),
        "energy_cm1": B_CM1 * j * (j + 1),
        "weight": 2 * j + 1,
        "quantum_numbers": vj(np.zeros(n), j),
    }
    return Levels(**{**parts, **changes})  # type: ignore[arg-type]


BANNER = "  ---- MOLSCAT ------ MOLSCAT ------ MOLSCAT ------ MOLSCAT ------ MOLSCAT ---\n"


def molscat_head(mass: float = 2.5, scratch: bool = True, approximation: str = "") -> str:
    saved = "ENERGY-INDEPENDENT MATRICES WILL BE SAVED TEMPORARILY ON UNIT 30"
    full = "NO SCRATCH FILE SPECIFIED BY ISCRU PARAMETER: FULL CALCULATION WILL BE DONE AT EVERY ENERGY"
    return (
        f"{BANNER} |   Non-reactive quantum scattering calculations    |\n |  Run on today  |\n{BANNER}\n"
        f"  REDUCED MASS FOR INTERACTION =   {mass:.9f} ATOMIC MASS UNITS (DALTONS)\n\n"
        f"  {saved if scratch else full}\n\n{approximation}"
    )


MOLSCAT_TAIL = f"\n\n{BANNER} |     This run used       0.10 cpu secs      |\n{BANNER}"


def rotor_list(levels: Sequence[int]) -> str:
    rows = [f"{k:9d}{j:25d}{k:17d}{energy_of(j):22.7f}" for k, j in enumerate(levels, 1)]
    return "\n".join(
        [
            "  EACH PAIR STATE IS LABELLED BY  1 QUANTUM NUMBER ",
            "",
            "  PAIR STATE     PAIR STATE QUANTUM NUMBERS    PAIR LEVEL     PAIR ENERGY (CM-1)",
            "                ---------        J ---------",
            *rows,
            "",
            "",
        ]
    )


def block(
    energy: float,
    levels: Sequence[int],
    sigma: Callable[[int, int, float], float] = sigma_of,
    *,
    jtot: tuple[int, int, int] = (0, 1, 10),
    factor: float = 1.0,
) -> str:
    """Return the table at one energy, with levels numbered from 1 in the order given."""
    lines = ["   ENERGY (CM-1)    JTOTL  JSTEP  JTOTU      F    I         SIG(F,I)"]
    opened = [(k, j) for k, j in enumerate(levels, 1) if energy_of(j) < energy]
    sums = []
    for i, ji in opened:
        total = 0.0
        for f, jf in opened:
            value = float(f"{factor * sigma(jf, ji, energy):.5e}")
            total += value if f != i else 0.0
            first, step, last = jtot
            printed = f"{value:.6f}" if value > 0.1 else f"{value:.6E}"
            lines.append(f"  {energy:12.8f}{first:11d}{step:7d}{last:7d}{f:7d}{i:5d}         {printed}")
        lines.append("")
        sums.append(f"   {total:.5E}{i:50d}")
    if len(opened) > 1:
        lines += ["", "  TOTAL INELASTIC INTEGRAL CROSS SECTIONS IN ANGSTROM**2 FROM LEVEL", *sums]
    return "\n".join([*lines, "", ""])


def molscat_text(
    energies: Sequence[float] = ENERGIES,
    levels: Sequence[int] = (0, 1, 2, 3, 4),
    *,
    sigma: Callable[[int, int, float], float] = sigma_of,
    progress: str = "",
    jtot: tuple[int, int, int] = (0, 1, 10),
    **head: object,
) -> str:
    """Return a whole output of one run of a rotor, energies in the order given."""
    asked = "".join(f"  ENERGY{k:5d}           =   {e:.9f}     CM-1\n" for k, e in enumerate(energies, 1))
    never = [k for k, j in enumerate(levels, 1) if energy_of(j) >= max(energies)]
    opened = [k for k, j in enumerate(levels, 1) if energy_of(j) < max(energies)]
    return "".join(
        [
            molscat_head(**head),  # type: ignore[arg-type]
            rotor_list(levels),
            f"  CALCULATIONS WILL BE PERFORMED FOR{len(energies):5d} ENERGIES\n{asked}\n",
            "  INITIALIZATION DONE.  TIME WAS   0.00 CPU SECS.\n\n",
            progress,
            *(f"  LEVEL {k:3d} WITH ENERGY {energy_of(levels[k - 1]):.12f} IS NEVER OPEN\n" for k in never),
            f"\n  STATE-TO-STATE INTEGRAL CROSS SECTIONS IN ANGSTROM**2 BETWEEN {len(opened):4d} LEVELS WITH "
            "THRESHOLD ENERGIES (IN CM-1):\n\n",
            *(f"  {k:3d} {energy_of(levels[k - 1]):18.12f}\n" for k in opened),
            "\n",
            *(block(e, levels, sigma, jtot=jtot) for e in energies),
            MOLSCAT_TAIL,
        ]
    )


def progress(lines: list[tuple[int, int, int]]) -> str:
    return "".join(
        f"  FOR JTOT = {j:4d}, SYMMETRY BLOCK = {b:2d}, ENERGY({k:3d}) = 1.0    : MAX DIAG = 1\n\n"
        for j, b, k in lines
    )


RISING = (3.0, 10.0)
SKIPPED = [(0, 2, 1), (0, 2, 2), (1, 1, 2), (1, 2, 1), (1, 2, 2)]


def ios_text(energies: tuple[float, ...] = (40.0, 20.0), largest: int = 2, kind: int = 101) -> str:
    """Return an output of the sudden approximation; sigma(i -> f) is 100 i + f + E, the last one starred."""
    parts = [
        molscat_head(scratch=False),
        f"   ****** I O S ******\n\n  INPUT  ITYPE = {kind}\n\n",
        *(f"  ENERGY{k:5d}           =   {e:.9f}     CM-1\n" for k, e in enumerate(energies, 1)),
        "  IOSDRV ENTERED.\n",
    ]
    for e in energies:
        parts.append("                      PARTIAL WAVES FROM    0 TO    57 (IN STEPS OF    1)\n")
        parts.append(f"  STATE-TO-STATE CROSS SECTIONS (IN ANG**2) FOR KINETIC ENERGY = {e:11.4f} CM-1.\n")
        parts.append(f"\n  MAXIMUM J-VALUE REQUESTED IS {largest:3d}\n\n")
        parts.append("  ***** ***** ***** BELOW FOR VIB LEVEL  1 TO  1\n\n")
        for i in range(largest + 1):
            parts.append(
                f"  FOR INITIAL LEVEL J = {i:3d}  NON-ZERO CROSS SECTIONS (ANG**2) TO FINAL LEVELS ARE\n"
            )
            for f in range(largest + 1):
                star = "*" if i == f == largest else " "
                parts.append(
                    f"{f:7d} {100 * i + f + e:11.4E}{star}" + ("\n" if f % 2 or f == largest else "")
                )
            parts.append("\n")
    return "".join([*parts, MOLSCAT_TAIL])


ICS = """\
 Jan 20 15:31:43 2026
 A SMALL TEST
 A MODEL POTENTIAL
   100.000  2.50000000000
  F  F  F  F  F
    0   20    1    0    0    1    1    0
    4    3
    0    0    1    0    2    0    3    0
 0.00000000E+00 5.00000000E-05 1.50000000E-04 6.00000000E-04
 1.00000000E+01 1.10000000E+00 1.20000000E+00
 2.10000000E+00 2.00000000E+01 2.20000000E+00
 3.10000000E+00 3.20000000E+00 3.00000000E+01
"""
"""Row = final, column = initial: sigma(0 -> 1) is 2.1."""

XXSC = """\

 INTEGRAL CROSS SECTIONS CALCULATED FROM S-MATRICES ON FILE Small.smt
 IEN= 1 RMU=   2.5000 E=   100.00 JTOT-1=  0.5 JTOT-2=  20.5 JTOT-D=  1
 READ S-MATRIX FOR JTOT=  0  JLPAR= 1

 LEVEL LIST FOR INTEGRAL CROSS SECTIONS
   N     J   INDEX  EINT(cm-1)
   1   0.0    -1      0.000
   2   0.0     1     10.000
   3   1.0    -1     30.000

 CC INTEGRAL CROSS SECTIONS

 ** COLUMN HEADINGS ARE FINAL STATES, ROW HEADINGS ARE INITIAL STATES **

          1           2
   1   1.0000E+01  2.1000E+00
   2   1.1000E+00  2.0000E+01
   3   1.2000E+00  2.2000E+00

          3
   1   3.1000E+00
   2   3.2000E+00
   3   3.0000E+01
"""

XSC = """\

 INTEGRAL CROSS SECTIONS READ FROM FILE Small.ics
 LABEL:     A SMALL TEST

 ** INTEGRAL CROSS SECTIONS; IEN= 1 **
    RMU=   2.5000  E=   100.00  JLPAR= 1  JTOT-1=  0  JTOT-2=  20  JTOT-D=  1
 ** CC CALCULATION, JLPAR= 1 **

 ** COLUMN HEADINGS ARE INTIAL STATES, ROW HEADINGS ARE FINAL STATES **

            J=    0         1
   J    I | I=    0         0

    0    0  1.000E+01 1.100E+00
    1    0  2.100E+00 2.000E+01
    2    0  3.100E+00 3.200E+00

            J=    2
   J    I | I=    0

    0    0  1.200E+00
    1    0  2.200E+00
    2    0  3.000E+01
"""


MQCT_TITLE = (
    "j_i   \tka_i   \tkc_i   \tj_f   \tka_f   \tkc_f   \tH2_i(j)   \tH2_f(j)   \tsigmaU(Ang^2)   \t"
    "sigmaE(Ang^2)   \tE_i_H2O       \tE_i_H2        \tE_f_H2O       \tE_f_H2        \n"
)
TOP = {(0, 0, 0): 0.0, (1, 1, 1): 37.158, (2, 0, 2): 70.133}
LINEAR = {0: 0.0, 2: 365.118}


def kinetic(effective: float, gap: float) -> float:
    return effective + gap / 2 + gap**2 / (16 * effective)


def mqct_row(
    start: tuple[int, int, int, int], end: tuple[int, int, int, int], sigma_u: float, effective: float
) -> str:
    """Return one row of a table; sigmaE follows from the relation."""
    energies = [TOP[start[:3]], LINEAR[start[3]], TOP[end[:3]], LINEAR[end[3]]]
    gap = energies[2] + energies[3] - energies[0] - energies[1]
    sigma_e = sigma_u * effective / kinetic(effective, gap)
    numbers = [*start[:3], *end[:3], start[3], end[3]]
    return (
        "\t".join([*map(str, numbers), f"{sigma_u:.9E}", f"{sigma_e:.9E}", *(f"{e:.8E}" for e in energies)])
        + "\n"
    )


def mqct_text(effective: float = 100.0) -> str:
    states = [(*top, 0) for top in TOP] + [(0, 0, 0, 2)]
    rows = [
        mqct_row(a, b, 0.0 if a == b else 1 + 0.1 * i + 0.01 * k, effective)
        for i, a in enumerate(states)
        for k, b in enumerate(states)
    ]
    return MQCT_TITLE + "".join(rows)


def values_of(table: CrossSections) -> dict[tuple[str, str, float], float]:
    """Return the cross sections by (initial, final, kinetic energy to 1e-6 cm-1)."""
    label = table.levels.label
    return {
        (label[table.initial[r]], label[table.final[r]], round(float(table.kinetic_cm1[r, c]), 6)): float(
            table.sigma_angstrom2[r, c]
        )
        for r, c in np.argwhere(np.isfinite(table.sigma_angstrom2))
    }


def refused(read: Callable[[], object]) -> RatedbError:
    """Return the error that reading raises."""
    with pytest.raises(RatedbError) as caught:
        read()
    return caught.value
