"""Array types, and the checks that every frozen container of arrays makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.errors import RatedbError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.str_]

STD_OVER_MAD = 1.4826
"""The standard deviation of a normal distribution over its median absolute deviation."""


_BLOCK_VALUES = 2_000_000


def blocks(shape: tuple[int, ...]) -> list[slice]:
    """Return the rows of an array of shape (n, m) in parts of some million values, one for a small array."""
    size = max(1, _BLOCK_VALUES // max(shape[1], 1))
    return [slice(start, start + size) for start in range(0, max(shape[0], 1), size)]


def frozen(values: npt.ArrayLike, dtype: Any) -> npt.NDArray[Any]:
    """Return a copy of values as an array that cannot be written to; such an array itself is returned."""
    if isinstance(values, np.ndarray) and values.dtype == dtype and is_frozen(values):
        return values
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


def is_frozen(array: npt.NDArray[Any]) -> bool:
    """Return whether an array is the only way to its values, and cannot be written to."""
    return array.base is None and not array.flags.writeable


def sealed(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array that nobody else has, and that needs no copy to be frozen."""
    if array.base is None:
        array.setflags(write=False)
    return array


def freeze(container: object, **dtypes: Any) -> None:
    """Replace the named fields of a frozen dataclass by read-only copies with these types."""
    for name, dtype in dtypes.items():
        object.__setattr__(container, name, frozen(getattr(container, name), dtype))


def require(condition: bool, what: str, expected: str, got: object) -> None:
    """Raise RatedbError unless a condition holds."""
    if not condition:
        raise RatedbError(what, expected=expected, got=str(got))


def need_shape(where: str, name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise RatedbError where an array does not have the shape its container needs."""
    require(array.shape == shape, f"{where}: {name} has the wrong shape", str(shape), array.shape)


def need_levels(where: str, initial: IntArray, final: IntArray, count: int) -> None:
    """Raise RatedbError where a level index is outside 0..count-1 or a pair of levels is a duplicate."""
    if not len(initial):
        return
    ends = np.concatenate([initial, final])
    inside = bool(ends.min() >= 0 and ends.max() < count)
    require(inside, f"{where}: a level index is outside the levels", f"0..{count - 1}", ends.max())
    once = len(np.unique(initial * count + final)) == len(initial)
    require(once, f"{where}: duplicate transition", "each pair once", "duplicates")


def robust_scale(values: FloatArray) -> float:
    """Return the standard deviation around zero by the median absolute value, NaN left out; 0 for none."""
    known = values[np.isfinite(values)]
    return STD_OVER_MAD * float(np.median(np.abs(known))) if len(known) else 0.0


def row_medians(values: FloatArray) -> FloatArray:
    """Return the median of each row of values (n, m), shape (n,)."""
    return np.concatenate([np.median(values[rows], axis=1) for rows in blocks(values.shape)])


def distinct(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], IntArray]:
    """Return the distinct values in order, shape (k,), and the place of each value among them, shape (n,).

    For few distinct values, or whole numbers within a small range, this is far quicker than numpy.unique.
    """
    if len(values) and values.dtype.kind == "i":
        low, high = int(values.min()), int(values.max())
        if high - low <= len(values):
            there = np.zeros(high - low + 1, dtype=np.bool_)
            there[values - low] = True
            return np.flatnonzero(there) + low, (np.cumsum(there) - 1)[values - low]
    each = np.unique(values)
    return each, np.searchsorted(each, values)


def positions(numbers: IntArray, wanted: npt.ArrayLike) -> IntArray:
    """Return the index in `numbers`, shape (n,), of each of `wanted`, shape (k,); -1 where it is missing."""
    keys = np.asarray(wanted, dtype=np.int64)
    if not len(numbers):
        return np.full(keys.shape, -1, dtype=np.int64)
    order = np.argsort(numbers, kind="stable")
    place = order[np.minimum(np.searchsorted(numbers, keys, sorter=order), len(numbers) - 1)]
    return np.where(numbers[place] == keys, place, -1)


def gap_patterns(known: BoolArray) -> tuple[BoolArray, IntArray]:
    """Return the different rows of `known`, shape (n, m), and which of them each row is, shape (n,)."""
    if known.all():  # nearly always; sorting a million rows to see it takes seconds
        return np.ones((min(len(known), 1), known.shape[1]), dtype=np.bool_), np.zeros(len(known), np.int64)
    patterns, group = np.unique(known, axis=0, return_inverse=True)
    return patterns, np.ravel(group).astype(np.int64)
