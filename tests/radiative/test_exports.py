"""Real RADEX has the same populations from a published file and from its export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ratedb.options import ExportOptions, ImportOptions
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.radex import lamda_folder, radex_available, run_radex
from ratedb.radiative.radex_file import file_outline
from ratedb.verbs.export import export
from ratedb.verbs.import_ import import_files

pytestmark = pytest.mark.skipif(not radex_available(), reason="RADEX (spectralradex) is not installed")


def by_energy(path: Path, colliders: dict[str, tuple[float, float]]) -> npt.NDArray[np.float64]:
    """Return populations by the place of a level in energy, for each collider alone at two temperatures.

    NaN is for a level without lines, for which RADEX returns nothing.
    """
    grid = [
        Conditions(kelvin, {name: density})
        for name, ends in colliders.items()
        for kelvin in ends
        for density in ((1.0, 1e2) if name in ("e", "H+") else (1e3, 1e5))
    ]
    outline = file_outline(path)
    place = np.argsort(np.argsort(outline.energy_cm1, kind="stable"))
    found = np.full((len(grid), len(place)), np.nan)
    for row, lines in zip(found, run_radex(path, grid), strict=True):
        row[place[list(outline.upper)]] = lines.population_upper
        row[place[list(outline.lower)]] = lines.population_lower
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "colliders"),
    [
        ("co.dat", {"p-H2": (2.0, 3000.0), "o-H2": (2.0, 3000.0)}),
        ("hcl@hfs.dat", {"H2": (10.0, 300.0)}),
        ("c+.dat", {"p-H2": (10.0, 500.0), "H": (20.0, 2000.0), "e": (10.0, 1e4)}),
        ("so2@lowT.dat", {"p-H2": (5.0, 30.0), "o-H2": (5.0, 30.0)}),
        ("oh.dat", {"p-H2": (15.0, 300.0), "o-H2": (15.0, 300.0)}),
    ],
)
def test_an_export_has_the_populations_of_its_source(
    tmp_path: Path, name: str, colliders: dict[str, tuple[float, float]]
) -> None:
    folder = lamda_folder()
    assert folder is not None
    written = exported(folder / name, tmp_path)
    source = by_energy(folder / name, colliders)
    np.testing.assert_allclose(by_energy(written, colliders), source, rtol=1e-6, atol=1e-12)


def exported(path: Path, folder: Path) -> Path:
    target = folder / "export.dat"
    systems = import_files(folder / "x.duckdb", [path], ImportOptions(quality="off")).systems
    export(folder / "x.duckdb", [one.system for one in systems], target, ExportOptions())
    return target


def test_an_export_differs_from_its_source_only_by_a_tie_that_radex_misreads(tmp_path: Path) -> None:
    """RADEX has a rate between equal energies in one direction only; apart by 1e-7 cm-1 it has both."""
    folder = lamda_folder()
    assert folder is not None
    path, conditions = folder / "o-sic2.dat", {"H2": (25.0, 125.0)}
    rows = path.read_text("latin-1").split("\n")
    levels = [row.split() for row in rows[7:47]]
    [tie] = [i for i in range(1, 40) if float(levels[i][1]) == float(levels[i - 1][1])]
    energy = f"{float(levels[tie][1]) + 1e-7:.9f}"
    rows[7 + tie] = " ".join([levels[tie][0], energy, *levels[tie][2:]])
    mended = tmp_path / "mended.dat"
    mended.write_text("\n".join(rows), "latin-1")
    source, apart = by_energy(path, conditions), by_energy(mended, conditions)
    written = by_energy(exported(path, tmp_path), conditions)
    np.testing.assert_allclose(written, apart, rtol=1e-6, atol=1e-12)
    assert np.nanmax(np.abs(written - source)) > 1e-4
