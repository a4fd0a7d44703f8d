"""A server of a store of 1e6 values under load: requests a second, and how long they take.

Run by `make bench-serve`. Eight clients ask for half a minute, each on one connection, for rates of random
transitions, temperatures and systems; hardly any question is asked twice. The clients run on the same cores.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

import numpy as np
from merge import FILES, LEVELS, _import, _write

CLIENTS, SECONDS = 8, 30.0
_ADDRESS = re.compile(r"http://([\d.]+):(\d+)/")


def main() -> int:
    """Measure, and print a line for each kind of request."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        db = folder / "rates.duckdb"
        _import(db, [_write(folder, number, False) for number in range(FILES)])
        command = [sys.executable, "-m", "ratedb", "--db", str(db), "serve", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            host, port = _ADDRESS.search(server.stdout.readline()).groups()
            try:
                _first(host, int(port))
                for kind in (_transition, _hundred, _systems):
                    _load(host, int(port), kind)
            finally:
                server.terminate()
    return 0


def _first(host: str, port: int) -> None:
    """Print how long the first question about a system takes, when nothing of it is kept."""
    took = [_ask(http.client.HTTPConnection(host, port), _transition(number)) for number in range(FILES)]
    print(f"first question about a system: {max(took):.3f} s at most")


def _load(host: str, port: int, kind) -> None:
    times: list[float] = []

    def client(seed: int) -> None:
        random.seed(seed)
        connection, end = http.client.HTTPConnection(host, port), perf_counter() + SECONDS
        while perf_counter() < end:
            times.append(_ask(connection, kind(random.randrange(FILES))))

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(CLIENTS)]
    start = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(times) / (perf_counter() - start)
    middle, high = np.percentile(times, [50, 95])
    spread = f"median {1e3 * middle:.0f} ms, p95 {1e3 * high:.0f} ms"
    print(f"{kind.__doc__.rstrip('.')}: {rate:.0f} requests/s, {spread}, {len(times)} requests")


def _ask(connection: http.client.HTTPConnection, path: str) -> float:
    start = perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    took = perf_counter() - start
    if answer.status != 200 or not json.loads(body):
        raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
    return took


def _transition(number: int) -> str:
    """One transition at two temperatures."""
    upper = random.randrange(1, LEVELS)
    kelvin = f"{random.uniform(10, 125):.3f},{random.uniform(126, 250):.3f}"
    return f"{_rates(number)}&upper={upper}&lower={random.randrange(upper)}&temperature={kelvin}"


def _hundred(number: int) -> str:
    """A hundred values of a system."""
    return f"{_rates(number)}&offset={random.randrange(100_000)}&limit=100"


def _rates(number: int) -> str:
    return f"/api/rates?system={quote(f'A{number}B+He', safe='')}"


def _systems(number: int) -> str:
    """The list of systems."""
    return f"/api/systems?search=A{number}"


if __name__ == "__main__":
    sys.exit(main())
