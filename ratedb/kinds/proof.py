"""What contradicts a kind: quantum numbers, weights or energies that it cannot have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ratedb.arrays import BoolArray, FloatArray
from ratedb.kinds.expressions import Expression
from ratedb.kinds.kind import Kind, Triangle
from ratedb.kinds.labels import WEIGHT_TOLERANCE

Numbers = Mapping[str, FloatArray]

_FALLS_CM1, _FALLS = 0.05, 1e-3
"""By so much (cm-1, relative) an energy may fall with j: lists round them."""
_SMALL = 1e-9


def contradiction(
    kind: Kind,
    labels: Sequence[str],
    numbers: Numbers,
    weights: FloatArray | None,
    energies_cm1: FloatArray | None,
) -> str:
    """Return in words what speaks against a kind, empty for nothing.

    `numbers`, `weights` and `energies_cm1` have shape (n,) each; without weights or energies these are not
    asked.
    """
    return (
        _wrong_numbers(kind, labels, numbers)
        or ("" if weights is None else _wrong_weights(kind, labels, numbers, weights))
        or ("" if energies_cm1 is None else _wrong_energies(kind, labels, numbers, energies_cm1))
    )


def factors(kind: Kind, numbers: Numbers, weights: FloatArray) -> FloatArray:
    """Return by what the weights are more than the product of 2j+1, shape (n,)."""
    product = np.ones(len(weights))
    for name in kind.weight.momenta:
        product = product * (2.0 * numbers[name] + 1.0)
    return np.asarray(weights / product)


def momenta_text(kind: Kind) -> str:
    """Return the 2j+1 of a kind in words."""
    return "".join(f"(2{name}+1)" for name in kind.weight.momenta)


def distinct_factors(values: FloatArray) -> list[float]:
    """Return the different factors, those within rounding once, in increasing order."""
    found: list[float] = []
    for value in np.sort(values).tolist():
        if not found or value - found[-1] > WEIGHT_TOLERANCE * value:
            found.append(value)
    return found


def _wrong_numbers(kind: Kind, labels: Sequence[str], numbers: Numbers) -> str:
    for one in kind.numbers:
        if one.name not in numbers:
            continue
        value = numbers[one.name]
        wrong = (value % (0.5 if one.half else 1.0) != 0) | ((value < 0) & (not one.negative))
        if one.values:
            wrong |= ~np.isin(value, one.values)
        if wrong.any():
            at = int(np.argmax(wrong))
            return f"{one.name} cannot be {value[at]:g}, as in {labels[at]}"
    for condition in kind.conditions:
        if (wrong := ~condition.holds(numbers)).any():
            return f"not {condition.text} in {_first(labels, wrong)}"
    for triangle in kind.triangles:
        if told := _wrong_triangle(triangle, labels, numbers):
            return told
    rows = list(zip(*(numbers[name].tolist() for name in kind.names if name in numbers), strict=True))
    if len(set(rows)) < len(rows):
        twice = [labels[at] for at, row in enumerate(rows) if rows.count(row) > 1]
        return f"{' and '.join(twice[:2])} have the same quantum numbers"
    return ""


def _wrong_triangle(triangle: Triangle, labels: Sequence[str], numbers: Numbers) -> str:
    """Return where no single spin couples two angular momenta."""
    first, second = numbers[triangle.first], numbers[triangle.second]
    apart = second - first
    spin = float(np.abs(apart).max())
    name = f"{triangle.first} and {triangle.second}"
    uneven = np.abs((apart - apart[0]) % 1.0) > _SMALL
    if uneven.any():
        return f"no spin couples {name} in {_first(labels, uneven)}"
    wrong = second + _SMALL < np.abs(first - spin)
    if spin > triangle.most or wrong.any():
        shown = _first(labels, wrong) if wrong.any() else labels[int(np.argmax(np.abs(apart)))]
        return f"no spin up to {triangle.most:g} couples {name} in {shown}"
    return ""


def _wrong_weights(kind: Kind, labels: Sequence[str], numbers: Numbers, weights: FloatArray) -> str:
    factor = factors(kind, numbers, weights)
    found = distinct_factors(factor)
    if len(found) > kind.weight.factors:
        usual = float(np.median(factor))
        other = int(np.argmax(np.abs(factor - usual)))
        shown = f"{weights[other]:g} of {labels[other]}"
        return f"the weights are not in proportion to {momenta_text(kind)}: {shown}"
    if len(found) == 1:
        return ""
    classes = _classes(kind.weight.by, numbers)
    for one in np.unique(classes).tolist():
        if len(distinct_factors(factor[classes == one])) > 1:
            at = int(np.argmax(classes == one))
            by = " and ".join(expression.text for expression in kind.weight.by)
            return f"levels of the same {by} as {labels[at]} have several nuclear spin weights"
    return ""


def _classes(expressions: Sequence[Expression], numbers: Numbers) -> FloatArray:
    """Return one number for each combination of the values of sums, shape (n,)."""
    known = [one.value(numbers) for one in expressions if one.names <= set(numbers)]
    if not known:
        return np.zeros(len(next(iter(numbers.values()))))
    _, place = np.unique(np.array(known), axis=1, return_inverse=True)
    return np.asarray(place.reshape(-1), dtype=np.float64)


def _wrong_energies(kind: Kind, labels: Sequence[str], numbers: Numbers, energies_cm1: FloatArray) -> str:
    for series in kind.series:
        group = _classes(series.along, numbers)
        rising = numbers[series.rises_with]
        order = np.lexsort([rising, group])
        same = (np.diff(group[order]) == 0) & (np.diff(rising[order]) > 0)
        energy = energies_cm1[order]
        falls = same & (np.diff(energy) < -_FALLS_CM1 - _FALLS * np.abs(energy[1:]))
        if falls.any():
            at = int(np.argmax(falls))
            low, high = labels[int(order[at])], labels[int(order[at + 1])]
            return f"the energy falls from {low} to {high} though {series.rises_with} rises"
    return ""


def _first(labels: Sequence[str], wrong: BoolArray) -> str:
    return str(labels[int(np.argmax(wrong))])
