"""Draw joint samples of predicted rates and solve for the lines of each, through the writer of exports."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.io.lamda import render_lamda
from ratedb.io.rendering import molecule_file
from ratedb.layers import Kind
from ratedb.levels import Lines
from ratedb.models.sampling import sampled_deviations
from ratedb.models.storage import any_of_record
from ratedb.options import Progress
from ratedb.physics.temperatures import interpolation
from ratedb.radiative.conditions import Conditions
from ratedb.radiative.radex_lines import RadexLines
from ratedb.radiative.solving import name_of_solver, solve, solve_each
from ratedb.rates import Rates

_AT_ONCE = 10  # samples in one process, whose start takes as long as some fifty conditions


def draw_deviations(rates: Rates, samples: int, draw: np.random.Generator) -> FloatArray:
    """Return the deviation of joint samples from rates, shape (samples, n, m), in dex; 0 if not predicted.

    Raises RatedbError where a model of the rates gives no joint samples.
    """
    result = np.zeros((samples, *rates.rate_cm3_s.shape))
    predicted = rates.kind_code == Kind.PREDICTED
    model_of = {number: row["model_id"] for number, row in rates.sources.items()}
    model_id = np.vectorize(lambda source: model_of.get(int(source)) or 0)(rates.source_id)
    for number in np.unique(model_id[predicted]).tolist():
        mine = predicted & (model_id == number)
        rows = np.flatnonzero(mine.any(axis=1))
        predictor = any_of_record(rates.models[number], rates.system)
        known_k = predictor.temperature_k
        onto = interpolation(known_k, np.clip(rates.temperature_k, known_k[0], known_k[-1]))
        drawn = sampled_deviations(predictor, rates.transitions.select(rows), samples, draw) @ onto.T
        result[:, rows] = np.where(mine[rows], drawn, result[:, rows])
    return result


@dataclass(frozen=True, eq=False)
class SampledFiles:
    """Tables of one molecule as LAMDA files in a folder: as exported, and with sampled rates.

    `deviations` are those of each table, shape (samples, n, m), in dex.
    """

    folder: Path
    tables: Sequence[Rates]
    lines: Lines
    deviations: Sequence[FloatArray]
    j_max: int | None
    solver: str

    def exported(self, grid: Sequence[Conditions]) -> list[RadexLines]:
        """Return the lines for the rates as they are; raises RatedbError where the solver fails."""
        return solve(self._write("exported", self.tables), grid, self.solver)

    def sampled(self, grid: Sequence[Conditions], progress: Progress) -> list[list[RadexLines]]:
        """Return the lines for each sample, empty where the solver fails, on all cores."""
        count = len(self.deviations[0])
        runs: list[list[RadexLines]] = []
        words = f"running {name_of_solver(self.solver)}"
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            parts = [range(first, min(first + _AT_ONCE, count)) for first in range(0, count, _AT_ONCE)]
            running = [pool.submit(self._run, part, grid) for part in parts]
            try:
                for one in running:
                    runs += one.result()
                    progress(f"{words}: sample {len(runs)} of {count}")
            except BaseException:  # Ctrl-C too: cancel what has not started
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return runs

    def _run(self, numbers: range, grid: Sequence[Conditions]) -> list[list[RadexLines]]:
        paths = [self._write(str(number), self._sample(number)) for number in numbers]
        outcomes = solve_each(paths, grid, self.solver)
        for path in paths:
            path.unlink()
        return [[] if isinstance(outcome, RatedbError) else outcome for outcome in outcomes]

    def _sample(self, number: int) -> list[Rates]:
        return [
            replace(table, rate_cm3_s=table.rate_cm3_s * 10.0 ** deviation[number])
            for table, deviation in zip(self.tables, self.deviations, strict=True)
        ]

    def _write(self, name: str, tables: Sequence[Rates]) -> Path:
        path = self.folder / f"{name}.dat"
        text = render_lamda(molecule_file(tables, self.lines, self.j_max)).text
        path.write_text(text, encoding="ascii")
        return path
