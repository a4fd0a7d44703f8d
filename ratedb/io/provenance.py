"""The provenance of an exported file, FILE.provenance.json, as it is written; sidecar.py reads it.

Its form is schemas/provenance.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ratedb import __version__
from ratedb.files import sha256
from ratedb.io.mixed_sources import source_provenance
from ratedb.kinds.header_words import header_words
from ratedb.layers import Kind
from ratedb.levels import Levels
from ratedb.origin import now
from ratedb.rates import Rates
from ratedb.safe_text import clean

if TYPE_CHECKING:
    from ratedb.models.record import Model

METHOD = (
    "Mihalik, D. E., Wang, R., Yang, B. H., Stancil, P. C., Price, T. J., Forrey, R. C., Balakrishnan, N. &"
    " Krems, R. V. 2025, J. Chem. Phys. 162, 024116"
)
"""The paper of the method, to cite where rates are predicted; CITATION.cff names it too."""

PREDICTED_IN_PART = "predicted in part by ratedb"
"""How a reference in an exported file begins where some of its rates are predicted."""

_PREDICTED = Kind.PREDICTED.text
FORMAT = {"format": "ratedb-provenance", "format_version": 1}


# -- of rates ----------------------------------------------------------------------------------------


def reference_of(rates: Rates) -> str:
    """Return the references of a table in one line."""
    # First, because a long reference is cut where the line of a LAMDA file ends.
    predicted = [PREDICTED_IN_PART] if (rates.kind_code == Kind.PREDICTED).any() else []
    return clean("; ".join([*predicted, *_references_of(rates)]))


def citations_of_rates(rates: Rates) -> tuple[str, ...]:
    """Return what to cite for rates; the method too where some are predicted."""
    predicted = (rates.kind_code == Kind.PREDICTED).any()
    return (*_references_of(rates), METHOD) if predicted else tuple(_references_of(rates))


def _references_of(rates: Rates) -> list[str]:
    """Return the references of its sources and of the data sets that its models take as prior mean."""
    used = [rates.sources[number] for number in _used(rates)]
    names = [row["reference"] for row in used if row["kind"] != _PREDICTED]
    priors = [_prior_provenance(rates.models[row["model_id"]]) for row in used if row["model_id"] is not None]
    names += [name for prior in priors if prior is not None for name in prior["citations"]]
    return list(dict.fromkeys(names))


def _used(rates: Rates) -> list[int]:
    return sorted(set(rates.source_id.ravel().tolist()) - {-1})


# -- written -----------------------------------------------------------------------------------------


def render_provenance(
    path: Path,
    digest: str,
    beside: Mapping[Path, bytes],
    partners: Sequence[Mapping[str, Any]],
    warnings: Sequence[Mapping[str, str]],
    labels: Sequence[tuple[str, str]],
    computed_lines: Sequence[tuple[str, str]],
    levels: Levels,
) -> bytes:
    """Return the provenance of an exported file with this SHA-256, and of the files next to it, as JSON.

    `partners` are those of partner_provenance; `warnings` are those of the writer. `labels` are
    those that were changed, as written and as they were, and `computed_lines` the lines, by their labels as
    written, whose frequency no source has. `levels` have the original labels.
    """
    values = sum(partner["rates"] for partner in partners)
    predicted = sum(partner["kinds"][_PREDICTED] for partner in partners)
    document = {
        **FORMAT,
        "file": path.name,
        "sha256": digest,
        "files": [{"file": path.name, "sha256": sha256(content)} for path, content in beside.items()],
        "exported_at": now().isoformat(),
        "ratedb_version": __version__,
        "predicted_fraction": predicted / values,
        "partners": partners,
        "labels": [{"written": written, "original": original} for written, original in labels],
        "quantum_numbers": list(header_words(levels)),
        "computed_lines": [{"upper": upper, "lower": lower} for upper, lower in computed_lines],
        "warnings": warnings,
    }
    return (json.dumps(document, indent=2, allow_nan=False) + "\n").encode()


def partner_provenance(rates: Rates) -> dict[str, Any]:
    """Return what the provenance says of one system, as schemas/provenance.schema.json has it."""
    used = _used(rates)
    models = sorted({rates.sources[number]["model_id"] for number in used} - {None})
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
        "sources": source_provenance(rates, used),
        "models": [_model_provenance(rates.models[number]) for number in models],
    }


def _predicted_transitions(rates: Rates) -> list[dict[str, Any]]:
    """Return each transition with a predicted value: its model, and the half widths of its intervals."""
    predicted = rates.kind_code == Kind.PREDICTED
    label, layer = rates.levels.label, rates.log10_half_width_68
    found = []
    for row in np.flatnonzero(predicted.any(axis=1)):
        half_width = layer[row, predicted[row]]
        median, largest = float(np.median(half_width)), float(half_width.max())
        source = int(rates.source_id[row, predicted[row]].max())
        found.append(
            {
                "upper": label[rates.upper[row]],
                "lower": label[rates.lower[row]],
                "model_id": rates.sources[source]["model_id"],
                "extrapolated": bool(rates.extrapolated[row].any()),
                "log10_half_width_68_median": median,
                "log10_half_width_68_max": largest,
                # The names of 0.1, for one release.
                "log10_std_median": median,
                "log10_std_max": largest,
            }
        )
    return found


def _model_provenance(model: Model) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "engine": model.engine,
        "kernel": model.kernel,
        "features": model.features,
        "mean": _mean_of(model),
        "prior": _prior_provenance(model),
        "train_j": model.train_j,
        "validate_j": model.validate_j,
        **({} if model.train_units is None else _units_of(model)),
        "training_sha256": model.training_sha256,
        "training_source_ids": model.training_source_ids,
        "validation": model.validation,
        "trained_at": model.trained_at.isoformat(),
        "ratedb_version": model.ratedb_version,
        "library_versions": model.library_versions,
    }


def _mean_of(model: Model) -> str:
    """Return the prior means of a model of v and j, or the candidates that one of tops averages."""
    if model.train_units is None:
        return ", ".join(dict.fromkeys(m["mean"] for m in model.state.get("members", [])))
    return ", ".join(one["name"] for one in model.tried if one["weight"] > 0)


def _units_of(model: Model) -> dict[str, Any]:
    return {"train_units": model.train_units, "validate_units": model.validate_units or []}


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
