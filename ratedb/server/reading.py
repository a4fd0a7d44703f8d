"""Answers out of a store: made in threads, kept while the store stays as it is, and never too large."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ratedb.errors import UsageError, did_you_mean
from ratedb.io.columns_write import render_columns
from ratedb.rates import Rates
from ratedb.results import plain
from ratedb.server.answers import HTML, JSON, Answer, download, json_answer, json_bytes, size
from ratedb.server.keeping import Kept
from ratedb.server.pages import matches
from ratedb.server.refusals import NotFoundError, TooLargeError
from ratedb.server.rows import number_of_values, rows_of
from ratedb.server.served import FILES, Limits, Rows, Served, without_names
from ratedb.store.selection import Selection

_SLOW_THREADS, _QUICK_THREADS = 2, 4
_SIDECAR = ".provenance.json"
_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_UNITS = {
    "temperature_k": "K",
    "rate_cm3_s": "cm3 s-1",
    "upper_energy_cm1": "cm-1",
    "lower_energy_cm1": "cm-1",
    "log10_half_width_68": "dex",
}
_TEXT = "text/plain; charset=utf-8"


class Reader:
    """Reads a store for a server. All methods raise BusyError, and RatedbError as `Served` does."""

    def __init__(self, served: Served, limits: Limits) -> None:
        self.served, self.limits = served, limits
        # A page or a file takes seconds: queries do not wait for them.
        self._slow, self._quick = (
            Kept(
                threads=threads,
                waiting=limits.waiting,
                seconds=limits.seconds,
                kept_bytes=limits.kept_bytes // 2,
            )
            for threads in (_SLOW_THREADS, _QUICK_THREADS)
        )

    def close(self) -> None:
        """Make no further answers."""
        self._slow.close()
        self._quick.close()

    async def page(self, name: tuple[str, ...], make: Callable[[Rows], Answer]) -> Answer:
        """Return a page that is made of the list of systems."""
        state = self.served.state()
        rows = await self._listed(state)
        return await self._quick.get((state, *name), lambda: make(rows), size)

    async def report(self, system: str) -> Answer:
        """Return the page of a system."""
        state = self.served.state()
        row = await self._row(state, system)
        self._need_small(row, "the page", "the query API has one transition at a time")
        system = row["system"]
        return await self._slow.get((state, "report", system), lambda: self._report(system), size)

    async def file(self, name: str) -> Answer:
        """Return a file of a system, such as CO+p-H2.dat, or its provenance, CO+p-H2.dat.provenance.json."""
        state = self.served.state()
        plain_name = name.removesuffix(_SIDECAR)
        ending = next((one for one in FILES if plain_name.endswith(one)), None)
        if ending is None:
            raise NotFoundError(
                "there is no such file",
                expected=f"SYSTEM{' or SYSTEM'.join(FILES)}, or one with {_SIDECAR}",
                got=name,
            )
        system = plain_name.removesuffix(ending)
        self._need_small(await self._row(state, system), "the file", "use `ratedb export` where the store is")
        files = await self._slow.get(
            (state, "file", plain_name),
            lambda: self.served.export(system, FILES[ending], plain_name),
            lambda found: sum(map(len, found.values())),
        )
        of = JSON if name != plain_name else _TYPES.get(FILES[ending], _TEXT)
        return Answer(files[name], of, download(name))

    async def systems(self, search: str | None) -> Answer:
        """Return the systems as JSON."""
        rows = await self._listed(self.served.state())
        return json_answer({"systems": [row for row in rows if matches(row["system"], search or "")]})

    async def table(self, name: str, system: str) -> Answer:
        """Return a table of a system, such as its sources, as JSON."""
        state = self.served.state()
        row = await self._row(state, system)
        if name == "lines":  # whose densities need all rates
            self._need_small(row, "the answer", "use `ratedb lines` where the store is")
        system = row["system"]
        return await self._quick.get(
            (state, name, system), lambda: json_answer(self.served.table(name, system)), size
        )

    async def rates(self, asked: Mapping[str, Any], query: str) -> Answer:
        """Return rates as JSON or a table; `query` is the text of what is asked."""
        if asked["format"] != "json" and (asked["limit"] is not None or asked["offset"]):
            raise UsageError("limit and offset are for JSON", expected="format=json", got=asked["format"])
        state = self.served.state()
        row = await self._row(state, asked["system"])
        system = row["system"]
        asked = {**asked, "system": system}
        wanted = Selection(asked["kinds"], asked["min_quality"], asked["j_max"])
        if row["rates"] > self.limits.values:
            wanted = replace(wanted, upper=asked["upper"], lower=asked["lower"])
            if len(wanted.labels()) < 2:
                self._need_small(row, "the answer", "ask for one transition, with upper and lower")
        table = await self._quick.get(
            (state, "rates", system, wanted), lambda: self.served.rates(system, wanted), _memory
        )
        return await self._quick.get(
            (state, "answer", query),
            lambda: self._rates(table, asked),
            lambda answer: size(answer) + len(query),
        )

    def _rates(self, table: Rates, asked: Mapping[str, Any]) -> Answer:
        if asked["upper"] is not None:
            table = table.select(table.upper_label == asked["upper"])
        if asked["lower"] is not None:
            table = table.select(table.lower_label == asked["lower"])
        if not len(table):
            raise NotFoundError(
                f"there are no such rates of {asked['system']}",
                expected="labels of levels, as /api/levels lists them",
                got=" -> ".join(str(asked[end] or "any") for end in ("upper", "lower")),
            )
        if asked["temperature"] is not None:
            self._need_room(
                len(table) * len(asked["temperature"]), self.limits.values, "fewer levels or temperatures"
            )
            table = table.at(asked["temperature"])
        if asked["format"] != "json":
            content = render_columns([table], asked["format"])
            return Answer(content, _TYPES[asked["format"]], download(f"{asked['system']}.{asked['format']}"))
        left = max(number_of_values(table) - asked["offset"], 0)
        wanted = left if asked["limit"] is None else min(asked["limit"], left)
        self._need_room(
            wanted, self.limits.rows, "fewer levels or temperatures, or a part by limit and offset"
        )
        return self._as_rows(table, asked, wanted)

    def _as_rows(self, table: Rates, asked: Mapping[str, Any], limit: int) -> Answer:
        page = rows_of(table, asked["offset"], limit)
        used = sorted({row["source_id"] for row in page.rows})
        about = {
            "system": table.system,
            "units": _UNITS,
            "total": page.total,
            "offset": asked["offset"],
            "sources": {number: without_names(table.sources.get(number, {})) for number in used},
        }
        return Answer(json_bytes({**plain(about), "rates": page.rows}), JSON)

    def _need_room(self, values: int, most: int, less: str) -> None:
        if values > most:
            raise TooLargeError(
                "the answer is too large",
                expected=f"{most} values at most",
                got=f"{values} values",
                todo=f"ask for {less}",
            )

    def _need_small(self, row: Mapping[str, Any], what: str, todo: str) -> None:
        if row["rates"] > self.limits.values:
            raise TooLargeError(
                f"{what} would be too large",
                expected=f"a system of {self.limits.values} values at most",
                got=f"{row['rates']} values of {row['system']}",
                todo=todo,
            )

    def _report(self, system: str) -> Answer:
        return Answer(self.served.report(system), HTML)

    async def _listed(self, state: str) -> Rows:
        return await self._quick.get((state, "systems"), self.served.systems, lambda rows: 500 * len(rows))

    async def _row(self, state: str, system: str) -> Mapping[str, Any]:
        """Return what the list of systems says of one; raises NotFoundError for an unknown one.

        In a query a plus sign that is written as it is comes as a blank.
        """
        rows = await self._listed(state)
        names = (system, system.replace(" ", "+"))
        found = next((row for name in names for row in rows if row["system"] == name), None)
        if found is None:
            todo = did_you_mean(system, [row["system"] for row in rows])
            raise NotFoundError(
                f"the store has no system {system!r}", todo=todo or "/api/systems lists all of them"
            )
        return found


def _memory(table: Rates) -> int:
    # A value has its rate, half width, kind, source and marks.
    return 4 * int(table.rate_cm3_s.nbytes)
