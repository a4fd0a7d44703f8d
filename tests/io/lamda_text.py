"""A small valid LAMDA text to mend and break, small tables to write, and where real files lie."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import LamdaText, looks_like_lamda, read_lamda, render_lamda
from ratedb.levels import Levels, Lines, vj
from ratedb.rates import Rates

LEVELS = """\
    1     0.000000000     1.0     0
    2     3.845033413     3.0     1
    3    11.534919938     5.0     2
"""
LINES = """\
    1     2     1  7.203E-08     115.2712018     5.53
    2     3     2  6.910E-07     230.5370000    16.60
"""
PARTNER = """\
!COLLISIONS BETWEEN
2 CO-pH2 from Yang et al. (2010)
!NUMBER OF COLL TRANS
3
!NUMBER OF COLL TEMPS
2
!COLL TEMPS
    10.0    20.0
!TRANS + UP + LOW + COLLRATES(cm^3 s^-1)
    1     2     1  3.302E-11  3.249E-11
    2     3     1  6.100E-11  6.000E-11
    3     3     2  7.100E-11  7.300E-11
"""
TEXT = f"""\
!MOLECULE
CO
!MOLECULAR WEIGHT
28.0
!NUMBER OF ENERGY LEVELS
3
!LEVEL + ENERGIES(cm^-1) + WEIGHT + J
{LEVELS}!NUMBER OF RADIATIVE TRANSITIONS
2
!TRANS + UP + LOW + EINSTEINA(s^-1) + FREQ(GHz) + E_u(K)
{LINES}!NUMBER OF COLL PARTNERS
1
{PARTNER}"""
"""Three levels, two lines, p-H2 at two temperatures; read without any warning."""


def changed(*replacements: tuple[str, str], text: str = TEXT) -> str:
    """Return the text with each (old, new) replaced once; the old must stand there."""
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def read_text(folder: Path, text: str | bytes, **options: str) -> MoleculeFile:
    path = folder / "molecule.dat"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_lamda(path, **options)


def rotor(n: int = 4, **changes: object) -> Levels:
    """Return the levels of a rigid rotor with B = 1.9 cm-1."""
    j = np.arange(n)
    parts: dict[str, object] = {
        "molecule": "CO",
        "label": tuple(str(k) for k in j),
        "energy_cm1": 1.9 * j * (j + 1),
        "weight": 2 * j + 1,
        "quantum_numbers": vj(np.zeros(n), j),
        "molecular_weight": 28.0,
    }
    return Levels(**{**parts, **changes})  # type: ignore[arg-type]


def molecule(
    levels: Levels | None = None,
    *,
    collider: str = "p-H2",
    temperature_k: object = (10.0, 20.0, 50.0),
    pairs: object = None,
    rates: object = None,
    lines: Lines | None = None,
    reference: str = "test",
) -> MoleculeFile:
    """Return a molecule with every downward rate (or `pairs`, `rates`) and the lines dj = 1."""
    levels = rotor() if levels is None else levels
    n, t = len(levels), np.asarray(temperature_k, dtype=float)
    pair = np.array([(i, k) for i in range(n) for k in range(i)] if pairs is None else pairs)
    values = 1e-10 * (1 + np.arange(len(pair)))[:, None] * (1 + t / 100) if rates is None else rates
    up = np.arange(1, n)
    gap_ghz = (levels.energy_cm1[up] - levels.energy_cm1[up - 1]) * 29.9792458
    if lines is None:
        lines = Lines(up, up - 1, 1e-7 * up, gap_ghz)
    table = Rates(levels, collider, pair[:, 0], pair[:, 1], t, np.asarray(values, dtype=float))
    return MoleculeFile(levels, lines, (PartnerRates(table, reference),))


def reread(folder: Path, file: MoleculeFile) -> tuple[LamdaText, MoleculeFile]:
    written = render_lamda(file)
    return written, read_text(folder, written.text)


def spectralradex_files() -> list[Path]:
    spec = importlib.util.find_spec("spectralradex")
    if spec is None or spec.origin is None:
        pytest.skip("spectralradex is not installed; it brings real LAMDA files")
    return sorted((Path(spec.origin).parent / "radex" / "data").glob("*.dat"))


def shared_files() -> list[Path]:
    default = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("RATEDB_TEST_DATA", default))
    files = [path for path in sorted(folder.rglob("*.dat")) if looks_like_lamda(path.read_bytes())]
    if not files:
        pytest.skip("no folder with real LAMDA files; name it in RATEDB_TEST_DATA")
    return files
