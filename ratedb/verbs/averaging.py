"""Read cross sections of a grid of energies, and average them to rates that can be imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError
from ratedb.files import InputFile
from ratedb.io.cross_sections import CrossSectionFile, join
from ratedb.io.registry import ReadOptions, read_cross_sections
from ratedb.physics.thermal import Limits, ThermalRates, thermal_rates


@dataclass(frozen=True, eq=False)
class Averaged:
    """Rates averaged from cross sections: the table they come from, files with their SHA-256, and notes."""

    table: CrossSections
    thermal: ThermalRates
    files: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def average_files(
    paths: Sequence[Path],
    reading: ReadOptions,
    temperature_k: Sequence[float],
    *,
    file_format: str = "auto",
    method: str | None = None,
    limits: Limits | None = None,
    report: Callable[[str], None] = lambda text: None,
) -> Averaged:
    """Return the rates of all files together, which are one calculation on a grid of energies.

    `method` (CC, CS, IOS ...) chooses where the files hold several. Raises RatedbError where a file cannot be
    read, where files contradict each other, or where no rate converges.
    """
    files: list[CrossSectionFile] = []
    hashes: list[tuple[str, str]] = []
    for number, path in enumerate(paths, start=1):
        report(f"reading cross sections: {number} of {len(paths)}")
        file = InputFile.read(path)
        files.append(read_cross_sections(file, reading, file_format=file_format))
        hashes.append((path.name, file.sha256))
    report("averaging over energies")
    joined = join(files)
    table = _chosen(joined, method, paths)
    thermal = thermal_rates(table, temperature_k, limits).converged()
    thermal = replace(thermal, findings=(*joined.findings, *thermal.findings))
    return Averaged(table, thermal, tuple(hashes), (*joined.warnings, *thermal.warnings))


def _chosen(joined: CrossSectionFile, method: str | None, paths: Sequence[Path]) -> CrossSections:
    tables = [table for table in joined.tables if method in (None, table.method)]
    if len(tables) != 1:
        methods = ", ".join(dict.fromkeys(table.method for table in joined.tables))
        raise RatedbError(
            "the files hold cross sections of several methods"
            if len(tables) > 1
            else f"the files hold no cross sections of the method {method}",
            where=f"{len(paths)} files",
            expected="one of " + methods,
            got=method or "none chosen",
            todo="choose one with --method",
        )
    return tables[0]
