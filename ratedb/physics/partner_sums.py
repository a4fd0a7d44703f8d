"""Rates of one molecule from those of a pair: sums over the partner's final, averages over initial states.

    k_eff(t -> t'; p) = sum over p' of k(t p -> t' p'),
    k(t -> t') = sum over p of n_p(T) k_eff(t -> t'; p),  n_p in proportion to g_p exp(-E_p / kB T)

(Dubernet et al. 2009, A&A 497, 911). t -> t' is downward in the target's energy; t p -> t' p' may be upward
in that of the pair, and is then the reverse of a stored one by detailed balance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.physics.constants import HC_OVER_KB_CM_K
from ratedb.physics.derived import Derived, downward, half_widths, summed
from ratedb.physics.pairs import Pair
from ratedb.physics.populations import share_listed
from ratedb.rates import Rates

LEAST_COVERED = 0.95
"""An average over less of the partner's population is warned of."""
_LEAST_AVERAGED = 0.5
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class PartnerSums:
    """Sums over the partner's final states: `initial` and `final` of the target and `partner`, (k,) each.

    `rate` (k, m), cm3 s-1, is NaN where the partner's elastic term is missing. `missing` has for each sum the
    partner's final states that other sums have; `share` (p, p, m) is what a jump of the partner gives to
    complete sums, in the median.
    """

    initial: IntArray
    final: IntArray
    partner: IntArray
    rate: FloatArray
    half_width: FloatArray
    missing: tuple[tuple[int, ...], ...]
    share: FloatArray

    def select(self, keep: BoolArray) -> PartnerSums:
        """Return the sums at a mask, shape (k,)."""
        return PartnerSums(
            self.initial[keep],
            self.final[keep],
            self.partner[keep],
            self.rate[keep],
            self.half_width[keep],
            tuple(self.missing[place] for place in np.flatnonzero(keep)),
            self.share,
        )


def partner_sums(rates: Rates, pair: Pair) -> PartnerSums:
    """Return the sums over the partner's final states of all rates that change the target's state."""
    target, partner = pair.target_of, pair.partner_of
    energy = pair.target.energy_cm1[target]
    change = target[rates.upper] != target[rates.lower]
    rates = rates.select(change)
    back = energy[rates.upper] < energy[rates.lower]
    initial, final = np.where(back, (rates.lower, rates.upper), (rates.upper, rates.lower))
    k = np.where(back[:, None], rates.upward_rate_cm3_s, rates.rate_cm3_s)
    known = np.isfinite(k).any(axis=1)
    initial, final, k, width = initial[known], final[known], k[known], half_widths(rates)[known]
    keys = np.stack([target[initial], target[final], partner[initial]], axis=1)
    sums, group = np.unique(keys, axis=0, return_inverse=True)
    group = np.ravel(group)
    total, half_width = summed(group, len(sums), k, width)
    jump_to = partner[final]
    elastic = jump_to == sums[group, 2]
    whole = np.full(total.shape, np.nan)
    whole[group[elastic]] = np.where(np.isfinite(k[elastic]), total[group[elastic]], np.nan)
    missing = _missing(sums, group, jump_to, np.isfinite(k).all(axis=1))
    share = _shares(sums, group, jump_to, k, total, missing, len(pair.partner))
    return PartnerSums(sums[:, 0], sums[:, 1], sums[:, 2], whole, half_width, missing, share)


def _missing(
    sums: IntArray, group: IntArray, jump_to: IntArray, whole: BoolArray
) -> tuple[tuple[int, ...], ...]:
    """Return for each sum the partner's final states that others out of the same state have."""
    there: list[set[int]] = [set() for _ in sums]
    for number, state in zip(group[whole].tolist(), jump_to[whole].tolist(), strict=True):
        there[number].add(state)
    every: dict[int, set[int]] = {}
    for state, found in zip(sums[:, 2].tolist(), there, strict=True):
        every.setdefault(state, set()).update(found)
    return tuple(
        tuple(sorted(every[state] - found)) for state, found in zip(sums[:, 2].tolist(), there, strict=True)
    )


def _shares(
    sums: IntArray,
    group: IntArray,
    jump_to: IntArray,
    k: FloatArray,
    total: FloatArray,
    missing: tuple[tuple[int, ...], ...],
    states: int,
) -> FloatArray:
    """Return the median share in complete sums of jumps that others lack, shape (p, p, m), NaN for none."""
    result = np.full((states, states, k.shape[1]), np.nan)
    complete = np.array([not one for one in missing])[group]
    share = np.divide(k, total[group], out=np.full(k.shape, np.nan), where=total[group] > 0)
    needed = {(state, end) for state, ends in zip(sums[:, 2].tolist(), missing, strict=True) for end in ends}
    for state, end in needed:
        rows = complete & (sums[group, 2] == state) & (jump_to == end)
        if rows.any():
            result[state, end] = np.nanmedian(share[rows], axis=0)
    return result


def effective_rates(
    rates: Rates, pair: Pair, state: int, collider: str, *, complete_only: bool = False
) -> Derived:
    """Return rates of the target, summed over the partner's final states, for one initial state of it.

    Raises RatedbError where no sum can be formed.
    """
    sums = partner_sums(rates, pair)
    mine = sums.partner == state
    name = pair.partner.label[state]
    if not mine.any():
        there = [pair.partner.label[place] for place in np.unique(sums.partner)]
        raise RatedbError(
            f"{rates.system} has no rates out of the partner's state {name}",
            expected="one of " + ", ".join(there),
            got=name,
            todo="name another one with --partner-state",
        )
    sums = sums.select(mine)
    broken = ~np.isfinite(sums.rate).any(axis=1)
    incomplete = np.array([bool(one) for one in sums.missing]) & ~broken
    warnings = [*_without_elastic(pair, sums, broken), *_incomplete(pair, sums, incomplete, complete_only)]
    keep = ~broken & ~incomplete if complete_only else ~broken
    kept = sums.select(keep)
    table = downward(
        pair.target, collider, (kept.initial, kept.final), rates.temperature_k, kept.rate, kept.half_width
    )
    details = {
        "partner_state": name,
        "sums": int(keep.sum()),
        "incomplete": list(_named(pair, sums, incomplete)),
        "left_out": [_transition(pair, sums, place) for place in np.flatnonzero(~keep)],
    }
    return Derived(table, tuple(warnings), details)


def thermal_rates(rates: Rates, pair: Pair, collider: str, *, complete_only: bool = False) -> Derived:
    """Return rates of the target, averaged over the partner's initial states by their Boltzmann weights.

    Each average is over the states whose sums are there; values where these hold less than half of the
    population are left out. Raises RatedbError where the partner mixes nuclear spin species, or where nothing
    can be averaged.
    """
    _need_one_species(pair, collider)
    sums = partner_sums(rates, pair)
    incomplete = np.array([bool(one) for one in sums.missing]) & np.isfinite(sums.rate).any(axis=1)
    warnings = _incomplete(pair, sums, incomplete, complete_only)
    listed = list(_named(pair, sums, incomplete))
    if complete_only:
        sums = sums.select(~incomplete)
    kelvin = rates.temperature_k
    share, words = share_listed(pair.partner, collider, kelvin)
    weight = pair.partner.weight[:, None] * np.exp(
        -HC_OVER_KB_CM_K * pair.partner.energy_cm1[:, None] / kelvin
    )
    population = weight / weight.sum(axis=0) * share
    ends, group = np.unique(np.stack([sums.initial, sums.final], axis=1), axis=0, return_inverse=True)
    group = np.ravel(group)
    known = np.isfinite(sums.rate)
    part = np.where(known, population[sums.partner], 0.0)
    total, half_width = summed(group, len(ends), part * np.where(known, sums.rate, 0.0), sums.half_width)
    covered = np.zeros(total.shape)
    np.add.at(covered, group, part)
    enough = covered >= _LEAST_AVERAGED
    average = np.divide(total, covered, out=np.full(total.shape, np.nan), where=enough)
    table = downward(pair.target, collider, (ends[:, 0], ends[:, 1]), kelvin, average, half_width)
    warnings += _coverage_warnings(kelvin, covered, enough, words)
    used = np.where(enough, covered, np.nan)
    rows = [
        {"temperature_k": float(t), "median": float(np.nanmedian(one)), "least": float(np.nanmin(one))}
        for t, one in zip(kelvin, used.T, strict=True)
        if np.isfinite(one).any()
    ]
    states = [pair.partner.label[place] for place in np.unique(sums.partner)]
    details = {"partner_states": states, "coverage": rows, "coverage_of": words, "incomplete": listed}
    return Derived(table, tuple(warnings), details)


def _need_one_species(pair: Pair, collider: str) -> None:
    """Raise RatedbError for H2 with even and odd j, which no collision mixes."""
    j = pair.partner.quantum_numbers.get("j")
    if collider.split("(")[0] == "H2" and j is not None and len(np.unique(j % 2)) > 1:
        raise RatedbError(
            "the partner's states are of two nuclear spin species",
            expected="p-H2 or o-H2",
            got=f"{collider} with even and odd j",
            todo="import each species as a collider of its own, p-H2 and o-H2",
        )


def _coverage_warnings(kelvin: FloatArray, covered: FloatArray, enough: BoolArray, words: str) -> list[str]:
    found = []
    low = np.where(enough, covered, np.inf).min(axis=0) < LEAST_COVERED
    if low.any():
        median = [
            f"{np.median(covered[enough[:, c], c]):.0%}" for c in np.flatnonzero(low) if enough[:, c].any()
        ]
        found.append(
            f"averages cover less than {LEAST_COVERED:.0%} of the partner's population ({words}) for some"
            f" transitions at {', '.join(f'{t:g}' for t in kelvin[low])} K; in the median"
            f" {', '.join(median)}; they are averages over what is covered"
        )
    if (~enough).any():
        found.append(
            f"{int((~enough).sum())} values are left out: the states with rates hold less than half of the"
            " partner's population"
        )
    return found


def _transition(pair: Pair, sums: PartnerSums, place: int) -> str:
    label = pair.target.label
    return f"{label[sums.initial[place]]} -> {label[sums.final[place]]}"


def _named(pair: Pair, sums: PartnerSums, rows: BoolArray) -> Iterator[dict[str, Any]]:
    """Yield each incomplete sum: its transition, the partner's state, and the final states it lacks."""
    label = pair.partner.label
    for place in np.flatnonzero(rows):
        yield {
            "transition": _transition(pair, sums, place),
            "partner": label[sums.partner[place]],
            "missing": [label[state] for state in sums.missing[place]],
        }


def _without_elastic(pair: Pair, sums: PartnerSums, broken: BoolArray) -> list[str]:
    if not broken.any():
        return []
    names = [_transition(pair, sums, place) for place in np.flatnonzero(broken)[:_SHOWN]]
    return [
        f"{int(broken.sum())} transitions are left out, as {', '.join(names)}: the rate that leaves the"
        " partner in its state is missing"
    ]


def _incomplete(pair: Pair, sums: PartnerSums, rows: BoolArray, left_out: bool) -> list[str]:
    """Warn of sums that lack jumps of the partner, with the share that these have elsewhere."""
    if not rows.any():
        return []
    jumps = {
        (int(sums.partner[place]), state) for place in np.flatnonzero(rows) for state in sums.missing[place]
    }
    label, said = pair.partner.label, []
    for state, end in sorted(jumps):
        share = sums.share[state, end]
        most = f"up to {100 * np.nanmax(share):.2g} %" if np.isfinite(share).any() else "an unknown share"
        said.append(f"{label[state]} -> {label[end]} ({most})")
    names = [_transition(pair, sums, place) for place in np.flatnonzero(rows)[:_SHOWN]]
    done = "are left out" if left_out else "are too small by what is missing; --complete-only leaves them out"
    return [
        f"{int(rows.sum())} of {len(rows)} sums are incomplete, as {', '.join(names)}, and {done}. Jumps of"
        f" the partner that are missing, with their median share in complete sums: {'; '.join(said)}"
    ]
