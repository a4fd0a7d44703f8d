"""What is said of each rate coefficient besides its value: its kind, source, interval and flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ratedb.arrays import FloatArray, frozen, need_shape, sealed


class Kind(IntEnum):
    """What a value is, in order of precedence: a value of a lower kind is preferred to one of a higher."""

    COMPUTED = 0
    SCALED = 1
    EXTRAPOLATED = 2
    DERIVED = 3
    PREDICTED = 4

    @property
    def text(self) -> str:
        """The name that files, views and options use, such as `computed`."""
        return self.name.lower()


KINDS = tuple(kind.text for kind in Kind)
"""The names of the kinds, in order of precedence; a test holds this to the table kind_rank."""


class Layer(NamedTuple):
    """The type of a layer's values, and the value that stands where nothing is known."""

    dtype: Any
    empty: float


LAYERS = {
    "kind_code": Layer(np.int64, -1),
    "source_id": Layer(np.int64, -1),
    "log10_half_width_68": Layer(np.float64, np.nan),
    "extrapolated": Layer(np.bool_, False),
    "marked": Layer(np.bool_, False),
}
"""What can be said of each value besides the rate itself, each an array of shape (n, m)."""

RATIO_95_68 = 2.6588795303133708
"""Half the 95 % interval over half the 68 % one: Student's t, three degrees of freedom."""


def frozen_layers(
    where: str, layers: Mapping[str, npt.ArrayLike], shape: tuple[int, int]
) -> dict[str, npt.NDArray[Any]]:
    """Return read-only copies of layers, shape (n, m) each; raises RatedbError where a shape differs."""
    result = {name: frozen(values, LAYERS[name].dtype) for name, values in layers.items()}
    for name, values in result.items():
        need_shape(where, name, values, shape)
    return result


def changed(
    rate_cm3_s: FloatArray,
    layers: Mapping[str, npt.NDArray[Any]],
    change: Callable[[npt.NDArray[Any], float], npt.NDArray[Any]],
) -> tuple[FloatArray, dict[str, npt.NDArray[Any]]]:
    """Return rates (cm3 s-1) and layers, shape (n, m) each, after a change that gives new arrays.

    `change` gets an array and what stands in it where nothing is known.
    """
    made = {name: sealed(change(values, LAYERS[name].empty)) for name, values in layers.items()}
    return sealed(change(rate_cm3_s, np.nan)), made


def temperatures_text(temperature_k: npt.NDArray[np.float64]) -> str:
    """Return temperatures in words, such as `25 temperatures, 2 to 3000 K`."""
    if len(temperature_k) == 0:
        return "no temperature"
    if len(temperature_k) == 1:
        return f"{temperature_k[0]:g} K"
    return f"{len(temperature_k)} temperatures, {temperature_k[0]:g} to {temperature_k[-1]:g} K"
