"""Small outputs of scattering codes, written here, damage for them, and where real ones lie."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from ratedb.errors import RatedbError
from ratedb.tables import CrossSectionTable, LevelTable

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


def rotor(n: int, **changes: object) -> LevelTable:
    j = np.arange(n)
    parts: dict[str, object] = {
        "molecule": "CO",
        "label": tuple(str(k) for k in j),
        "energy_cm1": B_CM1 * j * (j + 1),
        "weight": 2 * j + 1,
        "v": np.zeros(n),
        "j": j,
    }
    return LevelTable(**{**parts, **changes})  # type: ignore[arg-type]


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


def values_of(table: CrossSectionTable) -> dict[tuple[str, str, float], float]:
    """Return the cross sections by (initial, final, kinetic energy to 1e-6 cm-1)."""
    label = table.levels.label
    return {
        (label[table.initial[r]], label[table.final[r]], round(float(table.kinetic_cm1[r, c]), 6)): float(
            table.sigma_angstrom2[r, c]
        )
        for r, c in np.argwhere(np.isfinite(table.sigma_angstrom2))
    }


def damaged(content: bytes, seed: int, steps: int) -> bytes:
    """Return bytes with a few cuts, doublings, flipped bits, exchanged words or an early end."""
    draw = random.Random(seed)
    text = bytearray(content)
    for _ in range(steps):
        if not text:
            break
        i, n = draw.randrange(len(text)), draw.randrange(1, 60)
        kind = draw.choice(["cut", "double", "flip", "word", "line", "end"])
        if kind == "cut":
            del text[i : i + n]
        elif kind == "double":
            text[i:i] = text[i : i + n]
        elif kind == "flip":
            text[i] ^= 1 << draw.randrange(8)
        elif kind == "word":
            text[i : i + n] = draw.choice(
                [b" nan ", b" -1 ", b" 1e400 ", b"*****", b" 0 ", b"\xff\x00", b" 7-300 "]
            )
        elif kind == "line":
            begin = text.rfind(b"\n", 0, i) + 1
            end = text.find(b"\n", i)
            del text[begin : end + 1]
        else:
            del text[i:]
    return bytes(text)


def refused(read: Callable[[], object]) -> RatedbError:
    """Return the error that reading raises."""
    with pytest.raises(RatedbError) as caught:
        read()
    return caught.value
