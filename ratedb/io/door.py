"""What every file and table passes before it is used: names are refused or kept, free texts are cleaned."""

from __future__ import annotations

from dataclasses import replace

from ratedb.io.contents import MoleculeFile, PartnerRates
from ratedb.safe_text import clean, visible
from ratedb.systems import need_level_names


def admitted(file: MoleculeFile, where: str | None = None) -> MoleculeFile:
    """Return the contents of a file with free texts cleaned; raises RatedbError for an impossible name.

    Characters that cannot be seen are escapes in warnings, which quote the file.
    """
    every = {id(levels): levels for levels in (file.levels, *(one.rates.levels for one in file.partners))}
    for levels in every.values():
        need_level_names(levels.molecule, levels.label, where)
    partners = tuple(_cleaned(partner) for partner in file.partners)
    return replace(file, partners=partners, warnings=tuple(map(visible, file.warnings)))


def _cleaned(partner: PartnerRates) -> PartnerRates:
    reference, method = clean(partner.reference), clean(partner.method)
    if (reference, method) == (partner.reference, partner.method):
        return partner
    return replace(partner, reference=reference, method=method)
