"""Say where the rates of an exported file are from: sources, models and their priors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ratedb.io.citations import METHOD
from ratedb.layers import Kind
from ratedb.rates import Rates
from ratedb.store.records import Model

PREDICTED_IN_PART = "predicted in part by ratedb"
"""How a reference in an exported file begins where some of its rates are predicted."""


def reference_of(rates: Rates) -> str:
    """Return whose rates a table has, in one line."""
    # First, because a long reference is cut where the line of a LAMDA file ends.
    predicted = [PREDICTED_IN_PART] if (rates.kind_code == Kind.PREDICTED).any() else []
    return "; ".join(predicted + references_of(rates))


def citations_of_rates(rates: Rates) -> tuple[str, ...]:
    """Return what to cite for rates; the method too where some are predicted."""
    predicted = (rates.kind_code == Kind.PREDICTED).any()
    return (*references_of(rates), METHOD) if predicted else tuple(references_of(rates))


def references_of(rates: Rates) -> list[str]:
    """Return whose rates a table has: of its sources, and of the data sets its models have as prior mean."""
    used = [rates.sources[number] for number in _used(rates)]
    names = [row["reference"] for row in used if row["kind"] != "predicted"]
    priors = [_prior_provenance(rates.models[row["model_id"]]) for row in used if row["model_id"] is not None]
    names += [name for prior in priors if prior is not None for name in prior["citations"]]
    return list(dict.fromkeys(names))


def _used(rates: Rates) -> list[int]:
    return sorted(set(rates.source_id.ravel().tolist()) - {-1})


def partner_provenance(rates: Rates) -> dict[str, Any]:
    """Return what the sidecar says of one partner, as schemas/provenance.schema.json has it."""
    used = _used(rates)
    return {
        "system": rates.system,
        "transitions": len(rates),
        "rates": int((rates.kind_code >= 0).sum()),
        "kinds": {kind.text: int((rates.kind_code == kind).sum()) for kind in Kind},
        "marked": int(rates.marked.sum()),
        "extrapolated_transitions": int(rates.extrapolated.any(axis=1).sum()),
        "temperatures_k": rates.temperature_k.tolist(),
        "interpolated_temperatures_k": list(rates.interpolated_k),
        "predicted": _predicted_transitions(rates),
        "sources": [_source_provenance(rates.sources[number], rates, number) for number in used],
        "models": [
            _model_provenance(rates.models[number])
            for number in sorted({rates.sources[s]["model_id"] for s in used} - {None})
        ],
    }


def _predicted_transitions(rates: Rates) -> list[dict[str, Any]]:
    """Return each transition with a predicted value: its model, and the spread of its log10 k."""
    of_model = rates.kind_code == Kind.PREDICTED
    label, layer = rates.levels.label, rates.log10_half_width_68
    found = []
    for row in np.flatnonzero(of_model.any(axis=1)):
        half_width = layer[row, of_model[row]]
        source = int(rates.source_id[row, of_model[row]].max())
        found.append(
            {
                "upper": label[rates.upper[row]],
                "lower": label[rates.lower[row]],
                "model_id": rates.sources[source]["model_id"],
                "extrapolated": bool(rates.extrapolated[row].any()),
                "log10_std_median": float(np.median(half_width)),
                "log10_std_max": float(half_width.max()),
            }
        )
    return found


def _source_provenance(row: Mapping[str, Any], rates: Rates, number: int) -> dict[str, Any]:
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
        "rates": int((rates.source_id == number).sum()),
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
