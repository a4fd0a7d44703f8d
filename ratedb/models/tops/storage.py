"""A predictor of tops as JSON values and arrays, and back.

Kept are the levels, the training transitions and what was learnt from their rates. Wavefunctions, features
and covariances are computed again.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from ratedb.errors import FitError
from ratedb.levels import Levels, Transitions
from ratedb.models.basis import TemperatureBasis
from ratedb.models.engine import Arrays
from ratedb.models.plausible import need_weights
from ratedb.models.tops.features import FeatureMap, categories
from ratedb.models.tops.kernel import Points, TopKernel, inverse_of
from ratedb.models.tops.means import GroupMeans, PlaneMean
from ratedb.models.tops.predictor import LeftOutScore, TopPredictor
from ratedb.models.tops.regression import Candidate, Residual
from ratedb.models.tops.structure import Jumps, Structure
from ratedb.models.tops.sudden import SuddenMean

FORMAT = "top 1"
"""What the JSON values of a stored predictor of tops say under `format`."""

_KEPT = (
    Candidate, FeatureMap, GroupMeans, LeftOutScore, PlaneMean, Residual, SuddenMean, TemperatureBasis,
)  # fmt: skip
_CLASSES = {one.__name__: one for one in _KEPT}
_CHECKED = 20
_COMPUTED_AGAIN = {"Residual": ("points", "kernel", "inverses")}
_OF_PREDICTOR = ("collider", "temperature_k", "train_units", "members", "weights", "scores", "stretch")


def to_values(predictor: TopPredictor) -> tuple[dict[str, Any], Arrays]:
    """Return the predictor as JSON values and arrays without objects."""
    arrays: Arrays = {
        "level_energy_cm1": predictor.levels.energy_cm1,
        "level_weight": predictor.levels.weight,
        "upper": predictor.training_transitions.upper,
        "lower": predictor.training_transitions.lower,
    }
    numbers = predictor.levels.quantum_numbers
    arrays |= {f"level_number_{name}": values for name, values in numbers.items()}
    state = {
        "format": FORMAT,
        "molecule": predictor.levels.molecule,
        "molecule_kind": predictor.levels.kind,
        "labels": list(predictor.levels.label),
        "numbers": list(numbers),
        "predictor": {name: _put(getattr(predictor, name), arrays) for name in _OF_PREDICTOR},
    }
    return state, arrays


def from_values(state: dict[str, Any], arrays: Arrays) -> TopPredictor:
    """Return the predictor that `to_values` wrote; what is not of that form raises one of several errors."""
    levels = Levels(
        state["molecule"],
        tuple(state["labels"]),
        arrays["level_energy_cm1"],
        arrays["level_weight"],
        {name: arrays[f"level_number_{name}"] for name in state["numbers"]},
        kind=state["molecule_kind"],
    )
    training = Transitions(levels, *(arrays[end].astype(np.int64) for end in ("upper", "lower")))
    structure = Structure.of(levels)
    jumps = Jumps.of(structure, training)
    kept = {name: _get(value, arrays, jumps) for name, value in state["predictor"].items()}
    if len(kept["members"]) != len(kept["weights"]) or not kept["members"]:
        raise ValueError("members and weights do not match")
    need_weights(kept["weights"])
    found = TopPredictor(
        structure=structure, levels=levels, training=jumps, training_transitions=training, **kept
    )
    _check(found)
    return found


def _check(predictor: TopPredictor) -> None:
    """Predict some training transitions, so that what is damaged fails here; raises one of several errors."""
    if not np.array_equal(np.unique(predictor.training.unit), predictor.train_units):
        raise ValueError("the training transitions are not those out of the training units")
    for member in predictor.members:
        shape = (len(predictor.training), len(predictor.temperature_k))
        if member.mean(predictor.training).shape != shape:
            raise ValueError("a member has another shape than the training transitions")
    every = len(predictor.training)
    rows = np.unique(np.linspace(0, every - 1, min(every, _CHECKED)).astype(np.int64))
    predictor.predict(predictor.training_transitions.select(rows))


def _put(value: Any, arrays: Arrays) -> Any:
    """Return a value as JSON; arrays go to `arrays` under a number."""
    if isinstance(value, np.ndarray):
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, tuple):
        return {"tuple": [_put(one, arrays) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[_put(key, arrays), _put(one, arrays)] for key, one in value.items()]}
    if type(value) in _KEPT:
        name = type(value).__name__
        left_out = _COMPUTED_AGAIN.get(name, ())
        own = {one.name: getattr(value, one.name) for one in fields(value) if one.name not in left_out}
        return {"class": name} | {name: _put(one, arrays) for name, one in own.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"a model cannot keep {type(value).__name__}")


def _get(value: Any, arrays: Arrays, training: Jumps) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "tuple" in value:
        return tuple(_get(one, arrays, training) for one in value["tuple"])
    if "dict" in value:
        return {_get(key, arrays, training): _get(one, arrays, training) for key, one in value["dict"]}
    name = value["class"]
    own = {key: _get(one, arrays, training) for key, one in value.items() if key != "class"}
    if name == "Candidate" and own["residual"] is not None:
        own["residual"] = _complete(own["residual"], own["mean"](training), training)
    return own if name in _COMPUTED_AGAIN else _CLASSES[name](**own)


def _complete(kept: dict[str, Any], of_mean: Any, training: Jumps) -> Residual:
    """Return the processes with what is computed again from the training transitions and their mean."""
    points = Points(kept["features"](training, of_mean), categories(training))
    kernel = TopKernel(tuple(points.categories), points.features.shape[1])
    inverses = []
    for parameters in kept["parameters"]:
        inverse = inverse_of(kernel.with_noise(parameters, points))
        if inverse is None:
            raise FitError("the covariance of the training transitions has no Cholesky factor")
        inverses.append(inverse[0])
    return Residual(points=points, kernel=kernel, inverses=tuple(inverses), **kept)
