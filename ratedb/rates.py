"""Rate coefficients of one system: the one table that readers, store, models and writers exchange."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ratedb.arrays import BoolArray, FloatArray, IntArray, TextArray, freeze, need_levels, need_shape, require
from ratedb.errors import RatedbError, UsageError
from ratedb.layers import KINDS, LAYERS, RATIO_95_68, Kind, changed, frozen_layers, temperatures_text
from ratedb.levels import Levels, Transitions
from ratedb.systems import need_collider

if TYPE_CHECKING:
    import pandas
    import pyarrow
    import xarray
    from astropy.table import QTable


@dataclass(frozen=True, eq=False, repr=False)
class Rates:
    """Rate coefficients of one molecule and one collider: n transitions at m temperatures.

    `upper` and `lower` are level indices of shape (n,), the initial and the final level, downward in energy;
    `temperature_k` (K, strictly increasing) has shape (m,); `rate_cm3_s` (cm3 s-1) has shape (n, m), NaN
    where nothing is known. A rate of zero is kept as the source has it. `layers` has some of LAYERS, shape
    (n, m) each. `sources` and `models` say where the values are from, by id; `interpolated_k` are the
    temperatures at which some values are interpolated.

    Raises RatedbError where shapes differ, an index is outside the levels, a transition is a duplicate, the
    temperatures do not increase, or a rate is negative or infinite.
    """

    levels: Levels
    collider: str
    upper: IntArray
    lower: IntArray
    temperature_k: FloatArray
    rate_cm3_s: FloatArray
    layers: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    sources: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    models: Mapping[int, Any] = field(default_factory=dict)
    interpolated_k: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        freeze(self, upper=np.int64, lower=np.int64, temperature_k=np.float64, rate_cm3_s=np.float64)
        where, shape = f"rates of {self.system}", (len(self.upper), len(self.temperature_k))
        need_collider(self.collider, where)
        need_shape(where, "lower", self.lower, shape[:1])
        need_shape(where, "rate_cm3_s", self.rate_cm3_s, shape)
        object.__setattr__(self, "layers", frozen_layers(where, self.layers, shape))
        increasing = bool((np.diff(self.temperature_k) > 0).all() and (self.temperature_k > 0).all())
        what = f"{where}: temperatures must be positive and increase"
        require(increasing, what, "T1 < T2 < ...", self.temperature_k)
        need_levels(where, self.upper, self.lower, len(self.levels))
        invalid = (self.rate_cm3_s < 0) | np.isinf(self.rate_cm3_s)
        if invalid.any():
            row, column = np.argwhere(invalid)[0]
            raise RatedbError(
                f"{where}: a rate coefficient is negative or infinite",
                where=f"{self.transition_name(row)} at {self.temperature_k[column]:g} K",
                expected="a number >= 0 in cm3 s-1",
                got=str(self.rate_cm3_s[row, column]),
            )

    def __len__(self) -> int:
        return len(self.upper)

    def __repr__(self) -> str:
        counts = [f"{int((self.kind_code == kind).sum())} {kind.text}" for kind in Kind]
        there = ", ".join(text for text in counts if not text.startswith("0 "))
        values = there or f"{int(np.isfinite(self.rate_cm3_s).sum())}"
        between = f", {len(self.interpolated_k)} of them interpolated" if self.interpolated_k else ""
        what = f": {len(self)} transitions at" if len(self) != 1 else f", {self.transition_name(0)}:"
        kelvin = temperatures_text(self.temperature_k)
        return f"<Rates of {self.system}{what} {kelvin}{between}; values: {values}>"

    @property
    def system(self) -> str:
        """The name of the system, such as CO+p-H2."""
        return f"{self.levels.molecule}+{self.collider}"

    @property
    def transitions(self) -> Transitions:
        """The transitions without their values."""
        return Transitions(self.levels, self.upper, self.lower)

    def transition_name(self, row: int) -> str:
        """Return the name of the transition in a row, such as `5 -> 3`."""
        return f"{self.levels.label[self.upper[row]]} -> {self.levels.label[self.lower[row]]}"

    def initial_j(self) -> IntArray:
        """Return j of the initial level of each transition, shape (n,); RatedbError without j."""
        return self.transitions.initial_j()

    # -- shape (n, m) ---------------------------------------------------------------------------

    def layer(self, name: str) -> npt.NDArray[Any]:
        """Return a layer, shape (n, m); one that was not given says nothing of any value."""
        if name in self.layers:
            return self.layers[name]
        return np.full(self.rate_cm3_s.shape, LAYERS[name].empty, dtype=LAYERS[name].dtype)

    @property
    def kind_code(self) -> IntArray:
        """The Kind of each value as a number, -1 where nothing is known or said, shape (n, m)."""
        return self.layer("kind_code")

    @property
    def kind(self) -> TextArray:
        """What each value is: computed, scaled, extrapolated, derived, predicted, or empty, shape (n, m)."""
        return np.array([*KINDS, ""])[self.kind_code]

    @property
    def source_id(self) -> IntArray:
        """The source of each value, -1 where nothing is known, shape (n, m)."""
        return self.layer("source_id")

    @property
    def log10_half_width_68(self) -> FloatArray:
        """Half the 68 % interval of log10 k, dex, of predictions and what is derived from them; else NaN."""
        return self.layer("log10_half_width_68")

    @property
    def extrapolated(self) -> BoolArray:
        """Which values are predicted outside what their model was trained on, shape (n, m)."""
        return self.layer("extrapolated")

    @property
    def marked(self) -> BoolArray:
        """Which values quality control flagged as wrong, shape (n, m)."""
        return self.layer("marked")

    @property
    def log10_rate(self) -> FloatArray:
        """The logarithm of the rates, shape (n, m): NaN where nothing is known, -inf for a rate of zero."""
        with np.errstate(divide="ignore"):
            return np.log10(self.rate_cm3_s)

    @property
    def upward_rate_cm3_s(self) -> FloatArray:
        """The rates from the lower to the upper level in cm3 s-1, by detailed balance, shape (n, m)."""
        from ratedb.physics.detailed_balance import reverse_rate

        weights = self.upper_weight[:, None], self.lower_weight[:, None]
        energies_cm1 = self.upper_energy_cm1[:, None], self.lower_energy_cm1[:, None]
        return reverse_rate(self.rate_cm3_s, *weights, *energies_cm1, self.temperature_k)

    def interval_cm3_s(self, share: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return the ends of the 68 or 95 % intervals of predicted rates, each (n, m), NaN for others."""
        widths = {0.68: 1.0, 0.95: RATIO_95_68}
        if share not in widths:
            raise UsageError("no such interval", expected="0.68 or 0.95", got=str(share))
        factor = 10.0 ** (widths[share] * self.log10_half_width_68)
        return self.rate_cm3_s / factor, self.rate_cm3_s * factor

    @property
    def upper_label(self) -> TextArray:
        """The labels of the initial levels, shape (n,)."""
        return np.array(self.levels.label, dtype=np.str_)[self.upper]

    @property
    def lower_label(self) -> TextArray:
        """The labels of the final levels, shape (n,)."""
        return np.array(self.levels.label, dtype=np.str_)[self.lower]

    @property
    def v(self) -> IntArray:
        """The initial v, shape (n,); raises RatedbError where levels have none."""
        return self.levels.need_vj()[0][self.upper]

    @property
    def j(self) -> IntArray:
        """The initial j, shape (n,); raises RatedbError where levels have none."""
        return self.levels.need_vj()[1][self.upper]

    @property
    def v_final(self) -> IntArray:
        """The final v, shape (n,); raises RatedbError where levels have none."""
        return self.levels.need_vj()[0][self.lower]

    @property
    def j_final(self) -> IntArray:
        """The final j, shape (n,); raises RatedbError where levels have none."""
        return self.levels.need_vj()[1][self.lower]

    @property
    def upper_energy_cm1(self) -> FloatArray:
        """Energies of the initial levels in cm-1, shape (n,)."""
        return self.levels.energy_cm1[self.upper]

    @property
    def lower_energy_cm1(self) -> FloatArray:
        """Energies of the final levels in cm-1, shape (n,)."""
        return self.levels.energy_cm1[self.lower]

    @property
    def upper_weight(self) -> FloatArray:
        """Statistical weights of the initial levels, shape (n,)."""
        return self.levels.weight[self.upper]

    @property
    def lower_weight(self) -> FloatArray:
        """Statistical weights of the final levels, shape (n,)."""
        return self.levels.weight[self.lower]

    def _map(self, change: Any, **fields: Any) -> Rates:
        """Return rates and layers with the same change made to each array of shape (n, m)."""
        rate_cm3_s, layers = changed(self.rate_cm3_s, self.layers, change)
        return replace(self, rate_cm3_s=rate_cm3_s, layers=layers, **fields)

    def select(self, keep: npt.ArrayLike) -> Rates:
        """Return the transitions at `keep`, a boolean mask of shape (n,) or indices."""
        rows = np.asarray(keep)
        if rows.dtype != np.bool_:
            rows = rows.astype(np.int64)  # an empty list would be an array of floats
        return self._map(lambda array, _: array[rows], upper=self.upper[rows], lower=self.lower[rows])

    def select_temperatures(self, keep: npt.ArrayLike) -> Rates:
        """Return the temperatures at `keep`, a boolean mask of shape (m,) or increasing indices."""
        columns = np.asarray(keep)
        return self._map(lambda array, _: array[:, columns], temperature_k=self.temperature_k[columns])

    def blanked(self, blank: BoolArray) -> Rates:
        """Return the same table with nothing known where `blank`, shape (n, m), is true."""
        return self._map(lambda array, empty: np.where(blank, empty, array))

    def where(self, keep: BoolArray) -> Rates:
        """Return the values where `keep`, shape (n, m); rows and temperatures that lose all of theirs go."""
        return self.blanked(~keep).select(keep.any(axis=1)).select_temperatures(keep.any(axis=0))

    def out_of(self, j_values: Sequence[int]) -> Rates:
        """Return the transitions out of these initial j; raises RatedbError where levels have no j."""
        return self.select(np.isin(self.initial_j(), j_values))

    def of_kinds(self, kinds: Sequence[str]) -> Rates:
        """Return the values of these kinds; rows and temperatures without any are left out."""
        return self.where(np.isin(self.kind_code, [KINDS.index(kind) for kind in kinds]))

    def known(self, *, with_marked: bool = False) -> Rates:
        """Return what is neither predicted nor flagged by quality control; empty rows and temperatures go."""
        keep = (self.kind_code >= 0) & (self.kind_code < Kind.PREDICTED)
        return self.where(keep if with_marked else keep & ~self.marked)

    @staticmethod
    def join(parts: Sequence[Rates]) -> Rates:
        """Return parts with the same levels, temperatures and layers, one below the other."""

        def whole(name: str) -> npt.NDArray[Any]:
            return np.concatenate([getattr(part, name) for part in parts])

        return replace(
            parts[0],
            upper=whole("upper"),
            lower=whole("lower"),
            rate_cm3_s=whole("rate_cm3_s"),
            layers={name: whole(name) for name in parts[0].layers},
        )

    def curve(self, upper_label: str, lower_label: str) -> Rates:
        """Return one transition where it is known, by labels such as "7", "5"; raises RatedbError else."""
        here = (self.upper_label == str(upper_label)) & (self.lower_label == str(lower_label))
        return self._one(here, f"{upper_label} -> {lower_label}")

    def curve_of(self, *, j: int, j_final: int, v: int = 0, v_final: int = 0) -> Rates:
        """Return one transition where it is known, by v and j; raises RatedbError where it is not here."""
        here = (self.j == j) & (self.j_final == j_final) & (self.v == v) & (self.v_final == v_final)
        return self._one(here, f"v j = {v} {j} -> {v_final} {j_final}")

    def _one(self, here: BoolArray, name: str) -> Rates:
        if here.sum() == 1:
            row = self.select(here)
            return row.select_temperatures(np.isfinite(row.rate_cm3_s[0]))
        examples = [self.transition_name(row) for row in range(min(3, len(self)))]
        raise RatedbError(
            f"these rates of {self.system} have no transition {name}",
            expected=f"one of {len(self)} transitions down in energy, such as {', '.join(examples)}",
            got=name,
            todo="name the upper level first; upward_rate_cm3_s has the other direction",
        )

    def sha256(self) -> str:
        """Return a hash of the transitions, temperatures and values, independent of their order."""
        names = [f"{upper}>{lower}" for upper, lower in self.transitions.names()]
        order = sorted(range(len(names)), key=names.__getitem__)
        digest = hashlib.sha256("\n".join([self.system, *(names[i] for i in order)]).encode())
        digest.update(self.temperature_k.tobytes())
        digest.update(np.ascontiguousarray(self.rate_cm3_s[order]).tobytes())
        return digest.hexdigest()

    # -- what other rooms do with rates, imported when it is asked for ---------------------------

    def at(self, temperature_k: npt.ArrayLike) -> Rates:
        """Return the rates at other temperatures (k,), interpolated between those where each is known.

        log10 k is a cubic spline in ln T, a monotone cubic where a spline would swing beyond its values; half
        widths are interpolated between their two neighbours. Each value has the kind and source of the
        nearest temperature in ln T. A transition without values on both sides of a temperature has NaN there.
        Raises UsageError where these are not temperatures, RatedbError outside the range of all.
        """
        from ratedb.physics.temperatures import rates_at

        return rates_at(self, temperature_k)

    @property
    def references(self) -> tuple[str, ...]:
        """What to cite for these values; the method too where some are predicted."""
        from ratedb.io.provenance import citations_of_rates

        return citations_of_rates(self)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the values are from, as an export writes it for this system in its sidecar."""
        from ratedb.io.provenance import partner_provenance

        return partner_provenance(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a data frame with the rows and columns of an export as CSV; RatedbError without pandas."""
        from ratedb.io.frames import rates_as_pandas

        return rates_as_pandas(self)

    def to_arrow(self) -> pyarrow.Table:
        """Return an Arrow table with the rows and columns of to_pandas; RatedbError without pyarrow."""
        from ratedb.io.frames import rates_as_arrow

        return rates_as_arrow(self)

    def to_table(self) -> QTable:
        """Return an astropy table with the rows of to_pandas, and units; RatedbError without astropy."""
        from ratedb.io.frames import rates_as_qtable

        return rates_as_qtable(self)

    def to_xarray(self) -> xarray.Dataset:
        """Return a data set over transition and temperature, CF attributes; RatedbError without xarray."""
        from ratedb.io.frames import rates_as_xarray

        return rates_as_xarray(self)
