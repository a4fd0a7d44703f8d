"""What other molecules tell of a new one: numbers of the sudden law, their spread, and kernel numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from ratedb.arrays import FloatArray, IntArray
from ratedb.errors import RatedbError
from ratedb.models.corpus.intervals import IntervalTable
from ratedb.models.corpus.kernel import PARTS, KernelShape
from ratedb.models.corpus.law import NUMBERS

FORMAT = 1
_SAME_CONSTANT = 0.002
_RANGE = 0.3  # in ln B and ln T: how far outside the corpus a molecule may be
SUMMARY = {
    "system": "VARCHAR",
    "where": "VARCHAR",
    "molecule": "VARCHAR",
    "source": "VARCHAR",
    "transitions": "BIGINT",
    "rotational_constant_cm1": "DOUBLE",
    "temperature_min_k": "DOUBLE",
    "temperature_max_k": "DOUBLE",
}
"""The columns of a list of the corpus, and their types as DuckDB has them."""

# Ridge of the regression of law numbers on temperature and rotational constant.
_RIDGE = np.diag([1e-6, 0.1, 0.1, 1.0, 1.0])
# Spread that is added as that of 0.8 molecules, so that few molecules do not look too much alike.
_LEAST_SPREAD = np.array([0.3, 0.3, 0.3, 0.5, 0.3, 0.3, 0.3, 0.5, 0.02, 1.0])
_LEAST_COUNT = 0.8
USUAL_LOG_VARIANCE = np.array([-4.0, -3.0, -10.0, -10.5, -11.5])
_VARIANCE_SPREAD = 1.5


@dataclass(frozen=True, eq=False)
class CorpusSystem:
    """What one system tells: its law numbers at m temperatures, and the variances of the kernel's parts.

    `numbers` has shape (m, 10), `covariance` (m, 10, 10), `log_variance` (5,).
    """

    system: str
    molecule: str
    source: str
    transitions: int
    rotational_constant_cm1: float
    temperature_k: FloatArray
    numbers: FloatArray
    covariance: FloatArray
    log_variance: FloatArray

    def summary(self, where: str = "shipped") -> tuple[str, str, str, str, int, float, float, float]:
        """Return what `SUMMARY` names; `where` says whether it came with ratedb."""
        low, high = float(self.temperature_k.min()), float(self.temperature_k.max())
        b = round(self.rotational_constant_cm1, 4)
        return self.system, where, self.molecule, self.source, self.transitions, b, low, high

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        lower = np.tril_indices(NUMBERS)
        names = ("system", "molecule", "source", "transitions", "rotational_constant_cm1")
        return {
            **{name: getattr(self, name) for name in names},
            "temperature_k": self.temperature_k.tolist(),
            "numbers": np.round(self.numbers, 4).tolist(),
            "covariance": [[float(f"{x:.3g}") for x in each[lower]] for each in self.covariance],
            "log_variance": np.round(self.log_variance, 3).tolist(),
        }

    @staticmethod
    def of_json(values: dict[str, Any]) -> CorpusSystem:
        """Return the system that `to_json` gave; raises ValueError where a number is not finite."""
        temperature_k = np.array(values["temperature_k"], dtype=np.float64)
        m, lower = len(temperature_k), np.tril_indices(NUMBERS)
        covariance = np.zeros((m, NUMBERS, NUMBERS))
        for each, flat in zip(covariance, values["covariance"], strict=True):
            each[lower] = flat
            each += np.tril(each, -1).T
        numbers = np.array(values["numbers"], dtype=np.float64).reshape(m, NUMBERS)
        log_variance = np.array(values["log_variance"], dtype=np.float64).reshape(len(PARTS))
        if not all(np.isfinite(each).all() for each in (numbers, covariance, log_variance)):
            raise ValueError("a number is not finite")
        return CorpusSystem(
            str(values["system"]),
            str(values["molecule"]),
            str(values["source"]),
            int(values["transitions"]),
            float(values["rotational_constant_cm1"]),
            temperature_k,
            numbers,
            covariance,
            log_variance,
        )


@dataclass(frozen=True, eq=False)
class CurveShapes:
    """Curves without their level: log10 k less its mean at each temperature, by which twins are known.

    `j` (n, 2) are initial and final j, `temperature_k` (m,) in K, `log10_k` (n, m).
    """

    j: IntArray
    temperature_k: FloatArray
    log10_k: FloatArray


@dataclass(frozen=True, eq=False)
class Prior:
    """What a corpus expects of a molecule: law numbers (m, 10), their covariance, and log variances (5,)."""

    numbers: FloatArray
    covariance: FloatArray
    log_variance: FloatArray
    log_variance_spread: FloatArray


@dataclass(frozen=True, eq=False)
class Corpus:
    """Systems of several molecules and the numbers that they share.

    `own` has the curves of those that were not shipped but come from one's own store, by their names.
    """

    systems: tuple[CorpusSystem, ...]
    kernel: KernelShape
    intervals: IntervalTable
    own: Mapping[str, CurveShapes] = field(default_factory=dict)

    def without(self, molecule: str, rotational_constant_cm1: float) -> tuple[Corpus, tuple[str, ...]]:
        """Return the corpus without a molecule, and the systems left out.

        Isotopologues are the same molecule, and so is another name with the same rotational constant.
        """
        name = elements(molecule)
        out = [
            one.system
            for one in self.systems
            if elements(one.molecule) == name
            or abs(one.rotational_constant_cm1 / rotational_constant_cm1 - 1.0) < _SAME_CONSTANT
        ]
        return self.less(out), tuple(out)

    def less(self, out: Collection[str]) -> Corpus:
        """Return the corpus without the systems of these names."""
        rest = tuple(one for one in self.systems if one.system not in out)
        own = {name: curves for name, curves in self.own.items() if name not in out}
        return replace(self, systems=rest, intervals=self.intervals.without(out), own=own)

    def prior(self, temperature_k: FloatArray, rotational_constant_cm1: float) -> Prior:
        """Return what is expected at temperatures, shape (m,); wider where the corpus has nothing alike."""
        if len({one.molecule for one in self.systems}) < 2:
            raise RatedbError(
                "the corpus is too small",
                expected="systems of two other molecules or more",
                got=", ".join(one.system for one in self.systems) or "none",
                todo="train with --corpus off",
            )
        shares = self._shares()
        moment, target = _RIDGE.copy(), np.zeros((len(_RIDGE), NUMBERS))
        for share, one in zip(shares, self.systems, strict=True):
            own = self._inputs(one.temperature_k, one.rotational_constant_cm1)
            moment += share / len(own) * own.T @ own
            target += share / len(own) * own.T @ one.numbers
        coefficients = np.linalg.solve(moment, target)
        spread = np.zeros((NUMBERS, NUMBERS))
        for share, one in zip(shares, self.systems, strict=True):
            own = self._inputs(one.temperature_k, one.rotational_constant_cm1)
            off = one.numbers - own @ coefficients
            spread += share / len(off) * (off.T @ off + one.covariance.sum(axis=0))
        spread += _LEAST_COUNT * np.diag(_LEAST_SPREAD**2)
        covariance = spread / (shares.sum() + _LEAST_COUNT)
        far = 1.0 + self.distance(temperature_k, rotational_constant_cm1) ** 2
        of_systems = np.stack([one.log_variance for one in self.systems])
        middle = (shares @ of_systems + USUAL_LOG_VARIANCE) / (shares.sum() + 1.0)
        squares = shares @ (of_systems - middle) ** 2 + 2.0 * _VARIANCE_SPREAD**2
        return Prior(
            self._inputs(temperature_k, rotational_constant_cm1) @ coefficients,
            covariance * far,
            middle,
            np.sqrt(squares / (shares.sum() + 2.0)),
        )

    def distance(self, temperature_k: FloatArray, rotational_constant_cm1: float) -> float:
        """Return how far a molecule is outside the corpus, in the ranges of ln B and ln T; 0 within them."""
        constants = np.log([one.rotational_constant_cm1 for one in self.systems])
        temperatures = np.log(np.concatenate([one.temperature_k for one in self.systems]))
        total = 0.0
        for values, wanted in (
            (constants, np.log([rotational_constant_cm1])),
            (temperatures, np.log(temperature_k)),
        ):
            low, high = values.min() - _RANGE, values.max() + _RANGE
            beyond = max(low - wanted.min(), wanted.max() - high, 0.0)
            total += float(beyond / (high - low)) ** 2
        return float(np.sqrt(total))

    def _shares(self) -> FloatArray:
        """Return the weight of each system: those of one molecule count as one."""
        names = [elements(one.molecule) for one in self.systems]
        return np.array([1.0 / names.count(name) for name in names])

    def _inputs(self, temperature_k: FloatArray, rotational_constant_cm1: float) -> FloatArray:
        """Return what the law numbers are regressed on, shape (m, 5), within the range of the corpus."""
        known = np.log([one.rotational_constant_cm1 for one in self.systems])
        b = np.clip(np.log(rotational_constant_cm1), known.min() - _RANGE, known.max() + _RANGE)
        t = np.log(np.asarray(temperature_k, dtype=np.float64) / 100.0)
        return np.column_stack([np.ones(len(t)), t, t**2, np.full(len(t), b), b * t])

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "format": FORMAT,
            "kernel": asdict(self.kernel),
            "intervals": self.intervals.to_json(),
            "systems": [one.to_json() for one in self.systems],
        }

    @staticmethod
    def of_json(values: dict[str, Any]) -> Corpus:
        """Return the corpus that `to_json` gave."""
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']}")
        kernel = KernelShape(**{**values["kernel"], "slopes": tuple(values["kernel"]["slopes"])})
        systems = tuple(CorpusSystem.of_json(one) for one in values["systems"])
        return Corpus(systems, kernel, IntervalTable.of_json(values["intervals"]))


@cache
def shipped_corpus() -> Corpus:
    """Return the corpus that comes with ratedb; raises RatedbError where its file is damaged."""
    file = resources.files("ratedb.models.corpus") / "corpus.json"
    try:
        return Corpus.of_json(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RatedbError(
            "the corpus that comes with ratedb cannot be read",
            where=str(file),
            expected=f"a corpus of format {FORMAT}",
            got=repr(error)[:120],
            todo="install ratedb again, or train with --corpus off",
        ) from error


def elements(molecule: str) -> tuple[str, ...]:
    """Return the elements of a linear molecule in order, isotopes as their element: 13CO, C18O -> C, O.

    A number of two digits before an element is that of an isotope; D is hydrogen; the charge comes last.
    """
    name = re.sub(r"\(.*?\)|^[opOP]-|-like$", "", molecule)
    found: list[str] = []
    for element, count in re.findall(r"(?:\d{2})?([A-Z][a-z]?)(\d(?!\d))?", name):
        found += [{"D": "H", "T": "H"}.get(element, element)] * int(count or 1)
    charge = re.search(r"[+-]+$", name)
    return (*found, charge[0] if charge else "")
