"""README and docs are true: what is generated is what is there, what is named exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from quoted import assert_quoted, load_script
from ratedb_cli.app import app, main
from real import co_file
from test_architecture import FLOORS

import ratedb

ROOT = Path(__file__).parents[1]
FACE = ["README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md"]
DOCUMENTS = [*(ROOT / name for name in FACE), *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.md"))


# Words that the field does not use, and what to write instead.
ODD_WORDS = {
    r"stands? twice": "duplicate",
    r"makes? no sense": "invalid",
    r"heeds?": "has no effect with",
    r"takes? away": "error reduction",
    r"turned downward": "converted to de-excitation by detailed balance",
    r"(wins|winner)": "takes precedence",
    r"beside": "next to",
    r"(mend|mends|mended)": "fix",
    r"whence": "source",
    r"its kin": "similar codes",
}


def generator() -> ModuleType:
    return load_script(ROOT / "docs" / "generate.py")


def test_the_command_reference_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == generator().command_reference(), "run `make generate`"


def test_the_manual_page_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "ratedb.1").read_text() == generator().manual_page(), "run `make generate`"


def test_the_manual_page_is_read_without_a_warning() -> None:
    page = ROOT / "docs" / "ratedb.1"
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    words = ["groff", "-man", "-Tutf8", "-ww", "-z", str(page)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_the_rules_of_quality_control_are_those_of_the_code() -> None:
    assert generator().quality_rules() in (ROOT / "docs" / "quality.md").read_text(), "run `make generate`"


def test_the_readme_is_short_and_its_python_imports_nothing_but_ratedb() -> None:
    text = (ROOT / "README.md").read_text()
    assert text.count("\n") < 130
    [python] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert re.findall(r"^>>> (?:import|from) (.*)$", python, flags=re.MULTILINE) == ["ratedb"]


@pytest.mark.slow
def test_the_commands_and_the_python_of_the_readme_print_what_it_says() -> None:
    co_file()
    readme = ROOT / "README.md"
    assert_quoted(readme.read_text(), generator().with_outputs(readme))


@pytest.mark.slow
def test_the_commands_of_the_page_on_tops_print_what_it_says() -> None:
    co_file()
    page = ROOT / "docs" / "tops.md"
    assert_quoted(page.read_text(), generator().with_outputs(page, "oh2cs.dat"))


@pytest.mark.slow
def test_the_commands_of_the_page_on_sharing_print_what_it_says() -> None:
    co_file()
    page = ROOT / "docs" / "sharing.md"
    assert_quoted(page.read_text(), generator().with_outputs(page))


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "tutorials").glob("*.md")), ids=lambda page: page.stem
)
def test_the_commands_and_the_python_of_a_tutorial_print_what_it_says(page: Path) -> None:
    co_file()
    assert_quoted(page.read_text(), generator().with_outputs(page))


@pytest.mark.slow
def test_the_other_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text()
    monkeypatch.chdir(tmp_path)
    shutil.copy(co_file(), tmp_path)
    commands = re.findall(r"^(?:\$ )?ratedb (.*?)(?: \| .*)?$", text, flags=re.MULTILINE)
    assert len(commands) == 15
    for command in commands:
        assert main(shlex.split(command, comments=True)) == 0, command


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_option_that_is_named_exists(path: Path) -> None:
    reference = (ROOT / "docs" / "cli.md").read_text()
    commands = {command.name for command in app.registered_commands}
    for line in re.findall(r"^(?:\$ )?ratedb (.*)$", path.read_text(), flags=re.MULTILINE):
        assert line.split()[0] in commands, line
        for option in re.findall(r"--[a-z-]+", line.partition("  #")[0]):
            assert f"{option} " in reference, line


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_the_prose_has_the_words_of_the_field(path: Path) -> None:
    text = " ".join(path.read_text().split())
    found = {
        word: plain for word, plain in ODD_WORDS.items() if re.search(rf"\b{word}\b", text, re.IGNORECASE)
    }
    assert found == {}


def test_the_architecture_page_names_the_rooms_and_floors_that_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = re.findall(r"^\| `([a-z_./]+)` \|", page, flags=re.MULTILINE)
    product = ROOT / "ratedb"
    rooms = {path.parent for path in product.glob("*/__init__.py")} | {ROOT / "cli", ROOT / "schemas"}
    modules = {path for path in product.glob("*.py") if not path.name.startswith("__")}
    there = {f"{path.relative_to(ROOT)}/" for path in rooms} | {
        str(path.relative_to(ROOT)) for path in modules
    }
    assert {name for name in named if name.count("/") < 3} >= there
    assert [name for name in named if not (ROOT / name).exists()] == []
    floors = "\n".join(" ".join(floor) for floor in reversed(FLOORS))
    assert f"```text\n{floors}\n```" in page


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = "".join(path.read_text() for path in DOCUMENTS)
    for target in set(re.findall(r"`?make ([a-z][a-z-]+)`?", text)) - {"them", "if"}:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_version_is_the_same_everywhere() -> None:
    assert f"version: {ratedb.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f'version = "{ratedb.__version__}"' in (ROOT / "recipe" / "meta.yaml").read_text()
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
    for name in ("run", "python3.12"):
        assert subprocess.run(["bash", "-n", str(ROOT / ".ci" / name)], check=False).returncode == 0
