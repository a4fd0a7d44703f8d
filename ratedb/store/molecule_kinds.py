"""Find the kinds of the molecules of a store that was written before ratedb knew any but linear ones."""

from __future__ import annotations

import duckdb
import numpy as np

from ratedb.errors import RatedbError
from ratedb.kinds.recognise import recognised, with_kind
from ratedb.levels import UNKNOWN_KIND, Levels
from ratedb.store.connection import run
from ratedb.store.level_identity import put_numbers


def recognise_stored(connection: duckdb.DuckDBPyConnection) -> None:
    """Give each molecule of unknown kind the kind that its levels prove, and its levels their numbers.

    Energies, weights, rates and labels stay as they are, and so do molecules whose levels prove nothing.
    """
    unknown = run(connection, "SELECT molecule FROM molecule WHERE kind = ?", [UNKNOWN_KIND]).fetchall()
    for (molecule,) in unknown:
        rows = run(
            connection,
            "SELECT level_id, label, energy_cm1, weight, quantum_numbers FROM levels WHERE molecule = ?"
            " ORDER BY energy_cm1, level_id",
            [molecule],
        ).fetchall()
        found = _found(molecule, rows)
        if found is None or found.kind == UNKNOWN_KIND:
            continue
        run(connection, "UPDATE molecule SET kind = ? WHERE molecule = ?", [found.kind, molecule])
        put_numbers(connection, found, np.array([row[0] for row in rows], dtype=np.int64))


def _found(molecule: str, rows: list[tuple[int, str, float, float, dict[str, float]]]) -> Levels | None:
    """Return the levels with what is recognised in them, None where they are no table of levels."""
    if not rows:
        return None
    _, labels, energy, weight, numbers = zip(*rows, strict=True)
    names = dict.fromkeys(name for one in numbers for name in one or {})
    named = {name: np.array([(one or {}).get(name) for one in numbers], dtype=np.float64) for name in names}
    try:
        levels = Levels(molecule, labels, np.array(energy), np.array(weight), named)
        return with_kind(levels) if names else recognised(levels)
    except RatedbError:
        return None
