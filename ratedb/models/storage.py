"""A predictor as JSON values and a NumPy archive, and back."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import numpy as np

from ratedb.errors import RatedbError
from ratedb.levels import Levels, vj
from ratedb.models import basis, dense
from ratedb.models.calibration import Calibration
from ratedb.models.corpus import model as corpus_model
from ratedb.models.corpus.intervals import Intervals
from ratedb.models.corpus.model import CORPUS
from ratedb.models.engine import Arrays, Fitted
from ratedb.models.plausible import need_finite, need_system, need_weights
from ratedb.models.predictor import Predictor
from ratedb.models.record import Model
from ratedb.models.reference import ReferenceRates
from ratedb.models.tops import storage as of_tops
from ratedb.models.tops.predictor import TopPredictor

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


def to_stored(predictor: Predictor | TopPredictor) -> tuple[dict[str, Any], bytes]:
    """Return the predictor as JSON values and the bytes of a NumPy archive without objects."""
    if isinstance(predictor, TopPredictor):
        state, arrays = of_tops.to_values(predictor)
    else:
        state, arrays = _values(predictor)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return state, buffer.getvalue()


def _values(predictor: Predictor) -> tuple[dict[str, Any], Arrays]:
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
        "calibration_ends": [predictor.calibration.below, predictor.calibration.above],
        "members": members,
        "reference": None,
    }
    if (reference := predictor.reference) is not None:
        names = ("system", "sha256", "spin", "citations")
        state["reference"] = {name: getattr(reference, name) for name in names}
        arrays |= {"reference_known": reference.known, "reference_log10_k": reference.log10_k}
    if (intervals := predictor.intervals) is not None:
        state["intervals"] = {
            "computed_j": list(intervals.computed_j),
            "rotational_constant_cm1": intervals.rotational_constant_cm1,
        }
        arrays["interval_factors"] = intervals.factors
    return state, arrays


def any_of_record(record: Model, system: str) -> Predictor | TopPredictor:
    """Return the predictor of a model that is stored for a system.

    Raises RatedbError where its content is damaged, or it predicts another system.
    """
    found = any_from_stored(record.state, record.arrays)
    need_system(found.levels, found.collider, system)
    return found


def of_record(record: Model, system: str) -> Predictor:
    """Return the predictor of v and j that is stored for a system; raises as `any_of_record`."""
    return _of_vj(any_of_record(record, system))


def from_stored(state: dict[str, Any], content: bytes) -> Predictor:
    """Return the predictor of v and j that `to_stored` wrote; RatedbError where it is damaged."""
    return _of_vj(any_from_stored(state, content))


def _of_vj(found: Predictor | TopPredictor) -> Predictor:
    if not isinstance(found, Predictor):
        raise RatedbError(
            "this model predicts by initial states, not by j", where=found.levels.molecule, got=found.kept
        )
    return found


def any_from_stored(state: dict[str, Any], content: bytes) -> Predictor | TopPredictor:
    """Return the predictor that `to_stored` wrote; raises RatedbError where the content is damaged."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        need_finite(arrays)
        if state["format"] == of_tops.FORMAT:
            return of_tops.from_values(state, arrays)
        if state["format"] != _FORMAT:
            raise ValueError(f"format {state['format']}")
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
    if (kept := state["reference"]) is not None:
        reference = ReferenceRates(
            kept["system"],
            kept["sha256"],
            kept["spin"],
            arrays["reference_known"].astype(np.int64),
            arrays["reference_log10_k"],
            tuple(kept.get("citations", ())),
        )
    members: list[Fitted] = []
    for number, member in enumerate(state["members"]):
        prefix = f"member{number}_"
        own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        members.append(_member(member, own, levels, reference))
    if len(members) != len(state["weights"]) or not members:
        raise ValueError("members and weights do not match")
    need_weights(state["weights"])
    return Predictor(
        levels,
        state["collider"],
        tuple(state["train_j"]),
        state["max_abs_dj"],
        arrays["temperature_k"],
        tuple(members),
        tuple(state["weights"]),
        _calibration(state, arrays),
        reference,
        _intervals(state, arrays),
    )


def _calibration(state: dict[str, Any], arrays: Arrays) -> Calibration:
    ends = state.get("calibration_ends", (1.0, 1.0))  # models of older versions have none
    return Calibration(state["calibration_scale"], arrays["calibration_floor"], *ends)


def _member(
    state: dict[str, Any], arrays: Arrays, levels: Levels, reference: ReferenceRates | None
) -> Fitted:
    if state["engine"] == CORPUS.engine:
        return corpus_model.from_stored(state, arrays, levels)
    read = dense.from_stored if state["engine"] == "dense" else basis.from_stored
    return read(state, arrays, levels, reference)


def _intervals(state: dict[str, Any], arrays: Arrays) -> Intervals | None:
    kept = state.get("intervals")
    if kept is None:
        return None
    return Intervals(
        tuple(kept["computed_j"]), float(kept["rotational_constant_cm1"]), arrays["interval_factors"]
    )
