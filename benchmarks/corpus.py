"""Make the corpus that comes with ratedb: what linear molecules have in common, from published sets.

`make corpus` reads the LAMDA files of spectralradex and the sets of RATEDB_TEST_DATA, learns the numbers, measures
intervals on each molecule with a corpus that does not have it, and writes ratedb/models/corpus/corpus.json.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import sets
import spectralradex

from ratedb.arrays import FloatArray
from ratedb.io.lamda import read_lamda
from ratedb.models.corpus.intervals import CELLS, PLACES, SIZES, IntervalTable, cell_of, place_of, quantiles
from ratedb.models.corpus.kernel import scaled_temperature
from ratedb.models.corpus.law import rotational_constant
from ratedb.models.corpus.learning import learn
from ratedb.models.corpus.model import fit
from ratedb.models.corpus.table import Corpus
from ratedb.models.engine import TrainingData
from ratedb.models.training_set import complete_curves
from ratedb.rates import Rates

SPLITS = {
    1: ((14,), ()),
    2: ((5, 18), (6, 9)),
    3: ((5, 16, 19), (6, 9)),
    4: ((5, 9, 14, 19), (6, 10)),
    6: ((5, 8, 11, 14, 17, 19), (6, 9)),
}
"""Training and validation j for which intervals are measured, as in the paper from N = 2 on."""

LAMDA = {
    "HNC+H2": ("hnc.dat", "H2", "LAMDA: Dumouchel et al. 2010"),
    "CS+H2": ("cs@lique.dat", "H2", "LAMDA: Lique et al. 2006"),
    "SiO+H2": ("sio.dat", "H2", "LAMDA: Dayou & Balanca 2006, scaled from He"),
}
SHARED = {
    "CO+p-H2": "Yang et al. 2010",
    "CO+o-H2": "Yang et al. 2010",
    "SiO+p-H2": "Dayou & Balanca 2006",
    "SiO+He": "Dayou & Balanca 2006",
    "SiS+He": "Vincent et al. 2007",
    "HCN+H2": "Dumouchel et al. 2010",
    "HCO++H2": "Flower 1999",
}


def systems(folder: Path) -> dict[str, tuple[TrainingData, str]]:
    """Return all systems of the corpus, j <= 20, with the names of their sources."""
    found: dict[str, tuple[Rates, str]] = {
        name: (sets.rotational(folder, name), source) for name, source in SHARED.items()
    }
    lamda = next(Path(spectralradex.__file__).parent.rglob("hnc.dat")).parent
    for name, (file, collider, source) in LAMDA.items():
        partners = read_lamda(lamda / file).partners
        found[name] = next(one.rates for one in partners if one.rates.collider == collider), source
    carbon_monoxide = sets.rotor("CO", sets._rigid(41, 1.9225))
    for file, collider in (("CO_34.kij", "p-H2"), ("CO_33.kij", "o-H2")):
        rates = sets.read_kij(folder / "co-h2-rot-flower2001" / file, carbon_monoxide, collider)
        found[f"CO+{collider} (2001)"] = rates, "Flower 2001"
    helium = sets.read_kij(folder / "co-he-rot-cecchi2002/CO_50.kij", carbon_monoxide, "He")
    found["CO+He"] = helium, "Cecchi-Pestellini et al. 2002"
    turner = sets._sio(folder, "../sio-rot-turner1992/SiO_23.kij", "p-H2")
    found["SiO+p-H2 (1992)"] = turner, "Turner et al. 1992"
    extended = read_lamda(folder / "hcop-h2-rot-flower1999/hco+@xpol.dat").partners[0].rates
    found["HCO++H2 (LAMDA)"] = extended, "LAMDA: Flower 1999, extrapolated"
    return {name: (_curves(rates), source) for name, (rates, source) in found.items()}


def _curves(rates: Rates) -> TrainingData:
    rates = rates.select(np.flatnonzero(rates.initial_j() <= sets.LAST_J))
    complete, _ = complete_curves(rates)
    return TrainingData.of(complete)


def intervals(corpus: Corpus, data: Mapping[str, tuple[TrainingData, str]]) -> IntervalTable:
    """Return the quantiles of errors on each system, predicted by the corpus without its molecule."""
    return IntervalTable({name: _quantiles(corpus, one) for name, (one, _) in data.items()})


def _quantiles(corpus: Corpus, data: TrainingData) -> FloatArray:
    levels, j = data.transitions.levels, data.initial_j()
    constant = rotational_constant(levels)
    rest, _ = corpus.without(levels.molecule, constant)
    result = np.full((len(SIZES), len(PLACES), CELLS + 1), np.nan)
    for number, size in enumerate(SIZES):
        training, validation = SPLITS[size]
        # A set that ends below gets the same shares of its j.
        last = int(j.max())
        scale = min(1.0, last / 19.0)
        computed = sorted({max(1, round(one * scale)) for one in (*training, *validation)})
        known = np.isin(j, computed)
        model = fit(data.select(np.flatnonzero(known)), rest)
        wanted = np.flatnonzero(~known)
        transitions = data.transitions.select(wanted)
        curves = model.curves(transitions)
        _, initial, _, final = transitions.vj().T
        cell = cell_of(np.abs(initial - final), scaled_temperature(data.temperature_k, constant))
        place = place_of(initial, computed)
        error = curves.mean - data.log10_k[wanted]
        result[number] = quantiles(error, np.sqrt(curves.variance), place, cell)
        print(levels.molecule, size, f"{np.sqrt((error**2).mean()):.4f} dex", flush=True)
    return result


def main() -> int:
    """Learn the corpus and write it."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    data = systems(folder)
    corpus = learn(data)
    corpus = replace(corpus, intervals=intervals(corpus, data))
    path = Path(__file__).parents[1] / "ratedb/models/corpus/corpus.json"
    path.write_text(json.dumps(corpus.to_json(), separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
