"""`python -m ratedb` is `ratedb`."""

from ratedb_cli.entry import run

if __name__ == "__main__":
    run()
