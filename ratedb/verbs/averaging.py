"""Read files of cross sections, and average them to the rates that an import brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.cross_sections import CrossSectionFile, join
from ratedb.io.registry import ReadOptions, read_cross_sections
from ratedb.methods import NOT_STATED
from ratedb.options import ImportOptions, Progress
from ratedb.physics.thermal import ThermalRates, thermal_rates


@dataclass(frozen=True, eq=False)
class Averaged:
    """Rates averaged from cross sections by one method, the files with their SHA-256, and warnings."""

    thermal: ThermalRates
    method: str
    files: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def average_files(
    paths: Sequence[Path], reading: ReadOptions, options: ImportOptions, progress: Progress
) -> Averaged:
    """Return the rates of all files together, which are one calculation on a grid of energies.

    `options.method` (CC, CS, IOS ...) chooses where the files contain several. Raises RatedbError where a
    file cannot be read, where files contradict each other, or where no rate converges.
    """
    files: list[CrossSectionFile] = []
    hashes: list[tuple[str, str]] = []
    for number, path in enumerate(paths, start=1):
        progress(f"reading cross sections: {number} of {len(paths)}")
        file = InputFile.read(path)
        files.append(read_cross_sections(file, reading, file_format=options.format))
        hashes.append((path.name, file.sha256))
    progress("averaging over energies")
    joined = join(files)
    table = _chosen(joined, options.method, len(paths))
    thermal = thermal_rates(table, options.temperatures).converged()
    thermal = replace(thermal, findings=(*joined.findings, *thermal.findings))
    return Averaged(thermal, table.method, tuple(hashes), (*joined.warnings, *thermal.warnings))


def _chosen(joined: CrossSectionFile, method: str | None, count: int) -> CrossSections:
    tables = [
        replace(table, method=method) if method and table.method == NOT_STATED else table
        for table in joined.tables
    ]
    tables = [table for table in tables if method in (None, table.method)]
    if len(tables) == 1:
        return tables[0]
    raise RatedbError(
        "the files contain cross sections of several methods"
        if tables
        else f"the files contain no cross sections of the method {method}",
        where=f"{count} files",
        expected="one of " + ", ".join(dict.fromkeys(table.method for table in joined.tables)),
        got=method or "none chosen",
        todo="choose one with --method",
    )
