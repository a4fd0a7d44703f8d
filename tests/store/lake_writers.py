"""Writers of a lake in processes of their own, which tests may kill.

Run as a program with an address, a folder, a name and two numbers, this imports one source after another,
each from a file of its own, waits for its turn, and says of each that it is stored.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from lakes import rotor_file
from synthetic import rotor_levels, rotor_rates

import ratedb
from ratedb.errors import LockedError
from ratedb.rates import Rates

J_MAX = 8


def file_of(folder: Path, name: str, number: int) -> Path:
    """Write the file that a writer imports as its number."""
    return rotor_file(folder / f"{name}-{number}.dat", seed=seed(name, number), j_max=J_MAX)


def seed(name: str, number: int) -> int:
    """Return the seed of the rates of an import."""
    return 1000 * ord(name[0]) + number


def rates_of(name: str, number: int) -> Rates:
    """Return the rates with He of an import."""
    levels = rotor_levels(J_MAX, molecule="AB")
    return rotor_rates(levels, "He", (10.0, 20.0, 50.0, 100.0), seed=seed(name, number))


def main(address: str, folder: str, name: str, first: str, last: str) -> None:
    """Import files, and say of each that it is stored."""
    db = ratedb.open(address)
    for number in range(int(first), int(last)):
        file = file_of(Path(folder), name, number)
        while True:
            try:
                db.import_(file, method="CC", reference=f"{name} {number}", quality="off")
                break
            except LockedError:
                time.sleep(0.05)
        print(number, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
