"""Count the downward transitions of a rotor, when nothing but its quantum numbers is known."""

from __future__ import annotations


def transitions_from(j: int, *, v_max: int, j_max: int) -> int:
    """Return how many downward transitions leave initial j, summed over v = 0..v_max.

    The paper's rule: v' <= v; every j' in 0..j_max for v' < v, and j' < j for v' = v. For SiO with
    v_max = 2 and j_max = 20 this is 3j + 63.
    """
    same_v = j
    return sum(same_v + v * (j_max + 1) for v in range(v_max + 1))
