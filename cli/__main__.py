"""`python -m ratedb_cli` is `ratedb`."""

from .entry import run

if __name__ == "__main__":
    run()
