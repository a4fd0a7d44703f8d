"""Read a page as a person with a text editor would, and stores to make pages of."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from small_co import LEVELS, make_small_store, of_j, put, truth
from synthetic import prediction_of, rotor_rates

from ratedb.levels import Lines
from ratedb.rates import Rates
from ratedb.store.plans import Plan
from ratedb.store.store import Incoming, SourceInfo, Store

PLANNED = {
    "n": 4,
    "train_j": [2, 5, 9, 12],
    "validate_j": [6],
    "explicit_hours": 120.0,
    "avoided_hours": 380.0,
    "explicit_percent": 24.0,
    "time_saved_percent": 76.0,
    "expected_error": 4.5,
}
OTHER = PLANNED | {
    "train_j": [5, 12],
    "explicit_percent": 18.0,
    "avoided_hours": 410.0,
    "expected_error": 9.25,
}

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">\' "&amp; ]]> <!-- {{ 7*7 }} </title>'


@dataclass
class Page(HTMLParser):
    """A page: its elements with attributes, the text that is shown, and the numbers it carries."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    _within: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def read(cls, path: Path) -> Page:
        page = cls()
        page.feed(path.read_text(encoding="utf-8"))
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within == "script":
            attributes, text = self.scripts.pop()
            self.scripts.append((attributes, text + data))
        elif self._within != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        """The text that is shown, with single blanks."""
        return " ".join(" ".join(self.words).split())

    @property
    def data(self) -> list[dict[str, Any]]:
        """The numbers of each system."""
        [text] = [text for attributes, text in self.scripts if attributes.get("id") == "report-data"]
        found: list[dict[str, Any]] = json.loads(text)
        return found


Value = tuple[str, str, bool, bool]


def values_of(system: Mapping[str, Any]) -> dict[tuple[int, str, str, float], Value]:
    """Return rate and half width in hexadecimal, and the flags, by source, labels and temperature."""
    kelvin, found = system["temperature_k"], {}
    for source in system["sources"]:
        size = len(source["rows"]) * len(kelvin)
        rate = _unpacked(source["rate"], "d", size)
        half_width = (
            [float("nan")] * size
            if source["half_width"] is None
            else _unpacked(source["half_width"], "d", size)
        )
        flags = [0] * size if source["flags"] is None else _unpacked(source["flags"], "B", size)
        for at, row in enumerate(source["rows"]):
            upper, lower = (system["label"][system[end][row]] for end in ("upper", "lower"))
            for column, temperature in enumerate(kelvin):
                place = at * len(kelvin) + column
                if rate[place] == rate[place]:
                    flag = flags[place]
                    value = rate[place].hex(), half_width[place].hex(), bool(flag & 1), bool(flag & 2)
                    found[source["id"], upper, lower, temperature] = value
    return found


def best_of(system: Mapping[str, Any]) -> dict[tuple[str, str, float], int]:
    """Return the id of the source whose value counts, by labels and temperature."""
    kelvin, found = system["temperature_k"], {}
    code = "b" if len(system["sources"]) < 128 else "h"
    best = _unpacked(system["best"], code, len(system["upper"]) * len(kelvin))
    for row, (upper, lower) in enumerate(zip(system["upper"], system["lower"], strict=True)):
        for column, temperature in enumerate(kelvin):
            place = best[row * len(kelvin) + column]
            if place >= 0:
                labels = system["label"][upper], system["label"][lower]
                found[(*labels, temperature)] = system["sources"][place]["id"]
    return found


def _unpacked(text: str | None, code: str, size: int) -> tuple[Any, ...]:
    """Return the numbers in base64, none where there are none."""
    return () if text is None else struct.unpack(f"<{size}{code}", base64.b64decode(text))


def rich_store(path: Path) -> Path:
    """Make the small store with more: j = 7 computed after it was predicted, a plan, another system."""
    make_small_store(path)
    with Store(path, write=True) as store:
        put(store, of_j(truth(), (7,), 1.1), "computed", "Fourth et al. (2024), ApJ 1, 2")
        store.put_plan(Plan("CO+p-H2", "variance", {}, [PLANNED, OTHER], PLANNED))
    return path


def predicted_only(path: Path) -> Path:
    """Make a store whose system CO+p-H2 has predictions and nothing else."""
    make_small_store(path)
    with Store(path, write=True) as store:
        with store.transaction():
            store.put_system("CO", "He")
        model = store.model(1)
        rates = prediction_of(of_j(truth(), (7, 8)))
        rates = Rates(
            LEVELS, "He", rates.upper, rates.lower, rates.temperature_k, rates.rate_cm3_s, rates.layers
        )
        store.put_prediction("CO+He", rates, np.ones(rates.rate_cm3_s.shape, dtype=np.bool_), model)
    return path


def hostile_store(path: Path) -> Path:
    """Make a store whose levels, references, methods and findings are markup, TeX and templates."""
    labels = tuple(f"{HOSTILE}$${n}$$ \\({n}\\)" for n in range(len(LEVELS)))
    levels = replace(LEVELS, label=labels, quantum_numbers={}, kind="")
    one = rotor_rates(LEVELS, "p-H2", (10.0, 20.0, 50.0))
    rates = Rates(levels, "p-H2", one.upper, one.lower, one.temperature_k, one.rate_cm3_s)
    info = SourceInfo("computed", HOSTILE, HOSTILE, HOSTILE.replace("/", ""), "0" * 64)
    with Store(path, write=True, create=True) as store:
        store.put_rates([Incoming(Lines.empty(), ((rates, info),))])
    return path
