"""The rules of quality control: what each looks for, how grave it is, and where its threshold comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.findings import Finding

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True)
class Rule:
    """One rule: `threshold` is in the unit that `meaning` names, which also gives its reason.

    `severity` is `error` (the value is wrong beyond doubt, and marked), `warning` (it deserves a look) or
    `note`. What a rule `of_file` finds only the file shows: once in the store it cannot be judged again.
    """

    name: str
    severity: str
    threshold: float
    meaning: str
    of_file: bool = False

    def finding(self, system: str, detail: str, **parts: str | float | None) -> Finding:
        """Return a finding of this rule; `parts` are upper, lower, temperature_k, value and expected."""
        return Finding(self.name, self.severity, system, detail, **parts)  # type: ignore[arg-type]


NON_POSITIVE = Rule(
    "non-positive",
    ERROR,
    0.0,
    "A rate coefficient is zero (cm3 s-1). No open channel has none: it was not computed, or lost its "
    "exponent.",
)
PLACEHOLDER = Rule(
    "placeholder",
    ERROR,
    1e-40,
    "A value below this (cm3 s-1) stands there three times or more, or 1e10 times below the one beside it in "
    "T; or the lowest value of a set repeats and is a tenth of the next. It was written as none was had.",
)
MISSING = Rule(
    "missing",
    NOTE,
    0.0,
    "How many values are not known; more than this many are noted, since they neither train nor verify.",
)
IMPLAUSIBLE = Rule(
    "implausible",
    ERROR,
    1e-7,
    "A rate coefficient (cm3 s-1) for a neutral collider is above this; for e and H+ the threshold is 1e4 "
    "times higher. It is twenty times the largest gas-kinetic rate, 100 square Angstrom at 3000 K.",
)
LARGE = Rule(
    "large",
    WARNING,
    1e-8,
    "A rate coefficient (cm3 s-1) for a neutral collider is above this; for e and H+ the threshold is 1e4 "
    "times higher. Larger ones were extrapolated in T or j, as those of Neufeld's CO.",
)
UNIT_OF_SET = Rule(
    "unit-of-set",
    WARNING,
    1e-13,
    "The largest rate coefficient (cm3 s-1) of a set without change of v is below this. In published sets it "
    "is above 1e-11; a slip of m3 for cm3 takes that to 1e-17.",
)
UNIT_OF_ROW = Rule(
    "unit-of-row",
    ERROR,
    1e6,
    "The whole curve of a transition is off its neighbours in j by this factor, within a factor 2 or the "
    "local scatter: m3 for cm3 in one row.",
)
OFF_NEIGHBOURS = Rule(
    "off-neighbours",
    ERROR,
    10.0,
    "The whole curve of a transition is off its neighbours in j by more than this factor and by more than 10 "
    "local standard deviations. The clean sets of `make bench-quality` have no such row.",
)
UNLIKE_NEIGHBOURS = Rule(
    "unlike-neighbours",
    WARNING,
    1.1,
    "The whole curve of a transition is off its neighbours in j by more than this factor and by more than 4 "
    "local standard deviations: rows exchanged, or a digit wrong. Without v and j, or without three "
    "predictors, it must be off what its levels suggest by 1000 times and 8 standard deviations.",
)
ODD_J = Rule(
    "odd-j",
    WARNING,
    4.0,
    "Rates out of one initial j are off the mean of those out of the j below and above, at equal dj, by this "
    "many times what is usual around, and by 3 % or more: not converged there, or between two such j two "
    "calculations meet, as where an extrapolation begins.",
)
ODD_SHAPE = Rule(
    "odd-shape",
    WARNING,
    3.0,
    "The temperature curve of a transition differs from that of its neighbours in j by this many local "
    "standard deviations (mean over ln T), and by 5 % or more: rows exchanged, or columns mixed.",
)
SHIFTED_ROW = Rule(
    "shifted-row",
    WARNING,
    4.0,
    "A temperature curve agrees this many times better with its neighbours in j (times the root of how much "
    "better with the temperatures beside) when moved by one temperature; without v and j, by those alone.",
)
OFF_CURVE = Rule(
    "off-curve",
    ERROR,
    3.0,
    "One value is off the curve through the temperatures beside it by more than this factor and by 15 "
    "standard deviations of the set there, and off the neighbours in j too: a slip of exponent or digit.",
)
KINK = Rule(
    "kink",
    WARNING,
    1.25,
    "One value is off the curve through the temperatures beside it by more than this factor and by 6 "
    "standard deviations of the set there, and off the neighbours in j too (10 without these): a digit "
    "wrong, or pieces joined.",
)
REPEATED = Rule(
    "repeated-value",
    WARNING,
    4.0,
    "A value equals the one at the temperature beside it in every digit where the set says that they differ, "
    "by this many standard deviations: copied, or a row moved by one temperature.",
)
SCRAMBLED = Rule(
    "scrambled-row",
    ERROR,
    3.0,
    "Values at two or more temperatures are off the curve through the others by more than this factor and by "
    "15 standard deviations of the set: the columns of different rows are mixed.",
)
FEW_SHAPES = Rule(
    "few-shapes",
    WARNING,
    3.0,
    "All temperature curves of a set have at most this many shapes to the digits printed: f(levels) g(T), a "
    "formula and no scattering calculation. Sets of two digits or under 30 transitions are not judged.",
)
DETAILED_BALANCE = Rule(
    "detailed-balance",
    ERROR,
    2.0,
    "A file lists both directions of a transition and they contradict detailed balance by more than this "
    "factor (median over T): beyond what rounding to two digits does.",
    of_file=True,
)
REVERSIBILITY = Rule(
    "reversibility",
    WARNING,
    0.01,
    "The cross sections of the two directions, or the rates averaged from them, break microscopic "
    "reversibility by more than this, relatively. Quantum methods keep it to the printed digits.",
    of_file=True,
)
PARTIAL_WAVES = Rule(
    "partial-waves",
    WARNING,
    0.0,
    "The sums over total angular momenta begin above this, so cross sections lack their first waves.",
    of_file=True,
)
SCRATCH_ORDER = Rule(
    "scratch-order",
    ERROR,
    0.0,
    "Energies of a MOLSCAT run do not fall, it used a scratch file, and its output does not show whether a "
    "block had no open channel at the first energy: then all later ones are wrong without a message. All "
    "values of the source are marked.",
    of_file=True,
)
DUPLICATE = Rule(
    "duplicate",
    WARNING,
    0.0,
    "A file of cross sections gives a transition twice with values that differ by more than this; the row "
    "that fits its energy is kept.",
    of_file=True,
)
SHIFTED_TEMPERATURES = Rule(
    "shifted-temperatures",
    WARNING,
    3.0,
    "Two sources of a system agree this many times better when the columns of one are moved by one "
    "temperature: its row of temperatures is shifted.",
)
SOURCES_DISAGREE = Rule(
    "sources-disagree",
    WARNING,
    3.0,
    "Two sources differ for a transition by more than this factor (median over T) beyond what they differ by "
    "throughout, and by 5 standard deviations of all transitions.",
)
UNIT_OF_SOURCES = Rule(
    "unit-of-sources",
    WARNING,
    1e6,
    "Two sources differ throughout by this factor, within a factor 10: one of them is in m3 s-1.",
)
SOURCES = Rule(
    "sources",
    NOTE,
    1.0,
    "How two sources of a system compare: noted where they share more transitions than this.",
)
TITLE_RANGE = Rule(
    "title-range",
    WARNING,
    1.01,
    "The temperatures of a file leave the range that its own title states, by more than this factor.",
)
ENERGY_ORDER = Rule(
    "energy-order",
    WARNING,
    0.0,
    "A level lies below the one before it by more than this (cm-1): programs that take the order for the "
    "energy read up for down.",
    of_file=True,
)
WEIGHT = Rule(
    "weight",
    WARNING,
    1e-3,
    "A statistical weight differs, relatively, by more than this from the multiple of 2j+1 that the other "
    "levels of like parity of j have; detailed balance is wrong by that much.",
)
FREQUENCY = Rule(
    "frequency",
    WARNING,
    1e-3,
    "The frequency of a line differs by more than this, relatively, from its two level energies: one of the "
    "three is wrong. Measured and computed ones agree to 1e-4.",
)

RULES: tuple[Rule, ...] = (
    NON_POSITIVE,
    PLACEHOLDER,
    MISSING,
    IMPLAUSIBLE,
    LARGE,
    UNIT_OF_SET,
    UNIT_OF_ROW,
    OFF_NEIGHBOURS,
    UNLIKE_NEIGHBOURS,
    ODD_J,
    ODD_SHAPE,
    SHIFTED_ROW,
    OFF_CURVE,
    KINK,
    REPEATED,
    SCRAMBLED,
    FEW_SHAPES,
    DETAILED_BALANCE,
    SCRATCH_ORDER,
    REVERSIBILITY,
    PARTIAL_WAVES,
    DUPLICATE,
    SHIFTED_TEMPERATURES,
    SOURCES_DISAGREE,
    UNIT_OF_SOURCES,
    SOURCES,
    TITLE_RANGE,
    ENERGY_ORDER,
    WEIGHT,
    FREQUENCY,
)
"""All rules, in the order of their findings."""


def repeated_tiny(rate_cm3_s: FloatArray) -> BoolArray:
    """Return which values, shape (n, m), are below 1e-40 cm3 s-1 and stand three times or more."""
    tiny = (rate_cm3_s > 0) & (rate_cm3_s < PLACEHOLDER.threshold)
    values, counts = np.unique(rate_cm3_s[tiny], return_counts=True)
    return np.asarray(tiny & np.isin(rate_cm3_s, values[counts >= REPEATS]))


CHARGED = ("e", "H+")
CHARGED_FACTOR = 1e4
"""Charged colliders reach through their dipole interaction this much further than neutral ones."""

REPEATS = 3
"""So many equal values make a placeholder: two may be equal by rounding."""

PLACEHOLDER_GAP = 10.0
"""A floor that repeats is a placeholder also above 1e-40 where the next value is this many times larger."""

ERROR_SIGMAS = 15.0
"""A wrong value in T must stand out by so many robust standard deviations: real sets have heavy tails."""

KINK_SIGMAS = 10.0
"""A kink must stand out by so many from the temperatures beside it where there are no neighbours in j."""

TOGETHER_SIGMAS = 6.0
"""A kink must stand out by so many where the neighbours in j confirm it."""

OFF_SIGMAS = 10.0
UNLIKE_SIGMAS = 4.0
"""A row in j must stand out by so many local standard deviations."""

ALONE_FACTOR = 1e3
ALONE_SIGMAS = 8.0
"""Where only the levels speak, a row must be off by so much: rows from one level spread over decades."""

CONFIRMED = 0.3
"""Neighbours in j confirm a wrong value where they are off by at least this share of it, in ln k."""

LEAST_ODD_J = 0.03
"""A j that is off its neighbours by less than 3 % (median, ln k) is left alone, however smooth the set."""

ODD_PART = 0.05
"""A shape that differs by less than 5 % (mean, ln k) is left alone, however smooth the set."""

ALONE_MISFIT = 1.5
"""Without neighbours in j a row is called moved only where its misfit in T is so many sigmas."""

SHAPE_TEMPERATURES = 8
"""Fewer temperatures are too few to tell a shape: a move by one leaves no inner ones."""

PREDICTORS_NEEDED = 3
"""Fewer predictors in j have no spread to speak of."""

SCRAMBLED_VALUES = 2
"""From so many wrong values on, the row is wrong and not its values."""

ROUNDING_UNITS = 2.0
"""A repeated value must be off by more than so many units of its last digit."""

FEWEST_DIGITS = 0.006
"""Half the last digit, relatively, at which shapes can still be told apart: three digits."""

CLIFF = 1e10
"""A value under 1e-40 that is so much smaller than the one beside it in T is a placeholder, too."""
