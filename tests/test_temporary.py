"""What a killed process left is removed by a later one, and what belongs to anybody else is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ratedb.files import check_target, write_atomically
from ratedb.temporary import part_file, remove_left, temporary_folder

MAKE = """
import os, sys
from pathlib import Path
from ratedb.temporary import part_file, temporary_folder
part_file(Path(sys.argv[1]))
with temporary_folder(Path(sys.argv[1])) as folder:
    (folder / "content").mkdir()
    print("up", flush=True)
    sys.stdin.read()
    os._exit(9)
"""
CLEAN = """
import sys
from pathlib import Path
from ratedb.temporary import remove_left
remove_left(Path(sys.argv[1]))
"""


def clean(folder: Path) -> None:
    """Clean as the next start does, in a process of its own."""
    subprocess.run([sys.executable, "-c", CLEAN, folder], check=True)


def test_a_living_process_keeps_its_own_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-c", MAKE, tmp_path]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    made = sorted(tmp_path.iterdir())
    assert len(made) == 2
    clean(tmp_path)
    assert sorted(tmp_path.iterdir()) == made
    process.communicate("")
    assert sorted(tmp_path.iterdir()) == made
    clean(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_with_like_names_stay(tmp_path: Path) -> None:
    names = [
        ".ratedb-tmp-",
        ".ratedb-tmp-abc",
        "ratedb-tmp-abcdefgh",
        ".ratedb-part-abcdefgh.dat",
        "ratedb-demo",
    ]
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "content").touch()
    (tmp_path / ".ratedb-tmp-abcdefgh").symlink_to(tmp_path / "target")
    before = sorted(tmp_path.rglob("*"))
    clean(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file to another user")
def test_what_another_user_left_stays(tmp_path: Path) -> None:
    left = tmp_path / ".ratedb-part-abcdefgh"
    left.touch()
    os.chown(left, 65534, 65534)
    clean(tmp_path)
    assert left.exists()


def test_temporary_files_of_this_process_are_gone_after_use(tmp_path: Path) -> None:
    with temporary_folder(tmp_path) as folder:
        (folder / "content").touch()
        remove_left(tmp_path)
        assert (folder / "content").exists()
    write_atomically({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    check_target(tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_writing_a_file_cleans_its_folder(tmp_path: Path) -> None:
    for name in (".ratedb-part-abcdefgh", ".ratedb-tmp-abcdefgh"):
        (tmp_path / name).touch()
    write_atomically({tmp_path / "a": b"1"})
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_part_file_that_was_taken_for_left_behind_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may clean up between the making of a file and its lock."""
    from ratedb import temporary

    really_lock, removed = temporary.lock, []

    def lock_late(descriptor: int) -> bool | None:
        if not removed:
            [path] = tmp_path.iterdir()
            path.unlink()
            removed.append(path)
        return really_lock(descriptor)

    monkeypatch.setattr(temporary, "lock", lock_late)
    descriptor, path = part_file(tmp_path)
    os.close(descriptor)
    assert path.exists()
    assert [path] == list(tmp_path.iterdir())
