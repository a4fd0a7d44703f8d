"""How far each j lies from what all other j predict: no training set can be expected to do better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sets

from ratedb.models import basis
from ratedb.models.engine import Specification, TrainingData, rms
from ratedb.models.means import REFERENCE
from ratedb.models.reference import reference_rates
from ratedb.models.training_set import complete_curves
from ratedb.rates import Rates


def scatter(rates: Rates, reference_of: Rates | None = None) -> tuple[float, float]:
    """Return dex_rms and factor_p95 of each j from 5 on, but the last, predicted from all other j.

    The better of two means, with the hyperparameters of a fit to all rates.
    """
    complete, _ = complete_curves(rates)
    reference = None
    if reference_of is not None:
        reference, _ = reference_rates(reference_of, complete.temperature_k)
    data = TrainingData.of(complete, reference)
    j = data.initial_j()
    inner = (j >= 5) & (j < j.max())
    prefix = "" if reference is None else REFERENCE
    errors = []
    for mean in ("constant", "linear") if prefix else ("linear", "ios"):
        fitted = basis.fit(data, Specification("basis", "M52", "physics", prefix + mean))
        errors.append((fitted.leave_out(data).mean - data.log10_k)[inner])
    best = min(errors, key=rms)
    return rms(best), float(10.0 ** np.quantile(np.abs(best), 0.95))


def scatters(folder: Path) -> str:
    """Return the table of how far each j lies off what all other j predict."""
    ortho = sets.rotational(folder, "CO+o-H2")
    lines = ["| system | dex_rms | factor_p95 |", "|---|---|---|"]
    for name in sets.ROTATIONAL:
        dex, p95 = scatter(sets.rotational(folder, name))
        lines.append(f"| {name} | {dex:.4f} | {p95:.3f} |")
    dex, p95 = scatter(sets.rotational(folder, "CO+p-H2"), ortho)
    lines.append(f"| CO+p-H2 with o-H2 as prior mean | {dex:.4f} | {p95:.3f} |")
    return "\n".join(lines)
