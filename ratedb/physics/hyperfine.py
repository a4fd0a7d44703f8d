"""Rates between hyperfine levels of a linear molecule, from its rotational rates.

A nuclear spin is no part of the collision: tensors of rank L act on j alone, and 6j symbols say how j and
the spins are coupled to F. In the infinite-order sudden (IOS) limit, with one spin I,

    k(j F -> j' F') = (2j+1) (2j'+1) (2F'+1) sum over L of (j L j'; 0 0 0)^2 {j j' L; F' F I}^2 Q_L

(Neufeld & Green 1994, ApJ 432, 158; Faure & Lique 2012, MNRAS 425, 740); a second spin adds such a factor
for the step from F1 to F. It is scaled by k(j -> j') / k_IOS(j -> j'), so that its sum over F' is k(j -> j').
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError, one_of
from ratedb.levels import LINEAR, Levels
from ratedb.physics.derived import Derived, downward, half_widths
from ratedb.physics.tensor_strengths import (
    excitation_factors,
    fitted_strengths,
    fundamental_strengths,
    ios_weights,
)
from ratedb.physics.wigner import squared_3j_000, squared_6j
from ratedb.rates import Rates

METHODS = ("fitted", "fundamental", "excitation", "statistical")
"""Where the Q_L come from, or that rates are in proportion to 2F'+1."""

_DOUBTFUL_FACTOR = 1.5
_WITHOUT_ROTATION = ("He", "p-H2", "H2", "H", "H+", "e")
_SAME_CM1, _SAME_RELATIVE = 1.0, 0.05


@dataclass(frozen=True, eq=False)
class _Rotation:
    """Rotational rates by `j` and `j_final`, (n,); `row_of` has their rows, (J+1, J+1), -1 for none."""

    rates: Rates
    j: IntArray
    j_final: IntArray
    row_of: IntArray
    energy_cm1: FloatArray

    @staticmethod
    def of(rates: Rates) -> _Rotation:
        """Return them; raises RatedbError where the levels are no rotational ones of a linear molecule."""
        levels = rates.levels
        if not levels.has_vj or levels.kind != LINEAR:
            raise RatedbError(
                f"the levels of {levels.molecule} are not rotational levels of a linear molecule",
                expected="levels by j: tops, and molecules with an electron's spin, cannot be recoupled so",
                got=f"{levels.kind} ({', '.join(levels.quantum_numbers) or 'labels only'})",
            )
        v, j = levels.need_vj()
        ground = (v[rates.upper] == 0) & (v[rates.lower] == 0) & (j[rates.upper] > j[rates.lower])
        rates = rates.select(ground)
        if not len(rates):
            raise RatedbError(
                f"{rates.system} has no rotational rates within v = 0", expected="rates out of j into lower j"
            )
        upper, lower = j[rates.upper], j[rates.lower]
        row_of = np.full((int(j.max()) + 1,) * 2, -1)
        row_of[upper, lower] = np.arange(len(rates))
        energy = np.full(int(j.max()) + 1, np.nan)
        energy[j[v == 0]] = levels.energy_cm1[v == 0]
        return _Rotation(rates, upper, lower, row_of, energy)


@dataclass(frozen=True, eq=False)
class _Spins:
    """Momenta of hyperfine levels, doubled: `chain` is j, (F1,) F, each (n,), coupled by those of `spin`."""

    j: IntArray
    chain: tuple[IntArray, ...]
    spin: tuple[int, ...]

    @staticmethod
    def of(levels: Levels) -> _Spins:
        """Return them; raises RatedbError for levels of another kind, or a list without its largest F."""
        numbers = levels.quantum_numbers
        names = [name for name in ("j", "F1", "F") if name in numbers]
        others = set(numbers) - {"v", "j", "F1", "F"}
        if "F" not in names or "j" not in names or others or not levels.kind.startswith(f"{LINEAR} +"):
            raise RatedbError(
                f"the levels of {levels.molecule} are not hyperfine levels of a linear molecule",
                expected="quantum numbers j and F, or j, F1 and F, named by the header of the list",
                got=f"{levels.kind} ({', '.join(numbers) or 'labels only'})",
                todo="name the list with --levels, or a molecule that has such levels with --like",
            )
        chain = tuple(np.round(2.0 * numbers[name]).astype(np.int64) for name in names)
        spin = tuple(int((second - first).max()) for first, second in pairwise(chain))
        return _Spins(chain[0] // 2, chain, spin)

    @property
    def weight(self) -> FloatArray:
        """2F+1 of each level, shape (n,)."""
        return self.chain[-1] + 1.0

    def incomplete(self) -> list[int]:
        """Return the j that lack levels: the sum of 2F+1 is not (2j+1) times that of the spins."""
        full = np.prod([one + 1.0 for one in self.spin])
        total = np.bincount(self.j, self.weight)
        there = np.unique(self.j)
        return [int(j) for j in there if abs(total[j] - (2.0 * j + 1.0) * full) > 0.1]

    def recoupled(self, initial: IntArray, final: IntArray, highest: int) -> FloatArray:
        """Return the factors of Q_L in k_IOS(j F -> j' F'), shape (n, highest), for L = 1..highest."""
        order = np.arange(1, highest + 1)
        j, j_final = (self.j[one][:, None] for one in (initial, final))
        result = (2.0 * j + 1.0) * (2.0 * j_final + 1.0) * squared_3j_000(j, order, j_final)
        for (first, second), spin in zip(pairwise(self.chain), self.spin, strict=True):
            a, b, c, d = (one[end][:, None] for one in (first, second) for end in (initial, final))
            result = result * (c + 1.0) * (d + 1.0) * squared_6j(a, b, 2 * order, d, c, np.array(spin))
        return result / self.weight[initial][:, None]


def hyperfine_rates(rates: Rates, levels: Levels, method: str = "fitted") -> Derived:
    """Return the rates between hyperfine `levels` that recoupling makes of rotational rates.

    `method` is one of METHODS. Transitions within one j are there where Q_L are; they are not scaled. Raises
    RatedbError where the levels are not those of the same molecule, or nothing can be derived.
    """
    one_of("method", method, METHODS)
    rotation, spins = _Rotation.of(rates), _Spins.of(levels)
    _need_same_molecule(rotation, levels, spins)
    initial, final = _ends(levels, spins)
    within = spins.j[initial] == spins.j[final]
    inside = spins.j < len(rotation.row_of)
    row = np.full(len(initial), -1)
    both = inside[initial] & inside[final]
    row[both] = rotation.row_of[spins.j[initial[both]], spins.j[final[both]]]
    if method == "statistical":
        keep = ~within & (row >= 0)
        share = spins.weight / np.bincount(spins.j, spins.weight)[spins.j]
        k, width = rotation.rates.rate_cm3_s[row[keep]], half_widths(rotation.rates)[row[keep]]
        values, details = k * share[final[keep]][:, None], dict[str, object](method=method)
    else:
        keep = (row >= 0) | (within & both)
        values, width, details = _recoupled(rotation, spins, (initial[keep], final[keep], row[keep]), method)
    ends = initial[keep], final[keep]
    table = downward(levels, rates.collider, ends, rates.temperature_k, values, width)
    elastic = spins.j[table.upper] == spins.j[table.lower]
    details |= {
        "nuclear_spins": [one / 2.0 for one in spins.spin],
        "within_j": int(elastic.sum()),
        "forbidden": int((np.nan_to_num(table.rate_cm3_s) == 0).all(axis=1).sum()),
        "without_rotational_rate": int((~within & (row < 0)).sum()),
    }
    return Derived(table, tuple(_warnings(details, spins, rates.collider)), details, elastic)


def _ends(levels: Levels, spins: _Spins) -> tuple[IntArray, IntArray]:
    """Return all transitions into a lower j, and those down in energy within one j."""
    j, energy = spins.j, levels.energy_cm1
    down = (j[:, None] > j[None, :]) | ((j[:, None] == j[None, :]) & (energy[:, None] > energy[None, :]))
    initial, final = np.nonzero(down)
    return initial.astype(np.int64), final.astype(np.int64)


def _recoupled(
    rotation: _Rotation, spins: _Spins, ends: tuple[IntArray, IntArray, IntArray], method: str
) -> tuple[FloatArray, FloatArray, dict[str, object]]:
    """Return k(j F -> j' F') and half widths in dex, (n, m), and how well IOS fits the rotational rates."""
    initial, final, row = ends
    k = rotation.rates.rate_cm3_s
    strength = _strengths(rotation, method)
    own = ios_weights(rotation.j, rotation.j_final, len(strength))
    factor = spins.recoupled(initial, final, len(strength))
    scaled = row >= 0
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = own @ strength
        scale = np.where(scaled[:, None], np.where(whole > 0, k / whole, np.nan)[row], 1.0)
        values = factor @ strength * scale
        fit = np.abs(np.log10(whole / k))
    usable = np.isfinite(fit)
    details: dict[str, object] = {
        "method": method,
        "highest_tensor": len(strength),
        "ios_factor_median": float(10.0 ** np.median(fit[usable])) if usable.any() else None,
    }
    width = half_widths(rotation.rates)
    if not width.any():
        return values, np.zeros(values.shape), details
    spread = _ratio_widths(rotation, factor, np.where(scaled[:, None], own[row], 0.0), strength)
    return values, np.where(scaled[:, None], width[row], 0.0) + spread, details


def _strengths(rotation: _Rotation, method: str) -> FloatArray:
    """Return Q_L, shape (L, m), NaN at temperatures where no rate gives any."""
    rates, top = rotation.rates, len(rotation.row_of) - 1
    if method == "fitted":
        return fitted_strengths(rotation.j, rotation.j_final, rates.rate_cm3_s)
    energy = rotation.energy_cm1 - np.nanmin(rotation.energy_cm1)
    factors = excitation_factors(energy[1:], rates.temperature_k) if method == "excitation" else 1.0
    found = fundamental_strengths(rotation.j, rotation.j_final, rates.rate_cm3_s, top, np.nan_to_num(factors))
    return np.where((found > 0).any(axis=0), found, np.nan)


def _ratio_widths(
    rotation: _Rotation, factor: FloatArray, own: FloatArray, strength: FloatArray
) -> FloatArray:
    """Return what the half widths of Q_L add to those of ratios, shape (n, m), in dex.

    The sum over L of |share in the numerator - share in the denominator| times the half width of Q_L, as if
    errors were correlated in the worst way. That of Q_L is the mean of the rates with dj = L.
    """
    width, jump = half_widths(rotation.rates), rotation.j - rotation.j_final
    tensor = np.zeros(strength.shape)
    for order in range(1, len(strength) + 1):
        rows = jump == order
        tensor[order - 1] = width[rows].mean(axis=0) if rows.any() else tensor[order - 2]
    result = np.zeros((len(factor), strength.shape[1]))
    for column in range(strength.shape[1]):
        shares = []
        for weights in (factor, own):
            terms = weights * strength[:, column]
            total = terms.sum(axis=1, keepdims=True)
            shares.append(np.divide(terms, total, out=np.zeros(terms.shape), where=total > 0))
        result[:, column] = np.abs(shares[0] - shares[1]) @ tensor[:, column]
    return result


def _need_same_molecule(rotation: _Rotation, levels: Levels, spins: _Spins) -> None:
    """Raise RatedbError where the mean energy of a j is not that of the rotational level."""
    there = np.unique(spins.j)
    weight = np.bincount(spins.j, spins.weight)[there]
    mean = np.bincount(spins.j, spins.weight * levels.energy_cm1)[there] / weight
    known = there < len(rotation.energy_cm1)
    own = np.where(known, rotation.energy_cm1[np.where(known, there, 0)], np.nan)
    both = np.flatnonzero(np.isfinite(own))
    if not len(both):
        raise RatedbError("no hyperfine level has the j of a rotational level", got=f"j = {there.tolist()}")
    difference = np.abs((mean - mean[both[0]]) - (own - own[both[0]]))[both]
    most = np.maximum(_SAME_CM1, _SAME_RELATIVE * (own - own[both[0]])[both])
    worst = int(np.argmax(difference - most))
    if difference[worst] > most[worst]:
        place = both[worst]
        raise RatedbError(
            f"the hyperfine levels are not those of {rotation.rates.levels.molecule}",
            where=f"j = {there[place]}",
            expected=f"{own[place]:.4f} cm-1, as the rotational level",
            got=f"{mean[place]:.4f} cm-1, the mean of its hyperfine levels",
            todo="name a list of levels of the same molecule",
        )


def _warnings(details: dict[str, object], spins: _Spins, collider: str) -> list[str]:
    found = []
    if details["method"] != "statistical" and collider not in _WITHOUT_ROTATION:
        found.append(
            f"recoupling takes {collider} as a partner without rotation; where it rotates, ratios may be"
            " closer to those of --method statistical"
        )
    if incomplete := spins.incomplete():
        names = ", ".join(map(str, incomplete))
        found.append(f"the list lacks hyperfine levels of j = {names}: what goes into them is left out")
    if missing := details["without_rotational_rate"]:
        found.append(
            f"{missing} transitions between hyperfine levels have no rotational rate and are left out"
        )
    if (forbidden := details["forbidden"]) and details["method"] != "statistical":
        found.append(f"{forbidden} transitions are zero: the sudden limit forbids what is really only weak")
    factor = details.get("ios_factor_median")
    if isinstance(factor, float) and factor > _DOUBTFUL_FACTOR:
        found.append(
            "the sudden approximation is poor here: with these strengths it gives the rotational rates within"
            f" a factor of {factor:.2f} in the median; ratios of hyperfine rates are uncertain, and"
            " transitions within one j more so"
        )
    return found
