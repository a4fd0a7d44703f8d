"""Kill commands at their N-th change to a file: what is half, lost or left over, which must be nothing.

`python benchmarks/kills.py [count]` makes 200 kills, spread over the commands of tests/kills/killing.py and
over their writes, and writes a table into docs/benchmarks.md; it ends with 1 where something is wrong.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kills"))

from killing import COMMANDS, Trial, commands
from report import replace_section

ROOT = Path(__file__).parents[1]
COUNT = 200
SEED = 1


def main() -> int:
    """Kill, print what is wrong, and write the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    each = -(-count // len(COMMANDS))
    dice, rows, wrong = random.Random(SEED), [], 0
    with commands() as running, TemporaryDirectory() as folder:
        if running is None:
            print("killing at a write needs Linux and a C compiler, `cc`")
            return 2
        for command in COMMANDS:
            trial = Trial(command, running, Path(folder))
            found = [(at, text) for at, text in trial.kills(each, dice) if text]
            for at, text in found:
                print(f"{command.name}, at change {at}: {text}")
            wrong += len(found)
            rows.append(f"| `{command.name}` | {trial.calls} | {each} | {len(found)} |")
            print(rows[-1], flush=True)
    head = ["| command | changes to files | kills | half, lost or left over |", "|---|---|---|---|"]
    text = "Killed before a write, or with half of what it adds to a file. `make bench-kills`.\n\n"
    replace_section(ROOT / "docs" / "benchmarks.md", "kills", text + "\n".join([*head, *rows]))
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
