"""What goes into the store comes out again, and what is refused leaves it alone."""

from pathlib import Path

import numpy as np
import pytest
from fuzzing import SEEDS, outcomes
from lamda_text import TEXT

from ratedb.arrays import FloatArray
from ratedb.errors import RatedbError
from ratedb.io.contents import MoleculeFile
from ratedb.io.lamda import read_lamda
from ratedb.io.registry import rate_readers
from ratedb.options import ExportOptions, ImportOptions
from ratedb.store.store import Store
from ratedb.verbs.export import export
from ratedb.verbs.import_ import import_files

pytestmark = pytest.mark.slow  # many, of a second each

spectralradex = pytest.importorskip("spectralradex")
FOLDER = Path(spectralradex.__file__).parent / "radex" / "data"
SEED = 7


def rates_by_place(file: MoleculeFile) -> dict[tuple[str, int, int], FloatArray]:
    """Return the rates by the places of their levels in order of energy: an export may rename levels."""
    place = np.empty(len(file.levels), dtype=np.int64)
    place[np.argsort(file.levels.energy_cm1, kind="stable")] = np.arange(len(place))
    return {
        (partner.rates.collider, int(place[up]), int(place[low])): row
        for partner in file.partners
        for up, low, row in zip(
            partner.rates.upper, partner.rates.lower, partner.rates.rate_cm3_s, strict=True
        )
    }


# A linear molecule, zeros, an asymmetric top whose file runs upward, and labels that cannot be written.
@pytest.mark.parametrize("name", ["co.dat", "hc3n.dat", "oh2cs.dat", "o-nh3.dat", "hcl@hfs.dat"])
def test_a_lamda_file_has_the_same_rates_after_import_export_and_import(tmp_path: Path, name: str) -> None:
    path, options = FOLDER / name, ImportOptions(quality="off")
    systems = [one.system for one in import_files(tmp_path / "a.duckdb", [path], options).systems]
    export(tmp_path / "a.duckdb", systems, tmp_path / "a.dat", ExportOptions())
    import_files(tmp_path / "b.duckdb", [tmp_path / "a.dat"], options)
    again = [one.system for one in import_files(tmp_path / "b.duckdb", [tmp_path / "a.dat"], options).systems]
    export(tmp_path / "b.duckdb", again, tmp_path / "b.dat", ExportOptions())
    expected, found = rates_by_place(read_lamda(path)), rates_by_place(read_lamda(tmp_path / "b.dat"))
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        np.testing.assert_allclose(found[key], row, rtol=6e-7, atol=0, err_msg=str(key))


@pytest.mark.parametrize("reader", [reader for reader in SEEDS if reader in rate_readers()])
def test_a_refused_file_leaves_the_store_as_it_was_also_beside_a_good_one(
    tmp_path: Path, reader: str
) -> None:
    store, good, bad = tmp_path / "store.duckdb", tmp_path / "good.dat", tmp_path / "bad"
    good.write_text(TEXT)
    import_files(store, [good], ImportOptions(molecule="CS", collider="He"))
    before, refused = store.read_bytes(), 0
    for content, _ in outcomes(reader, 30, SEED, tmp_path):
        bad.write_bytes(content)
        try:
            import_files(store, [good, bad], ImportOptions())
        except RatedbError:
            refused += 1
            assert store.read_bytes() == before
        else:
            before = store.read_bytes()
    assert refused > 10


NUMBERS = ("j_value", "n", "f", "omega", "parity", "multiplicity", "l", "ka")


def numbered_rates(path: Path) -> list[dict[str, object]]:
    ends = ", ".join(f"{name}, {name}_final" for name in NUMBERS)
    with Store(path) as store:
        return store.query(f"SELECT {ends}, temperature_k, rate_cm3_s FROM rates ORDER BY ALL")


# Half-integer j alone, with Omega and parity, with F too, and half-integer F with N and j.
@pytest.mark.parametrize(
    ("name", "half"),
    [("c+.dat", "j_value"), ("oh.dat", "j_value"), ("oh@hfs.dat", "j_value"), ("oh+.dat", "f")],
)
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_a_table_brings_back_every_quantum_number_halves_too(
    tmp_path: Path, name: str, half: str, file_format: str
) -> None:
    options, table = ImportOptions(quality="off"), tmp_path / f"table.{file_format}"
    first, second = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    systems = [one.system for one in import_files(first, [FOLDER / name], options).systems]
    export(first, systems, table, ExportOptions(format=file_format))
    import_files(second, [table], options)
    before = numbered_rates(first)
    assert numbered_rates(second) == before
    assert all(float(str(row[half])) % 1 == 0.5 for row in before)
