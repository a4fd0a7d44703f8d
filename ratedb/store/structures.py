"""Keep lists of levels that resolve different structure of one molecule apart: each gets a molecule name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ratedb.levels import Levels
from ratedb.physics.level_matching import structure_suffix
from ratedb.rates import Rates
from ratedb.store.sources import Incoming
from ratedb.store.staging import SourceInfo

_WORDS = {"hfs": "hyperfine", "fs": "fine-structure", "rot": "rotational"}


def side_by_side(files: Sequence[Incoming], known: Callable[[str], Levels | None]) -> list[Incoming]:
    """Return files whose levels resolve another structure than known ones as another molecule.

    The first list of a molecule keeps its name; a later one becomes `HCN(hfs)`, `SO(fs)` or `HCN(rot)`, and a
    warning says so. `known` gives the levels that the store has of a molecule.
    """
    first: dict[str, Levels | None] = {}
    named = []
    for file in files:
        levels = file.sources[0][0].levels
        stored = first.setdefault(levels.molecule, known(levels.molecule)) or levels
        first[levels.molecule] = stored
        suffix = structure_suffix(levels, stored)
        named.append(_renamed(file, f"{levels.molecule}({suffix})", _WORDS[suffix]) if suffix else file)
    return named


def _renamed(file: Incoming, molecule: str, words: str) -> Incoming:
    levels = replace(file.sources[0][0].levels, molecule=molecule)
    others = "those of finer structure" if words == _WORDS["rot"] else "those without that structure"
    note = f"its {words} levels are stored as the molecule {molecule}, next to {others}"
    return replace(file, sources=tuple(_as(levels, rates, info, note) for rates, info in file.sources))


def _as(levels: Levels, rates: Rates, info: SourceInfo, note: str) -> tuple[Rates, SourceInfo]:
    renamed = replace(rates, levels=levels)
    findings = tuple(replace(one, system=renamed.system) for one in info.findings)
    return renamed, replace(info, warnings=(*info.warnings, note), findings=findings)
