"""What `train` makes and `fill` uses: one or more fitted models, averaged, with calibrated intervals."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ratedb.arrays import BoolArray, FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.layers import Kind
from ratedb.levels import Levels, Transitions, vj
from ratedb.models import basis, dense
from ratedb.models.calibration import Calibration
from ratedb.models.engine import Arrays, Curves, Fitted
from ratedb.models.features import is_homonuclear
from ratedb.models.reference import ReferenceRates
from ratedb.rates import Rates

_FORMAT = 2
# What reading a damaged archive, or JSON of another shape, can raise.
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RatedbError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class Predictor:
    """A weighted average of fitted models of one system, with calibrated intervals.

    `max_abs_dj` and `train_j` bound what was trained; `levels` are the molecule's at training time.
    """

    levels: Levels
    collider: str
    train_j: tuple[int, ...]
    max_abs_dj: int
    temperature_k: FloatArray
    members: tuple[Fitted, ...]
    weights: tuple[float, ...]
    calibration: Calibration
    reference: ReferenceRates | None = None

    @property
    def kernel(self) -> str:
        """The kernels of the members, the heaviest first."""
        return self._names("kernel")

    @property
    def features(self) -> str:
        """The feature maps of the members, the heaviest first."""
        return self._names("features")

    @property
    def mean(self) -> str:
        """The means of the members, the heaviest first."""
        return self._names("mean")

    @property
    def engine(self) -> str:
        """The engine of the members."""
        return self._names("engine")

    def _names(self, field: str) -> str:
        order = np.argsort([-weight for weight in self.weights], kind="stable")
        names = [getattr(self.members[index].specification, field) for index in order]
        return ", ".join(dict.fromkeys(names))

    def predict(self, wanted: Transitions, temperature_k: FloatArray | None = None) -> Rates:
        """Return predicted rates with the half widths of their 68 % intervals.

        At other temperatures than the model's they are what `Rates.at` gives; raises RatedbError outside.
        """
        curves = average([member.curves(wanted) for member in self.members], self.weights)
        half_width = self.calibration.half_width(curves.variance)
        _need_finite(f"{wanted.levels.molecule}+{self.collider}", curves.mean, half_width)
        shape = curves.mean.shape
        layers = {
            "kind_code": np.full(shape, Kind.PREDICTED),
            "log10_half_width_68": half_width,
            "extrapolated": np.repeat(self._extrapolated(wanted)[:, None], shape[1], axis=1),
        }
        rates = Rates(
            wanted.levels,
            self.collider,
            wanted.upper,
            wanted.lower,
            self.temperature_k,
            10.0**curves.mean,
            layers,
        )
        return rates if temperature_k is None else rates.at(temperature_k)

    def covariance(self, wanted: Transitions) -> FloatArray:
        """Return the covariance of log10 k between the model's temperatures, shape (n, m, m), in dex^2.

        Its diagonal is the square of `predict`'s half width.
        """
        each = [member.covariance(wanted) for member in self.members]
        means = [member.curves(wanted).mean for member in self.members]
        centre = sum(weight * mean for weight, mean in zip(self.weights, means, strict=True))
        total = np.zeros_like(each[0])
        for weight, covariance, mean in zip(self.weights, each, means, strict=True):
            off = mean - centre
            total += weight * (covariance + off[:, :, None] * off[:, None, :])
        return self.calibration.scale**2 * total + np.diag(self.calibration.floor**2)

    def supports(self, wanted: Transitions) -> BoolArray:
        """Return which transitions are of a kind that was trained, shape (n,).

        A kind is (v, v', parity of dj), with the parity of j for a homonuclear molecule.
        """
        trained = {kind for member in self.members for kind in self._kinds(member.training)}
        return np.array([kind in trained for kind in self._kinds(wanted)], dtype=np.bool_)

    def _kinds(self, transitions: Transitions) -> list[tuple[int, int, int, int]]:
        spin = is_homonuclear(self.levels.molecule)
        return [
            (v, v_final, abs(j_final - j) % 2, j % 2 if spin else 0)
            for v, j, v_final, j_final in transitions.vj().tolist()
        ]

    def _extrapolated(self, wanted: Transitions) -> BoolArray:
        _, j = wanted.levels.need_vj()
        initial: IntArray = j[wanted.upper]
        dj = np.abs(j[wanted.lower] - initial)
        outside: BoolArray = (
            (dj > self.max_abs_dj) | (initial > max(self.train_j)) | (initial < min(self.train_j))
        )
        return outside


def _need_finite(system: str, *arrays: FloatArray) -> None:
    if not all(np.isfinite(array).all() for array in arrays):
        raise RatedbError(
            f"a prediction for {system} is not finite", expected="numbers", got="NaN or infinity"
        )


def average(curves: Sequence[Curves], weights: Sequence[float]) -> Curves:
    """Return the weighted mean of predictions; the variance includes how far they lie apart."""
    mean = np.zeros_like(curves[0].mean)
    for weight, one in zip(weights, curves, strict=True):
        mean += weight * one.mean
    variance = np.zeros_like(mean)
    for weight, one in zip(weights, curves, strict=True):
        variance += weight * (one.variance + (one.mean - mean) ** 2)
    return Curves(mean, variance)


def to_stored(predictor: Predictor) -> tuple[dict[str, Any], bytes]:
    """Return the predictor as JSON values and the bytes of a NumPy archive without objects."""
    members: list[dict[str, Any]] = []
    arrays: Arrays = {}
    for number, member in enumerate(predictor.members):
        state, own = member.stored()
        members.append(state)
        arrays |= {f"member{number}_{name}": array for name, array in own.items()}
    v, j = predictor.levels.need_vj()
    arrays |= {
        "temperature_k": predictor.temperature_k,
        "calibration_floor": predictor.calibration.floor,
        "level_v": v,
        "level_j": j,
        "level_energy_cm1": predictor.levels.energy_cm1,
        "level_weight": predictor.levels.weight,
    }
    state = {
        "format": _FORMAT,
        "molecule": predictor.levels.molecule,
        "collider": predictor.collider,
        "labels": list(predictor.levels.label),
        "train_j": list(predictor.train_j),
        "max_abs_dj": predictor.max_abs_dj,
        "weights": list(predictor.weights),
        "calibration_scale": predictor.calibration.scale,
        "members": members,
        "reference": None,
    }
    if predictor.reference is not None:
        reference = predictor.reference
        state["reference"] = {
            "system": reference.system,
            "sha256": reference.sha256,
            "spin": reference.spin,
            "citations": list(reference.citations),
        }
        arrays |= {"reference_known": reference.known, "reference_log10_k": reference.log10_k}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return state, buffer.getvalue()


def from_stored(state: dict[str, Any], content: bytes) -> Predictor:
    """Return the predictor that `to_stored` wrote; raises RatedbError where the content is damaged."""
    try:
        if state["format"] != _FORMAT:
            raise ValueError(f"format {state['format']}")
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return _assemble(state, arrays)
    except _DAMAGED as error:
        raise RatedbError(
            "the stored model cannot be read",
            expected=f"a model of format {_FORMAT}",
            got=repr(error),
            todo="train it again",
        ) from error


def _assemble(state: dict[str, Any], arrays: Arrays) -> Predictor:
    levels = Levels(
        state["molecule"],
        tuple(state["labels"]),
        arrays["level_energy_cm1"],
        arrays["level_weight"],
        vj(arrays["level_v"].astype(np.int64), arrays["level_j"].astype(np.int64)),
    )
    reference = None
    if state["reference"] is not None:
        reference = ReferenceRates(
            state["reference"]["system"],
            state["reference"]["sha256"],
            state["reference"]["spin"],
            arrays["reference_known"].astype(np.int64),
            arrays["reference_log10_k"],
            tuple(state["reference"].get("citations", ())),
        )
    members: list[Fitted] = []
    for number, member in enumerate(state["members"]):
        prefix = f"member{number}_"
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        read = dense.from_stored if member["engine"] == "dense" else basis.from_stored
        members.append(read(member, own, levels, reference))
    if len(members) != len(state["weights"]) or not members:
        raise ValueError("members and weights do not match")
    return Predictor(
        levels,
        state["collider"],
        tuple(state["train_j"]),
        state["max_abs_dj"],
        arrays["temperature_k"],
        tuple(members),
        tuple(state["weights"]),
        Calibration(state["calibration_scale"], arrays["calibration_floor"]),
        reference,
    )
