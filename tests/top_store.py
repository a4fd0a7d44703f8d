"""Stores and files of a made-up top, TOP and its pairs: rates by a law, so that the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from made_tops import made_rates, top_levels
from synthetic import lamda_text

from ratedb.kinds.recognise import with_kind
from ratedb.kinds.units import units_of
from ratedb.layers import Kind
from ratedb.levels import Levels, Lines
from ratedb.physics.orientation import downward, turned_rates, units_out_of
from ratedb.rates import Rates
from ratedb.store.sources import Incoming
from ratedb.store.staging import SourceInfo
from ratedb.store.store import Store

SYSTEM = "TOP+He"
PARTNER_CM1 = (0.0, 354.0)


def levels(last_j: int = 4, partner: tuple[float, ...] = ()) -> Levels:
    """Return the levels of TOP, of a known kind."""
    return with_kind(top_levels(last_j, partner=partner))


def rates(last_j: int = 4, partner: tuple[float, ...] = (), seed: int = 7) -> Rates:
    """Return all rates of TOP by which the target falls, with seeded noise."""
    return made_rates(levels(last_j, partner), seed=seed)


def out_of(table: Rates, units: Sequence[str]) -> Rates:
    """Return the rates out of some initial states."""
    every = units_of(table.levels)
    return table.select(np.isin(units_out_of(table.transitions, every), every.places(units, "a test")))


def put(db: Path, table: Rates, file_name: str = "made.csv") -> Path:
    """Store rates as a source of its own, in the direction in which stores keep them."""
    way = downward(table.transitions)
    stored = turned_rates(table, way.upper != table.upper)
    info = SourceInfo(Kind.COMPUTED.text, "CC", "Somebody 2020", file_name, "0" * 64)
    with Store(db, write=True, create=True) as store:
        store.put_rates([Incoming(Lines.empty(), ((stored, info),))])
    return db


def lamda_of(table: Rates) -> str:
    """Return a LAMDA file of the top's rates, without lines."""
    lines = Lines.empty()
    of_weight = replace(table.levels, molecular_weight=30.0)
    return lamda_text([replace(table, levels=of_weight)], lines).replace("WEIGHT + v_J", "WEIGHT + J_Ka_Kc")
