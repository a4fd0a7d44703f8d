"""A store as Python sees it: what `ratedb.open` gives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy.typing as npt

from ratedb.errors import RatedbError
from ratedb.rates import Rates
from ratedb.store.connection import quoted
from ratedb.store.opening import bring_up_to_date
from ratedb.store.query import QueryResult, run_query
from ratedb.store.selection import Selection, select_rates
from ratedb.store.store import Store
from ratedb.verbs.show import SYSTEMS_SQL


class Database:
    """A store to ask.

    It only reads. The file is opened for each question and closed after it, so that it is never locked in
    between; `with` is allowed, and not needed. Raises RatedbError where the file is not there or is not a
    store, LockedError where another process writes to it.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        bring_up_to_date(self.path)

    def __repr__(self) -> str:
        return f"<ratedb.Database {self.path.name}>"

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def rates(
        self,
        system: str,
        *,
        kinds: Sequence[str] | str = (),
        min_quality: str = "any",
        temperature_k: npt.ArrayLike | None = None,
        j_max: int | None = None,
    ) -> Rates:
        """Return the best rates of a system, such as CO+p-H2: those that an export writes.

        `kinds` are the kinds of values to take (computed, scaled, extrapolated, predicted), all where empty;
        `min_quality` is any, unmarked (no value with an error of quality control) or unsuspected (no warning
        either); `temperature_k` are temperatures to interpolate at; `j_max` leaves out levels above it.

        Raises UsageError for a choice that does not exist, RatedbError for an unknown system, where nothing
        is left, or where rates do not reach a temperature.
        """
        chosen = Selection((kinds,) if isinstance(kinds, str) else tuple(kinds or ()), min_quality, j_max)
        chosen.check()
        with Store(self.path) as store:
            rates = select_rates(store, system, chosen)
        if not len(rates):
            raise RatedbError(
                f"there are no such rates of {system}",
                where=str(self.path),
                expected="rates in the store that the choice leaves in",
                got=f"kinds {', '.join(chosen.kinds) or 'all'}, min_quality {min_quality}, j_max {j_max}",
                todo="choose less strictly",
            )
        return rates if temperature_k is None else rates.at(temperature_k)

    def systems(self) -> QueryResult:
        """Return a row for each system: transitions, temperatures, and values by kind."""
        return self.sql(SYSTEMS_SQL)

    def levels(self, molecule: str) -> QueryResult:
        """Return the levels of a molecule by energy (cm-1); raises RatedbError for an unknown one."""
        return self._of_molecule(
            molecule,
            "SELECT label, v, j, energy_cm1, weight FROM levels"
            f" WHERE molecule = {quoted(molecule)} ORDER BY energy_cm1, level_id",
        )

    def lines(self, molecule: str) -> QueryResult:
        """Return the lines of a molecule by frequency (GHz); raises RatedbError for an unknown one."""
        return self._of_molecule(
            molecule,
            "SELECT upper_label, lower_label, v, j, v_final, j_final, frequency_ghz, einstein_a_s1"
            f" FROM radiative WHERE molecule = {quoted(molecule)} ORDER BY frequency_ghz, upper_id, lower_id",
        )

    def sources(self, system: str | None = None) -> QueryResult:
        """Return the sources of all systems or of one; raises RatedbError for an unknown one."""
        return self._of_system(system, "sources", "source_id")

    def findings(self, system: str | None = None) -> QueryResult:
        """Return what quality control found, in all systems or one; RatedbError for an unknown one."""
        order = "source_id, severity, rule, v, j, v_final, j_final, upper_label, lower_label, temperature_k"
        return self._of_system(system, "findings", order)

    def sql(self, query: str) -> QueryResult:
        """Return what one query gives, as `ratedb sql` does: it reads this store and nothing else.

        Raises RatedbError where the query is refused.
        """
        return run_query(self.path, query)

    def _of_molecule(self, molecule: str, query: str) -> QueryResult:
        result = self.sql(query)
        if not result.rows:
            with Store(self.path) as store:
                store.levels(molecule)  # says that there is no such molecule
        return result

    def _of_system(self, system: str | None, view: str, order: str) -> QueryResult:
        condition = "" if system is None else f"WHERE system = {quoted(system)}"
        result = self.sql(f"SELECT * FROM {view} {condition} ORDER BY {order}")
        if system is not None and not result.rows:
            with Store(self.path) as store:
                store.system(system)  # says that there is no such system
        return result
