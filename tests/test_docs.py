"""README and docs are true: what is generated is what is there, what is named exists."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from ratedb_cli.app import app

import ratedb

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == generator().command_reference(), "run `make docs`"


def test_the_rules_of_quality_control_are_those_of_the_code() -> None:
    assert generator().quality_rules() in (ROOT / "docs" / "quality.md").read_text(), "run `make docs`"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_option_that_is_named_exists(path: Path) -> None:
    reference = (ROOT / "docs" / "cli.md").read_text()
    commands = {command.name for command in app.registered_commands}
    for line in re.findall(r"^ratedb (.*)$", path.read_text(), flags=re.MULTILINE):
        assert line.split()[0] in commands, line
        for option in re.findall(r"--[a-z-]+", line.partition("   #")[0]):
            assert f"{option} " in reference, line


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = "".join(path.read_text() for path in DOCUMENTS)
    for target in set(re.findall(r"`?make ([a-z][a-z-]+)`?", text)) - {"them", "if"}:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_version_is_the_same_everywhere() -> None:
    assert f"version: {ratedb.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"## {ratedb.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_constraints_are_exact_versions_without_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []


def test_the_benchmark_tables_have_been_filled_in() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    assert len(re.findall(r"\| CO\+p-H2 \| 5,\d", text)) == 4
    sections = re.findall(r"<!-- ([a-z]+) -->\n(.*?)<!-- /\1 -->", text, re.DOTALL)
    named = {"planner", "variance", "budget", "cluster", "times", "store", "quality", "readers", "fuzz"}
    assert named <= {name for name, _ in sections}
    assert [name for name, body in sections if not re.search(r"\| ?---", body)] == []
    assert "| `ratedb --help` |" in text


def test_ci_runs_the_linters_and_all_tests() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "make lint\nmake test-all" in script
    done = subprocess.run(["bash", "-n", str(ROOT / ".ci" / "run")], check=False)
    assert done.returncode == 0
