"""Say where the rates of an exported file are from: sources, models and their priors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ratedb.store.rates import KINDS, StoredRates
from ratedb.store.records import Model

PREDICTED_IN_PART = "predicted in part by ratedb"
"""How a reference in an exported file begins where some of its rates are predicted."""


def reference_of(stored: StoredRates, sources: dict[int, dict[str, Any]], models: dict[int, Model]) -> str:
    """Return whose rates a table has, in one line."""
    # First, because a long reference is cut where the line of a LAMDA file ends.
    predicted = [PREDICTED_IN_PART] if (stored.kind == KINDS.index("predicted")).any() else []
    return "; ".join(predicted + references_of(stored, sources, models))


def references_of(
    stored: StoredRates, sources: dict[int, dict[str, Any]], models: dict[int, Model]
) -> list[str]:
    """Return whose rates a table has: of its sources, and of the data sets its models have as prior mean."""
    used = [sources[number] for number in sorted(set(stored.source_id.ravel().tolist()) - {-1})]
    names = [row["reference"] for row in used if row["kind"] != "predicted"]
    priors = [_prior_provenance(models[row["model_id"]]) for row in used if row["model_id"] is not None]
    names += [name for prior in priors if prior is not None for name in prior["citations"]]
    return list(dict.fromkeys(names))


def partner_provenance(
    stored: StoredRates,
    sources: dict[int, dict[str, Any]],
    models: dict[int, Model],
    interpolated_k: dict[str, list[float]],
) -> dict[str, Any]:
    """Return what the sidecar says of one partner, as schemas/provenance.schema.json has it."""
    used = sorted(set(stored.source_id.ravel().tolist()) - {-1})
    return {
        "system": stored.rates.system,
        "transitions": len(stored.rates),
        "rates": int((stored.kind >= 0).sum()),
        "kinds": {kind: int((stored.kind == number).sum()) for number, kind in enumerate(KINDS)},
        "marked": int(stored.marked.sum()),
        "extrapolated_transitions": int(stored.extrapolated.any(axis=1).sum()),
        "temperatures_k": stored.rates.temperature_k.tolist(),
        "interpolated_temperatures_k": interpolated_k.get(stored.rates.system, []),
        "predicted": _predicted_transitions(stored, sources),
        "sources": [_source_provenance(sources[number], stored, number) for number in used],
        "models": [
            _model_provenance(models[number])
            for number in sorted({sources[s]["model_id"] for s in used if sources[s]["model_id"] is not None})
        ],
    }


def _predicted_transitions(stored: StoredRates, sources: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each transition with a predicted value: its model, and the spread of its log10 k."""
    of_model = stored.kind == KINDS.index("predicted")
    label = stored.rates.levels.label
    found = []
    for row in np.flatnonzero(of_model.any(axis=1)):
        std = stored.log10_std[row, of_model[row]]
        source = int(stored.source_id[row, of_model[row]].max())
        found.append(
            {
                "upper": label[stored.rates.upper[row]],
                "lower": label[stored.rates.lower[row]],
                "model_id": sources[source]["model_id"],
                "extrapolated": bool(stored.extrapolated[row].any()),
                "log10_std_median": float(np.median(std)),
                "log10_std_max": float(std.max()),
            }
        )
    return found


def _source_provenance(row: dict[str, Any], stored: StoredRates, number: int) -> dict[str, Any]:
    return {
        "source_id": number,
        "kind": row["kind"],
        "method": row["method"],
        "reference": row["reference"],
        "file_name": row["file_name"],
        "file_sha256": row["file_sha256"],
        "model_id": row["model_id"],
        "imported_at": row["imported_at"].isoformat(),
        "ratedb_version": row["ratedb_version"],
        "rates": int((stored.source_id == number).sum()),
    }


def _model_provenance(model: Model) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "engine": model.engine,
        "kernel": model.kernel,
        "features": model.features,
        "mean": ", ".join(dict.fromkeys(m["mean"] for m in model.state.get("members", []))),
        "prior": _prior_provenance(model),
        "train_j": model.train_j,
        "validate_j": model.validate_j,
        "training_sha256": model.training_sha256,
        "training_source_ids": model.training_source_ids,
        "validation": model.validation,
        "trained_at": model.trained_at.isoformat(),
        "ratedb_version": model.ratedb_version,
        "library_versions": model.library_versions,
    }


def _prior_provenance(model: Model) -> dict[str, Any] | None:
    """Return the data set that a model takes as prior mean: its rates' hash and references; None without."""
    reference = model.state.get("reference")
    if reference is None:
        return None
    return {
        "system": reference["system"],
        "sha256": reference["sha256"],
        "citations": list(reference.get("citations", ())),
    }
