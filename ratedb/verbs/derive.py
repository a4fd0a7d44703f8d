"""Derive rates from stored ones by physics, and store them as a new source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ratedb.derived.comparing import Comparison, compare_with
from ratedb.derived.making import make
from ratedb.derived.naming import Wanted, beside, check_options, circle, usable, wanted
from ratedb.files import InputFile
from ratedb.io.level_lists import read_levels_of
from ratedb.io.listed_levels import LevelList
from ratedb.levels import Lines
from ratedb.options import DeriveOptions, Progress, silent
from ratedb.physics.derived import Derived
from ratedb.rates import Rates
from ratedb.results import Result
from ratedb.store.store import DerivedInfo, PutResult, Store


@dataclass(frozen=True, repr=False)
class DeriveResult(Result):
    """What was derived: `new` and `unchanged` count values; `with_half_width` those from predictions.

    `within_j` transitions change F only. `details` are those of the method: incomplete sums, how much of the
    partner's population is covered, how well the sudden limit fits. `against` are errors against computed
    rates of the same system, None where the store has none.
    """

    system: str
    source_id: int | None
    derived_from: str
    source_ids: tuple[int, ...]
    to: str
    method: str
    reference: str
    levels: int
    transitions: int
    temperatures: int
    rates: int
    new: int
    unchanged: int
    with_half_width: int
    within_j: int
    details: Mapping[str, Any]
    against: Comparison | None
    warnings: tuple[str, ...] = ()
    dry_run: bool = False

    def summary(self) -> str:
        """Return what was derived from what."""
        done = f"{self.system} from {self.derived_from}, {self.transitions} transitions, {self.new} new rates"
        return f"{done} (dry run)" if self.dry_run else done


def derive(db: Path, system: str, options: DeriveOptions, progress: Progress = silent) -> DeriveResult:
    """Derive rates of another system from those of one, and store all of them or none.

    Raises UsageError for options that do not fit, RatedbError for an unknown system, or where rates cannot be
    derived or contradict the store, which is then as it was.
    """
    check_options(options)
    with Store(db) as store:
        stored = store.rates(system)
        asked = wanted(stored.levels, stored.collider, options)
        listed = _levels(store, asked, options)
        truth = store.known_rates(asked.system) if store.has_system(asked.system) else None
        own, others = store.derivations(system), store.derivations(asked.system)
    rates, left_out = usable(stored, options.use_marked)
    progress(f"deriving {options.to} rates")
    found = make(rates, asked, options, None if listed is None else listed.levels)
    notes = (*left_out, *found.warnings, *(listed.notes if listed else ()))
    info = _info(rates, asked, options, (*notes, *circle(rates, asked, own), *beside(others, asked)))
    lines = listed.lines if listed else Lines.empty()
    stored_list = options.like is not None and asked.molecule == options.like
    progress("storing")
    with Store(db, write=True) as store:
        put = store.put_derived(found.rates, None if stored_list else lines, info, dry_run=options.dry_run)
    return result_of(found, info, asked, put, compared(truth, found), options.dry_run)


def compared(truth: Rates | None, found: Derived) -> Comparison | None:
    """Return how far derived rates are from the computed ones of a store, None where it has none."""
    known = None if truth is None else truth.of_kinds(["computed"]).known()
    return compare_with(known, found.rates) if known is not None and len(known) else None


def _levels(store: Store, asked: Wanted, options: DeriveOptions) -> LevelList | None:
    """Return the levels and lines that the result is to have, None for those of the derivation."""
    if options.like is not None:
        stored = store.levels(options.like)
        return LevelList(replace(stored.levels, molecule=asked.molecule), stored.lines)
    return read_levels_of(options.levels, asked.molecule) if options.levels else None


def _info(rates: Rates, asked: Wanted, options: DeriveOptions, warnings: tuple[str, ...]) -> DerivedInfo:
    file = InputFile.read(options.levels[0]) if options.levels else None
    return DerivedInfo(
        target=options.to,
        method=asked.method,
        reference="; ".join(rates.references),
        input_system=rates.system,
        input_source_ids=tuple(int(number) for number in np.unique(rates.source_id) if number >= 0),
        warnings=warnings,
        levels_file=None if file is None else (file.path.name, file.sha256),
    )


def result_of(
    found: Derived,
    info: DerivedInfo,
    asked: Wanted,
    put: PutResult,
    against: Comparison | None,
    dry_run: bool,
) -> DeriveResult:
    """Return what was derived, with what the store said of it."""
    rates = found.rates
    return DeriveResult(
        system=asked.system,
        source_id=put.source_id,
        derived_from=info.input_system,
        source_ids=info.input_source_ids,
        to=info.target,
        method=info.method,
        reference=info.reference,
        levels=len(rates.levels),
        transitions=len(rates),
        temperatures=len(rates.temperature_k),
        rates=int(np.isfinite(rates.rate_cm3_s).sum()),
        new=put.new,
        unchanged=put.unchanged,
        with_half_width=int(np.isfinite(rates.log10_half_width_68).sum()),
        within_j=0 if found.elastic_in_j is None else int(found.elastic_in_j.sum()),
        details=found.details,
        against=against,
        warnings=put.warnings,
        dry_run=dry_run,
    )
