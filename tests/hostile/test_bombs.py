"""What a refused file costs: memory of a process of its own, next to a command that does nothing."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from bombs import BOMBS
from lamda_text import TEXT
from texts import raw

from ratedb import bounds, files
from ratedb.errors import RatedbError
from ratedb.files import InputFile

MOST_MB = 200
# Not ru_maxrss, which begins with the memory of the process that starts this one.
CODE = """
import re, sys
from pathlib import Path
from ratedb_cli.app import main
code = main(sys.argv[1:])
largest = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
print(code, int(largest) // 1000, file=sys.stderr)
"""


def measured(*words: object) -> tuple[int, int, str]:
    """Run a command in a process of its own; return its exit code, largest memory (MB) and messages."""
    ended = subprocess.run(
        [sys.executable, "-c", CODE, "--quiet", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=500,
        check=True,
    )
    *said, last = ended.stderr.splitlines()
    code, memory = map(int, last.split())
    return code, memory, "\n".join(said)


@pytest.fixture(scope="module")
def empty_mb(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The memory of an import of a file that is not there."""
    folder = tmp_path_factory.mktemp("empty")
    return measured("--db", folder / "x.duckdb", "import", folder / "no.dat")[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", BOMBS)
def test_a_refusal_takes_little_memory(kind: str, empty_mb: int, tmp_path: Path) -> None:
    (tmp_path / "levels.csv").write_text("j,energy_cm1,weight\n0,0,1\n1,3.8,3\n")
    path = BOMBS[kind](tmp_path)
    names = ("--molecule", "CO", "--collider", "He", "--levels", tmp_path / "levels.csv")
    code, memory, said = measured("--db", tmp_path / "x.duckdb", "import", path, *names)
    print(f"{kind}: {memory - empty_mb} MB more; {said.splitlines()[0]}")
    assert code == 1
    assert said.count("ratedb: ") == 1
    assert raw(said) == []
    assert memory - empty_mb <= MOST_MB
    assert not (tmp_path / "x.duckdb").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["gzip of zeros", "2 GB in one line", "49 MB of short lines", "device", "pipe"]
)
@pytest.mark.parametrize("option", ["--levels", "--collider-levels", "--bibtex"])
def test_so_does_that_of_a_file_which_an_option_names(
    kind: str, option: str, empty_mb: int, tmp_path: Path
) -> None:
    path, rates = BOMBS[kind](tmp_path), tmp_path / "a.kij"
    rates.write_text("initial,final,10,20\n2,1,1e-11,2e-11\n")
    names = ("--molecule", "CO", "--collider", "He", option, path)
    code, memory, said = measured("--db", tmp_path / "x.duckdb", "import", rates, *names)
    assert (code, said.count("ratedb: ")) == (1, 1)
    assert memory - empty_mb <= MOST_MB


def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.dat"
    path.write_text(TEXT)
    monkeypatch.setattr(files, "LARGEST_TEXT_BYTES", 100_000)
    monkeypatch.setattr(files, "_CHUNK", 1000)

    class Growing(io.FileIO):
        def read(self, size: int = -1) -> bytes:
            with path.open("a") as file:
                file.write("1\n" * 600)
            return super().read(size)

    monkeypatch.setattr(files, "open_regular", Growing)
    with pytest.raises(RatedbError, match="too large"):
        InputFile.read(path)
    assert path.stat().st_size < 200_000


@pytest.mark.parametrize("number", [1, 2, 3])
def test_limits_hold_wherever_the_pieces_of_a_file_end(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "LONGEST_LINE_BYTES", 10)
    monkeypatch.setattr(bounds, "MOST_LINES", 3)
    monkeypatch.setattr(files, "_CHUNK", number)
    monkeypatch.setattr(files, "_HEAD", number)
    path = tmp_path / "a"
    for content, fits in (
        (b"1234567890\n1234567890\n123", True),
        (b"1234567890\r\n1234567890", True),
        (b"12345678901", False),
        (b"1\n12345678901\n1", False),
        (b"1\n1\n1\n1\n", False),
        (b"1\n1\n1\n", True),
    ):
        path.write_bytes(content)
        if fits:
            assert InputFile.read(path).content == content
        else:
            with pytest.raises(RatedbError, match="too large"):
                InputFile.read(path)


def test_a_table_of_one_row_for_each_value_may_have_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_TEXT_BYTES", 100)
    monkeypatch.setattr(bounds, "MOST_LINES", 10)
    path = tmp_path / "a.csv"
    path.write_text("temperature_k,rate_cm3_s\n" + "10,1e-11\n" * 1000)
    assert len(InputFile.read(path).content) > 9000
    path.write_bytes(b"PAR1" + bytes(10_000))
    assert len(InputFile.read(path).content) > 9000


def test_what_a_shell_passes_as_a_pipe_is_read(tmp_path: Path) -> None:
    file, db = tmp_path / "a.dat", tmp_path / "x.duckdb"
    file.write_text(TEXT)
    command = f"cat {file} | {sys.executable} -m ratedb_cli --db {db} import /dev/stdin"
    assert subprocess.run(["sh", "-c", command], capture_output=True, check=False).returncode == 0
