"""Quality control on real data: false alarms, seeded faults found, natural defects found, and seconds.

`RATEDB_TEST_DATA=FOLDER python benchmarks/quality.py` writes its tables into docs/benchmarks.md. A fault
counts as found where its transition has a finding of severity error or warning that the clean set has not.
Two rows of a hundred are made wrong at a time, so that each set need not be checked for each single fault.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import sets
from report import replace_section

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.findings import Finding
from ratedb.io.lamda import read_lamda
from ratedb.levels import Levels, vj
from ratedb.quality.check import check_rates
from ratedb.quality.sources import check_sources, check_title
from ratedb.rates import Rates

SEED = 20240
FAULTS = 200
SHARE = 0.02
VISIBLE = np.log(1.1)
LOUD = ("error", "warning")

Names = set[tuple[str, str | None, str | None]]


def lamda(path: Path, collider: str) -> Rates:
    """Return the rates of one partner of a LAMDA file, as they are."""
    return next(p.rates for p in read_lamda(path).partners if p.rates.collider == collider)


def kij(path: Path, molecule: str, levels: int, rotational_cm1: float, collider: str) -> Rates:
    """Return a table of molpop-cep with the levels of a rigid rotor."""
    j = np.arange(levels, dtype=np.float64)
    return sets.read_kij(path, sets.rotor(molecule, rotational_cm1 * j * (j + 1.0)), collider)


def sio(folder: Path, name: str, collider: str) -> Rates:
    """Return SiO of Dayou & Balanca (2006), all levels."""
    rows = sets.read_energies(folder / "sio-rot-dayou2006/SiO_rotation.molecule")
    levels = sets.rotor("SiO", np.array([float(row[2]) for row in rows]))
    return sets.read_kij(folder / "sio-rot-dayou2006" / name, levels, collider)


def h2_h(folder: Path) -> Rates:
    """Return H2 + H of Lique (2015) at all temperatures, 100-5000 K."""
    return sets.h2_h(folder, low_k=0.0)


CLEAN: dict[str, Callable[[Path], Rates]] = {
    "CO + p-H2, Yang 2010": lambda f: lamda(f / "co-h2-rot-yang2010/co.dat", "p-H2"),
    "CO + o-H2, Yang 2010": lambda f: lamda(f / "co-h2-rot-yang2010/co.dat", "o-H2"),
    "SiO + p-H2, Dayou 2006": lambda f: sio(f, "SiO_100.kij", "p-H2"),
    "SiO + He, Dayou 2006": lambda f: sio(f, "SiO_95.kij", "He"),
    "SiS + He, Vincent 2007": lambda f: kij(
        f / "sis-he-rot-vincent2007/SiS_119.kij.svn-base", "SiS", 26, 0.3035, "He"
    ),
    "HCN + H2, Dumouchel 2010": lambda f: lamda(f / "hcn-h2-rot-dumouchel2010/hcn.dat", "H2"),
    "H2 + H, Lique 2015": h2_h,
}

OTHERS: dict[str, Callable[[Path], Rates]] = {
    "CO + p-H2, Flower 2001": lambda f: kij(f / "co-h2-rot-flower2001/CO_34.kij", "CO", 30, 1.92, "p-H2"),
    "CO + He, Cecchi 2002": lambda f: kij(f / "co-he-rot-cecchi2002/CO_50.kij", "CO", 15, 1.92, "He"),
    "SiO + p-H2, Turner 1992": lambda f: kij(f / "sio-rot-turner1992/SiO_23.kij", "SiO", 21, 0.724, "p-H2"),
    "HF + He, Reese 2005": lambda f: kij(f / "hf-he-rot-reese2005/HF_63.kij.svn-base", "HF", 10, 20.5, "He"),
    "SiO + H2, LAMDA (2 digits)": lambda f: lamda(f / "sio-h2-rot-lamda/sio.dat", "H2"),
    "CN + H2, Lique 2010 (no v, j)": lambda f: lamda(f / "cn-h2-rot-lique2010/cn.dat", "H2"),
    "H2CO + p-H2, Wiesenfeld 2013 (no v, j)": lambda f: lamda(
        f / "h2co-h2-rot-wiesenfeld2013/oh2co-h2.dat", "p-H2"
    ),
    "H2CO + o-H2, Wiesenfeld 2013 (no v, j)": lambda f: lamda(
        f / "h2co-h2-rot-wiesenfeld2013/oh2co-h2.dat", "o-H2"
    ),
}


@dataclass(frozen=True, eq=False)
class Faulty:
    """Rates with faults, and for each fault the rows it touched (any of which may be named)."""

    rate_cm3_s: FloatArray
    faults: list[list[int]]
    columns: list[int]


Seeder = Callable[[FloatArray, np.random.Generator, int], Faulty]


def value(where: str, factor: float = 10.0) -> Seeder:
    """Return a seeder that multiplies one value of each row, at a random, the first or the last T."""

    def seed(rate: FloatArray, rng: np.random.Generator, count: int) -> Faulty:
        rows, wrong = rng.choice(len(rate), count, replace=False), rate.copy()
        columns = {"random": rng.integers(rate.shape[1], size=count)}.get(
            where, np.full(count, 0 if where == "first" else rate.shape[1] - 1)
        )
        wrong[rows, columns] *= factor
        return Faulty(wrong, [[row] for row in rows.tolist()], columns.tolist())

    return seed


def swap(rate: FloatArray, rng: np.random.Generator, count: int) -> Faulty:
    """Exchange random pairs of rows."""
    rows, wrong = rng.choice(len(rate), 2 * (count // 2 or 1), replace=False).reshape(-1, 2), rate.copy()
    wrong[rows[:, 0]], wrong[rows[:, 1]] = rate[rows[:, 1]], rate[rows[:, 0]]
    return Faulty(wrong, rows.tolist(), [])


def shift(rate: FloatArray, rng: np.random.Generator, count: int) -> Faulty:
    """Move rows by one temperature, to either side, the end repeated."""
    rows, wrong = rng.choice(len(rate), count, replace=False), rate.copy()
    for row in rows:
        if rng.random() < 0.5:
            wrong[row, 1:] = rate[row, :-1]
        else:
            wrong[row, :-1] = rate[row, 1:]
    return Faulty(wrong, [[row] for row in rows.tolist()], [])


def unit(rate: FloatArray, rng: np.random.Generator, count: int) -> Faulty:
    """Put rows in m3 s-1."""
    rows, wrong = rng.choice(len(rate), count, replace=False), rate.copy()
    wrong[rows] *= 1e-6
    return Faulty(wrong, [[row] for row in rows.tolist()], [])


SEEDERS: dict[str, Seeder] = {
    "x10 any T": value("random"),
    "x10 first T": value("first"),
    "x10 last T": value("last"),
    "x2 any T": value("random", 2.0),
    "rows swapped": swap,
    "row shifted in T": shift,
    "row in m3": unit,
}


def with_rates(rates: Rates, rate_cm3_s: FloatArray) -> Rates:
    """Return the table with other values."""
    return Rates(rates.levels, rates.collider, rates.upper, rates.lower, rates.temperature_k, rate_cm3_s)


def loud(findings: Iterable[Finding]) -> Names:
    """Return (rule, upper, lower) of the findings that count."""
    return {(f.rule, f.upper, f.lower) for f in findings if f.severity in LOUD}


def pair(rates: Rates, row: int) -> tuple[str, str]:
    """Return the labels of a row."""
    return rates.levels.label[rates.upper[row]], rates.levels.label[rates.lower[row]]


@dataclass
class Score:
    """Faults of one kind in one set: found by any of their rows or by all, unseen, innocents blamed."""

    faults: int = 0
    found: int = 0
    found_all: int = 0
    invisible: int = 0
    invisible_missed: int = 0
    at_t: int = 0
    blamed: int = 0

    @property
    def text(self) -> str:
        """The rates for the table: found, and found among those that changed a value by 10 % or more."""
        visible = self.faults - self.invisible
        among = (self.found - self.invisible + self.invisible_missed) / visible if visible else 1.0
        return f"{self.found / self.faults:.1%} ({among:.1%} of {visible})"


def measure(rates: Rates, seeder: Seeder, clean: Names, rng: np.random.Generator) -> Score:
    """Return how many of at least FAULTS seeded faults are found."""
    score = Score()
    count = max(2, round(SHARE * len(rates)))
    innocent = {name[1:] for name in clean}
    while score.faults < FAULTS:
        faulty = seeder(np.asarray(rates.rate_cm3_s), rng, count)
        findings = check_rates(with_rates(rates, faulty.rate_cm3_s))
        named = {name[1:] for name in loud(findings) - clean}
        at = {(f.upper, f.lower, f.temperature_k) for f in findings if f.severity in LOUD}
        touched = set()
        with np.errstate(divide="ignore"):
            change = np.abs(np.log(faulty.rate_cm3_s / rates.rate_cm3_s)).max(axis=1)
        for number, rows in enumerate(faulty.faults):
            hits = [pair(rates, row) in named for row in rows]
            touched |= {pair(rates, row) for row in rows}
            invisible = max(change[row] for row in rows) < VISIBLE
            score.faults += 1
            score.found += any(hits)
            score.found_all += all(hits)
            score.invisible += invisible
            score.invisible_missed += invisible and not any(hits)
            if faulty.columns:
                kelvin = float(rates.temperature_k[faulty.columns[number]])
                score.at_t += (*pair(rates, rows[0]), kelvin) in at
        errors = {(f.upper, f.lower) for f in findings if f.severity == "error"}
        score.blamed += len(errors - touched - innocent)
    return score


def negatives(rates: Rates, rng: np.random.Generator) -> Score:
    """Return how many negative values are refused with the name of their transition."""
    score = Score()
    for _ in range(FAULTS):
        row, column = int(rng.integers(len(rates))), int(rng.integers(len(rates.temperature_k)))
        wrong = rates.rate_cm3_s.copy()
        wrong[row, column] *= -1.0
        score.faults += 1
        try:
            with_rates(rates, wrong)
        except RatedbError as error:
            score.found += rates.transition_name(row) in str(error)
    return score


def whole_unit(rates: Rates) -> bool:
    """Return whether a set in m3 s-1 is noticed."""
    findings = check_rates(with_rates(rates, rates.rate_cm3_s * 1e-6))
    return any(f.rule == "unit-of-set" for f in findings)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def false_alarms(folder: Path, chosen: dict[str, Callable[[Path], Rates]]) -> str:
    """Return the table of findings in sets as published."""
    rows = []
    for name, load in chosen.items():
        rates = load(folder)
        start = perf_counter()
        findings = check_rates(rates)
        seconds = perf_counter() - start
        counts = [
            len({(f.upper, f.lower) for f in findings if f.severity == severity and f.upper is not None})
            for severity in LOUD
        ]
        by_rule: dict[str, int] = {}
        for finding in findings:
            by_rule[finding.rule] = by_rule.get(finding.rule, 0) + 1
        rows.append(
            [
                name,
                f"{len(rates)} x {len(rates.temperature_k)}",
                *(f"{count} ({count / len(rates):.2%})" for count in counts),
                ", ".join(f"{rule} {count}" for rule, count in by_rule.items()) or "-",
                f"{seconds:.2f}",
            ]
        )
    return table(["set", "transitions x T", "error", "warning", "findings by rule", "s"], rows)


def seeded(folder: Path) -> str:
    """Return the table of seeded faults found."""
    rows, details = [], []
    for name, load in CLEAN.items():
        rates = load(folder)
        clean = loud(check_rates(rates))
        scores = {
            kind: measure(rates, seeder, clean, np.random.default_rng([SEED, number]))
            for number, (kind, seeder) in enumerate(SEEDERS.items())
        }
        negative = negatives(rates, np.random.default_rng([SEED, len(SEEDERS)]))
        rows.append(
            [
                name,
                *(score.text for score in scores.values()),
                "yes" if whole_unit(rates) else "no",
                f"{negative.found / negative.faults:.1%}",
            ]
        )
        x10, swapped = scores["x10 any T"], scores["rows swapped"]
        faults = sum(score.faults for score in scores.values())
        blamed = sum(score.blamed for score in scores.values())
        details.append(
            [
                name,
                f"{x10.at_t / x10.faults:.1%}",
                f"{swapped.found_all / swapped.faults:.1%}",
                f"{blamed} after {faults}",
            ]
        )
        print(f"{name} done", file=sys.stderr)
    first = table(["set", *SEEDERS, "set in m3", "negative"], rows)
    second = table(["set", "x10: right T named", "swap: both named", "other rows with a new error"], details)
    return f"{first}\n\n{second}"


def natural(folder: Path) -> str:
    """Return the table of known defects and the rules that name them."""
    rows = []

    def add(defect: str, findings: Iterable[Finding], expected: str) -> None:
        counts: dict[str, int] = {}
        for finding in findings:
            if finding.severity in LOUD:
                counts[finding.rule] = counts.get(finding.rule, 0) + 1
        rows.append([defect, expected, ", ".join(f"{k} {v}" for k, v in counts.items()) or "nothing"])

    for collider in ("p-H2", "o-H2"):
        rates = lamda(folder / "hcl-h2-rot-lanza2014/hcl.dat", collider)
        jumps = np.abs(np.diff(np.log(rates.rate_cm3_s), axis=1)).max(axis=1) > 1.0
        findings = check_rates(rates)
        named = {(f.upper, f.lower) for f in findings if f.severity in LOUD}
        hit = sum(pair(rates, int(row)) in named for row in np.flatnonzero(jumps))
        add(
            f"HCl + {collider}, rows scrambled",
            findings,
            f"{hit} of {jumps.sum()} rows that jump by over 1 e-fold named, {len(named) - hit} others",
        )
    rates = kij(folder / "co-h-rot-balakrishnan2002/CO_60.kij", "CO", 17, 1.92, "H")
    findings = check_rates(rates)
    add("CO + H, 15 -> 10", [f for f in findings if f.transition == "15 -> 10"], "1 row, 1-4 decades low")
    add("CO + H, all else", [f for f in findings if f.transition != "15 -> 10"], "nothing")
    for path, collider, seam in (
        ("sio-h2-rot-lamda/sio.dat", "H2", "extrapolated above j = 26"),
        ("co-h2-rot-neufeld-extrapolated/co@neufeld.dat", "p-H2", "extrapolated above j = 40"),
        ("hcop-h2-rot-flower1999/hco+@xpol.dat", "H2", "extrapolated above j = 20"),
        (
            "co-h2-rot-yang2010/co.dat",
            "p-H2",
            "not known; not in o-H2 of the same paper, nor in another CO + p-H2",
        ),
    ):
        rates = lamda(folder / path, collider)
        odd = [f for f in check_rates(rates) if f.rule == "odd-j"]
        j = ", ".join(f.detail.split("j = ")[1].split()[0] for f in odd)
        add(f"{rates.system}, {Path(path).name}: j = {j} named", odd, seam)
    path = folder / "hcop-h2-rot-flower1999/HCO+_11.kij.svn-base"
    first = kij(path, "HCO+", 21, 1.4875, "H2")
    second = lamda(folder / "hcop-h2-rot-flower1999/hco+@xpol.dat", "H2")
    title = check_title(path.read_text(encoding="utf-8").splitlines()[1], first.temperature_k, "HCO++H2")
    add("HCO+, title", [] if title is None else [title], "10-400 K, not 5-390 K")
    add("HCO+, two sources", check_sources(first, second), "one row of temperatures shifted")
    file = read_lamda(folder / "nacl-h2-rovib-ios/nacl.dat")
    add(
        "NaCl, two directions",
        file.partners[0].findings,
        f"{len(file.partners[0].rates)} transitions in both directions",
    )
    add("NaCl, values", check_rates(file.partners[0].rates), "87 kept values below 1e-40")
    add(
        "SO, zeros", check_rates(lamda(folder / "so-h2-rot-lique2006/so@lique.dat", "H2")), "15 rows of zeros"
    )
    grid = [10, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 2500, 3000]
    green = sets.sio_vibrational(folder, np.array(grid, dtype=np.float64), 4)
    add("SiO + H2, Bieniek & Green", check_rates(green), "2 shapes")
    for collider in ("p-H2", "o-H2"):
        rates = lamda(folder / "co-h2-rot-neufeld-extrapolated/co@neufeld.dat", collider)
        add(f"CO + {collider}, Neufeld", check_rates(rates), "j > 40 extrapolated")
    return table(["defect", "known", "loud findings by rule"], rows)


def large_set() -> str:
    """Return the seconds for a made-up set of 5000 transitions at 20 and 50 temperatures."""
    lines = []
    for m in (20, 50):
        j = np.arange(101)
        levels = Levels("XY", tuple(map(str, j)), 1.0 * j * (j + 1), 2.0 * j + 1, vj(np.zeros_like(j), j))
        upper, lower = np.nonzero(np.tri(101, k=-1))
        kelvin = np.geomspace(10.0, 3000.0, m)
        gap = 1.44 * (levels.energy_cm1[upper] - levels.energy_cm1[lower])
        rate = 1e-10 * np.exp(-0.1 * (upper - lower)[:, None] - np.sqrt(gap[:, None] / (kelvin + 100.0)))
        rates = Rates(levels, "He", upper, lower, kelvin, rate)
        start = perf_counter()
        check_rates(rates)
        lines.append(f"- {len(rates)} transitions x {m} temperatures: {perf_counter() - start:.1f} s")
    return "\n".join(lines)


def main() -> None:
    """Write all tables."""
    folder = sets.data_folder()
    if folder is None:
        sys.exit("no folder of real data; name it in RATEDB_TEST_DATA")
    parts = [
        "Written by `make bench-quality`; the rules are in [quality.md](quality.md).",
        "False alarms: transitions with a finding of that severity in sets taken for clean.",
        false_alarms(folder, CLEAN),
        "Other published sets, whose findings may be right:",
        false_alarms(folder, OTHERS),
        "Known defects of published sets:",
        natural(folder),
        f"Seeded faults found by a finding of error or warning, at least {FAULTS} each; in brackets, of those"
        " that change a value by 10 % or more:",
        seeded(folder),
        "Seconds for a made-up set:",
        large_set(),
    ]
    text = "\n\n".join(parts)
    print(text)
    replace_section(Path(__file__).parents[1] / "docs" / "benchmarks.md", "quality", text)


if __name__ == "__main__":
    main()
