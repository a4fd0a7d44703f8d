"""Average cross sections over the speeds of a gas, to rate coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import roots_legendre

from ratedb.arrays import FloatArray
from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError, UsageError
from ratedb.findings import REVERSIBILITY, Finding
from ratedb.physics.constants import ATOMIC_MASS_KG, BOLTZMANN_J_K, HC_OVER_KB_CM_K
from ratedb.rates import Rates

_SQUARE_ANGSTROM_CM2 = 1e-16
_NODES, _WEIGHTS = (np.asarray(array, dtype=np.float64) for array in roots_legendre(8))
_WIDEST = 3.0
_BELOW_FIRST = 0.5
"""How far, relatively, the part of an integral below the first energy may be off."""
_NAMED = 3
_NO_THRESHOLDS = ("IOS",)
"""Methods that know no thresholds, so that their two directions do not obey detailed balance."""


@dataclass(frozen=True)
class Limits:
    """What makes a thermal average trustworthy.

    `tail_fraction`: the largest part of the integral that may lie above the last energy. `grid_error`: the
    largest relative change when every second energy is left out. `energies`: the fewest energies of a
    transition. `disagreement`: how far, relatively, both directions may be from detailed balance before a
    finding says so.
    """

    tail_fraction: float = 0.02
    grid_error: float = 0.10
    energies: int = 5
    disagreement: float = REVERSIBILITY.threshold

    def __post_init__(self) -> None:
        if self.energies < 3:
            raise UsageError(
                "a thermal average needs at least 3 energies",
                expected="energies >= 3",
                got=str(self.energies),
            )


@dataclass(frozen=True, eq=False)
class ThermalRates:
    """Rates of downward transitions, NaN where not converged, and why.

    `tail_fraction` and `grid_error` have the shape (n, m) of the rates; both are NaN where a transition has
    too few energies for an average. `warnings` count and name what is not converged or left out.
    """

    rates: Rates
    tail_fraction: FloatArray
    grid_error: FloatArray
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def thermal_rates(
    table: CrossSections, temperature_k: npt.ArrayLike, limits: Limits | None = None
) -> ThermalRates:
    """Return the rate coefficients (cm3 s-1) of all downward transitions at temperatures (K) of shape (m,),

        k(T) = sqrt(8 kB T / (pi mu)) (kB T)^-2 integral of E sigma(E) exp(-E / kB T) dE,

    with E the kinetic energy before the collision. E sigma is interpolated in sqrt(E) by a piecewise cubic
    whose slopes are those of parabolas, limited so that it nowhere overshoots; a constant cross section and
    the threshold law are then averaged exactly. Below the first energy E sigma goes as sqrt(E) (Wigner), and
    half of that part counts as its error; above the last one nothing is added, and `tail_fraction` says what
    a constant cross section would add.

    Where the downward cross section is not given, or at too few energies, the upward one is turned by
    microscopic reversibility, g_up E_up sigma_up = g_low E_low sigma_low at one total energy; that is
    detailed balance for each energy, and gives the same rate as averaging upward and turning the rate. Where
    both are given the downward one is used, and findings name transitions whose two rates disagree; methods
    without thresholds (IOS) are not compared. Elastic transitions, and those between levels of equal energy,
    are left out.

    Raises RatedbError where no transition has `limits.energies` energies, or nothing goes downward.
    """
    limits = Limits() if limits is None else limits
    temperature = np.array(temperature_k, dtype=np.float64, ndmin=1)
    _need_temperatures(temperature)
    pairs = _pairs(table)
    _need_grid(table, pairs, limits)
    average = _Average(table.reduced_mass_u, temperature)
    shape = (len(pairs), len(temperature))
    rate, tail, error = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    findings: list[Finding] = []
    for row, pair in enumerate(pairs):
        curve = pair.curve(table)
        alone = len(curve.energy_cm1) < limits.energies
        if alone:
            curve = pair.turned(table)
        if len(curve.energy_cm1) < limits.energies:
            continue
        rate[row], tail[row], error[row] = average.converged(curve)
        if pair.other is not None and not alone and table.method not in _NO_THRESHOLDS:
            findings += _compare(table, pair, (rate[row], error[row]), average, limits)
    good = (tail <= limits.tail_fraction) & (error <= limits.grid_error)
    upper, lower = np.array([(pair.upper, pair.lower) for pair in pairs]).T
    rates = Rates(table.levels, table.collider, upper, lower, temperature, np.where(good, rate, np.nan))
    warnings = (*_left_out(table, pairs), *_not_converged(rates, tail, error, limits))
    return ThermalRates(rates, tail, error, warnings, tuple(findings))


@dataclass(frozen=True)
class _Pair:
    """A downward transition by its level indices, and where the table has its cross sections.

    `row` is the downward row, or the upward one where `upward`; `other` is the upward row where both are
    there.
    """

    upper: int
    lower: int
    row: int
    upward: bool
    other: int | None = None

    def curve(self, table: CrossSections) -> _Curve:
        """Return E sigma of the downward direction, turned from the upward one where only that is given."""
        energy, sigma = _known(table, self.row)
        if not self.upward:
            return _Curve(energy, energy * sigma)
        levels = table.levels
        after = energy - (levels.energy_cm1[self.upper] - levels.energy_cm1[self.lower])
        ratio = levels.weight[self.lower] / levels.weight[self.upper]
        opened = after > 0
        return _Curve(after[opened], (ratio * energy * sigma)[opened])

    def turned(self, table: CrossSections) -> _Curve:
        """Return E sigma of the downward direction, turned from the upward row where both are there."""
        if self.other is None:
            return self.curve(table)
        return _Pair(self.upper, self.lower, self.other, True).curve(table)


@dataclass(frozen=True, eq=False)
class _Curve:
    """E sigma (cm-1 Angstrom^2) at kinetic energies (cm-1), both of shape (k,)."""

    energy_cm1: FloatArray
    strength: FloatArray

    def halves(self) -> list[_Curve]:
        """Return the curve without every second energy, in both ways; the last energy stays."""
        count = len(self.energy_cm1)
        places = [np.unique(np.append(np.arange(start, count, 2), count - 1)) for start in (0, 1)]
        return [_Curve(self.energy_cm1[keep], self.strength[keep]) for keep in places]


def _known(table: CrossSections, row: int) -> tuple[FloatArray, FloatArray]:
    there = np.isfinite(table.kinetic_cm1[row])
    return table.kinetic_cm1[row][there], table.sigma_angstrom2[row][there]


def _pairs(table: CrossSections) -> list[_Pair]:
    rows = {pair: k for k, pair in enumerate(zip(table.initial.tolist(), table.final.tolist(), strict=True))}
    pairs = table.levels.downward_pairs()
    return [
        _Pair(u, w, rows.get((u, w), rows.get((w, u), 0)), (u, w) not in rows, _other(rows, u, w))
        for u, w in zip(pairs.upper.tolist(), pairs.lower.tolist(), strict=True)
        if (u, w) in rows or (w, u) in rows
    ]


def _other(rows: dict[tuple[int, int], int], upper: int, lower: int) -> int | None:
    return rows.get((lower, upper)) if (upper, lower) in rows else None


def _need_temperatures(temperature_k: FloatArray) -> None:
    rising = np.isfinite(temperature_k).all() and (np.diff(temperature_k, prepend=0.0) > 0).all()
    if temperature_k.ndim != 1 or not len(temperature_k) or not rising:
        raise RatedbError(
            "rates cannot be averaged at these temperatures",
            expected="temperatures > 0 K that increase",
            got=str(temperature_k)[:60],
        )


def _need_grid(table: CrossSections, pairs: list[_Pair], limits: Limits) -> None:
    if not pairs:
        raise RatedbError(
            f"the cross sections of {table.system} hold no transition between levels of different energies",
            expected="inelastic cross sections",
            got=f"{len(table)} elastic ones",
        )
    most = max(len(curve.energy_cm1) for pair in pairs for curve in (pair.curve(table), pair.turned(table)))
    if most < limits.energies:
        raise RatedbError(
            f"a thermal average needs a grid of energies; the {table.method} cross sections of "
            f"{table.system} have too few",
            expected=f"at least {limits.energies} energies of a transition",
            got=f"at most {most}",
            todo="join the cross sections of all energies, or compute more of them",
        )


class _Average:
    """Thermal averages at fixed temperatures for one reduced mass."""

    def __init__(self, reduced_mass_u: float, temperature_k: FloatArray) -> None:
        self.temperature_k = temperature_k
        self.kt_cm1 = temperature_k / HC_OVER_KB_CM_K
        speed_cm_s = 100 * np.sqrt(
            8 * BOLTZMANN_J_K * temperature_k / (np.pi * reduced_mass_u * ATOMIC_MASS_KG)
        )
        self.factor = speed_cm_s * _SQUARE_ANGSTROM_CM2 / self.kt_cm1**2

    def rate(self, curve: _Curve) -> FloatArray:
        """Return the rates (cm3 s-1) over the grid, shape (m,)."""
        return np.asarray(self.factor * _integral(curve, self.kt_cm1))

    def converged(self, curve: _Curve) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return rates, tail fractions and grid errors, each of shape (m,)."""
        rate = self.rate(curve)
        last, kt = curve.energy_cm1[-1], self.kt_cm1
        tail = self.factor * curve.strength[-1] * kt * (1 + kt / last) * np.exp(-last / kt)
        change = np.max([np.abs(self.rate(half) - rate) for half in curve.halves()], axis=0)
        change = np.maximum(change, _BELOW_FIRST * self.factor * _below_first(curve, kt))
        return rate, _ratio(tail, rate + tail), _ratio(change, rate)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return part / whole: 0 where both are zero, inf where only the whole is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(part == 0, 0.0, part / whole))


def _integral(curve: _Curve, kt_cm1: FloatArray) -> FloatArray:
    """Return the integral of E sigma exp(-E / kT) dE from 0 to the last energy, for kT of shape (m,)."""
    root = np.sqrt(curve.energy_cm1)
    energy, weight = _nodes(root, float(kt_cm1.min()))
    value = _cubic(np.sqrt(energy), root, curve.strength, _slopes(root, curve.strength))
    return _below_first(curve, kt_cm1) + _summed(energy, weight * value, kt_cm1)


def _below_first(curve: _Curve, kt_cm1: FloatArray) -> FloatArray:
    """Return the part of the integral below the first energy, for kT of shape (m,)."""
    first = curve.energy_cm1[0]
    energy, weight = _nodes(np.sqrt([0.0, first]), float(kt_cm1.min()))
    return _summed(energy, weight * curve.strength[0] * np.sqrt(energy / first), kt_cm1)


def _summed(energy_cm1: FloatArray, weight: FloatArray, kt_cm1: FloatArray) -> FloatArray:
    with np.errstate(under="ignore"):
        return np.asarray(np.exp(-energy_cm1[None, :] / kt_cm1[:, None]) @ weight)


def _nodes(root: FloatArray, coldest_cm1: float) -> tuple[FloatArray, FloatArray]:
    """Return energies and weights of Gauss-Legendre quadrature in sqrt(E) on each piece of a grid.

    Wide pieces are cut so that the Boltzmann factor changes by no more than exp(-_WIDEST) within one.
    """
    width = np.diff(root**2) / (_WIDEST * coldest_cm1)
    parts = np.clip(np.ceil(width), 1, 200).astype(np.int64)
    start = np.repeat(root[:-1], parts)
    step = np.repeat(np.diff(root) / parts, parts)
    place = np.arange(len(start)) - np.repeat(np.cumsum(parts) - parts, parts)
    middle = start + (place + 0.5) * step
    node = middle[:, None] + 0.5 * step[:, None] * _NODES
    weight = 0.5 * step[:, None] * _WEIGHTS * 2 * node  # dE = 2 sqrt(E) d sqrt(E)
    return (node**2).reshape(-1), weight.reshape(-1)


def _slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return slopes at the points: of the parabola through three neighbours, limited to keep monotony.

    The limit is that of Fritsch and Carlson (1980): no steeper than three times the flatter neighbouring
    chord, and level where the data turn.
    """
    chord = np.diff(y) / np.diff(x)
    if len(chord) == 1:
        return np.array([chord[0], chord[0]])
    h = np.diff(x)
    inner = (chord[:-1] * h[1:] + chord[1:] * h[:-1]) / (h[:-1] + h[1:])
    first = chord[0] + (chord[0] - chord[1]) * h[0] / (h[0] + h[1])
    last = chord[-1] + (chord[-1] - chord[-2]) * h[-1] / (h[-1] + h[-2])
    slope = np.concatenate([[first], inner, [last]])
    before, after = np.append(chord[0], chord), np.append(chord, chord[-1])
    flatter = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0.0)
    sign = np.sign(after)
    return np.asarray(sign * np.clip(sign * slope, 0.0, 3.0 * flatter))


def _cubic(at: FloatArray, x: FloatArray, y: FloatArray, slope: FloatArray) -> FloatArray:
    """Return the cubic through the points with the slopes given, at places inside the grid."""
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    h = np.diff(x)[piece]
    t = (at - x[piece]) / h
    u = 1 - t
    ends = y[piece] * u**2 * (1 + 2 * t) + y[piece + 1] * t**2 * (1 + 2 * u)
    return np.asarray(ends + h * t * u * (slope[piece] * u - slope[piece + 1] * t))


def _compare(
    table: CrossSections,
    pair: _Pair,
    down: tuple[FloatArray, FloatArray],
    average: _Average,
    limits: Limits,
) -> list[Finding]:
    """Return a finding where the upward row gives another rate; compared where both are known well enough."""
    curve = pair.turned(table)
    if len(curve.energy_cm1) < limits.energies:
        return []
    rate, error = down
    turned, tail, turned_error = average.converged(curve)
    sure = (error <= limits.grid_error) & (turned_error <= limits.grid_error) & (tail <= limits.tail_fraction)
    apart = np.where(sure, np.abs(turned - rate), 0.0)
    worst = int(np.argmax(_ratio(apart, rate)))
    if apart[worst] <= limits.disagreement * rate[worst]:
        return []
    return [
        REVERSIBILITY.finding(
            table.system,
            f"{table.method}: the upward cross sections give another rate (cm3 s-1) than the downward ones, "
            "which are used",
            upper=table.levels.label[pair.upper],
            lower=table.levels.label[pair.lower],
            temperature_k=float(average.temperature_k[worst]),
            value=float(rate[worst]),
            expected=float(turned[worst]),
        )
    ]


def _left_out(table: CrossSections, pairs: list[_Pair]) -> list[str]:
    energy = table.levels.energy_cm1
    level = (energy[table.initial] == energy[table.final]) & (table.initial != table.final)
    upward = [pair for pair in pairs if pair.upward]
    closed = sum(len(_known(table, pair.row)[0]) - len(pair.curve(table).energy_cm1) for pair in upward)
    warnings = []
    if level.any():
        warnings.append(f"{level.sum()} transitions between levels of equal energy are left out")
    if closed:
        warnings.append(f"{closed} upward cross sections at energies below their threshold are left out")
    return warnings


def _not_converged(rates: Rates, tail: FloatArray, error: FloatArray, limits: Limits) -> list[str]:
    few = np.isnan(tail)
    short = ~few & (tail > limits.tail_fraction)
    reasons = (
        (few, f"have fewer than {limits.energies} energies"),
        (short, f"miss over {limits.tail_fraction:.0%} above the last energy"),
        (
            ~few & ~short & (error > limits.grid_error),
            f"are uncertain by over {limits.grid_error:.0%}, by half the energies or below the first one,",
        ),
    )
    warnings = []
    for bad, why in reasons:
        if bad.any():
            rows = np.flatnonzero(bad.any(axis=1))
            names = ", ".join(rates.transition_name(int(row)) for row in rows[:_NAMED])
            more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
            warnings.append(f"{bad.sum()} of {bad.size} rates {why} and are unknown: {names}{more}")
    return warnings
