"""How good a method of calculation is: the classes of methods, in order of precedence."""

from __future__ import annotations

import re

NOT_STATED = "not stated"

METHOD_CLASSES = (
    "close coupling",
    "coupled states",
    "other quantum",
    "mixed or classical",
    "infinite order sudden",
    "scaled",
    "extrapolated",
    NOT_STATED,
    "derived",
    "predicted",
)
"""The classes, the best first; a test holds this to the table method_rank."""

CALCULATIONS = ("close coupling", "coupled states", "mixed or classical", "infinite order sudden")
"""Classes that a reference names in words of their own, where it speaks of the method."""

# The first class with a word in the text is the one, so that "scaled from CC" is scaled. Each has words, and
# abbreviations that count only in capitals and by themselves: "cs" and "cc" occur in names of files.
_WORDS = (
    ("extrapolated", r"extrapolat", ""),
    ("scaled", r"\bscal(?:ed|ing)\b|reduced[- ]mass ratio", ""),
    ("infinite order sudden", r"infinite[- ]order|energy[- ]sudden", r"IOSA?(?:-\w+)?|ESA?"),
    (
        "mixed or classical",
        r"mixed[- ]quantum|quasi-?classical|classical[- ]trajector|semi-?classical",
        r"(?:\w+-)?MQCT|QCT",
    ),
    ("coupled states", r"coupled[- ]states?\b|centrifugal[- ]sudden|j_?z[- ]conserving", r"CSA?"),
    (
        "close coupling",
        r"close[- ]coupl|coupled[- ]channels?\b|full(?:y)?[- ]quantum",
        r"(?:Q|F|V|RB|R)?CC(?:-\w+)?",
    ),
    (
        "other quantum",
        r"quantum|effective potential|wave[- ]?packet|statistical|distorted[- ]wave|\bborn\b|r-matrix",
        r"MCTDH|SACM|TDWP|DWBA|MCSD|NNM",
    ),
)


def method_class(method: str) -> str:
    """Return the class of a method as people write it, `not stated` where the text names none."""
    for name, words, abbreviations in _WORDS:
        if re.search(words, method, re.IGNORECASE):
            return name
        if abbreviations and re.search(rf"(?<![\w-])(?:{abbreviations})(?![\w-])", method):
            return name
        if abbreviations and re.fullmatch(abbreviations, method.strip(), re.IGNORECASE):
            return name
    return NOT_STATED


def ask_for_method(system: str, method: str) -> list[str]:
    """Ask for a method that is not stated, or that is none which has a rank."""
    if method_class(method) != NOT_STATED:
        return []
    what = "no method is stated" if method == NOT_STATED else f"the method `{method}` has no known rank"
    return [
        f"{what} for {system}: any source with one takes precedence; name it with --method, such as"
        ' "close coupling", "coupled states" or "infinite order sudden"'
    ]


def doubts_of_kind(system: str, reference: str) -> list[str]:
    """Return warnings where the words of a reference speak of another kind of rates than `computed`."""
    return [
        f"the file says of {system} that it is {kind}, `{reference[:60]}`: "
        f"import it with --kind {kind} if that is so"
        for kind, word in (("scaled", "scaled"), ("extrapolated", "extrapol"))
        if word in reference.lower()
    ]
