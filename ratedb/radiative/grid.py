"""The grid of conditions under which two files are compared or sampled rates are run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from ratedb.errors import RatedbError
from ratedb.options import ImpactOptions, VerifyOptions
from ratedb.radiative.conditions import Conditions
from ratedb.systems import COLLIDERS, is_charged

_TEMPERATURES_K = (10.0, 30.0, 100.0, 300.0)
_DENSITIES_CM3 = (1.0e3, 1.0e4, 1.0e5, 1.0e6)
# Electrons and protons collide some thousand times faster: at 1e3 cm-3 all would be near LTE, where the
# populations no longer depend on the rates and a comparison shows nothing.
_CHARGED_DENSITIES_CM3 = (1.0, 1.0e1, 1.0e2, 1.0e3)


def common_limits(
    ours: Mapping[str, tuple[float, float]], against: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return the colliders that both files have, each with the temperature range (K) that both cover.

    Raises RatedbError where there is none.
    """
    both = {name: _overlap([ours[name], against[name]]) for name in ours if name in against}
    found = {name: limits for name, limits in both.items() if limits is not None}
    if not found:
        raise RatedbError(
            "the two files have no collider in common at any temperature",
            expected="rates for the same collider at overlapping temperatures",
            got=f"{_show(ours)} and {_show(against)}",
        )
    return found


def grid_of(
    options: VerifyOptions | ImpactOptions,
    colliders: Iterable[str],
    limits_k: Mapping[str, tuple[float, float]] | None = None,
    default_k: Sequence[float] = _TEMPERATURES_K,
) -> tuple[Conditions, ...]:
    """Return the conditions that options name, by default 16 for each gas.

    A gas is H2 where a file has p-H2 and o-H2, with o/p = min(3, 9 exp(-170.6 / T)), and otherwise each
    collider alone, so that the rates for each are tested. By default T is 10, 30, 100 and 300 K; the density
    1e3 to 1e6 cm-3 by decades, for electrons and H+ 1 to 1e3 cm-3; the column 1e14 cm-2 over 1 km/s, the
    background 2.73 K. With `limits_k`, the temperature range of the rates for each collider, temperatures
    outside a gas's range are left out; where none is left, the ends of the range replace the default ones.

    Raises RatedbError where there is no collider, an unknown one, a pair without a common range, or where no
    gas has any of the temperatures.
    """
    wanted_k = options.temperatures or default_k
    names = tuple(dict.fromkeys(colliders))
    unknown = [name for name in names if name not in COLLIDERS]
    if unknown or not names:
        raise RatedbError("no grid for these colliders", expected=" ".join(COLLIDERS), got=", ".join(names))
    found = tuple(
        Conditions(temperature, _densities(gas, total, temperature), column, width)
        for gas in _gases(names)
        for temperature in _temperatures(
            gas, limits_k or {}, wanted_k, chosen=options.temperatures is not None
        )
        for total in options.densities or (_CHARGED_DENSITIES_CM3 if is_charged(gas[0]) else _DENSITIES_CM3)
        for column in options.columns
        for width in options.line_widths
    )
    if not found:
        raise RatedbError(
            "no rates reach any of the temperatures",
            expected=_show(limits_k or {}),
            got=", ".join(f"{kelvin:g}" for kelvin in wanted_k) + " K",
        )
    return found


def temperatures_left_out(
    options: VerifyOptions | ImpactOptions,
    conditions: Sequence[Conditions],
    limits_k: Mapping[str, tuple[float, float]],
) -> list[str]:
    """Return a sentence for each gas whose conditions lack some of the chosen temperatures."""
    found = []
    for gas in _gases(tuple(limits_k)):
        there = {one.temperature_k for one in conditions if set(one.density_cm3) == set(gas)}
        missing = [kelvin for kelvin in options.temperatures or () if kelvin not in there]
        if missing:
            of_gas = _show({name: limits_k[name] for name in gas})
            found.append(f"{', '.join(f'{t:g}' for t in missing)} K left out: the rates are for {of_gas}")
    return found


def _gases(names: Sequence[str]) -> list[tuple[str, ...]]:
    pair = ("p-H2", "o-H2")
    if not set(pair) <= set(names):
        return [(name,) for name in names]
    return [pair, *((name,) for name in names if name not in pair)]


def _temperatures(
    gas: tuple[str, ...],
    limits_k: Mapping[str, tuple[float, float]],
    wanted_k: Sequence[float],
    *,
    chosen: bool,
) -> list[float]:
    known = [limits_k[name] for name in gas if name in limits_k]
    if not known:
        return list(wanted_k)
    overlap = _overlap(known)
    if overlap is None:
        raise RatedbError(
            f"the rates for {' and '.join(gas)} have no temperature in common", got=_show(limits_k)
        )
    low, high = overlap
    inside = [t for t in wanted_k if low <= t <= high]
    return sorted({low, high}) if not chosen and not inside else inside


def _densities(gas: tuple[str, ...], total_cm3: float, temperature_k: float) -> dict[str, float]:
    if len(gas) == 1:
        return {gas[0]: total_cm3}
    ortho_to_para = min(3.0, 9.0 * math.exp(-170.6 / temperature_k))
    para = total_cm3 / (1.0 + ortho_to_para)
    return {"p-H2": para, "o-H2": total_cm3 - para}


def _overlap(ranges: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    low, high = max(r[0] for r in ranges), min(r[1] for r in ranges)
    return (low, high) if low <= high else None


def _show(limits: Mapping[str, tuple[float, float]]) -> str:
    return ", ".join(f"{name} {low:g}-{high:g} K" for name, (low, high) in limits.items()) or "none"
