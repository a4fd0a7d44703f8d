"""Stores with some j of a made-up rough rotor AB, each imported once and given out as copies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from rough import rough_rates
from synthetic import lamda_text, rotor_levels

from ratedb.numbers import parse_integers
from ratedb.options import ImportOptions
from ratedb.verbs.import_ import import_files

StoreOf = Callable[[str], Path]


@pytest.fixture(scope="session")
def rough_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LAMDA file of AB with He and p-H2, j = 0..12."""
    levels = rotor_levels(12, molecule="AB")
    path = tmp_path_factory.mktemp("rough") / "ab.dat"
    path.write_text(lamda_text([rough_rates(levels, "He", seed=1), rough_rates(levels, "p-H2", seed=2)]))
    return path


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory, rough_file: Path) -> StoreOf:
    """Give the store with AB+p-H2 for every j, and AB+He out of these j; it is for reading only."""
    folder, made = tmp_path_factory.mktemp("stores"), {}

    def store_of(j: str) -> Path:
        if j not in made:
            made[j] = folder / f"{len(made)}.duckdb"
            import_files(made[j], [rough_file], ImportOptions(collider="p-H2"))
            import_files(made[j], [rough_file], ImportOptions(collider="He", j=parse_integers(j)))
        return made[j]

    return store_of


@pytest.fixture
def store_of(shared_store: StoreOf, tmp_path: Path) -> StoreOf:
    """Make a store of one's own with AB+p-H2 for every j, and AB+He out of these j."""
    return lambda j: Path(shutil.copy(shared_store(j), tmp_path / f"{j.replace(':', '-')}.duckdb"))
