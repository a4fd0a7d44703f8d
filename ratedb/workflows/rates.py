"""The rates of a system as arrays, curves, tables and data sets: what `ratedb.open(...).rates(...)` gives."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratedb import __version__
from ratedb.errors import RatedbError, UsageError
from ratedb.formats.columns_write import columns_as_arrow, columns_as_pandas
from ratedb.formats.frames import need_package
from ratedb.physics.detailed_balance import reverse_rate
from ratedb.physics.temperature_grid import interpolated
from ratedb.store.rates import KINDS, StoredRates
from ratedb.store.records import Model
from ratedb.tables import BoolArray, FloatArray, IntArray
from ratedb.workflows.citing import METHOD
from ratedb.workflows.provenance import partner_provenance, references_of
from ratedb.workflows.selecting import at_temperatures, kelvins, rate_columns

if TYPE_CHECKING:
    import pandas
    import pyarrow
    import xarray

TextArray = npt.NDArray[np.str_]
_NAMES = np.array([*KINDS, ""])  # the kind -1, nothing known, is the last


@dataclass(frozen=True, eq=False, repr=False)
class Curve:
    """One transition at the m temperatures where it is known; all arrays have shape (m,)."""

    system: str
    upper_label: str
    lower_label: str
    temperature_k: FloatArray
    rate_cm3_s: FloatArray
    log10_std: FloatArray
    kind: TextArray
    source_id: IntArray
    marked: BoolArray
    extrapolated: BoolArray

    def __repr__(self) -> str:
        return (
            f"<Curve of {self.system}, {self.upper_label} -> {self.lower_label}:"
            f" {_temperatures(self.temperature_k)}; {', '.join(dict.fromkeys(self.kind.tolist()))}>"
        )

    def interpolated(self, temperature_k: npt.ArrayLike) -> FloatArray:
        """Return rates in cm3 s-1 at other temperatures (k,), by monotone cubics in ln k over ln T.

        Raises RatedbError outside of the range of the curve.
        """
        wanted_k = kelvins(temperature_k)
        if wanted_k[0] < self.temperature_k[0] or wanted_k[-1] > self.temperature_k[-1]:
            raise RatedbError(
                f"{self.upper_label} -> {self.lower_label} of {self.system} does not reach all temperatures",
                expected=f"{self.temperature_k[0]:g} to {self.temperature_k[-1]:g} K",
                got=f"{wanted_k[0]:g} to {wanted_k[-1]:g} K",
                todo="choose other temperatures: rates are not extrapolated",
            )
        return interpolated(self.temperature_k, self.rate_cm3_s[None, :], wanted_k).reshape(-1)

    def interval_cm3_s(self, share: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 68 or 95 % interval of each predicted rate, NaN for others."""
        return _interval(self.rate_cm3_s, self.log10_std, share)


@dataclass(frozen=True, eq=False, repr=False)
class Rates:
    """The best rates known of one system: n transitions, down in energy, at m temperatures.

    NaN stands where nothing is known. `sources` and `models` say where the values are from, by id;
    `interpolated_k` are the temperatures at which some values are not the store's but interpolated.
    """

    stored: StoredRates
    sources: dict[int, dict[str, Any]]
    models: dict[int, Model]
    interpolated_k: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("kind", "source_id", "log10_std", "extrapolated", "marked"):
            getattr(self.stored, name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.stored.rates)

    def __repr__(self) -> str:
        kinds = [f"{int((self.stored.kind == n).sum())} {kind}" for n, kind in enumerate(KINDS)]
        there = ", ".join(text for text in kinds if not text.startswith("0 ")) or "none"
        between = f", {len(self.interpolated_k)} of them interpolated" if self.interpolated_k else ""
        return (
            f"<Rates of {self.system}: {len(self)} transitions at {_temperatures(self.temperature_k)}"
            f"{between}; values: {there}>"
        )

    # -- shape (m,) and (n, m) ------------------------------------------------------------------

    @property
    def system(self) -> str:
        """The name of the system, such as CO+p-H2."""
        return self.stored.rates.system

    @property
    def temperature_k(self) -> FloatArray:
        """The temperatures in K, shape (m,)."""
        return self.stored.rates.temperature_k

    @property
    def rate_cm3_s(self) -> FloatArray:
        """The rates from the upper to the lower level in cm3 s-1, shape (n, m)."""
        return self.stored.rates.rate_cm3_s

    @property
    def upward_rate_cm3_s(self) -> FloatArray:
        """The rates from the lower to the upper level in cm3 s-1, by detailed balance, shape (n, m)."""
        return reverse_rate(
            self.rate_cm3_s,
            self.upper_weight[:, None],
            self.lower_weight[:, None],
            self.upper_energy_cm1[:, None],
            self.lower_energy_cm1[:, None],
            self.temperature_k,
        )

    @property
    def log10_std(self) -> FloatArray:
        """Half the 68 % interval of log10 k of predicted values, NaN for others, shape (n, m)."""
        return self.stored.log10_std

    @property
    def kind(self) -> TextArray:
        """What each value is: computed, scaled, extrapolated, predicted, or empty, shape (n, m)."""
        return _NAMES[self.stored.kind]

    @property
    def source_id(self) -> IntArray:
        """The source of each value, -1 where nothing is known, shape (n, m)."""
        return self.stored.source_id

    @property
    def marked(self) -> BoolArray:
        """Which values quality control marked as wrong, shape (n, m)."""
        return self.stored.marked

    @property
    def extrapolated(self) -> BoolArray:
        """Which values are predicted outside what their model was trained on, shape (n, m)."""
        return self.stored.extrapolated

    def interval_cm3_s(self, share: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 68 or 95 % intervals of predicted rates, each (n, m), NaN for others."""
        return _interval(self.rate_cm3_s, self.log10_std, share)

    # -- shape (n,) -----------------------------------------------------------------------------

    @property
    def upper_label(self) -> TextArray:
        """The labels of the initial levels, shape (n,)."""
        return np.array(self.stored.rates.levels.label, dtype=np.str_)[self.stored.rates.upper]

    @property
    def lower_label(self) -> TextArray:
        """The labels of the final levels, shape (n,)."""
        return np.array(self.stored.rates.levels.label, dtype=np.str_)[self.stored.rates.lower]

    @property
    def v(self) -> IntArray:
        """v of the initial levels, shape (n,); raises RatedbError where levels have none."""
        return self.stored.rates.levels.need_vj()[0][self.stored.rates.upper]

    @property
    def j(self) -> IntArray:
        """The initial j, shape (n,); raises RatedbError where levels have none."""
        return self.stored.rates.levels.need_vj()[1][self.stored.rates.upper]

    @property
    def v_final(self) -> IntArray:
        """v of the final levels, shape (n,); raises RatedbError where levels have none."""
        return self.stored.rates.levels.need_vj()[0][self.stored.rates.lower]

    @property
    def j_final(self) -> IntArray:
        """The final j, shape (n,); raises RatedbError where levels have none."""
        return self.stored.rates.levels.need_vj()[1][self.stored.rates.lower]

    @property
    def upper_energy_cm1(self) -> FloatArray:
        """Energies of the initial levels in cm-1, shape (n,)."""
        return self.stored.rates.levels.energy_cm1[self.stored.rates.upper]

    @property
    def lower_energy_cm1(self) -> FloatArray:
        """Energies of the final levels in cm-1, shape (n,)."""
        return self.stored.rates.levels.energy_cm1[self.stored.rates.lower]

    @property
    def upper_weight(self) -> FloatArray:
        """Statistical weights of the initial levels, shape (n,)."""
        return self.stored.rates.levels.weight[self.stored.rates.upper]

    @property
    def lower_weight(self) -> FloatArray:
        """Statistical weights of the final levels, shape (n,)."""
        return self.stored.rates.levels.weight[self.stored.rates.lower]

    # -- one transition, other temperatures -----------------------------------------------------

    def curve(self, upper_label: str, lower_label: str) -> Curve:
        """Return one transition by its labels, such as "7", "5"; raises RatedbError where it is not here."""
        here = (self.upper_label == str(upper_label)) & (self.lower_label == str(lower_label))
        return self._curve(here, f"{upper_label} -> {lower_label}")

    def curve_of(self, *, j: int, j_final: int, v: int = 0, v_final: int = 0) -> Curve:
        """Return one transition by its quantum numbers; raises RatedbError where it is not here."""
        here = (self.j == j) & (self.j_final == j_final) & (self.v == v) & (self.v_final == v_final)
        return self._curve(here, f"v j = {v} {j} -> {v_final} {j_final}")

    def _curve(self, here: BoolArray, name: str) -> Curve:
        rows = np.flatnonzero(here)
        if len(rows) != 1:
            rates = self.stored.rates
            examples = [rates.transition_name(row) for row in range(min(3, len(self)))]
            raise RatedbError(
                f"these rates of {self.system} have no transition {name}",
                expected=f"one of {len(self)} transitions down in energy, such as {', '.join(examples)}",
                got=name,
                todo="name the upper level first; upward_rate_cm3_s has the other direction",
            )
        row = int(rows[0])
        known = self.stored.kind[row] >= 0
        return Curve(
            self.system,
            str(self.upper_label[row]),
            str(self.lower_label[row]),
            self.temperature_k[known],
            self.rate_cm3_s[row, known],
            self.log10_std[row, known],
            self.kind[row, known],
            self.source_id[row, known],
            self.marked[row, known],
            self.extrapolated[row, known],
        )

    def interpolated(self, temperature_k: npt.ArrayLike) -> Rates:
        """Return the rates at other temperatures, by monotone cubics in ln k over ln T.

        Each value has the kind, source and interval of the nearest in ln T. A transition without values on
        both sides of a temperature has NaN there. Raises RatedbError outside of the range of all.
        """
        wanted_k = kelvins(temperature_k)
        stored = at_temperatures(self.stored, wanted_k)
        before, after = np.isfinite(self.rate_cm3_s), np.isfinite(stored.rates.rate_cm3_s)
        known = {
            kelvin: before[:, column]
            for column, kelvin in enumerate(self.temperature_k.tolist())
            if kelvin not in self.interpolated_k
        }
        between = tuple(
            kelvin
            for column, kelvin in enumerate(wanted_k.tolist())
            if kelvin not in known or (after[:, column] & ~known[kelvin]).any()
        )
        return replace(self, stored=stored, interpolated_k=between)

    # -- where they are from --------------------------------------------------------------------

    @property
    def references(self) -> tuple[str, ...]:
        """What to cite for these values; the method too where some are predicted."""
        names = references_of(self.stored, self.sources, self.models)
        predicted = (self.stored.kind == KINDS.index("predicted")).any()
        return (*names, METHOD) if predicted else tuple(names)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the values are from, as an export writes it for this system beside its file."""
        between = {self.system: list(self.interpolated_k)}
        return partner_provenance(self.stored, self.sources, self.models, between)

    # -- other libraries ------------------------------------------------------------------------

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame with a row for each value, with the columns of an export as CSV.

        Raises RatedbError where pandas is not installed.
        """
        return columns_as_pandas(rate_columns([self.stored], self.sources))

    def to_arrow(self) -> pyarrow.Table:
        """Return an Arrow table with a row for each value, with the columns of an export as CSV.

        Raises RatedbError where pyarrow is not installed.
        """
        return columns_as_arrow(rate_columns([self.stored], self.sources))

    def to_xarray(self) -> xarray.Dataset:
        """Return a data set with the dimensions `transition` and `temperature_k`.

        Units and where values are from stand in `attrs`, as text, so that netCDF takes them. Raises
        RatedbError where xarray is not installed.
        """
        need_package("xarray")
        import xarray

        both, one = ("transition", "temperature_k"), ("transition",)
        levels: dict[str, Any] = {
            "upper_label": (one, self.upper_label, {"long_name": "initial level"}),
            "lower_label": (one, self.lower_label, {"long_name": "final level"}),
            "upper_energy_cm1": (one, self.upper_energy_cm1, {"units": "cm-1"}),
            "lower_energy_cm1": (one, self.lower_energy_cm1, {"units": "cm-1"}),
            "upper_weight": (one, self.upper_weight),
            "lower_weight": (one, self.lower_weight),
        }
        if self.stored.rates.levels.has_vj:
            levels |= {name: (one, getattr(self, name)) for name in ("v", "j", "v_final", "j_final")}
        names = [f"{u} -> {w}" for u, w in zip(self.upper_label, self.lower_label, strict=True)]
        return xarray.Dataset(
            {
                "rate_cm3_s": (both, self.rate_cm3_s, {"units": "cm3 s-1", "long_name": "rate coefficient"}),
                "log10_std": (
                    both,
                    self.log10_std,
                    {"units": "dex", "long_name": "half the 68 % interval of log10 k of a predicted value"},
                ),
                "kind": (both, self.kind),
                "source_id": (both, self.source_id),
                "extrapolated": (both, self.extrapolated),
                "marked": (both, self.marked),
            },
            coords={
                "transition": (one, names),
                "temperature_k": ("temperature_k", self.temperature_k, {"units": "K"}),
                **levels,
            },
            attrs={
                "system": self.system,
                "molecule": self.stored.rates.levels.molecule,
                "collider": self.stored.rates.collider,
                "references": "; ".join(self.references),
                "ratedb_version": __version__,
                # What is predicted stands in the arrays, value by value.
                "provenance": json.dumps({**self.provenance, "predicted": []}),
            },
        )


def _interval(rate_cm3_s: FloatArray, log10_std: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
    # Here, because the statistics of scipy take a second to import.
    from ratedb.models.calibration import RATIO_95_68

    widths = {0.68: 1.0, 0.95: RATIO_95_68}
    if share not in widths:
        raise UsageError("no such interval", expected="0.68 or 0.95", got=str(share))
    factor = 10.0 ** (widths[share] * log10_std)
    return rate_cm3_s / factor, rate_cm3_s * factor


def _temperatures(temperature_k: FloatArray) -> str:
    if len(temperature_k) == 1:
        return f"{temperature_k[0]:g} K"
    return f"{len(temperature_k)} temperatures, {temperature_k[0]:g} to {temperature_k[-1]:g} K"
