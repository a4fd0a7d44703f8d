"""The rules of quality control: what each looks for, its severity, and where its threshold comes from."""

from __future__ import annotations

from ratedb.findings import ERROR, NOTE, READER_RULES, WARNING, Rule
from ratedb.physics.line_evidence import CONTRADICTION
from ratedb.physics.plausibility import IMPLAUSIBLE_CM3_S, PLACEHOLDER_CM3_S

NON_POSITIVE = Rule(
    "non-positive",
    ERROR,
    0.0,
    "A rate coefficient (cm3 s-1) is zero. No open channel has a rate of zero: it was not computed, or lost "
    "its exponent.",
)
PLACEHOLDER = Rule(
    "placeholder",
    ERROR,
    PLACEHOLDER_CM3_S,
    "A value below this (cm3 s-1) occurs three times or more, or is 1e10 times smaller than the next one in "
    "T. A floor of any size: a value of three rows at all T where curves of its size are not flat, one that "
    "occurs ten times as often as any other of its size, or three times without one within a factor 10. It "
    "was written for a missing value.",
)
MISSING = Rule(
    "missing",
    NOTE,
    0.0,
    "The number of missing values, noted above this many: they can neither train nor verify.",
)
IMPLAUSIBLE = Rule(
    "implausible",
    ERROR,
    IMPLAUSIBLE_CM3_S,
    "A rate coefficient (cm3 s-1) for a neutral collider is above this; for e and H+ the threshold is 1e4 "
    "times higher. It is twenty times the largest gas-kinetic rate, 100 square Angstrom at 3000 K.",
)
LARGE = Rule(
    "large",
    WARNING,
    1e-8,
    "A rate coefficient (cm3 s-1) for a neutral collider is above this; for e and H+ the threshold is 1e4 "
    "times higher. Larger rates were extrapolated in T or j, as in Neufeld's CO.",
)
UNIT_OF_SET = Rule(
    "unit-of-set",
    WARNING,
    1e-13,
    "The largest rate coefficient (cm3 s-1) of a set without change of v is below this. In published sets it "
    "is above 1e-11; m3 in place of cm3 makes that 1e-17.",
)
UNIT_OF_ROW = Rule(
    "unit-of-row",
    ERROR,
    1e6,
    "The whole curve of a transition differs from its neighbours in j by this factor, within a factor 2 or "
    "the local scatter: m3 in place of cm3 in one row.",
)
OFF_NEIGHBOURS = Rule(
    "off-neighbours",
    ERROR,
    10.0,
    "The whole curve of a transition differs from its neighbours in j by more than this factor and by more "
    "than 10 local standard deviations. The clean sets of `make bench-quality` have no such row.",
)
UNLIKE_NEIGHBOURS = Rule(
    "unlike-neighbours",
    WARNING,
    1.1,
    "The whole curve of a transition differs from its neighbours in j by more than this factor and by more "
    "than 4 local standard deviations: exchanged rows, or a wrong digit. Without v and j, or without three "
    "predictors, it must differ from what its levels suggest by a factor 1000 and 8 standard deviations.",
)
ODD_J = Rule(
    "odd-j",
    WARNING,
    4.0,
    "Rates out of one initial j differ from the mean of those out of the j below and above, at equal dj, by "
    "this many times the usual difference at nearby j, and by 3 % or more: not converged, or two "
    "calculations meet between two such j, as where an extrapolation begins.",
)
ODD_SHAPE = Rule(
    "odd-shape",
    WARNING,
    3.0,
    "The temperature curve of a transition differs from that of its neighbours in j by this many local "
    "standard deviations (mean over ln T), and by 5 % or more: exchanged rows, or mixed columns.",
)
SHIFTED_ROW = Rule(
    "shifted-row",
    WARNING,
    4.0,
    "A temperature curve agrees this many times better with its neighbours in j (multiplied by the square "
    "root of the gain at adjacent temperatures) when shifted by one temperature; without v and j, with "
    "adjacent temperatures only.",
)
OFF_CURVE = Rule(
    "off-curve",
    ERROR,
    3.0,
    "One value differs from the curve through the adjacent temperatures by more than this factor and by 15 "
    "standard deviations of the set there, and from the neighbours in j too: a wrong exponent or digit.",
)
KINK = Rule(
    "kink",
    WARNING,
    1.25,
    "One value differs from the curve through the adjacent temperatures by more than this factor and by 6 "
    "standard deviations of the set there, and from the neighbours in j too (10 without these): a wrong "
    "digit, or joined pieces.",
)
REPEATED = Rule(
    "repeated-value",
    WARNING,
    4.0,
    "A value equals the one at an adjacent temperature in every digit although the set predicts a difference "
    "of this many standard deviations: copied, or a row shifted by one temperature.",
)
SCRAMBLED = Rule(
    "scrambled-row",
    ERROR,
    3.0,
    "Values at two or more temperatures differ from the curve through the others by more than this factor "
    "and by 15 standard deviations of the set: the columns of different rows are mixed.",
)
FEW_SHAPES = Rule(
    "few-shapes",
    WARNING,
    3.0,
    "All temperature curves of a set have at most this many shapes to the digits printed: f(levels) g(T), a "
    "formula and not a scattering calculation. Sets of two digits or under 30 transitions are not checked.",
)
SHIFTED_TEMPERATURES = Rule(
    "shifted-temperatures",
    WARNING,
    3.0,
    "Two sources of a system agree this many times better when the columns of one are shifted by one "
    "temperature: its row of temperatures is shifted.",
)
SOURCES_DISAGREE = Rule(
    "sources-disagree",
    WARNING,
    3.0,
    "Two sources differ for a transition by more than this factor (median over T) beyond their overall "
    "difference, and by 4 standard deviations of all transitions.",
)
UNIT_OF_SOURCES = Rule(
    "unit-of-sources",
    WARNING,
    1e6,
    "Two sources differ by this factor overall, within a factor 10: one of them is in m3 s-1.",
)
JOINED_SOURCES = Rule(
    "joined-sources",
    WARNING,
    1.2,
    "The curves of two sources are joined in temperature, as someone asked; a curve jumps there where its "
    "own slope, continued to the next temperature, misses the other source by more than this factor.",
    of_file=True,
)
SPIN_SPECIES = Rule(
    "spin-species",
    WARNING,
    0.0,
    "A rate coefficient (cm3 s-1) between levels of different nuclear spin species, as ka + kc even and odd "
    "in H2O, is above this. Collisions that exchange no nuclei do not mix them: rates of two are mixed up, "
    "or levels have wrong quantum numbers. Not looked for with H and H+, which exchange nuclei.",
)
SOURCES = Rule(
    "sources", NOTE, 1.0, "How two sources of a system compare, where they share more transitions than this."
)
TITLE_RANGE = Rule(
    "title-range",
    WARNING,
    1.01,
    "The temperatures of a file are outside the range that its own title states, by more than this factor.",
)
ENERGY_ORDER = Rule(
    "energy-order",
    WARNING,
    0.0,
    "A level lies below the previous one by more than this (cm-1): programs that take the order of levels "
    "for that of energies exchange the directions.",
    of_file=True,
)
WEIGHT = Rule(
    "weight",
    WARNING,
    1e-3,
    "A statistical weight differs, relatively, by more than this from the multiple of 2j+1 of the other "
    "levels with the same parity of j; detailed balance is wrong by that much.",
)
LEVEL_ENERGY = Rule(
    "level-energy",
    WARNING,
    CONTRADICTION,
    "All lines of a level want the same other energy of it, and one contradicts it by more than this, "
    "relatively (with one line, its E_u must want that energy too): the energy is the suspect.",
)
FREQUENCY = Rule(
    "frequency",
    WARNING,
    CONTRADICTION,
    "The frequency of a line differs by more than this, relatively, and by more than the printed digits, "
    "from its two level energies, which other lines do not doubt. Measured and computed ones agree to 1e-4.",
)
UPPER_ENERGY = Rule(
    "upper-energy",
    WARNING,
    CONTRADICTION,
    "E_u (K) of a line differs by more than this, relatively, and by more than the printed digits, from the "
    "energy of its upper level, counted from zero or from the lowest level.",
)

TOO_MANY = Rule(
    "too-many",
    WARNING,
    1 / 3,
    "A rule that judges curves would flag more than this share of the transitions: the set or the rule is at "
    "fault as a whole. Nothing is flagged by that rule until `check --mark`.",
)

RULES = (*READER_RULES, *(rule for rule in tuple(globals().values()) if isinstance(rule, Rule)))
"""All rules, those of readers first, in the order of their findings."""

RULE_NAMES = tuple(rule.name for rule in RULES)
OF_FILE = tuple(rule.name for rule in RULES if rule.of_file)
"""The rules whose findings only a file shows."""

JUDGEMENTS = tuple(rule.name for rule in (UNIT_OF_ROW, OFF_NEIGHBOURS, OFF_CURVE, SCRAMBLED))
"""The rules of errors that compare curves with each other; those of all other rules are facts."""

FEWEST_TOO_MANY = 3
"""Fewer transitions are never too many, however small the set."""

FEW_LINES = 5
"""So many lines that contradict the energies are named one by one; more are one finding."""

CHARGED_FACTOR = 1e4
"""Rates for charged colliders may be this many times larger than those for neutral ones."""

PLACEHOLDER_GAP = 10.0
"""A value above 1e-40 that repeats is a placeholder where no other is within this factor."""

FLOOR_REACH = 3.0
"""Values within this factor are of about the same size as a floor."""

NEARLY_FLAT = 1.1
"""A curve that varies by less than this factor over all temperatures may be flat by rounding."""

FLOOR_COPIES = 2.0
"""A value of whole rows is a floor where it has this many times more rows than are nearly flat near it."""

FLOOR_PILE = 10.0
"""A value is a floor where it occurs this many times, and this many times as often as those of its size."""

CLIFF = 1e10
"""A value below 1e-40 that is this many times smaller than the next one in T is a placeholder too."""

LEAST_SCALE = 1e-3
"""No scatter of ln k is taken to be smaller: sets are printed with at most four digits."""

LEAST_SCATTER = 1e-5
"""No scatter of ln k in T is taken to be smaller: smooth sets of four digits come near it."""

ERROR_SIGMAS = 15.0
"""Robust standard deviations of a wrong value in T: real sets have heavy tails."""

KINK_SIGMAS = 10.0
"""Standard deviations of a kink in T where there are no neighbours in j."""

TOGETHER_SIGMAS = 6.0
"""Standard deviations of a kink in T that the neighbours in j confirm."""

OFF_SIGMAS = 10.0
UNLIKE_SIGMAS = 4.0
"""Local standard deviations of a row that differs from its neighbours in j."""

ALONE_FACTOR = 1e3
ALONE_SIGMAS = 8.0
"""How far a row must differ from its levels alone: rows from one level extend over decades."""

CONFIRMED = 0.3
"""Neighbours in j confirm a wrong value where they differ by at least this share of it, in ln k."""

LEAST_ODD_J = 0.03
"""A j that differs from its neighbours by less (median, ln k) is no finding, however smooth the set."""

ODD_PART = 0.05
"""A shape that differs by less (mean, ln k) is no finding, however smooth the set."""

ALONE_MISFIT = 1.5
"""Without neighbours in j a row counts as shifted only where its misfit in T is this many sigmas."""

SHAPE_TEMPERATURES = 8
"""With fewer temperatures shapes are not compared: a shift by one leaves no inner ones."""

PREDICTORS_NEEDED = 3
"""With fewer predictors in j there is no scatter to compare with."""

SCRAMBLED_VALUES = 2
"""With this many wrong values the row is wrong, and not its values."""

ROUNDING_UNITS = 2.0
"""A repeated value must be wrong by more than this many units of its last digit."""

FEWEST_DIGITS = 0.006
"""Half the last digit, relatively, at which shapes can still be distinguished: three digits."""

ENOUGH_ROWS = 10_000
"""Of more rows, evenly spaced ones are enough for what is true of a whole column."""
