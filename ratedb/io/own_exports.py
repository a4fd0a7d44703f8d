"""Files that ratedb exported: when they are read again, what it predicted or interpolated is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ratedb.errors import RatedbError
from ratedb.files import InputFile, as_input
from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.io.provenance import PREDICTED_IN_PART
from ratedb.io.sidecar import ExportedPartner, NoProvenanceError, Provenance, read_provenance
from ratedb.kinds.recognise import recognised
from ratedb.layers import Kind
from ratedb.rates import Rates


def as_exported(found: MoleculeFile, file: InputFile | Path) -> MoleculeFile:
    """Return the contents of a file corrected by its provenance; without one they are as they were.

    Labels that were changed for the file are the original ones again, and frequencies that were computed are
    known as such. Transitions that ratedb predicted are left out, and temperatures at which it interpolated;
    rates of one kind get that kind. Warnings say so. Raises RatedbError where a file says that it is
    predicted in part and its provenance is missing, of another file, or names other transitions, and where
    a provenance next to it is invalid.
    """
    file = as_input(file)
    predicted = any(PREDICTED_IN_PART in partner.reference for partner in found.partners)
    try:
        provenance = read_provenance(file.path, file.sha256)
    except RatedbError as error:
        if predicted:
            raise _unknown(file.path, error.what) from error
        if not isinstance(error, NoProvenanceError):
            raise
        return found
    found = _as_before(found, provenance)
    partners, warnings = [], []
    for partner in found.partners:
        said = provenance.partners.get(partner.rates.system)
        if said is None:
            if PREDICTED_IN_PART in partner.reference:
                raise _unknown(file.path, f"a provenance without {partner.rates.system}")
            partners.append(partner)
            continue
        left, words = _by_provenance(partner, said, file.path)
        warnings += words
        if left.rates.rate_cm3_s.size:
            partners += _apart(left, said)
    return replace(found, partners=tuple(partners), warnings=(*found.warnings, *warnings))


def _as_before(found: MoleculeFile, provenance: Provenance) -> MoleculeFile:
    """Return a file with its original labels and the quantum numbers in them.

    Its lines know whether a source has their frequency.
    """
    written, lines = found.levels.label, found.lines
    computed = [
        (written[u], written[w]) in provenance.computed_lines
        for u, w in zip(lines.upper.tolist(), lines.lower.tolist(), strict=True)
    ]
    lines = replace(lines, frequency_computed=lines.frequency_computed | np.array(computed, dtype=np.bool_))
    levels = replace(found.levels, label=tuple(provenance.labels.get(label, label) for label in written))
    if not levels.quantum_numbers:
        levels = recognised(levels, " ".join(provenance.quantum_numbers))
    partners = tuple(replace(one, rates=replace(one.rates, levels=levels)) for one in found.partners)
    return replace(found, levels=levels, lines=lines, partners=partners)


def _by_provenance(
    partner: PartnerRates, said: ExportedPartner, path: Path
) -> tuple[PartnerRates, list[str]]:
    system, rates, words = partner.rates.system, partner.rates, []
    if PREDICTED_IN_PART in partner.reference:  # a table with the column `kind` has left them out already
        rates = _without(rates, said.predicted, path)
        words.append(f"{system}: {len(said.predicted)} transitions that ratedb predicted are left out")
    between = np.isin(rates.temperature_k, said.interpolated_k)
    if between.any():
        listed = ", ".join(f"{kelvin:g}" for kelvin in rates.temperature_k[between])
        words.append(f"{system}: {listed} K are left out, where ratedb interpolated")
        rates = rates.select_temperatures(~between)
    kinds = [kind for kind, count in said.kinds.items() if count and kind != Kind.PREDICTED.text]
    if len(kinds) > 1 and partner.kind is None:
        words.append(f"{system}: the file mixes {' and '.join(kinds)} rates without naming the kind of each")
    reference = "; ".join(part for part in partner.reference.split("; ") if part != PREDICTED_IN_PART)
    kind = partner.kind or (kinds[0] if len(kinds) == 1 else None)
    return replace(partner, rates=rates, reference=reference, kind=kind), words


def _apart(partner: PartnerRates, said: ExportedPartner) -> list[PartnerRates]:
    """Return rates by source, with method and reference of each.

    They stay together where a transition is of several sources.
    """
    sources = [one for one in said.sources if partner.kind in (None, one.kind)]
    if not sources:
        return [partner]
    names = partner.rates.transitions.names()
    listed = [[name in one.pairs for name in names] for one in sources if one.pairs is not None]
    elsewhere = np.array(listed, dtype=np.bool_).reshape(-1, len(names)).sum(axis=0)
    if (elsewhere > 1).any() or sum(one.pairs is None for one in sources) > 1:
        return [partner]
    found = []
    for one in sources:
        pairs = one.pairs
        mine = (
            elsewhere == 0 if pairs is None else np.array([name in pairs for name in names], dtype=np.bool_)
        )
        rates = partner.rates.select(mine)
        if one.own_k:
            rates = rates.select_temperatures(np.isin(rates.temperature_k, one.own_k))
        if rates.rate_cm3_s.size:
            found.append(
                replace(
                    partner,
                    rates=rates,
                    reference=one.reference,
                    method=one.method,
                    kind=one.kind,
                    exported=True,
                )
            )
    return found


def _without(rates: Rates, predicted: frozenset[tuple[str, str]], path: Path) -> Rates:
    names = rates.transitions.names()
    absent = predicted - set(names)
    if absent or not predicted:
        raise _unknown(path, f"a provenance of {len(absent)} predicted transitions that are not in the file")
    return rates.select(np.array([name not in predicted for name in names], dtype=np.bool_))


def _unknown(path: Path, got: str) -> RatedbError:
    return RatedbError(
        "the file says that ratedb predicted a part of it, but nothing says which part",
        where=str(path),
        expected=f"{path.name}.provenance.json as it was exported with the file",
        got=got,
        todo="put it there, or import all of the file with --kind extrapolated",
    )
