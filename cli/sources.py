"""`ratedb sources`."""

from __future__ import annotations

from typing import Annotated

import typer

from .output import Context, table


def sources_command(
    context: typer.Context,
    system: Annotated[str, typer.Argument(help="Such as CO+p-H2.", metavar="SYSTEM")],
    prefer: Annotated[
        str | None, typer.Option(help="Ids of the sources that are to win, the best first, such as 3,1.")
    ] = None,
    because: Annotated[str, typer.Option(help="Why this order; kept with it.")] = "not stated",
) -> None:
    """List a system's sources in the order in which they win, or set that order.

    Without an order of yours: computed before scaled before extrapolated, then the newest. A value that
    quality control marks loses to any other; predictions lose to all that is known.

    Example: ratedb sources SiO+p-H2 --prefer 2,1 --because "newer potential surface"
    """
    from ratedb.verbs.sources import list_sources, prefer_sources

    shared: Context = context.obj
    if prefer is not None:
        prefer_sources(shared.db, system, _ids(prefer), because)
    found = list_sources(shared.db, system)
    columns = ["source_id", "kind", "method", "reference", "transitions", "rates", "best", "marked", "place"]
    shared.emit(
        {"system": system, "sources": found},
        lambda console: console.print(
            table(
                f"Sources of {system}, the winner first",
                [
                    "source",
                    "kind",
                    "method",
                    "reference",
                    "transitions",
                    "rates",
                    "best known",
                    "marked",
                    "your place",
                ],
                [[row[column] for column in columns] for row in found],
                text=(1, 2, 3),
            )
        ),
    )


def _ids(text: str) -> list[int]:
    from ratedb.errors import UsageError

    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError("not an order of sources", expected="ids such as 3,1", got=text)
    return [int(word) for word in words]
