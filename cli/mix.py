"""`ratedb mix`."""

from __future__ import annotations

from ratedb.database import Database

from .command import command
from .derive import show_derived

mix_command = command(
    Database.mix,
    show_derived,
    arguments={"molecule": "A molecule with rates for p-H2 and o-H2, such as CO; or CO+H2."},
    example="ratedb mix CO --thermal",
)
