"""The commands merge, backup and publish, as scripts call them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from commands import Run


def test_merge_says_what_was_added_unchanged_and_in_conflict(
    run: Run, imported: Path, filled: Path, tmp_path: Path
) -> None:
    before = Path(shutil.copy(imported, tmp_path / "before.duckdb"))
    found = run("--db", imported, "--json", "merge", filled).json
    assert found["added"] > 0
    assert found["records"]["models"] == {"added": 1, "unchanged": 0}
    assert found["conflicts"] == []
    again = run("--db", imported, "--json", "merge", filled).json
    assert (again["added"], again["conflicts"]) == (0, [])
    dry = run("--db", before, "--json", "merge", filled, "--dry-run").json
    assert (dry["added"], dry["dry_run"]) == (found["added"], True)
    shown = run("--db", before, "merge", filled)
    assert (shown.code, "models" in shown.out) == (0, True)


def test_a_merged_model_fills_as_it_does_where_it_was_trained(run: Run, imported: Path, filled: Path) -> None:
    run("--db", imported, "merge", filled)
    here = run("--db", imported, "--json", "evaluate", 1).json
    there = run("--db", imported, "--json", "show", "AB+He").json
    assert there["kinds"]["predicted"] == 0  # the whole file is here: computed values take precedence
    assert here["test_transitions"] > 0


def test_conflicts_are_shown_with_both_reasons(run: Run, imported: Path, tmp_path: Path) -> None:
    other = shutil.copy(imported, tmp_path / "other.duckdb")
    run("--db", imported, "sources", "AB+He", "--correct", "2", "method=CS", "--because", "the paper says so")
    run("--db", other, "sources", "AB+He", "--correct", "2", "method=IOS", "--because", "their mail says so")
    answer = run("--db", imported, "merge", other)
    assert "differ" in answer.err
    assert all(word in answer.out.replace("\n", " ") for word in ("CS", "IOS", "other"))


def test_a_store_merged_into_itself_is_a_usage_error(run: Run, imported: Path) -> None:
    assert run("--db", imported, "merge", imported).code == 2


def test_backup_names_the_file_and_its_hash(run: Run, imported: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.duckdb"
    found = run("--db", imported, "--json", "backup", target).json
    assert found["path"] == str(target)
    assert found["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert run("--db", imported, "backup", target).code == 1
    assert run("--db", imported, "backup", target, "--replace").code == 0


def test_publish_names_folder_and_version_and_reading_commands_open_it(
    run: Run, filled: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "published"
    found = run("--db", filled, "--json", "publish", folder, "--version", "1.0").json
    assert (found["path"], found["version"]) == (str(folder / "1.0"), "1.0")
    for words in (["systems"], ["show", "AB+He"], ["sources"], ["evaluate", 1], ["cite", "AB+He"]):
        asked = [run("--db", db, "--json", *words).json for db in (filled, folder)]
        for one in asked:
            one.pop("seconds", None)
        assert asked[0] == asked[1], words
    refused = run("--db", folder, "fill", "AB+He")
    assert (refused.code, "cannot be changed" in refused.err) == (1, True)
    assert run("--db", filled, "publish", folder, "--version", "1.0").code == 1
