"""The numbers that a page carries: every value of every source, bit by bit as the store has it."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from ratedb.layers import RATIO_95_68, Kind
from ratedb.rates import Rates
from ratedb.report.contents import SystemContents
from ratedb.results import plain
from ratedb.safe_text import visible

MARKED, EXTRAPOLATED = 1, 2
"""The bits of the flags of a value: wrong by quality control, predicted outside what was trained."""

# Rates below this share of all are drawn in the lowest colour, so that a few tiny ones do not take them all.
_LOWEST_SHARE = 0.01
# From this number of sources on their places need two bytes.
_MANY = 128
# In an HTML document a script ends at `</script`, whatever it is.
_INERT: dict[str, str | int | None] = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def as_json(value: Any) -> str:
    """Return a value as JSON that may stand in an HTML script element: no character of it is markup."""
    text = json.dumps(plain(value), allow_nan=False, separators=(",", ":"))
    return text.translate(str.maketrans(_INERT))


def packed(values: npt.NDArray[Any], dtype: str) -> str:
    """Return an array as base64 of its little-endian bytes, row by row, such as dtype `<f8`."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode("ascii")


def embedded(contents: SystemContents) -> dict[str, Any]:
    """Return the rates of a system as a page carries them.

    `temperature_k` (m,) has the temperatures of all sources; `upper` and `lower` (n,) are places in `label`,
    the labels of the levels in the order of energy. `best` (n, m) is the place in `sources` of the source
    whose value counts, -1 where there is none. A source has the `rows` (r,) that it gives, and their `rate`
    and, for predictions, `half_width` (log10, 68 %), each (r, m) of float64, NaN where it has none, and
    `flags` (r, m). `colours` are log10 k of the lowest and the highest colour of the map.
    """
    best, order = contents.best, contents.level_order
    place = np.full(len(best.levels), -1)
    place[order] = np.arange(len(order))
    ids = list(contents.curves)
    column = np.searchsorted(contents.temperature_k, best.temperature_k)
    source = np.full((len(best), len(contents.temperature_k)), -1)
    for number, source_id in enumerate(ids):
        part = source[:, column]
        part[best.source_id == source_id] = number
        source[:, column] = part
    return {
        "system": visible(contents.system),
        "colours": _colour_range(best),
        "ratio_95_68": RATIO_95_68,
        "label": [visible(best.levels.label[one]) for one in order],
        "temperature_k": contents.temperature_k.tolist(),
        "upper": place[best.upper].tolist(),
        "lower": place[best.lower].tolist(),
        "best": packed(source, "|i1" if len(ids) < _MANY else "<i2"),
        "sources": [_source(contents, source_id) for source_id in ids],
    }


def _colour_range(best: Rates) -> tuple[float, float]:
    """Return the lowest and highest log10 k of the colours: those of values that are not flagged."""
    values = best.log10_rate[np.isfinite(best.log10_rate) & ~best.marked]
    if not len(values):
        return -12.0, -9.0
    low, high = float(np.quantile(values, _LOWEST_SHARE)), float(values.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _source(contents: SystemContents, source_id: int) -> dict[str, Any]:
    rates = contents.curves[source_id]
    said = next(row for row in contents.sources if row["source_id"] == source_id)
    name = f"model {said['model_id']}" if said["model_id"] is not None else visible(said["reference"])
    keys = contents.best.transitions.keys()
    row_of = {key: row for row, key in enumerate(keys.tolist())}
    rows = [row_of[key] for key in rates.transitions.keys().tolist()]
    predicted = said["kind"] == Kind.PREDICTED.text
    with_interval = np.isfinite(rates.log10_half_width_68).any()
    flags = MARKED * rates.marked + EXTRAPOLATED * rates.extrapolated
    return {
        "id": source_id,
        "kind": said["kind"],
        "name": name,
        "predicted": predicted,
        "rows": rows,
        "rate": packed(_on_grid(rates, rates.rate_cm3_s, contents, np.nan), "<f8"),
        "half_width": (
            packed(_on_grid(rates, rates.log10_half_width_68, contents, np.nan), "<f8")
            if with_interval
            else None
        ),
        "flags": packed(_on_grid(rates, flags, contents, 0), "|u1") if flags.any() else None,
    }


def _on_grid(
    rates: Rates, values: npt.NDArray[Any], contents: SystemContents, empty: float
) -> npt.NDArray[Any]:
    """Return values of one source, shape (r, own temperatures), at the temperatures of the page."""
    grid = np.full((len(rates), len(contents.temperature_k)), empty, dtype=values.dtype)
    grid[:, np.searchsorted(contents.temperature_k, rates.temperature_k)] = values
    return grid
