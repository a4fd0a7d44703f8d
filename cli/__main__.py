"""`python -m ratedb_cli` is `ratedb`."""

from .entry import run

run()
