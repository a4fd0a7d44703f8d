"""Claims about files: of several written all are new or all are old, and a hash is that of the content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ratedb.errors import RatedbError
from ratedb.files import as_input, sha256, write_atomically


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
