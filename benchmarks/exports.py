"""Exports in other hands: every LAMDA file in, out, and read again by ratedb, astroquery and RADEX; seconds.

`RATEDB_TEST_DATA=FOLDER ASTROQUERY_PYTHON=PYTHON python benchmarks/exports.py` writes its tables into
docs/benchmarks.md (minutes). PYTHON is that of an environment with astroquery; without one, what astroquery
reads is not measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from report import replace_section
from sets import data_folder
from synthetic import rotor_levels, rotor_lines, rotor_rates

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.lamda import looks_like_lamda, read_lamda, render_lamda
from ratedb.io.rendering import EXPORT_FORMATS
from ratedb.options import ExportOptions, ImportOptions
from ratedb.physics.detailed_balance import reverse_rate
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.radex import lamda_folder, run_radex
from ratedb.radiative.radex_file import FileOutline, file_outline
from ratedb.radiative.radex_lines import RadexLines
from ratedb.systems import COLLIDERS
from ratedb.verbs.export import export
from ratedb.verbs.import_ import import_files

PRINTED = 6e-7
"""Half a unit in the last of seven digits, the most that an export writes."""
LIFT_CM1 = 1.1e-7
"""What parts a level from another of the same energy."""
EQUAL = 1e-4
"""Populations that differ by more, relatively, are said to differ."""
FAINT = 1e-6
"""Populations below this, and fluxes below this part of the strongest, are rounding."""
NOISE_K_KM_S = 1e-10
"""Fluxes below this are the rounding of a line as warm as the background."""
COLUMN_CM2 = 1e14

Pair = tuple[int, int]

ASTROQUERY = """
import json, sys
from astroquery.lamda import parse_lamda_datafile
answers = []
for path in json.load(sys.stdin):
    try:
        rates, lines, levels = parse_lamda_datafile(path)
        answers.append({
            "energy": [float(value) for value in levels["Energy"]],
            "weight": [float(value) for value in levels["Weight"]],
            "lines": [[float(value) for value in row] for row in lines],
            "partners": [[table.meta["collider_id"], table.meta["temperatures"],
                [[float(value) for value in row] for row in table]] for table in rates.values()],
        })
    except Exception as error:
        answers.append({"error": f"{type(error).__name__}: {error}"})
json.dump(answers, sys.stdout)
"""

EXPORT = """
import resource, sys
from pathlib import Path
from time import perf_counter
import ratedb
start = perf_counter()
ratedb.open(Path(sys.argv[1])).export("XY+He", Path(sys.argv[2]), format=sys.argv[3])
print(perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@dataclass(frozen=True, eq=False)
class Numbers:
    """What a reader found in a file, by the places of its levels in order of energy.

    `a_s1` has the A of each line; `rates` for each collider the row of each downward pair.
    """

    energy_cm1: FloatArray
    weight: FloatArray
    a_s1: dict[Pair, float]
    temperature_k: dict[str, list[float]]
    rates: dict[str, dict[Pair, FloatArray]]


def places(energy_cm1: FloatArray) -> IntArray:
    """Return the place of each level in order of energy; equal ones stay in the order of the file."""
    place = np.empty(len(energy_cm1), dtype=np.int64)
    place[np.argsort(energy_cm1, kind="stable")] = np.arange(len(place))
    return place


def by_ratedb(path: Path) -> Numbers:
    """Return what ratedb reads."""
    file = read_lamda(path)
    place = places(file.levels.energy_cm1)
    order = np.argsort(place)
    lines, rates = file.lines, {}
    for partner in file.partners:
        ends = zip(place[partner.rates.upper], place[partner.rates.lower], strict=True)
        rows = zip(ends, partner.rates.rate_cm3_s, strict=True)
        rates[partner.rates.collider] = {(int(up), int(low)): row for (up, low), row in rows}
    ends = zip(place[lines.upper], place[lines.lower], strict=True)
    return Numbers(
        file.levels.energy_cm1[order],
        file.levels.weight[order],
        {(int(up), int(low)): float(a) for (up, low), a in zip(ends, lines.einstein_a_s1, strict=True)},
        {p.rates.collider: p.rates.temperature_k.tolist() for p in file.partners},
        rates,
    )


def by_astroquery(answer: dict[str, Any]) -> Numbers:
    """Return what astroquery reads; rows that run upward are none of a downward pair."""
    energy = np.array(answer["energy"])
    place = places(energy)
    order = np.argsort(place)

    def pair(row: Sequence[float]) -> Pair:
        return int(place[int(row[1]) - 1]), int(place[int(row[2]) - 1])

    rates, kelvin = {}, {}
    for number, temperatures, rows in answer["partners"]:
        collider = COLLIDERS[int(number) - 1]
        kelvin[collider] = [float(value) for value in temperatures]
        rates[collider] = {pair(row): np.array(row[3:]) for row in rows if pair(row)[0] > pair(row)[1]}
    a_s1 = {pair(row): row[3] for row in answer["lines"]}
    return Numbers(energy[order], np.array(answer["weight"])[order], a_s1, kelvin, rates)


def astroquery_answers(paths: Sequence[Path]) -> list[dict[str, Any]] | None:
    """Return what astroquery reads in each file, or None where there is no astroquery."""
    python = os.environ.get("ASTROQUERY_PYTHON")
    if not python:
        return None
    words = json.dumps([str(path) for path in paths])
    done = subprocess.run([python, "-c", ASTROQUERY], input=words, capture_output=True, text=True, check=True)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def differences(source: Numbers, written: Numbers, *, truncated: bool = False) -> list[str]:
    """Return what an export does not give as its source does; `truncated` where the reader makes integers."""

    def whole(values: Sequence[float] | FloatArray) -> FloatArray:
        return np.trunc(values) if truncated else np.asarray(values)

    if len(source.energy_cm1) != len(written.energy_cm1):
        return [f"{len(source.energy_cm1) - len(written.energy_cm1)} levels left out"]
    found = []
    if np.abs(source.energy_cm1 - written.energy_cm1).max() > LIFT_CM1:
        found.append("energies")
    if not np.array_equal(whole(source.weight), whole(written.weight)):
        found.append("weights")
    emitting = {pair: a for pair, a in source.a_s1.items() if a > 0}
    if emitting.keys() != written.a_s1.keys() or not all(
        np.isclose(a, written.a_s1[pair], rtol=1e-8, atol=0) for pair, a in emitting.items()
    ):
        found.append("lines")
    for collider, rates in source.rates.items():
        again = written.rates.get(collider, {})
        if not np.array_equal(whole(source.temperature_k[collider]), written.temperature_k.get(collider, [])):
            found.append(f"temperatures of {collider}")
        elif not all(
            pair in again and np.allclose(row, again[pair], rtol=PRINTED, atol=1e-99)
            for pair, row in rates.items()
        ):
            found.append(f"rates of {collider}")
    return found


def conditions_of(source: MoleculeFile, colliders: Sequence[str]) -> list[list[Conditions]]:
    """Return for each partner its conditions: ends and middle of its temperatures, a low and a high density.

    `colliders` are the names that RADEX has for the partners.
    """
    found = []
    for partner, name in zip(source.partners, colliders, strict=True):
        kelvin = partner.rates.temperature_k[partner.rates.temperature_k <= 1e4]
        densities = (1.0, 1e2) if partner.rates.collider in ("e", "H+") else (1e3, 1e5)
        temperatures = sorted({kelvin[0], (kelvin[0] + kelvin[-1]) / 2.0, kelvin[-1]})
        found.append([Conditions(t, {name: n}, COLUMN_CM2) for t in temperatures for n in densities])
    return found


def radex_answers(path: Path, grid: Sequence[Conditions]) -> tuple[list[RadexLines | None], str]:
    """Return what RADEX says under each of the conditions, and why not where it fails."""
    try:
        return list(run_radex(path, grid)), ""
    except RatedbError as error:
        if not error.what.startswith("RADEX failed for"):
            return [None] * len(grid), told(error)
    answers: list[RadexLines | None] = []
    why = ""
    for conditions in grid:
        try:
            answers += run_radex(path, [conditions])
        except RatedbError as error:
            answers.append(None)
            why = f"{str(error.got).partition(': ')[2]} at {conditions.describe()}"
    return answers, why


def told(error: RatedbError) -> str:
    """Return an error in one line."""
    place = str(error.where).rpartition(", ")[2] if error.where and "line " in str(error.where) else ""
    return f"{error.what}{', ' if place else ''}{place}: expected {error.expected}, got {error.got}"


def apart(source: RadexLines, written: RadexLines, match: IntArray) -> tuple[float, float]:
    """Return the largest relative differences of populations and of fluxes."""
    largest = 0.0
    for name in ("population_upper", "population_lower"):
        a, b = getattr(source, name)[match], getattr(written, name)
        seen = np.maximum(a, b) > FAINT
        largest = max(largest, float((np.abs(a - b) / np.maximum(a, b))[seen].max(initial=0.0)))
    a, b = source.flux_k_km_s[match], written.flux_k_km_s
    size = np.maximum(np.abs(a), np.abs(b))
    bright = size > max(FAINT * size.max(initial=0.0), NOISE_K_KM_S)
    return largest, float((np.abs(a - b) / np.where(bright, size, 1.0))[bright].max(initial=0.0))


def matching(source: FileOutline, written: FileOutline) -> IntArray:
    """Return for each line of the export the place of the same line in the source."""
    ends = []
    for outline in (source, written):
        place = places(np.array(outline.energy_cm1))
        pairs = zip(place[list(outline.upper)].tolist(), place[list(outline.lower)].tolist(), strict=True)
        ends.append([(max(pair), min(pair)) for pair in pairs])
    number = {pair: i for i, pair in enumerate(ends[0])}
    return np.array([number[pair] for pair in ends[1]], dtype=np.int64)


def corrected(path: Path, source: MoleculeFile) -> tuple[str, list[str]]:
    """Return a file without what RADEX is known to misread, corrected in its own text, and what that was.

    Levels of equal energy, between which RADEX has rates in one direction only, are parted by 1e-7 cm-1; rows
    that run upward, which RADEX loses, are turned by detailed balance, or left out where the reader found
    that they are no upward rates.
    """
    rows = path.read_bytes().decode("latin-1").splitlines()
    first = 7
    count = int(rows[5].split()[0])
    energy = np.array([float(row.split()[1]) for row in rows[first : first + count]])
    weight = np.array([float(row.split()[2]) for row in rows[first : first + count]])
    order = np.argsort(energy, kind="stable")
    lifted = energy.copy()
    for low, up in pairwise(order):
        lifted[up] = max(lifted[up], lifted[low] + 1e-7 if lifted[up] <= lifted[low] else lifted[up])
    for i in np.flatnonzero(lifted != energy):
        words = rows[first + i].split(None, 2)
        rows[first + i] = f"{words[0]} {lifted[i]:.9f} {words[2]}"
    at = first + count + 1
    at += 2 + int(rows[at].split()[0])
    partners = int(rows[at + 1].split()[0])
    at += 2
    ties = turned = 0
    for partner in source.partners[:partners]:
        n = int(rows[at + 3].split()[0])
        kelvin = np.array([float(word) for word in rows[at + 7].split()])
        at += 9
        pairs = {(int(u), int(w)) for u, w in zip(partner.rates.upper, partner.rates.lower, strict=True)}
        for i in range(at, at + n):
            words = rows[i].split()
            up, low = int(words[1]) - 1, int(words[2]) - 1
            ties += bool(energy[up] == energy[low])
            if lifted[up] > lifted[low]:
                continue
            turned += bool(energy[up] < energy[low])
            rate = reverse_rate(
                [float(word) for word in words[3:]], weight[up], weight[low], energy[up], energy[low], kelvin
            )
            if energy[up] < energy[low] and (low, up) not in pairs:
                rate[:] = 0.0
            rows[i] = " ".join([words[0], words[2], words[1], *(f"{value:.6E}" for value in rate)])
        at += n
    reasons = []
    if ties:
        reasons.append(
            f"{ties} row(s) between levels of equal energy, which RADEX takes in one direction only"
        )
    if turned:
        reasons.append(f"{turned} row(s) that run upward, which RADEX loses")
    return "\n".join(rows) + "\n", reasons


@dataclass(frozen=True)
class Row:
    """What one file showed."""

    name: str
    counts: str
    ratedb: str
    radex: str
    populations: str
    fluxes: str
    notes: list[str]


def by_radex(path: Path, written: Path, folder: Path) -> tuple[str, str, str, list[str]]:
    """Return what RADEX makes of a source and its export: verdict, differences, notes."""
    source = read_lamda(path)
    try:
        outline, again = file_outline(path), file_outline(written)
    except RatedbError as error:
        return "source refused", "", "", [told(error)]
    ours = [partner.rates.collider for partner in source.partners]
    theirs = list(outline.temperature_range_k)
    notes = [f"by its id RADEX takes {a} for {b}" for a, b in zip(ours, theirs, strict=True) if a != b]
    largest, reason = compared(path, written, source, (ours, theirs), matching(outline, again))
    if largest is None:
        return "not measured", "", "", [*notes, reason]
    if reason:
        notes.append(reason)
    verdict = "yes"
    if largest[0] > EQUAL:
        text, reasons = corrected(path, source)
        other = folder / f"corrected-{path.name}"
        other.write_text(text, encoding="latin-1")
        after, _ = compared(other, written, source, (ours, theirs), matching(file_outline(other), again))
        explained = after is not None and after[0] <= EQUAL
        verdict = "source misread" if explained else "**no**"
        notes += reasons
        if after is not None:
            notes.append(f"with these corrected in the source itself, populations differ by {after[0]:.0e}")
    return verdict, f"{largest[0]:.1e}", f"{largest[1]:.1e}", notes


def compared(
    path: Path, written: Path, source: MoleculeFile, names: tuple[list[str], list[str]], match: IntArray
) -> tuple[tuple[float, float] | None, str]:
    """Return the largest differences of populations and fluxes, None where nothing could be compared."""
    ours, theirs = names
    largest: tuple[float, float] | None = None
    why = ""
    for mine, other in zip(conditions_of(source, ours), conditions_of(source, theirs), strict=True):
        found, failed = radex_answers(written, mine)
        first, failed_first = radex_answers(path, other)
        why = why or failed or failed_first
        for a, b in zip(first, found, strict=True):
            if a is not None and b is not None:
                one = apart(a, b, match)
                largest = one if largest is None else (max(largest[0], one[0]), max(largest[1], one[1]))
    return largest, why


def lamda_files(data: Path) -> list[Path]:
    """Return every LAMDA file of the data sets and of spectralradex."""
    roots = [root for root in (data, lamda_folder()) if root is not None]
    return sorted(
        (path for root in roots for path in root.rglob("*.dat") if looks_like_lamda(path.read_bytes())),
        key=lambda path: path.name.lower(),
    )


def exported(path: Path, number: int, folder: Path) -> Path:
    """Import a file, export all its systems; return the export."""
    store, written = folder / f"{number}.duckdb", folder / f"{number}-{path.name}"
    systems = [one.system for one in import_files(store, [path], ImportOptions(quality="off")).systems]
    export(store, systems, written, ExportOptions())
    return written


def measure(path: Path, written: Path, folder: Path) -> Row:
    """Return what ratedb and RADEX make of one file."""
    source = read_lamda(path)
    verdict, populations, fluxes, notes = by_radex(path, written, folder)
    wrong = differences(by_ratedb(path), by_ratedb(written))
    count = f"{len(source.levels)} | {len(source.lines)} | {len(source.partners)}"
    return Row(
        path.name, count, ", ".join(wrong) or "yes", verdict, populations, fluxes, list(dict.fromkeys(notes))
    )


def readers_table(data: Path, folder: Path) -> str:
    """Return the table of all files."""
    paths = lamda_files(data)
    rows, written = [], []
    for number, path in enumerate(paths):
        written.append(exported(path, number, folder))
        rows.append(measure(path, written[-1], folder))
    answers = astroquery_answers([*paths, *written])
    lines = [
        "| file | levels | lines | partners | ratedb equal | astroquery equal | RADEX equal | populations"
        " differ by | fluxes differ by | notes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for number, (path, row) in enumerate(zip(paths, rows, strict=True)):
        verdict, note = "not measured", []
        if answers is not None:
            verdict, note = seen_by_astroquery(path, answers[number], answers[len(paths) + number])
        lines.append(
            f"| {row.name} | {row.counts} | {row.ratedb} | {verdict} | {row.radex} | {row.populations} |"
            f" {row.fluxes} | {'; '.join([*row.notes, *note])} |"
        )
    return "\n".join(lines)


def seen_by_astroquery(path: Path, source: dict[str, Any], written: dict[str, Any]) -> tuple[str, list[str]]:
    """Return whether astroquery reads from the export what it, or else ratedb, reads from the source."""
    if "error" in written:
        return "**no**", [f"astroquery: {written['error']}"]
    notes = []
    if "error" in source:
        notes.append(f"astroquery cannot read the source ({source['error']})")
    read_too = None if "error" in source else by_astroquery(source)
    wrong = differences(by_ratedb(path), by_astroquery(written), truncated=True)
    if read_too is not None and not wrong:
        wrong = differences(read_too, by_astroquery(written), truncated=True)
        if wrong and set(read_too.rates) != set(by_ratedb(path).rates):
            wrong = []  # astroquery names the partner by its id, which the text contradicts
    return ", ".join(wrong) or "yes", notes


def speed_table(folder: Path) -> str:
    """Return seconds and memory of exports of 1e6 values."""
    levels = rotor_levels(181)
    rates = rotor_rates(levels, "He", np.arange(10.0, 620.0, 10.0).tolist())
    path, store = folder / "big.dat", folder / "big.duckdb"
    path.write_text(
        render_lamda(MoleculeFile(levels, rotor_lines(levels), (PartnerRates(rates, "made up"),))).text
    )
    import_files(store, [path], ImportOptions(quality="off"))
    lines = [
        f"| export of {rates.rate_cm3_s.size:,} values ({len(rates)} transitions) | s | memory MB |",
        "|---|---|---|",
    ]
    for file_format in EXPORT_FORMATS:
        words = [sys.executable, "-c", EXPORT, str(store), str(folder / f"out.{file_format}"), file_format]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        # Under `python -c` DuckDB takes itself for interactive and draws a bar of progress first.
        spent, memory = said.splitlines()[-1].split()
        lines.append(f"| {file_format} | {float(spent):.1f} | {float(memory):.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Write all tables."""
    data = data_folder()
    if data is None or lamda_folder() is None:
        sys.exit("no folder of real data (name it in RATEDB_TEST_DATA), or no spectralradex")
    with tempfile.TemporaryDirectory() as name:
        parts = [INTRODUCTION, readers_table(data, Path(name)), speed_table(Path(name))]
    text = "\n\n".join(parts)
    print(text)
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "exports", text)


INTRODUCTION = (
    "Every LAMDA file is imported, exported with all its partners and read again. *Equal*: energies, weights,"
    " A, temperatures and rates are those of the source to the printed digits; for RADEX, populations under"
    f" each partner alone (N = {COLUMN_CM2:.0e} cm-2; ends and middle of its temperatures; 1e3, 1e5 cm-3, 1"
    f" and 100 of electrons and H+) agree within {EQUAL:g}. *Source misread*: RADEX misreads the source, for"
    " the reason noted, and agrees once that is corrected in the text of the source. Written by"
    " `make bench-exports`."
)


if __name__ == "__main__":
    main()
