"""Write LAMDA text that RADEX, pythonradex, astroquery, LIME, RADMC-3D, Cloudy, myRadex and Jadex read alike.

The rules of that common subset are in lamda_rules, where they change data, and here, where they are about
text. A WriterWarning says what could not be kept; no number is dropped or changed without one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.io.contents import MoleculeFile
from ratedb.io.lamda_partner import ID_OF_COLLIDER
from ratedb.io.lamda_rules import (
    connected_levels,
    on_connected,
    positive,
    real,
    rounded,
    usable_partners,
    warn_contradictions,
    warn_limits,
)
from ratedb.io.registry import writer
from ratedb.io.writer_rules import (
    ALL_READERS,
    LARGEST,
    REAL_BYTES,
    SMALLEST,
    Warnings,
    WriterWarning,
    lines_downward,
    new_numbers,
    printable,
    rates_downward,
    sorted_energies,
    unique_labels,
    usable_lines,
    warn_temperatures,
    warn_weights,
    written_molecule,
)
from ratedb.kinds.labels import number_of, quantum_numbers
from ratedb.levels import Levels, Lines
from ratedb.physics.constants import GHZ_PER_CM1, HC_OVER_KB_CM_K
from ratedb.rates import Rates

_NAME_BYTES = 78
_PARTNER_BYTES = 119
_ROW_BYTES = 512
_MOST_TEMPERATURES = 61
_LABEL_BYTES = 30
_COMPUTED_DECIMALS = 6
_MOST_PRINTED = 8
_LABEL_UNIQUE = 6


@dataclass(frozen=True)
class LamdaText:
    """The text of a LAMDA file (ASCII), what it holds, and the warnings raised while it was made.

    `labels` are the labels that were changed, as written and as they were; `computed_lines` have, by the
    labels as written, the lines whose frequency no source has. `partners` has for each collider the rows,
    shape (n,), of its table that are in the file, and the temperatures, shape (m,).
    """

    text: str
    warnings: tuple[WriterWarning, ...]
    levels: int
    labels: tuple[tuple[str, str], ...]
    computed_lines: tuple[tuple[str, str], ...]
    partners: Mapping[str, tuple[IntArray, FloatArray]]


def render_lamda(file: MoleculeFile) -> LamdaText:
    """Return the text of a LAMDA file with the levels, lines and rates of a molecule.

    Energies are written in cm-1, frequencies in GHz, E_u and temperatures in K, rates in cm3 s-1, all to the
    last digit of their source; frequencies and E_u are computed from the energies only where there are none.
    Rates that no source printed have 7 significant digits, fewer where a row of 512 bytes holds no more. The
    same tables give the same bytes. A rate of zero is written as 1E-99, which is zero to every reader and
    keeps the row; a row with an unknown rate (NaN) is left out.

    Raises RatedbError where no valid file can be made: no level, no partner or no rate.
    """
    warnings: Warnings = []
    source = file.levels
    expected = f"one ASCII word under {_NAME_BYTES + 1} bytes"
    name = written_molecule(source.molecule, _NAME_BYTES, "LIME", expected, warnings)
    lines = usable_lines(file.lines, warnings)
    partners = usable_partners(file, warnings)
    connected = connected_levels(source, lines, partners, warnings)
    partners = on_connected(source, partners, connected, warnings)
    order, energy = sorted_energies(source, connected, warnings, file_format="LAMDA", readers="Cloudy, RADEX")
    levels = source.select(order)
    new_index = new_numbers(order, len(source))
    lines = lines_downward(lines, new_index, warnings)
    partners = [rates_downward(one, levels, new_index, warnings) for one in partners]
    partners = [positive(one, warnings) for one in partners]
    warn_limits(levels, lines, partners, warnings)
    labels, label_header = _labels(levels, warnings)
    warn_contradictions(replace(levels, energy_cm1=energy[0]), lines, warnings)
    text = [
        *_molecule_text(name, levels, warnings),
        *_level_text(levels, energy[1], labels, label_header, warnings),
        *_line_text(lines, energy[0], warnings),
        "!NUMBER OF COLL PARTNERS",
        str(len(partners)),
    ]
    for partner in partners:
        text += _partner_text(name, partner.rates, partner.reference, warnings)
    return LamdaText(
        text="\n".join(text) + "\n",
        warnings=tuple(warnings),
        levels=len(levels),
        labels=tuple((a, b) for a, b in zip(labels, levels.label, strict=True) if a != b),
        computed_lines=tuple(
            (labels[lines.upper[i]], labels[lines.lower[i]]) for i in np.flatnonzero(_computed(lines))
        ),
        partners={one.rates.collider: (one.row, one.rates.temperature_k) for one in partners},
    )


@writer("lamda")
def _lamda(file: MoleculeFile) -> Mapping[str, bytes]:
    return {"": render_lamda(file).text.encode("ascii")}


def _molecule_text(name: str, levels: Levels, warnings: Warnings) -> list[str]:
    weight = levels.molecular_weight
    if weight is None:
        detail = "the molecular weight is not known; 1.0 is written, so thermal line widths are wrong"
        warnings.append(WriterWarning("molecular weight", "LIME, pythonradex", detail))
    return ["!MOLECULE", name, "!MOLECULAR WEIGHT", real(1.0 if weight is None else weight)]


def _level_text(
    levels: Levels, energy: Sequence[str], labels: Sequence[str], header: str, warnings: Warnings
) -> list[str]:
    warn_weights(levels, "astroquery", warnings)
    weight = [real(one) for one in levels.weight]
    if off := rounded(weight, levels.weight.tolist()):
        detail = f"{len(off)} statistical weight(s) are rounded to {REAL_BYTES} bytes, as {weight[off[0]]}"
        warnings.append(WriterWarning("rounded", ALL_READERS, detail))
    rows = zip(energy, weight, labels, strict=True)
    return [
        "!NUMBER OF ENERGY LEVELS",
        str(len(levels)),
        f"!LEVEL + ENERGIES(cm^-1) + WEIGHT + {header}",
        *(f"{i:5d} {e:>16} {g:>8} {label}" for i, (e, g, label) in enumerate(rows, start=1)),
    ]


def _labels(levels: Levels, warnings: Warnings) -> tuple[list[str], str]:
    """Return labels of `A-Za-z0-9_.+-`, unique in six characters, and the header that explains them."""
    labels = [_sanitised(label) for label in levels.label]
    if levels.v is not None and levels.j is not None and not _tell_vj(labels, levels):
        labels = [f"{v}_{j}" if levels.v.any() else f"{j}" for v, j in zip(levels.v, levels.j, strict=True)]
    elif len({label[:_LABEL_UNIQUE] for label in labels}) < len(labels):
        labels = _bare_numbers(levels) or labels
    changed = [(a, b) for a, b in zip(levels.label, labels, strict=True) if a != b]
    if changed:
        detail = (
            f"{len(changed)} label(s) are rewritten, as `{printable(changed[0][0])}` -> `{changed[0][1]}`"
        )
        warnings.append(WriterWarning("labels", ALL_READERS, detail))
    unique = unique_labels(labels, _LABEL_UNIQUE)
    replaced = [(a, b) for a, b in zip(labels, unique, strict=True) if a != b]
    if replaced:
        detail = (
            f"{len(replaced)} label(s) are not unique in their first {_LABEL_UNIQUE} characters and are "
            f"replaced, as `{replaced[0][0]}` -> `{replaced[0][1]}`"
        )
        warnings.append(WriterWarning("labels", "RADEX", detail))
    return unique, _label_header(unique, levels)


def _sanitised(label: str) -> str:
    label = re.sub(r"(?<![\w.])(\d+)/2(?!\d)", lambda half: f"{int(half[1]) / 2:g}", label)
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", printable(label)).strip("_")[:_LABEL_BYTES]


def _bare_numbers(levels: Levels) -> list[str]:
    """Return the quantum numbers of each level without leading zeros, none where six characters are few."""
    table = [values for name, values in levels.quantum_numbers.items() if name != "tau"]
    labels = ["_".join(f"{values[place]:g}" for values in table) for place in range(len(levels))]
    return labels if table and len({label[:_LABEL_UNIQUE] for label in labels}) == len(labels) else []


def _written_numbers(labels: Sequence[str], levels: Levels) -> str:
    """Return the quantum numbers that every label writes, as `N_j_F`, empty where one does not."""
    numbers = {name: values for name, values in levels.quantum_numbers.items() if name != "tau"}
    for place, label in enumerate(labels):
        parts = label.split("_")
        written = [number_of(part) for part in parts]
        if written != [float(values[place]) for values in numbers.values()]:
            return ""
    return "_".join(numbers)


def _label_header(labels: Sequence[str], levels: Levels) -> str:
    if not levels.has_vj:
        return f"QNUM({names})" if (names := _written_numbers(labels, levels)) else "QNUM"
    return "J" if all(label.isdigit() for label in labels) else "QNUM(v_J)"


def _tell_vj(labels: Sequence[str], levels: Levels) -> bool:
    """Return whether labels say v and j as the table has them."""
    vj = quantum_numbers(labels, _label_header(labels, levels), levels.weight)
    return vj is not None and all(map(np.array_equal, vj, levels.need_vj()))


def _computed(lines: Lines) -> BoolArray:
    """Return which lines have no frequency of a source."""
    written = (lines.frequency_ghz >= SMALLEST) & (lines.frequency_ghz <= LARGEST)
    return lines.frequency_computed | ~written


def _line_text(lines: Lines, energy_cm1: FloatArray, warnings: Warnings) -> list[str]:
    """Return the lines with the frequencies and E_u of their source; computed ones only where it has none."""
    computed = _computed(lines)
    gap = (energy_cm1[lines.upper] - energy_cm1[lines.lower]) * GHZ_PER_CM1
    size_k = np.abs(lines.upper_energy_k)
    known_k = (size_k >= SMALLEST) & (size_k <= LARGEST)
    upper_k = np.where(known_k, lines.upper_energy_k, np.round(energy_cm1[lines.upper] * HC_OVER_KB_CM_K, 6))
    if computed.any():
        detail = (
            f"{computed.sum()} of {len(lines)} frequencies are computed from the energies, because no source"
            " lists them in GHz"
        )
        warnings.append(WriterWarning("frequencies", ALL_READERS, detail))
    if not len(lines):
        detail = (
            "there are no lines, so there is nothing to compute; a LAMDA file of the molecule brings them, or"
            " a list of Einstein A (`.aij`), imported with a second --levels"
        )
        warnings.append(WriterWarning("lines", "RADEX", detail))
    a = [_einstein_a(one) for one in lines.einstein_a_s1.tolist()]
    ghz = np.where(computed, [_nine_digits(one) for one in gap.tolist()], lines.frequency_ghz)
    frequency, e_up = ([real(one) for one in column.tolist()] for column in (ghz, upper_k))
    columns = ((a, lines.einstein_a_s1), (frequency, ghz), (e_up, upper_k))
    off = sum(len(rounded(texts, values.tolist())) for texts, values in columns)
    if off:
        detail = f"{off} numbers of lines have more digits than {REAL_BYTES} bytes hold and are rounded"
        warnings.append(WriterWarning("rounded", ALL_READERS, detail))
    rows = zip(lines.upper + 1, lines.lower + 1, a, frequency, e_up, strict=True)
    return [
        "!NUMBER OF RADIATIVE TRANSITIONS",
        str(len(lines)),
        "!TRANS + UP + LOW + EINSTEINA(s^-1) + FREQ(GHz) + E_u(K)",
        *(
            f"{i:6d} {up:5d} {low:5d} {one} {f:>16} {e:>16}"
            for i, (up, low, one, f, e) in enumerate(rows, start=1)
        ),
    ]


def _einstein_a(a_s1: float) -> str:
    """Return an Einstein A with nine digits, or up to eleven where the source has more."""
    texts = [f"{a_s1:.{decimals}E}" for decimals in (8, 9, 10)]
    return next((text for text in texts if float(text) == a_s1), texts[-1])


def _nine_digits(ghz: float) -> float:
    """Return a computed frequency to 9 decimals, or to 9 digits where levels are almost equal."""
    return float(f"{ghz:.9f}" if ghz >= 0.01 else f"{ghz:.8E}")


def _partner_text(molecule: str, rates: Rates, reference: str, warnings: Warnings) -> list[str]:
    _warn_temperatures(rates, warnings)
    upper, lower = (rates.upper + 1).tolist(), (rates.lower + 1).tolist()
    form = "%6d %5d %5d" + f" %.{_rate_decimals(rates, warnings)}E" * len(rates.temperature_k)
    values = rates.rate_cm3_s.tolist()
    return [
        "!COLLISIONS BETWEEN",
        _partner_line(molecule, rates.collider, reference, warnings),
        "!NUMBER OF COLL TRANS",
        str(len(upper)),
        "!NUMBER OF COLL TEMPS",
        str(len(rates.temperature_k)),
        "!COLL TEMPS",
        " ".join(real(t) for t in rates.temperature_k),
        "!TRANS + UP + LOW + COLLRATES(cm^3 s^-1)",
        *(form % (i + 1, upper[i], lower[i], *values[i]) for i in range(len(upper))),
    ]


def _partner_line(molecule: str, collider: str, reference: str, warnings: Warnings) -> str:
    """Return `<id> <molecule> + <partner> <reference>` in under 120 bytes of ASCII."""
    start = f"{ID_OF_COLLIDER[collider]} {molecule} + {collider}"
    # Quotes at its ends are taken for those of a quoted line when it is read.
    line = f"{start} {printable(reference)}".strip()[:_PARTNER_BYTES].strip(" '\"")
    if line.split() != f"{start} {reference}".replace("!", " ").split():
        detail = f"{collider}: the reference is written as `{line[len(start) :].strip()}`"
        warnings.append(WriterWarning("partner line", ALL_READERS, detail))
    return line


def _warn_temperatures(rates: Rates, warnings: Warnings) -> None:
    words = f"{_MOST_TEMPERATURES} are safe"
    warn_temperatures(rates, _MOST_TEMPERATURES, "temperatures", "readers with fixed arrays", words, warnings)
    fractional = rates.temperature_k != np.round(rates.temperature_k)
    if fractional.any():
        example = rates.temperature_k[fractional][0]
        detail = f"{rates.collider}: {fractional.sum()} temperature(s) are not whole, as {example:g} K"
        warnings.append(WriterWarning("whole temperatures", "astroquery", detail))
    if len(" ".join(real(t) for t in rates.temperature_k)) > _ROW_BYTES:
        detail = f"{rates.collider}: the row of temperatures is longer than {_ROW_BYTES} bytes"
        warnings.append(WriterWarning("row length", "myRadex", detail))


def _rate_decimals(rates: Rates, warnings: Warnings) -> int:
    """Return the decimals of a rate: all that a source printed, and up to 6 where a row holds them."""
    printed, exact = _printed_decimals(rates.rate_cm3_s)
    fitting = (_ROW_BYTES - 18) // len(rates.temperature_k) - 7
    room = fitting if fitting >= 3 else _COMPUTED_DECIMALS  # a row that is too long anyway keeps its digits
    decimals = max(printed, min(_COMPUTED_DECIMALS, room))
    if decimals > fitting:
        detail = (
            f"{rates.collider}: rows of {len(rates.temperature_k)} rates are longer than {_ROW_BYTES} bytes"
        )
        warnings.append(WriterWarning("row length", "myRadex", detail))
    if not exact and decimals < _COMPUTED_DECIMALS:
        detail = f"{rates.collider}: rates with more digits are rounded to {decimals + 1}, to keep rows short"
        warnings.append(WriterWarning("rounded", "myRadex", detail))
    return decimals


def _printed_decimals(rate_cm3_s: FloatArray) -> tuple[int, bool]:
    """Return the decimals in d.ddE-dd that printed rates need, and whether all rates are printed ones.

    Rates with more than 9 digits were computed: averaged, converted or predicted.
    """
    rate = rate_cm3_s.ravel()
    mantissa = rate / 10.0 ** np.floor(np.log10(rate))
    needed, left = 0, np.ones(rate.shape, dtype=np.bool_)
    for decimals in range(_MOST_PRINTED + 1):
        scaled = mantissa * 10.0**decimals
        more = left & (np.abs(scaled - np.round(scaled)) > 5e-15 * 10.0**decimals + 1e-12)
        needed = decimals if more.sum() < left.sum() else needed
        left = more
    return needed, not left.any()
