"""Make the corpus that comes with ratedb: what linear molecules have in common, from published sets.

`make corpus` reads the LAMDA files of spectralradex and the sets of RATEDB_TEST_DATA, learns the numbers,
measures intervals on each molecule with a corpus that does not have it, and writes
ratedb/models/corpus/corpus.json.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import sets
import spectralradex

from ratedb.io.lamda import read_lamda
from ratedb.models.corpus.learning import learn, measured_intervals
from ratedb.models.engine import TrainingData
from ratedb.models.training_set import complete_curves
from ratedb.rates import Rates

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


def main() -> int:
    """Learn the corpus and write it."""
    folder = sets.data_folder()
    if folder is None:
        print("the data sets are not there: name their folder with RATEDB_TEST_DATA", file=sys.stderr)
        return 1
    data = systems(folder)
    corpus = learn(data)
    corpus = replace(corpus, intervals=measured_intervals(corpus, data))
    path = Path(__file__).parents[1] / "ratedb/models/corpus/corpus.json"
    path.write_text(json.dumps(corpus.to_json(), separators=(",", ":")) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
