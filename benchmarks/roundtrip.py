"""Every LAMDA file through a store: numbers that are others after import, export, import and export; bytes.

`python benchmarks/roundtrip.py [FOLDER ...]` takes the files of spectralradex, those of RATEDB_TEST_DATA, and
those of the folders (minutes); it ends with an error where a frequency differs.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "io"))

from round_trip import COUNTED, differences, plain, through_a_store
from sets import data_folder

from ratedb.errors import RatedbError
from ratedb.io.lamda import looks_like_lamda, read_lamda
from ratedb.radiative.radex import lamda_folder


def files(folders: list[str]) -> list[Path]:
    """Return the LAMDA files of spectralradex, of the data folder and of folders."""
    named = [lamda_folder(), data_folder(), *map(Path, folders)]
    found = [path for folder in named if folder for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in found if looks_like_lamda(path.read_bytes()[:8192])]


def main() -> int:
    """Print a row for each file, and return 1 where a frequency differs."""
    print(f"{'file':24}{'lines':>7}", *(f"{kind:>10}" for kind in COUNTED), "   second export")
    moved = 0
    for path in files(sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder:
            try:
                colliders = [one.rates.collider for one in read_lamda(path).partners]
                first = through_a_store(path, Path(folder), "first")
                second = through_a_store(first, Path(folder), "second")
            except RatedbError as error:
                print(f"{path.name:24} refused: {error.what}")
                continue
            count = differences(path, first, colliders)
            same = "same bytes" if first.read_bytes() == second.read_bytes() else "OTHER BYTES"
            numbers = (f"{count[kind]:10d}" for kind in COUNTED)
            print(f"{path.name:24}{len(plain(path).lines):7d}", *numbers, f"   {same}", flush=True)
            moved += count["frequency"]
    return int(moved > 0)


if __name__ == "__main__":
    sys.exit(main())
