"""What a release holds: the recipe, the extras and the manifest agree with the project."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Names of conda-forge that are not those of the package index.
CONDA_NAMES = {"duckdb": "python-duckdb", "fastjsonschema": "python-fastjsonschema"}


def as_conda(requirement: str) -> str:
    """Return a requirement such as `numpy>=1.26,<2` as a recipe has it."""
    found = re.fullmatch(r"([A-Za-z0-9-]+)(.*)", requirement)
    assert found is not None
    name = found[1].lower()
    return f"{CONDA_NAMES.get(name, name)} {found[2]}".strip()


def test_the_recipe_needs_what_the_project_needs() -> None:
    text = (ROOT / "recipe" / "meta.yaml").read_text()
    text = re.sub(r"{%.*%}", "", text)
    recipe = yaml.safe_load(re.sub(r"{{ *(\w+) *}}", r"\1", text))
    wanted = {as_conda(one) for one in PROJECT["dependencies"]}
    assert set(recipe["requirements"]["run"]) == {f"python {PROJECT['requires-python']}"} | wanted
    [(name, target)] = PROJECT["scripts"].items()
    assert recipe["build"]["entry_points"] == [f"{name} = {target}"]


def test_the_readme_says_what_each_extra_brings() -> None:
    [heads] = re.findall(r"^\| extra \|(.*)\|$", (ROOT / "README.md").read_text(), flags=re.MULTILINE)
    named = re.findall(r"`(\w+)`", heads)
    assert named == [one for one in PROJECT["optional-dependencies"] if one not in ("dev", "dist", "docs")]


def test_every_package_folder_is_shipped() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {name: ROOT / folder for name, folder in setuptools["package-dir"].items()}
    there = set()
    for name, folder in folders.items():
        for path in folder.rglob("*.py"):
            parts = path.parent.relative_to(folder).parts
            there.add(".".join([name, *parts]))
    assert set(setuptools["packages"]) == there


def test_the_manifest_has_every_file_of_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout:
        pytest.skip("not a git repository: a source distribution, which is complete already")
    manifest = (ROOT / "MANIFEST.in").read_text()
    grafted = set(re.findall(r"^graft (\S+)$", manifest, flags=re.MULTILINE))
    named = {
        name for line in re.findall(r"^include (.*)$", manifest, flags=re.MULTILINE) for name in line.split()
    }
    lacking = [one for one in listed.stdout.splitlines() if one.split("/")[0] not in grafted | named]
    assert lacking == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda p: p.name
)
def test_an_issue_template_is_one_that_a_form_can_be_made_of(path: Path) -> None:
    found = yaml.safe_load(path.read_text())
    if path.name == "config.yml":
        assert found == {"blank_issues_enabled": True}
        return
    assert set(found) == {"name", "description", "labels", "body"}
    ids = [part["id"] for part in found["body"]]
    assert len(set(ids)) == len(ids)
    assert {part["type"] for part in found["body"]} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert all(part["attributes"].get("label") for part in found["body"])
    assert any(part.get("validations", {}).get("required") for part in found["body"])
