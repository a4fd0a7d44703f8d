"""Broken variants of small valid files, and what each reader makes of them: rates, or a RatedbError."""

from __future__ import annotations

import gzip
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import FrameType

import duckdb
from cross_section_text import (
    ICS,
    RISING,
    SKIPPED,
    XSC,
    XXSC,
    ios_text,
    molscat_text,
    mqct_text,
    progress,
    rotor,
)
from lamda_text import TEXT
from rate_texts import (
    AIJ,
    CSV,
    ENERGY,
    HYDROGEN,
    KIJ,
    LEVELS_CSV,
    MOLPOP,
    MOLPOP_V,
    NUMBERED,
    PAIRS,
    PARTNER_CSV,
    SQUARES,
    TOP_CSV,
    TWO,
    VJ,
    WATER,
    WIDE,
    WIDE_PAIRS,
    WIDE_VJ,
)

from ratedb.errors import RatedbError
from ratedb.io.registry import ReadOptions, cross_section_readers, read_cross_sections, read_rates
from ratedb.levels import Levels

SIGMA_J = "total_energy_cm1,v,j,v_final,j_final,sigma_angstrom2\n" + "".join(
    f"{energy},0,{j},0,{k},{energy / (j + 1)}\n" for energy in (40, 60) for j in range(3) for k in range(j)
)
SIGMA_LABELS = 'kinetic_energy_cm1,initial_label,final_label,cross_section_a2\n20,2,0,1.5\n\n20,"1",0,2\n'
SIGMA_LEVELS = "v,j,energy_cm1,weight\n" + "".join(f"0,{j},{2 * j * (j + 1)},{2 * j + 1}\n" for j in range(4))
MQCT_OUTPUT = "".join(
    f"U=   {u:.6f} cm^-1\n  ilv  flv  sigma(U),ANG^2  E_coll,cm^-1  sigma(E_coll),ANG^2\n"
    + "".join(f"  1  {f + 1}  2.0  {u * (1 + f * (f + 1) / (2 * u)) ** 2:.6f}  1.5\n" for f in range(3))
    + "TOTAL NUMBER OF TRAJECTORIES =  30\n"
    for u in (30.0, 40.0)
)
LONGEST_S = 20
WORDS = b"nan inf -1 0 1e999 1e300 -0.0 1.5 99999999999 1e-400 ***** 1_0 0x1 1D-10 6.070-102 2 x !".split()
SIGNS = b"0123456789.-+eED ,;\t\n\r#!\"'>()/_x\0\xff\xc3"


@dataclass(frozen=True)
class Seed:
    """A valid text, its format, and the texts of the lists it needs; `broken` names the one to break."""

    file_format: str
    text: str | bytes
    levels: tuple[str, ...] = ()
    others: str | None = None
    broken: str = "rates"


SEEDS = {
    "lamda": [Seed("lamda", TEXT)],
    "basecol": [Seed("basecol", KIJ, (MOLPOP,))],
    "basecol, two": [Seed("basecol", TWO, (WATER,), HYDROGEN)],
    "vj": [Seed("vj", VJ, (ENERGY,))],
    "matrix": [Seed("matrix", NUMBERED), Seed("matrix", SQUARES), Seed("matrix", PAIRS)],
    "levels: molpop": [Seed("basecol", KIJ, (MOLPOP,), broken="levels")],
    "levels: v, J": [Seed("vj", VJ, (text,), broken="levels") for text in (MOLPOP_V, ENERGY)],
    "levels: BASECOL": [
        Seed("basecol", KIJ, (WATER,), broken="levels"),
        Seed("basecol", TWO, (WATER,), HYDROGEN, broken="others"),
    ],
    "wide": [
        Seed("wide", WIDE, (TOP_CSV,)),
        Seed("wide", WIDE_PAIRS, (TOP_CSV,), PARTNER_CSV),
        Seed("wide", WIDE_VJ, (LEVELS_CSV,)),
    ],
    "levels: CSV": [
        Seed("basecol", KIJ, (LEVELS_CSV,), broken="levels"),
        Seed("wide", WIDE, (TOP_CSV,), broken="levels"),
    ],
    "levels: A_ij": [Seed("basecol", KIJ, (AIJ, MOLPOP_V), broken="levels")],
    "csv": [Seed("csv", CSV), Seed("csv", "\n".join(CSV.split("\n")[:1] + CSV.split("\n")[2:]))],
    "parquet": [Seed("parquet", CSV)],
    "molscat": [
        Seed("molscat", molscat_text(RISING, (0, 1), progress=progress(SKIPPED[:2]))),
        Seed("molscat", ios_text((40.0,), 1)),
        Seed("molscat", gzip.compress(molscat_text().encode())),
    ],
    "hibridon": [Seed("hibridon", text) for text in (ICS, XXSC, XSC)],
    "mqct": [Seed("mqct", mqct_text())],
    "mqct, its output": [Seed("mqct-output", MQCT_OUTPUT, (SIGMA_LEVELS,))],
    "cross sections: CSV": [
        Seed("cross-sections-csv", SIGMA_J, (SIGMA_LEVELS,)),
        Seed("cross-sections-csv", SIGMA_LABELS, (SIGMA_LEVELS,)),
    ],
}


def outcomes(reader: str, count: int, seed: int, folder: Path) -> Iterator[tuple[bytes, RatedbError | None]]:
    """Read broken variants with one reader; yield each content, and the error that refused it.

    Any other exception, or a reading of more than `LONGEST_S` seconds, is raised.
    """
    draw = random.Random(f"{reader} {seed}")
    signal.signal(signal.SIGALRM, _too_long)
    for place in range(count):
        one = SEEDS[reader][place % len(SEEDS[reader])]
        paths = _write(one, folder)
        path = paths[one.broken]
        content = broken_content(path.read_bytes(), draw)
        path.write_bytes(content)
        options = ReadOptions(
            draw.choice([None, "CO"]) if one.file_format in ("lamda", "csv", "parquet") else "H2",
            "He" if one.file_format != "lamda" else None,
            tuple(paths[name] for name in ("levels", "more") if name in paths),
            paths.get("others"),
            partial(_known, one.file_format),
        )
        signal.alarm(LONGEST_S)
        try:
            _read(paths["rates"], options, draw.choice(["auto", one.file_format]), one.file_format)
        except RatedbError as error:
            yield content, error
        else:
            yield content, None
        finally:
            signal.alarm(0)


def _read(path: Path, options: ReadOptions, named: str, file_format: str) -> None:
    if file_format in cross_section_readers():
        read_cross_sections(path, replace(options, reduced_mass_u=1.8), file_format=named)
    else:
        read_rates(path, options, file_format=named)


def _known(file_format: str, molecule: str) -> Levels | None:
    """Return the levels that a store would have: for cross sections those of their texts."""
    if file_format not in cross_section_readers():
        return None
    return rotor(3 if file_format == "hibridon" else 5, molecule=molecule)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"a reading took more than {LONGEST_S} s")


def _write(one: Seed, folder: Path) -> dict[str, Path]:
    named = {"rates": one.text, "others": one.others}
    named |= dict(zip(("levels", "more"), one.levels, strict=False))
    paths = {}
    for name, text in named.items():
        if text is not None:
            paths[name] = folder / name
            paths[name].write_bytes(text if isinstance(text, bytes) else text.encode())
    if one.file_format == "parquet":
        paths["rates"].write_bytes(_parquet(folder))
    return paths


def _parquet(folder: Path) -> bytes:
    target = folder / "valid.parquet"
    if not target.exists():
        source = folder / "source.csv"
        source.write_text(CSV)
        with duckdb.connect() as connection:
            connection.execute(f"COPY (FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)")
    return target.read_bytes()


def broken_content(content: bytes, draw: random.Random) -> bytes:
    """Return the content after one to four random changes of bytes, words or lines."""
    for _ in range(draw.randint(1, 4)):
        content = draw.choice(CHANGES)(content, draw)
    return content


def _span(content: bytes, draw: random.Random) -> tuple[int, int]:
    start = draw.randint(0, len(content))
    return start, min(len(content), start + draw.randint(1, 40))


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randint(0, len(content))]


def _remove(content: bytes, draw: random.Random) -> bytes:
    start, end = _span(content, draw)
    return content[:start] + content[end:]


def _double(content: bytes, draw: random.Random) -> bytes:
    start, end = _span(content, draw)
    return content[:end] + content[start:]


def _flip(content: bytes, draw: random.Random) -> bytes:
    if not content:
        return content
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def _sign(content: bytes, draw: random.Random) -> bytes:
    at = draw.randint(0, len(content))
    return content[:at] + bytes([draw.choice(SIGNS)]) + content[at + draw.randint(0, 1) :]


def _word(content: bytes, draw: random.Random) -> bytes:
    words = content.split(b" ")
    words[draw.randrange(len(words))] = draw.choice(WORDS)
    return b" ".join(words)


def _cell(content: bytes, draw: random.Random) -> bytes:
    cells = content.split(b",")
    cells[draw.randrange(len(cells))] = draw.choice(WORDS)
    return b",".join(cells)


def _without_line(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    del lines[draw.randrange(len(lines))]
    return b"\n".join(lines)


def _line_twice(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    lines.insert(draw.randint(0, len(lines)), draw.choice(lines))
    return b"\n".join(lines)


def _swapped(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    a, b = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


CHANGES = (_cut, _remove, _double, _flip, _sign, _word, _cell, _without_line, _line_twice, _swapped)
