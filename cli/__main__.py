"""`python -m ratedb_cli` is `ratedb`."""

from .app import run

run()
