"""The words of a header with which the quantum numbers of levels are found again in their labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ratedb.kinds.reading import known_kinds
from ratedb.kinds.recognise import recognised
from ratedb.levels import Levels


def header_words(levels: Levels) -> tuple[str, ...]:
    """Return the words of a header with which `recognised` finds the quantum numbers of levels again.

    They are the names of these, but for a number that labels count otherwise, as `Omega - 1/2`.
    """
    names = tuple(levels.quantum_numbers)
    added = {
        number.name: words for kind in known_kinds() for number in kind.numbers for words, _ in number.added
    }
    bare = replace(levels, quantum_numbers={}, kind="")
    for words in (names, tuple(added.get(name, name) for name in names)):
        again = recognised(bare, " ".join(words)).quantum_numbers
        if again.keys() == set(names) and all(
            np.array_equal(again[name], levels.quantum_numbers[name]) for name in names
        ):
            return words
    return names
