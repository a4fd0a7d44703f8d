"""`python -m ratedb` is `ratedb`."""

from ratedb_cli.entry import run

run()
