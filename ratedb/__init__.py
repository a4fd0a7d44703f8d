"""ratedb: compute a few j, predict the rest of a molecule's collisional rate coefficients, know the error."""

__version__ = "0.1.0"
