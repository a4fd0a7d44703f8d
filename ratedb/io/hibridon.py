"""Read the integral cross sections of HIBRIDON: its .ics, .xsc and .xxsc files."""

from __future__ import annotations

from pathlib import Path

from ratedb.errors import RatedbError
from ratedb.files import InputFile, as_input
from ratedb.io.cross_sections import CrossSectionFile
from ratedb.io.hibridon_ics import FLAGS, Words, read_ics
from ratedb.io.hibridon_listings import read_xsc, read_xxsc
from ratedb.io.level_lists import levels_if_known
from ratedb.io.registry import ReadOptions, cross_section_reader
from ratedb.io.text import Line, decode, need_whole_lines, numbered_lines, to_numbers
from ratedb.levels import Levels

_KINDS = (
    ("INTEGRAL CROSS SECTIONS READ FROM FILE", "xsc"),
    ("INTEGRAL CROSS SECTIONS CALCULATED FROM S-MATRICES", "xxsc"),
    ("HYPERFINE-RESOLVED CROSS SECTIONS", "hfx"),
)
_HEAD = 16384


def looks_like_hibridon(content: bytes) -> bool:
    """Return whether the bytes of a file are those of a HIBRIDON table of integral cross sections."""
    return _kind(content[:_HEAD].decode("latin-1")) is not None


def _kind(text: str) -> str | None:
    lines = text.replace("\r", "").split("\n", 5)
    if len(lines) == 6 and FLAGS.fullmatch(lines[4]):
        numbers = to_numbers(lines[3].split())
        if numbers is not None and len(numbers) == 2:
            return "ics"
    return next((kind for words, kind in _KINDS if words in text), None)


@cross_section_reader("hibridon", recognises=looks_like_hibridon, order=20)
def _read(file: InputFile, options: ReadOptions) -> CrossSectionFile:
    molecule, collider = options.need_names(file.path)
    return read_hibridon(
        file, molecule=molecule, collider=collider, levels=levels_if_known(options, molecule)
    )


def read_hibridon(
    file: InputFile | Path, *, molecule: str, collider: str, levels: Levels | None = None
) -> CrossSectionFile:
    """Return the cross sections of one HIBRIDON file: one table, at one total energy, between open levels.

    Levels are labelled `j_index` (`0.5_-1`), those of two molecules `j1_index_j2`, and by j alone where every
    index is 0; j is half-integer where the file says so. Weights are 2j+1, multiplied for two molecules. An
    .xsc file does not give level energies: they are taken by label from `levels`, for example those of the
    .ics file of the same run.

    Raises RatedbError, with the line, where the file is damaged or is none of these; .hfx files are
    refused, as they give neither level energies nor the reduced mass.
    """
    file = as_input(file)
    path, content = file.path, file.content
    lines = numbered_lines(content, path)
    kind = _kind(decode(content, path)[:_HEAD])
    if kind not in ("ics", "xxsc", "xsc"):
        raise _no_table(lines[0], kind)
    need_whole_lines(content, lines)
    if kind == "ics":
        return read_ics(Words(lines), molecule).file(collider)
    if kind == "xxsc":
        return read_xxsc(lines, molecule).file(collider)
    return read_xsc(lines, levels).file(collider)


def _no_table(line: Line, kind: str | None) -> RatedbError:
    if kind == "hfx":
        return line.refuse(
            "a HIBRIDON file of hyperfine cross sections gives neither level energies nor the reduced mass",
            "an .ics, .xsc or .xxsc file",
            "read the .ics file of the same run; its levels have no hyperfine structure",
        )
    what = "this is not a HIBRIDON table of integral cross sections"
    return line.refuse(what, ".ics, .xsc or .xxsc")
