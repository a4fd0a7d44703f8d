"""Mix rates for p-H2 and o-H2 into rates for H2, and store them as a new source."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ratedb.derived.mixture import PARTNERS, check_options, wanted_mixture
from ratedb.derived.naming import beside, usable
from ratedb.options import MixOptions, Progress, silent
from ratedb.physics.hydrogen import mixed
from ratedb.store.store import DerivedInfo, Store
from ratedb.verbs.derive import DeriveResult, compared, result_of


def mix(db: Path, name: str, options: MixOptions, progress: Progress = silent) -> DeriveResult:
    """Mix rates of a molecule for p-H2 and o-H2 at a ratio, and store all of them or none.

    Raises UsageError for options that do not fit, RatedbError where the store lacks rates for one of the two,
    or they have nothing in common.
    """
    check_options(options)
    asked = wanted_mixture(name, options)
    with Store(db) as store:
        stored = [store.rates(f"{asked.molecule}+{partner}") for partner in PARTNERS]
        truth = store.known_rates(asked.system) if store.has_system(asked.system) else None
        others = store.derivations(asked.system)
    (para, para_notes), (ortho, ortho_notes) = (usable(one, options.use_marked) for one in stored)
    progress("mixing")
    found = mixed(para, ortho, options.ortho_to_para)
    used = np.unique(np.concatenate([para.source_id.ravel(), ortho.source_id.ravel()]))
    info = DerivedInfo(
        target="mixture",
        method=asked.method,
        reference="; ".join(dict.fromkeys((*para.references, *ortho.references))),
        input_system=f"{para.system}, {ortho.system}",
        input_source_ids=tuple(int(number) for number in used if number >= 0),
        warnings=(*para_notes, *ortho_notes, *found.warnings, *beside(others, asked)),
    )
    with Store(db, write=True) as store:
        put = store.put_derived(found.rates, None, info, dry_run=options.dry_run)
    return result_of(found, info, asked, put, compared(truth, found), options.dry_run)
