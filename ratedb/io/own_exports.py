"""Files that ratedb exported: what it predicted or interpolated is nobody's calculation when read again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.errors import RatedbError
from ratedb.files import read_bytes, sha256
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.provenance import PREDICTED_IN_PART
from ratedb.rates import Rates


def as_exported(file: MoleculeFile, path: Path) -> MoleculeFile:
    """Return a file as what it is by the provenance that ratedb wrote beside it; one without is as it was.

    Transitions that ratedb predicted are left out, and temperatures at which it interpolated; rates of one
    kind have that kind. Warnings of the file say so. Raises RatedbError where a file says that it is
    predicted in part and its provenance is not there, is of another file, or names other transitions.
    """
    predicted = any(PREDICTED_IN_PART in partner.reference for partner in file.partners)
    try:
        of_system = _provenance(path)
    except _NoProvenanceError as error:
        if predicted:
            raise _unknown(path, str(error)) from error
        return file
    partners, warnings = [], []
    for partner in file.partners:
        said = of_system.get(partner.rates.system)
        if said is None:
            if PREDICTED_IN_PART in partner.reference:
                raise _unknown(path, f"a provenance without {partner.rates.system}")
            partners.append(partner)
            continue
        left, words = _by_provenance(partner, said, path)
        warnings += words
        if left.rates.rate_cm3_s.size:
            partners.append(left)
    return replace(file, partners=tuple(partners), warnings=(*file.warnings, *warnings))


class _NoProvenanceError(Exception):
    """There is no provenance beside a file, or it is of another one."""


def _by_provenance(partner: PartnerRates, said: dict[str, Any], path: Path) -> tuple[PartnerRates, list[str]]:
    system, rates, words = partner.rates.system, partner.rates, []
    predicted: set[tuple[str, str]] = said["predicted"]
    if PREDICTED_IN_PART in partner.reference:  # a table with a column for it has left them out already
        rates = _without(rates, predicted, path)
        words.append(f"{system}: {len(predicted)} transitions that ratedb predicted are left out")
    between = np.isin(rates.temperature_k, said["interpolated_temperatures_k"])
    if between.any():
        listed = ", ".join(f"{kelvin:g}" for kelvin in rates.temperature_k[between])
        words.append(f"{system}: {listed} K are left out, where ratedb interpolated")
        kept_k = rates.temperature_k[~between]
        rates = replace(rates, temperature_k=kept_k, rate_cm3_s=rates.rate_cm3_s[:, ~between])
    kinds = [kind for kind, count in said["kinds"].items() if count and kind != "predicted"]
    reference = "; ".join(part for part in partner.reference.split("; ") if part != PREDICTED_IN_PART)
    kind = partner.kind or (kinds[0] if len(kinds) == 1 else None)
    if len(kinds) > 1 and partner.kind is None:
        words.append(f"{system}: the file mixes {' and '.join(kinds)} rates and does not say which is which")
    return replace(partner, rates=rates, reference=reference, kind=kind), words


def _without(rates: Rates, predicted: set[tuple[str, str]], path: Path) -> Rates:
    label = rates.levels.label
    ends = zip(rates.upper.tolist(), rates.lower.tolist(), strict=True)
    pairs = [(label[upper], label[lower]) for upper, lower in ends]
    absent = predicted - set(pairs)
    if absent or not predicted:
        raise _unknown(path, f"a provenance of {len(absent)} predicted transitions that the file has not")
    return rates.select(np.array([pair not in predicted for pair in pairs], dtype=np.bool_))


def _provenance(path: Path) -> dict[str, dict[str, Any]]:
    """Return what the provenance beside a file says of each system; raises _NoProvenanceError without it."""
    try:
        document: dict[str, Any] = json.loads(path.with_name(f"{path.name}.provenance.json").read_bytes())
        if document["sha256"] != sha256(read_bytes(path)):
            raise _NoProvenanceError("the provenance of another file beside it")
        return {
            one["system"]: {
                "predicted": {(pair["upper"], pair["lower"]) for pair in one["predicted"]},
                "interpolated_temperatures_k": [
                    float(kelvin) for kelvin in one["interpolated_temperatures_k"]
                ],
                "kinds": {str(kind): int(count) for kind, count in dict(one["kinds"]).items()},
            }
            for one in document["partners"]
        }
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise _NoProvenanceError("no provenance beside it") from error


def _unknown(path: Path, got: str) -> RatedbError:
    return RatedbError(
        "the file says that ratedb predicted a part of it, and nothing says which",
        where=str(path),
        expected=f"{path.name}.provenance.json as it was exported with the file",
        got=got,
        todo="put it there; `ratedb import --kind extrapolated` takes all of it as that",
    )
