"""Every rule of the LAMDA writer: data that would break it, a check of it alone, a text that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from lamda_checks import ALWAYS, OF_TIES, WARNED, keeps, keeps_every_rule
from lamda_text import changed, molecule, rotor

from ratedb.errors import RatedbError
from ratedb.io import rendering
from ratedb.io.contents import MoleculeFile
from ratedb.io.lamda import LamdaText, render_lamda
from ratedb.io.writer_rules import WriterWarning
from ratedb.levels import Levels, Lines
from ratedb.options import ExportOptions
from ratedb.rates import Rates
from ratedb.systems import COLLIDERS
from ratedb.verbs import export as exporting

Make = Callable[[], MoleculeFile]


def levels(*energy_cm1: float, **changes: object) -> Levels:
    """Return a rotor with other energies, without v and j."""
    return rotor(len(energy_cm1), energy_cm1=energy_cm1, quantum_numbers={}, **changes)


def named(*label: str) -> MoleculeFile:
    return molecule(rotor(len(label), label=label, quantum_numbers={}))


def all_of(*colliders: str, **changes: object) -> MoleculeFile:
    """Return a molecule with the same rates for several colliders."""
    files = [molecule(collider=collider, **changes) for collider in colliders]  # type: ignore[arg-type]
    return replace(files[0], partners=tuple(file.partners[0] for file in files))


def with_rates(value: float, row: int = 0) -> MoleculeFile:
    rates = np.full((6, 3), 1e-10)
    rates[row, 0] = value
    return molecule(rates=rates)


def with_a(*einstein_a: float) -> MoleculeFile:
    up = np.arange(1, 4)
    return molecule(lines=Lines(up, up - 1, einstein_a, 3.8 * up * 29.9792458))


def chain(n: int) -> MoleculeFile:
    """Return n levels, each joined to the one below by a line and a rate."""
    up = np.arange(1, n)
    return molecule(rotor(n), pairs=np.stack([up, up - 1], axis=1), temperature_k=(10.0, 20.0))


def dense(n: int) -> MoleculeFile:
    """Return n levels with a line and a rate for every pair."""
    up, low = np.tril_indices(n, -1)
    there = rotor(n)
    ghz = (there.energy_cm1[up] - there.energy_cm1[low]) * 29.9792458
    rates = np.full((len(up), 2), 1e-11)
    lines = Lines(up, low, np.full(len(up), 1e-6), ghz)
    return molecule(
        there, pairs=np.stack([up, low], axis=1), rates=rates, temperature_k=(10.0, 20.0), lines=lines
    )


def tied(**changes: object) -> MoleculeFile:
    """Return levels of equal energy, which lines and rates join in both directions."""
    there = levels(0.0, 3.8, 3.8, 3.8, **changes)
    lines = Lines([1, 2, 1], [0, 1, 3], [1e-7] * 3, [3.8 * 29.9792458, 0.0, 0.0])
    return molecule(there, pairs=[(1, 0), (1, 2), (2, 1), (1, 3), (3, 2)], lines=lines)


def high() -> MoleculeFile:
    """Return levels near 1e5 cm-1, two of them equal, at 61 temperatures."""
    there = levels(0.0, 99999.123456789, 99999.123456789, 123456.7890123)
    return molecule(there, temperature_k=np.arange(10.0, 620.0, 10.0))


def near() -> MoleculeFile:
    """Return levels so near that a frequency is below 0.001 GHz."""
    return molecule(levels(0.0, 1e-5, 5.0, 5.0000123))


def unsorted() -> MoleculeFile:
    there = levels(20.0, 0.0, 5.0, 9.0)
    lines = Lines([0, 3], [1, 2], [1e-7, 1e-7], [20.0 * 29.9792458, 4.0 * 29.9792458])
    return molecule(there, pairs=[(0, 1), (0, 2), (0, 3), (2, 1), (3, 2)], lines=lines)


def gaps() -> MoleculeFile:
    rates = np.full((6, 3), 1e-10)
    rates[:, 0] = np.nan
    rates[5, 2] = np.nan
    return molecule(rates=rates)


def alone() -> MoleculeFile:
    rates = np.full((2, 3), 1e-10)
    rates[1] = 0.0
    return molecule(pairs=[(1, 0), (2, 0)], rates=rates, lines=Lines([1], [0], [1e-7], [113.9211341]))


def groups() -> MoleculeFile:
    lines = Lines([1, 3], [0, 2], [1e-7, 1e-7], [113.9211341, 341.763402])
    return molecule(pairs=[(1, 0), (3, 2)], lines=lines)


def kelvin(*temperature_k: float) -> MoleculeFile:
    return molecule(temperature_k=temperature_k)


def grid(count: int) -> MoleculeFile:
    return molecule(temperature_k=10.0 * np.arange(1, count + 1))


NAMES = tuple(
    partial(molecule, rotor(molecule=name))
    for name in ("X" * 100, "C O v=1", " CO\t", "日本", "C!O", "CO\nx", "!")
)
REFERENCES = tuple(
    partial(molecule, reference=reference)
    for reference in (
        "A\nB\r\nC",
        "! B ! C",
        "Balança — 2006 ü 日本",
        "x" * 300,
        "\t\ufeff",
        "a  b\n\n",
        "5 H+",
    )
)
LABELS = tuple(
    partial(named, *label)
    for label in (
        ("5/2 3+ 2PI3/2", "5/2 3- 2PI3/2", "ü", " "),
        ("10_1_10", "10_1_11", "10_1_12", "L1"),
        ("a b", "a_b", "a,b", "a!b"),
        ("v=0 j=0", "v=0 j=1", "v=0 j=2", "v=0 j=3"),
        ("L1", "L2", "xxxxxx1", "xxxxxx2"),
    )
)
LONG = partial(molecule, rotor(molecule="X" * 100), reference="y" * 300)
DENSE = partial(dense, 448)
SEVEN = partial(all_of, *COLLIDERS)
TWICE = partial(all_of, "He", "He", "H2", "He")


@dataclass(frozen=True)
class Rule:
    """A rule's name, data that would break it, how to break it in a text, the warnings (rule, reader)."""

    name: str
    inputs: tuple[Make, ...]
    spoil: Callable[[str], str]
    warned: tuple[tuple[str, str], ...] = ()


def swap(old: str, new: str) -> Callable[[str], str]:
    return lambda text: changed((old, new), text=text)


def row_of(text: str, start: str) -> str:
    """Return the first row that starts so."""
    return next(row for row in text.split("\n") if row.startswith(start))


def spoil_row(start: str, old: str, new: str) -> Callable[[str], str]:
    return lambda text: changed(
        (row_of(text, start), changed((old, new), text=row_of(text, start))), text=text
    )


def first_rate(value: str) -> Callable[[str], str]:
    return swap("1.100000E-10", value)


def more_temperatures(count: int) -> Callable[[str], str]:
    """Give the one partner other temperatures, 10 K apart, and its rows as many rates."""

    def spoil(text: str) -> str:
        text = changed(("10.0 20.0 50.0", " ".join(f"{10 * i + 10}.0" for i in range(count))), text=text)
        text = changed(("!NUMBER OF COLL TEMPS\n3", f"!NUMBER OF COLL TEMPS\n{count}"), text=text)
        head, _, rows = text.partition("COLLRATES(cm^3 s^-1)\n")
        cut = [" ".join([*row.split()[:3], *["1.000E-10"] * count]) for row in rows.split("\n")[:-1]]
        return "\n".join([head + "COLLRATES(cm^3 s^-1)", *cut, ""])

    return spoil


def another_partner(line: str, times: int = 1) -> Callable[[str], str]:
    """Add the one partner again with another line."""

    def spoil(text: str) -> str:
        section = changed(("2 CO + p-H2 test", line), text=text[text.index("!COLLISIONS") :])
        text = changed(("PARTNERS\n1", f"PARTNERS\n{1 + times}"), text=text)
        return text + section * times

    return spoil


def more_rows(header: str, old: int, count: int, row: str) -> Callable[[str], str]:
    """Declare and list other rows in place of `old` ones."""

    def spoil(text: str) -> str:
        text = changed((f"{header}\n{old}\n", f"{header}\n{count}\n"), text=text)
        rows = text.split("\n")
        first = rows.index(header) + 3 + 4 * header.endswith("COLL TRANS")
        rows[first : first + old] = [row.format(i=i, j=i - 1) for i in range(1, count + 1)]
        return "\n".join(rows)

    return spoil


def only(up: int, low: int) -> Callable[[str], str]:
    """Leave one line, between levels 2 and 1, and one rate."""
    lines = more_rows("!NUMBER OF RADIATIVE TRANSITIONS", 3, 1, "1 2 1 1.0E-7 1.0 1.0")
    rates = more_rows("!NUMBER OF COLL TRANS", 6, 1, f"1 {up} {low} 1.0E-10 1.0E-10 1.0E-10")
    return lambda text: rates(lines(text))


LEVEL = "    2 "
LINE = "     2     3     2 2"
RULES = (
    Rule("ASCII", (*NAMES, *REFERENCES, *LABELS), swap("test", "té")),
    Rule("LF", REFERENCES, lambda text: text.replace("\n", "\r\n")),
    Rule("final newline", REFERENCES, lambda text: text[:-1]),
    Rule("no tab", (*NAMES, *REFERENCES), swap(" test", "\ttest")),
    Rule("no BOM", REFERENCES, lambda text: "\ufeff" + text),
    Rule("no blank line", (*REFERENCES, *NAMES), lambda text: text + "\n"),
    Rule("no comment", (*REFERENCES, *LABELS, *NAMES), swap(" test", " test ! 2006")),
    Rule("nothing after the last row", REFERENCES, lambda text: text + "made by hand\n"),
    Rule("headers at column 1", NAMES, swap("!MOLECULAR", " !MOLECULAR")),
    Rule("fixed headers", REFERENCES, swap("!COLL TEMPS", "!COLL TEMPS test 2006")),
    Rule("first line", NAMES, swap("!MOLECULE", "!MOLECULE ")),
    Rule("partner opening", (SEVEN, *REFERENCES), swap("!COLLISIONS BETWEEN", "!COLLISION PARTNER")),
    Rule("header bytes", (LONG,), swap("!COLL TEMPS", "!COLL TEMPS" + "x" * 190)),
    Rule("molecule name", NAMES, swap("CO", "X" * 79)),
    Rule("counts alone", (molecule,), swap("LEVELS\n4", "LEVELS\n4 levels")),
    Rule("reals have a point", (high, partial(kelvin, 10, 1e6)), swap("5.0 2", "5 2")),
    Rule(
        "reals of 16 characters",
        (high, partial(molecule, levels(-5.25, -4e-12, 123456.789, 12345678.9)), partial(kelvin, 1 / 3, 1e6)),
        swap("3.800000000", "3.800000000000000"),
    ),
    Rule(
        "exponents",
        (partial(with_rates, 1e-300), partial(with_rates, 9.9999999e-100), partial(with_a, 1e-120, 1e-99, 1)),
        first_rate("1.100000D-10"),
    ),
    Rule("exponents", (partial(with_a, 1e-7, 1e120, 1e-7),), first_rate("1.1000-100")),
    Rule("exponents", (partial(kelvin, 1e-5, 5.1, 1e6),), first_rate("1.100000E10")),
    Rule("levels numbered", (unsorted, alone), spoil_row(LEVEL, "2 ", "3 ")),
    Rule("energies increase", (tied, unsorted, high), swap("3.800000000", "0.000000000"), ()),
    Rule("energies parted by 1e-7", (tied, high), swap("11.400000000", "3.800000001")),
    Rule("labels one token", LABELS, spoil_row(LEVEL, " 1", " 1 a")),
    Rule("labels one token", LABELS, spoil_row(LEVEL, " 1", " 1/2")),
    Rule(
        "labels unique in six",
        LABELS,
        lambda text: text.replace(" 1\n", " abcdef1\n").replace(" 2\n", " abcdef2\n"),
    ),
    Rule("lines of six columns", (molecule,), spoil_row(LINE, "     2 ", "     2 0 ")),
    Rule("lines numbered", (unsorted, partial(with_a, 1e-7, 0.0, 1e-7)), spoil_row(LINE, "2", "7")),
    Rule("lines downward", (tied, unsorted), spoil_row(LINE, "3     2", "2     3")),
    Rule(
        "no line twice",
        (
            tied,
            partial(molecule, lines=Lines([1, 1, 0], [0, 0, 1], [1e-7, 2e-7, 1e-7], [113.92, 113.92, 0.0])),
        ),
        spoil_row(LINE, "3     2", "2     1"),
    ),
    Rule(
        "A positive",
        (partial(with_a, 0.0, np.nan, 1e-7), partial(with_a, -1.0, 1e-7, 1e-7)),
        swap("2.00000000E-07", "0.00000000E+00"),
    ),
    Rule("frequency positive", (near, tied, high), swap("227.84226808", "0.0         ")),
    Rule("partner form", (*NAMES, *REFERENCES, LONG), swap("CO + p-H2 test", "CO-pH2 test")),
    Rule("partner of its id", (SEVEN, *REFERENCES), swap("2 CO + p-H2", "3 CO + p-H2")),
    Rule("id at byte 0", (*NAMES, *REFERENCES), swap("2 CO + p-H2", " 2 CO + p-H2")),
    Rule("no id twice", (TWICE,), another_partner("2 CO + p-H2 again")),
    Rule("1 to 7 partners", (TWICE, SEVEN), another_partner("1 CO + H2", 7)),
    Rule("partner bytes", (LONG, *REFERENCES), swap(" test", " test" + "x" * 120)),
    Rule(
        "temperatures increase",
        (partial(kelvin, 10, 10.0000000000001, 20), partial(kelvin, 1e-5, 5.1, 1e6)),
        swap("10.0 20.0 50.0", "10.0 10.0 50.0"),
    ),
    Rule("temperatures as declared", (gaps,), swap("10.0 20.0 50.0", "10.0 20.0")),
    Rule("rates numbered", (gaps, tied), swap("     2     3     1 ", "     3     3     1 ")),
    Rule("rates downward", (tied, unsorted), swap("     2     3     1 ", "     2     1     3 ")),
    Rule("no rate twice", (tied,), swap("     2     3     1 ", "     2     2     1 ")),
    Rule(
        "rates positive", (partial(with_rates, 0.0), partial(with_rates, np.nan)), first_rate("0.000000E+00")
    ),
    Rule("rates positive", (partial(with_rates, 1e-300), partial(with_rates, 1e120)), first_rate("nan")),
    Rule("rates complete", (gaps,), swap("1.100000E-10 ", "")),
    Rule("every level connected", (alone,), only(2, 1)),
    Rule(
        "rows of 512",
        (partial(grid, 50), partial(grid, 61)),
        more_temperatures(61),
        (("row length", "myRadex"),),
    ),
    Rule(
        "whole weights",
        (partial(molecule, rotor(weight=[1, 0.333333, 1 / 3, 7])),),
        swap(" 3.0 1", " 3.5 1"),
        (("whole weights", "astroquery"),),
    ),
    Rule(
        "no H+",
        (SEVEN, partial(molecule, collider="H+")),
        swap("2 CO + p-H2", "7 CO + H+"),
        (("partners", "Cloudy"),),
    ),
    Rule(
        "H2 or its spins",
        (partial(all_of, "H2", "p-H2"), partial(all_of, "o-H2", "H2"), SEVEN),
        another_partner("1 CO + H2"),
        (("partners", "RADEX"),),
    ),
    Rule("2 temperatures", (partial(grid, 1),), more_temperatures(1), (("temperatures", "all readers"),)),
    Rule(
        "61 temperatures",
        (partial(grid, 62),),
        more_temperatures(62),
        (("temperatures", "readers with fixed arrays"),),
    ),
    Rule(
        "whole temperatures",
        (partial(kelvin, 5.1, 10), partial(kelvin, 1e-5, 1e6)),
        swap("10.0 20.0", "10.0 20.5"),
        (("whole temperatures", "astroquery"),),
    ),
    Rule(
        "all levels connected",
        (groups,),
        only(4, 3),
        (("connected", "RADEX"),),
    ),
    Rule(
        "a line",
        (partial(molecule, lines=Lines.empty()), partial(with_a, 0.0, 0.0, 0.0)),
        more_rows("!NUMBER OF RADIATIVE TRANSITIONS", 3, 0, ""),
        (("lines", "RADEX"),),
    ),
    Rule(
        "RADEX levels",
        (partial(chain, 3000),),
        more_rows("!NUMBER OF ENERGY LEVELS", 4, 3000, "{i} {i}.0 1.0 {i}"),
        (("limits", "RADEX"),),
    ),
    Rule(
        "frequency of the levels",
        (partial(molecule, lines=Lines([1], [0], [1e-7], [115.0])),),
        swap("227.84226808", "227.14226808"),
        (("frequencies", "pythonradex"),),
    ),
    Rule(
        "RADEX lines",
        (DENSE,),
        more_rows("!NUMBER OF RADIATIVE TRANSITIONS", 3, 100000, "{i} 2 1 1.0E-7 1.0 1.0"),
        (("limits", "RADEX"),),
    ),
    Rule(
        "RADEX rates",
        (DENSE,),
        more_rows("!NUMBER OF COLL TRANS", 6, 100000, "{i} 2 1 1.0E-10 1.0E-10 1.0E-10"),
        (("limits", "RADEX"),),
    ),
    Rule(
        "Cloudy levels",
        (partial(chain, 1000),),
        more_rows("!NUMBER OF ENERGY LEVELS", 4, 1000, "{i} {i}.0 1.0 {i}"),
        (("limits", "Cloudy"),),
    ),
    Rule(
        "SpectralRadex lines",
        (partial(chain, 502),),
        more_rows("!NUMBER OF RADIATIVE TRANSITIONS", 3, 501, "{i} 2 1 1.0E-7 1.0 1.0"),
        (("limits", "SpectralRadex"),),
    ),
)
RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name.replace(" ", "-"))
WRITTEN: dict[int, LamdaText] = {}


def written(make: Make) -> LamdaText:
    """Render a file; each only once, since many rules look at it."""
    if id(make) not in WRITTEN:
        WRITTEN[id(make)] = render_lamda(make())
    return WRITTEN[id(make)]


def test_there_is_a_row_for_every_check_and_a_check_for_every_row() -> None:
    assert {rule.name for rule in RULES} == ALWAYS.keys() | OF_TIES.keys() | WARNED.keys()
    assert {rule.name for rule in RULES if rule.warned} == WARNED.keys()


@RULE
def test_a_rule_is_kept_or_the_warning_names_it_and_its_reader(rule: Rule) -> None:
    assert rule.inputs
    for make in rule.inputs:
        result = written(make)
        raised = {(warning.rule, warning.reader) for warning in result.warnings}
        if rule.warned:
            assert not keeps(WARNED[rule.name], result.text)  # else the warning cries wolf
            assert raised >= set(rule.warned)
        else:
            assert keeps({**ALWAYS, **OF_TIES}[rule.name], result.text)


def test_the_data_of_each_rule_keep_all_others_too() -> None:
    for make in {make for rule in RULES for make in rule.inputs}:
        if len(written(make).text) < 100_000:
            keeps_every_rule(written(make).text)


@RULE
def test_the_check_of_a_rule_finds_a_text_that_breaks_it(rule: Rule) -> None:
    good = render_lamda(molecule()).text
    check = {**ALWAYS, **OF_TIES, **WARNED}[rule.name]
    assert keeps(check, good)
    assert not keeps(check, rule.spoil(good))


@pytest.mark.parametrize("name", WARNED)
def test_what_keeps_a_rule_is_not_warned_of(name: str) -> None:
    assert keeps(WARNED[name], render_lamda(molecule()).text)
    assert render_lamda(molecule()).warnings == ()
    for make in (partial(grid, 2), partial(grid, 49), partial(chain, 501), partial(all_of, "p-H2", "o-H2")):
        result = render_lamda(make())
        warned = {warning for rule in RULES if rule.name == name for warning in rule.warned}
        assert keeps(WARNED[name], result.text)
        assert not warned & {(warning.rule, warning.reader) for warning in result.warnings}


def taken(file: MoleculeFile) -> tuple[list[Rates], Lines, list[WriterWarning]]:
    """Return a molecule as a store returns it, all values computed and of one source."""
    tables = []
    sources = {1: {"kind": "computed", "reference": "test", "model_id": None}}
    for partner in file.partners:
        shape = partner.rates.rate_cm3_s.shape
        layers = {"kind_code": np.zeros(shape), "source_id": np.ones(shape)}
        tables.append(replace(partner.rates, layers=layers, sources=sources))
    return tables, file.lines, []


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.warned], ids=lambda rule: rule.name)
def test_strict_refuses_what_is_warned_of_and_writes_nothing(
    rule: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = written(rule.inputs[0])
    file = rule.inputs[0]()
    monkeypatch.setattr(exporting, "take", lambda *words: taken(file))
    monkeypatch.setattr(rendering, "render_lamda", lambda *words: result)  # the large ones only once
    with pytest.raises(RatedbError, match="would not keep every rule"):
        exporting.export(tmp_path / "x.duckdb", ["CO+H2"], tmp_path / "x.dat", ExportOptions(strict=True))
    assert list(tmp_path.iterdir()) == []
