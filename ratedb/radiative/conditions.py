"""The physical conditions of a RADEX run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ratedb.errors import RatedbError
from ratedb.systems import COLLIDERS


@dataclass(frozen=True)
class Conditions:
    """The physical conditions of one RADEX run: a homogeneous cloud of one temperature.

    `density_cm3` maps colliders (`H2 p-H2 o-H2 e H He H+`) to their densities in cm-3; one that is not
    named is absent. `line_width_km_s` is the FWHM; `geometry` is 1 for a uniform sphere, 2 for an
    expanding sphere (LVG), 3 for a slab.

    Raises RatedbError where a value is outside what RADEX accepts or no collider has a density.
    """

    temperature_k: float
    density_cm3: Mapping[str, float]
    column_density_cm2: float = 1.0e14
    line_width_km_s: float = 1.0
    background_k: float = 2.73
    geometry: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "density_cm3", {name: float(n) for name, n in self.density_cm3.items()})
        _within("kinetic temperature", self.temperature_k, 0.1, 1.0e4, "K")
        _within("column density", self.column_density_cm2, 1.0e5, 9.999e24, "cm-2")
        _within("line width", self.line_width_km_s, 1.0e-3, 1.0e3, "km/s")
        _within("background temperature", self.background_k, 1.0e-3, 1.0e4, "K")
        if self.geometry not in (1, 2, 3):
            raise RatedbError("unknown geometry", expected="1, 2 or 3", got=str(self.geometry))
        for name, density in self.density_cm3.items():
            if name not in COLLIDERS:
                raise RatedbError("unknown collider", expected=" ".join(COLLIDERS), got=name)
            _within(f"density of {name}", density, 0.0, 1.0e13, "cm-3")
        if not self.colliders:
            raise RatedbError("no collider has a density", expected="at least one above zero")

    @property
    def colliders(self) -> tuple[str, ...]:
        """The colliders with a density above zero."""
        return tuple(name for name, density in self.density_cm3.items() if density > 0.0)

    @property
    def gas(self) -> str:
        """The name of what collides, such as `p-H2 + o-H2`."""
        names = self.colliders
        return "p-H2 + o-H2" if set(names) == {"p-H2", "o-H2"} else " + ".join(names)

    @property
    def total_density_cm3(self) -> float:
        """The density of all colliders in cm-3, without the rounding error of their sum."""
        return float(f"{sum(self.density_cm3.values()):.6g}")

    def describe(self) -> str:
        """Return the conditions in words, for messages."""
        densities = [f"n({name}) = {self.density_cm3[name]:.4g} cm-3" for name in self.colliders]
        parts = [f"T = {self.temperature_k:g} K", *densities, f"N = {self.column_density_cm2:g} cm-2"]
        return ", ".join([*parts, f"{self.line_width_km_s:g} km/s"])


def _within(what: str, value: float, low: float, high: float, unit: str) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise RatedbError(
            f"{what} is outside what RADEX accepts", expected=f"{low:g} to {high:g} {unit}", got=f"{value:g}"
        )
