"""The energies of a MOLSCAT run: whether all have cross sections, and an order that makes them wrong."""

from __future__ import annotations

import re

from ratedb.findings import SCRATCH_ORDER, Finding
from ratedb.io.molscat_table import Block
from ratedb.io.molscat_text import Run

_NEVER_OPEN = re.compile(
    r"^ +LEVEL +(\d{1,7}) WITH ENERGY +(\d{1,12}\.\d{1,15}) IS NEVER OPEN", re.M | re.ASCII
)
_ENERGY = re.compile(r"^ +ENERGY +\d{1,7} += +(\d{1,12}\.\d{0,15}) +CM-1", re.M | re.ASCII)
_PROGRESS = re.compile(r"FOR JTOT = *(\d{1,7}), SYMMETRY BLOCK = *(\d{1,7}), ENERGY\( *(\d{1,7})\)", re.ASCII)


def never_open(run: Run) -> dict[int, float]:
    """Return the energies (cm-1) of the pair levels, by number, that the run reports as never open."""
    return {int(match[1]): float(match[2]) for match in run.matches(_NEVER_OPEN)}


def check_energies(run: Run, blocks: list[Block], lowest_cm1: float) -> None:
    """Raise where blocks sum over JTOT in different ways, or a requested energy has no block.

    Energies below `lowest_cm1`, the lowest threshold, have none; those in other units are not looked for.
    """
    for block in blocks[1:]:
        if block.jtot[:2] != blocks[0].jtot[:2]:
            what = "JTOTL and JSTEP differ from those of the first block"
            raise run.refuse(block.at, what, "one range of JTOT")
    given = [block.energy_cm1 for block in blocks]
    for position, energy in _requested(run):
        if energy > lowest_cm1 and not any(_same(energy, other) for other in given):
            expected = f"a block of cross sections at {energy:g} cm-1"
            raise run.refuse(position, "a requested energy has no cross sections", expected)


def _requested(run: Run) -> list[tuple[int, float]]:
    """Return the position and value (cm-1) of each energy that the input requests."""
    return [(match.start(), float(match[1])) for match in run.matches_in_header(_ENERGY)]


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-8 * max(a, b)


def check_order(run: Run, blocks: list[Block], system: str) -> list[Finding]:
    """Refuse a run whose scratch file was written at an energy without open channels.

    With ISCRU > 0 MOLSCAT stores the energy-independent matrices of each symmetry block at the first energy
    that it computes for that block and JTOT. Where no channel is open there, nothing is stored, and all later
    energies of that block are wrong without a message; positivity and reversibility still hold. The proof is
    a progress line of a later energy for a block in which the first energy still running has none.
    """
    energies = [energy for _, energy in _requested(run)] or [block.energy_cm1 for block in blocks]
    if not run.has("WILL BE SAVED TEMPORARILY ON UNIT") or energies == sorted(energies, reverse=True):
        return []
    last = {
        k: block.jtot[2] for k, e in enumerate(energies, 1) for block in blocks if _same(e, block.energy_cm1)
    }
    done: dict[tuple[int, int], set[int]] = {}
    where: dict[tuple[int, int], int] = {}
    for match in run.matches(_PROGRESS):
        key = (int(match[1]), int(match[2]))
        done.setdefault(key, set()).add(int(match[3]))
        where.setdefault(key, match.start())
    for (jtot, block), found in done.items():
        running = next((k for k in range(1, len(energies) + 1) if jtot <= last.get(k, jtot)), min(found))
        if running < min(found):
            raise run.refuse(
                where[jtot, block],
                f"symmetry block {block} of JTOT {jtot} has no open channel at energy {running}, the first "
                "computed, so the matrices on the scratch file are wrong for all later energies",
                "energies from the highest down, or no scratch file (ISCRU = 0)",
                "repeat the run with the highest energy first",
            )
    if done:
        return []
    return [
        SCRATCH_ORDER.finding(
            system,
            f"{run.path}: the energies do not decrease and a scratch file was used; where a symmetry "
            "block has no open channel at the first energy, all later ones are wrong without a message",
        )
    ]
