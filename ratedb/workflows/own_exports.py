"""Files that ratedb exported with predictions in them: these are nobody's calculation when read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError
from ratedb.files import read_bytes, sha256
from ratedb.tables import MoleculeFile, PartnerRates
from ratedb.workflows.provenance import PREDICTED_IN_PART


def without_predicted(file: MoleculeFile, path: Path) -> MoleculeFile:
    """Return a file without the transitions that ratedb predicted, and say so in its warnings.

    Which they are says the provenance beside it. Raises RatedbError where a file says that it is predicted in
    part and its provenance is not there, is of another file, or names other transitions.
    """
    if not any(PREDICTED_IN_PART in partner.reference for partner in file.partners):
        return file
    named = _predicted(path)
    partners, warnings = [], []
    for partner in file.partners:
        left = partner
        if PREDICTED_IN_PART in partner.reference:
            pairs = named.get(partner.rates.system, set())
            left = _left(partner, pairs, path)
            warnings.append(
                f"{partner.rates.system}: {len(pairs)} transitions that ratedb predicted are left out, by the"
                " provenance beside the file"
            )
        if len(left.rates):
            partners.append(left)
    return replace(file, partners=tuple(partners), warnings=(*file.warnings, *warnings))


def _left(partner: PartnerRates, predicted: set[tuple[str, str]], path: Path) -> PartnerRates:
    label = partner.rates.levels.label
    ends = zip(partner.rates.upper.tolist(), partner.rates.lower.tolist(), strict=True)
    pairs = [(label[upper], label[lower]) for upper, lower in ends]
    absent = predicted - set(pairs)
    if absent or not predicted:
        raise _unknown(path, f"a provenance of {len(absent)} predicted transitions that the file has not")
    keep = np.array([pair not in predicted for pair in pairs], dtype=np.bool_)
    words = [part for part in partner.reference.split("; ") if part != PREDICTED_IN_PART]
    return replace(partner, rates=partner.rates.select(keep), reference="; ".join(words))


def _predicted(path: Path) -> dict[str, set[tuple[str, str]]]:
    """Return the predicted transitions of each system, by their labels, from the provenance of a file."""
    sidecar = path.with_name(f"{path.name}.provenance.json")
    try:
        document: dict[str, Any] = json.loads(sidecar.read_bytes())
        if document["sha256"] != sha256(read_bytes(path)):
            raise _unknown(path, "the provenance of another file beside it")
        return {
            partner["system"]: {(one["upper"], one["lower"]) for one in partner["predicted"]}
            for partner in document["partners"]
        }
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _unknown(path, "no provenance beside it") from error


def _unknown(path: Path, got: str) -> RatedbError:
    return RatedbError(
        "the file says that ratedb predicted a part of it, and nothing says which",
        where=str(path),
        expected=f"{path.name}.provenance.json as it was exported with the file",
        got=got,
        todo="put it there; `ratedb import --kind extrapolated` takes all of it as that",
    )
