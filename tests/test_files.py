"""Claims about files: of several written all are new or all are old, and a hash is that of the content."""

from __future__ import annotations

import gzip
import os
import tracemalloc
import zlib
from pathlib import Path

import pytest

from ratedb.errors import RatedbError
from ratedb.files import InputFile, as_input, sha256, write_atomically


@pytest.mark.parametrize("fails", [1, 2, 3])
def test_a_move_that_fails_takes_those_before_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path in paths[:2]:
        path.write_bytes(b"old")
    real, moves = os.replace, iter(range(1, 100))

    def replace(source: str, target: Path) -> None:
        if next(moves) == fails:
            raise OSError("no room")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(RatedbError, match="cannot write"):
        write_atomically(dict.fromkeys(paths, b"new"))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


def test_several_files_are_written_over_old_ones_and_beside_them(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    write_atomically({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def test_the_hash_is_the_published_sha256_of_a_text(tmp_path: Path) -> None:
    """FIPS 180-4, example of a one-block message."""
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    published = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert as_input(path).sha256 == sha256(b"abc") == published


# -- gzip --------------------------------------------------------------------------------------------

TEXT = b"first\nsecond\n" * 50
PACKED = gzip.compress(TEXT, mtime=0)


def test_a_gzip_file_has_the_content_of_its_members_and_the_hash_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "text"  # recognised by content, not by name
    path.write_bytes(PACKED + gzip.compress(b"third\n") + bytes(512))
    file = as_input(path)
    assert file.content == TEXT + b"third\n"
    assert file.sha256 == sha256(path.read_bytes())


@pytest.mark.parametrize(
    "stored",
    [PACKED[:-1], PACKED[:12], PACKED[:2], PACKED + b"more", PACKED[:-8] + bytes(8), PACKED + PACKED[:-3]],
)
def test_a_gzip_file_that_is_cut_changed_or_followed_by_other_bytes_is_refused(stored: bytes) -> None:
    with pytest.raises(RatedbError, match="gzip") as caught:
        _ = InputFile(Path("a.gz"), stored).content
    assert caught.value.where == "a.gz"


def test_a_gzip_file_that_expands_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ratedb.files.LARGEST_UNPACKED_BYTES", len(TEXT))
    assert InputFile(Path("a"), PACKED).content == TEXT
    with pytest.raises(RatedbError, match="too large"):
        _ = InputFile(Path("a"), gzip.compress(TEXT + b"1")).content


def test_a_small_gzip_file_cannot_fill_the_memory(tmp_path: Path) -> None:
    """1 GiB of zeros in 1 MB: less than half of it may be held at any time."""
    pack = zlib.compressobj(9, wbits=31)
    stored = b"".join(pack.compress(bytes(2**20)) for _ in range(2**10)) + pack.flush()
    tracemalloc.start()
    try:
        with pytest.raises(RatedbError, match="too large"):
            _ = InputFile(Path("a"), stored).content
        assert tracemalloc.get_traced_memory()[1] < 500_000_000
    finally:
        tracemalloc.stop()
