"""The process that holds RADEX, started by `radex` as `python -m ratedb.radiative.radex_worker`.

RADEX is Fortran: it prints to standard output, can end the process with STOP, and writes beyond its
arrays for too large a file. So it runs in a process of its own. Its answers go to a file, one line of JSON
for each condition as soon as that is done, so that the parent knows at which condition a crash came.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

RESULTS = "results.jsonl"
CHATTER = "radex.out"


def main() -> int:
    """Run every condition of the request on standard input and return the exit status.

    The request is JSON: `folder`, the working folder, and `runs`, one mapping of RADEX's inputs for each
    condition. `CHATTER` in that folder is this process's standard output; answers are added to `RESULTS`.
    """
    request = json.load(sys.stdin)
    # RADEX splits its inputs at ',' and ':' and keeps 190 characters of a path: a relative one is safe.
    os.chdir(request["folder"])
    with open(RESULTS, "w", encoding="ascii") as results:
        for run in request["runs"]:
            print(json.dumps(_run(run)), file=results, flush=True)
    return 0


def _run(inputs: dict[str, Any]) -> dict[str, Any]:
    # The compiled module of the spectralradex wheel; the package itself imports pandas and drops lines.
    import radexwrap

    start = os.path.getsize(CHATTER)
    success, count, _, _, output = radexwrap.from_dict(dict(inputs))
    with open(CHATTER, "rb") as chatter:
        chatter.seek(start)
        messages = chatter.read().decode("latin-1")
    return {
        "success": int(success),
        "lines": output[:, : int(count)].tolist(),
        "messages": [line.strip() for line in messages.splitlines() if line.strip()],
    }


if __name__ == "__main__":
    raise SystemExit(main())
