"""Options of verbs that write, compare and show results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratedb.declared import option
from ratedb.numbers import (
    parse_columns,
    parse_densities,
    parse_frequencies,
    parse_line_names,
    parse_line_widths,
    parse_temperatures,
)
from ratedb.options.values import temperatures_or_auto


@dataclass(frozen=True)
class ExportOptions:
    """What to export, and as what."""

    output: Path | None = option(None, "The file to write.", Path)
    format: str = option("lamda", "lamda, basecol, csv or parquet.")
    computed_only: bool = option(False, "Leave predictions out, and what is derived from them.")
    kind: tuple[str, ...] = option(
        (), "Only values of this kind, such as computed; may be repeated.", many=True
    )
    min_quality: str = option(
        "any", "any, unmarked (no errors of quality control) or unsuspected (no warnings)."
    )
    temperatures: tuple[float, ...] | str | None = option(
        None, "K, such as 10:300:10; or auto: as few as keep --tolerance.", temperatures_or_auto
    )
    tolerance: float = option(
        0.01, "Relative error that linear interpolation between the temperatures may cause."
    )
    strict: bool = option(False, "Refuse a file with any warning.")
    j_max: int | None = option(None, "Only levels up to this j.")
    dry_run: bool = option(False, "Write nothing.")


@dataclass(frozen=True)
class ReportOptions:
    """Where the page is written, and what it shows besides the store."""

    output: Path | None = option(None, "The page to write, such as report.html.", Path)
    lines: Path | None = option(None, "A file of `ratedb impact -o`: show its least certain lines.", Path)


@dataclass(frozen=True)
class CiteOptions:
    """How references are printed."""

    bibtex: bool = option(False, "Print BibTeX entries.")


@dataclass(frozen=True)
class ImpactOptions:
    """Conditions, lines and samples for the effect of predicted rates on lines."""

    samples: int = option(200, "Number of samples of the predicted rates.")
    temperatures: tuple[float, ...] | None = option(
        None,
        "Kinetic temperatures, K, such as 10,50 or 10:100:30 (default: 10,20,40,70,100,200,300).",
        parse_temperatures,
    )
    densities: tuple[float, ...] = option(
        (1e2, 1e3, 1e4, 1e5, 1e6, 1e7), "Densities of the collider, cm-3.", parse_densities
    )
    columns: tuple[float, ...] = option((1e14,), "Column densities, cm-2.", parse_columns)
    line_widths: tuple[float, ...] = option((1.0,), "Line widths (FWHM), km/s.", parse_line_widths)
    lines: tuple[str, ...] = option(
        (), "Only these lines, such as 'CO(3-2)' or 1-0,2-1, by the labels of the levels.", parse_line_names
    )
    ghz: tuple[float, ...] | None = option(
        None, "Only the line at this frequency, such as 345.796, or in a band, as 84:116.", parse_frequencies
    )
    j_max: int | None = option(None, "Only levels up to this j.")
    seed: int = option(0, "Seed of the random numbers.")
    solver: str = option("auto", "radex, escape (ratedb's own), or auto: RADEX where it is installed.")
    output: Path | None = option(None, "Write all lines and conditions as JSON.", Path)
    picture: Path | None = option(None, "Draw the lines and what drives them, PNG, SVG or PDF.", Path)


@dataclass(frozen=True)
class LinesOptions:
    """Which lines are listed, and the temperatures of their critical densities."""

    temperatures: tuple[float, ...] | None = option(
        None,
        "Kinetic temperatures, K, such as 10,50,100 (default: those of 10,20,50,100,300 in range).",
        parse_temperatures,
    )
    lines: tuple[str, ...] = option(
        (), "Only these lines, such as 'CO(3-2)' or 1-0,2-1, by the labels of the levels.", parse_line_names
    )
    ghz: tuple[float, ...] | None = option(
        None, "Only the line at this frequency, such as 345.796, or in a band, as 84:116.", parse_frequencies
    )
    effective: bool = option(False, "Also list effective densities, at which a line has 1 K km/s.")
    column: float = option(1e14, "Column density for effective densities, cm-2.")
    line_width: float = option(1.0, "Line width (FWHM) for effective densities, km/s.")
    output: Path | None = option(None, "Write the list as JSON.", Path)


@dataclass(frozen=True)
class VerifyOptions:
    """Conditions under which two files are compared with RADEX."""

    against: Path | None = option(None, "The LAMDA file to compare with.", Path)
    tolerance: float | None = option(None, "End with code 4 above this flux ratio, such as 1.05.")
    temperatures: tuple[float, ...] | None = option(
        None, "Kinetic temperatures, K (default: 10, 30, 100, 300).", parse_temperatures
    )
    densities: tuple[float, ...] | None = option(
        None, "Densities, cm-3 (default: 1e3 to 1e6; for e and H+ 1 to 1e3).", parse_densities
    )
    columns: tuple[float, ...] = option((1e14,), "Column densities, cm-2.", parse_columns)
    line_widths: tuple[float, ...] = option((1.0,), "Line widths (FWHM), km/s.", parse_line_widths)
    solver: str = option("auto", "radex, escape (ratedb's own), or auto: RADEX where it is installed.")
    output: Path | None = option(None, "Write all lines and conditions as JSON.", Path)
    picture: Path | None = option(None, "Draw how the fluxes change, PNG, SVG or PDF.", Path)


@dataclass(frozen=True)
class DemoOptions:
    """What the demo works on."""

    file: Path | None = option(None, "Any LAMDA file (default: CO of Yang et al. 2010).", Path)
    molecule: str | None = option(
        None, "A molecule of the installed LAMDA files, such as H2CS; with --file, the one it must be of."
    )


@dataclass(frozen=True)
class DoctorOptions:
    """How much is checked."""

    deep: bool = option(False, "Also read the whole database, and check every row and model.")


@dataclass(frozen=True)
class SqlOptions:
    """Where and how the rows of a query are written."""

    format: str | None = option(None, "table, csv, json or parquet (with -o).")
    output: Path | None = option(None, "Write the rows to a file.", Path)
