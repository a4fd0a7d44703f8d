"""Average cross sections over the speeds of a gas, to rate coefficients."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ratedb.arrays import BoolArray, FloatArray
from ratedb.cross_sections import CrossSections
from ratedb.errors import RatedbError, UsageError
from ratedb.findings import REVERSIBILITY, Finding
from ratedb.physics.energy_average import Curve, EnergyAverage, share
from ratedb.rates import Rates

_NAMED = 3
_NO_THRESHOLDS = ("IOS",)
"""Methods without thresholds, so that their two directions do not obey detailed balance."""


@dataclass(frozen=True)
class Limits:
    """When a thermal average is converged.

    `tail_fraction`: the largest part of the integral above the last energy. `grid_error`: the largest
    relative change when every second energy is left out. `energies`: the fewest energies of a transition.
    `disagreement`: the relative deviation of the two directions from detailed balance that is a finding.
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

    def converged(self) -> ThermalRates:
        """Return the transitions with a converged rate; raises RatedbError where none has one."""
        rows = np.isfinite(self.rates.rate_cm3_s).any(axis=1)
        if not rows.any():
            raise RatedbError(
                "no rate coefficient converges",
                where=self.rates.system,
                expected="a grid of energies that reaches well above kB T of the highest temperature",
                got="; ".join(self.warnings),
                todo="compute more energies, or ask for lower temperatures",
            )
        return replace(
            self,
            rates=self.rates.select(rows),
            tail_fraction=self.tail_fraction[rows],
            grid_error=self.grid_error[rows],
        )


def thermal_rates(
    table: CrossSections, temperature_k: npt.ArrayLike, limits: Limits | None = None
) -> ThermalRates:
    """Return the rate coefficients (cm3 s-1) of all downward transitions at temperatures (K) of shape (m,),

        k(T) = sqrt(8 kB T / (pi mu)) (kB T)^-2 integral of E sigma(E) exp(-E / kB T) dE,

    with E the kinetic energy before the collision. E sigma is interpolated in sqrt(E) by a monotone piecewise
    cubic; a constant cross section and the threshold law are then averaged exactly. Below the first energy
    E sigma goes as sqrt(E) (Wigner), and half of that part counts as its error; above the last one nothing is
    added, and `tail_fraction` is the share that a constant cross section would add.

    A downward cross section that is missing, or has too few energies, is converted from the upward one by
    microscopic reversibility, g_up E_up sigma_up = g_low E_low sigma_low at one total energy. Where both are
    given the downward one is used, and findings name transitions whose two rates disagree, except in methods
    without thresholds (IOS). Elastic transitions, and those between levels of equal energy, are left out.

    Raises RatedbError where no transition has `limits.energies` energies, or none goes down in energy.
    """
    limits = limits or Limits()
    temperature = np.array(temperature_k, dtype=np.float64, ndmin=1)
    _need_temperatures(temperature)
    pairs = _pairs(table)
    _need_grid(table, pairs, limits)
    average = EnergyAverage(table.reduced_mass_u, temperature)
    rate, tail, error, findings = _averaged(table, pairs, average, limits)
    good = (tail <= limits.tail_fraction) & (error <= limits.grid_error)
    upper, lower = np.array([(pair.upper, pair.lower) for pair in pairs]).T
    rates = Rates(table.levels, table.collider, upper, lower, temperature, np.where(good, rate, np.nan))
    warnings = (*_left_out(table, pairs), *_not_converged(rates, tail, error, limits))
    return ThermalRates(rates, tail, error, warnings, tuple(findings))


def _averaged(
    table: CrossSections, pairs: list[_Pair], average: EnergyAverage, limits: Limits
) -> tuple[FloatArray, FloatArray, FloatArray, list[Finding]]:
    """Return rates, tail fractions and grid errors, shape (n, m) each, and the findings."""
    rate, tail, error = np.full((3, len(pairs), len(average.temperature_k)), np.nan)
    findings: list[Finding] = []
    for row, pair in enumerate(pairs):
        curve = pair.curve(table)
        alone = len(curve) < limits.energies
        if alone:
            curve = pair.converted(table)
        if len(curve) < limits.energies:
            continue
        rate[row], tail[row], error[row] = average.converged(curve)
        if pair.other is not None and not alone and table.method not in _NO_THRESHOLDS:
            findings += _compare(table, pair, (rate[row], error[row]), average, limits)
    return rate, tail, error, findings


@dataclass(frozen=True)
class _Pair:
    """A downward transition by its level indices, and where the table has its cross sections.

    `row` is the downward row, or the upward one where `upward`; `other` is the upward row where both exist.
    """

    upper: int
    lower: int
    row: int
    upward: bool
    other: int | None = None

    def curve(self, table: CrossSections) -> Curve:
        """Return E sigma of the downward direction, converted from the upward one where only that exists."""
        energy, sigma = _known(table, self.row)
        if not self.upward:
            return Curve(energy, energy * sigma)
        levels = table.levels
        after = energy - (levels.energy_cm1[self.upper] - levels.energy_cm1[self.lower])
        ratio = levels.weight[self.lower] / levels.weight[self.upper]
        opened = after > 0
        return Curve(after[opened], (ratio * energy * sigma)[opened])

    def converted(self, table: CrossSections) -> Curve:
        """Return E sigma of the downward direction, converted from the upward row where both exist."""
        if self.other is None:
            return self.curve(table)
        return _Pair(self.upper, self.lower, self.other, True).curve(table)


def _known(table: CrossSections, row: int) -> tuple[FloatArray, FloatArray]:
    known = np.isfinite(table.kinetic_cm1[row])
    return table.kinetic_cm1[row][known], table.sigma_angstrom2[row][known]


def _pairs(table: CrossSections) -> list[_Pair]:
    rows = {pair: k for k, pair in enumerate(zip(table.initial.tolist(), table.final.tolist(), strict=True))}
    found = []
    downward = table.levels.downward_pairs()
    for upper, lower in zip(downward.upper.tolist(), downward.lower.tolist(), strict=True):
        down, up = rows.get((upper, lower)), rows.get((lower, upper))
        if down is not None:
            found.append(_Pair(upper, lower, down, False, up))
        elif up is not None:
            found.append(_Pair(upper, lower, up, True))
    return found


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
            f"the cross sections of {table.system} have no transition between levels of different energies",
            expected="inelastic cross sections",
            got=f"{len(table)} elastic ones",
        )
    most = max(len(curve) for pair in pairs for curve in (pair.curve(table), pair.converted(table)))
    if most < limits.energies:
        raise RatedbError(
            f"a thermal average needs a grid of energies; the {table.method} cross sections of "
            f"{table.system} have too few",
            expected=f"at least {limits.energies} energies of a transition",
            got=f"at most {most}",
            todo="join the cross sections of all energies, or compute more of them",
        )


def _compare(
    table: CrossSections,
    pair: _Pair,
    down: tuple[FloatArray, FloatArray],
    average: EnergyAverage,
    limits: Limits,
) -> list[Finding]:
    """Return a finding where the upward row gives another rate; compared where both are converged."""
    curve = pair.converted(table)
    if len(curve) < limits.energies:
        return []
    rate, error = down
    upward, tail, upward_error = average.converged(curve)
    sure = (error <= limits.grid_error) & (upward_error <= limits.grid_error) & (tail <= limits.tail_fraction)
    apart = np.where(sure, np.abs(upward - rate), 0.0)
    worst = int(np.argmax(share(apart, rate)))
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
            expected=float(upward[worst]),
        )
    ]


def _left_out(table: CrossSections, pairs: list[_Pair]) -> list[str]:
    energy = table.levels.energy_cm1
    level = (energy[table.initial] == energy[table.final]) & (table.initial != table.final)
    upward = [pair for pair in pairs if pair.upward]
    closed = sum(len(_known(table, pair.row)[0]) - len(pair.curve(table)) for pair in upward)
    warnings = []
    if level.any():
        warnings.append(f"{level.sum()} transitions between levels of equal energy are left out")
    if closed:
        warnings.append(f"{closed} upward cross sections at energies below their threshold are left out")
    return warnings


def _not_converged(rates: Rates, tail: FloatArray, error: FloatArray, limits: Limits) -> list[str]:
    few = np.isnan(tail)
    short = ~few & (tail > limits.tail_fraction)
    coarse = ~few & ~short & (error > limits.grid_error)
    reasons: list[tuple[BoolArray, str]] = [
        (few, f"have fewer than {limits.energies} energies"),
        (short, f"miss over {limits.tail_fraction:.0%} above the last energy"),
        (
            coarse,
            f"are uncertain by over {limits.grid_error:.0%}, by half the energies or below the first one,",
        ),
    ]
    warnings = []
    for bad, why in reasons:
        if bad.any():
            rows = np.flatnonzero(bad.any(axis=1))
            names = ", ".join(rates.transition_name(int(row)) for row in rows[:_NAMED])
            more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
            warnings.append(f"{bad.sum()} of {bad.size} rates {why} and are unknown: {names}{more}")
    return warnings
