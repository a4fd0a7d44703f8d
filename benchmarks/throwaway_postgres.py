"""A PostgreSQL server for a benchmark or a test, in a temporary folder and on a socket there."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SETTINGS = "listen_addresses = ''\nunix_socket_directories = '{folder}'\nfsync = on\n"


def postgres_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, None where it is not installed (apt install postgresql)."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders and (folders[-1] / "pg_ctl").exists() else None


@contextmanager
def postgres_server(programs: Path) -> Iterator[str]:
    """Start a server and give the words that libpq connects to it with, all but dbname."""
    folder = Path(tempfile.mkdtemp(prefix="ratedb-pg-"))
    data = folder / "data"
    try:
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        _run(programs / "initdb", "-D", data, "-U", "ratedb", "--auth=trust")
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS.format(folder=folder))
        _run(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "start")
        try:
            yield f"host={folder} user=ratedb"
        finally:
            _run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_database(programs: Path, words: str, name: str) -> str:
    """Make a database on a server and return the words that libpq connects to it with."""
    host, user = (word.partition("=")[2] for word in words.split())
    _run(programs / "createdb", "-h", host, "-U", user, name)
    return f"dbname={name} {words}"


def _run(*words: object) -> None:
    # PostgreSQL refuses to run as root.
    before = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.getuid() == 0 else []
    subprocess.run(
        [*before, *map(str, words)],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
