"""The pages of a server: the list of systems, the query API, and errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ratedb import __version__
from ratedb.report.templates import environment, policy, text_of
from ratedb.server.answers import HTML, Answer
from ratedb.server.endpoints import ENDPOINTS
from ratedb.server.served import FILES, Rows

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = "ratedb.server"
_STYLES = (("ratedb.report", "page.css"), (_HERE, "server.css"))


def index_page(title: str, systems: Rows, search: str) -> Answer:
    """Return the list of the systems whose names have every word of a search."""
    found = [row for row in systems if matches(str(row["system"]), search)]
    molecules = len({row["molecule"] for row in systems})
    return _page(
        "index.html",
        scripts=(text_of(_HERE, "index.js"),),
        title=title,
        systems=found,
        every=len(systems),
        molecules=molecules,
        search=search,
        endings=list(FILES),
    )


def api_page(title: str) -> Answer:
    """Return what can be asked, with an example of each."""
    return _page("api.html", title=f"{title}: query API", store=title, endpoints=ENDPOINTS)


def error_page(title: str, status: int, parts: Mapping[str, str | None]) -> Answer:
    """Return an error in its parts."""
    shown = [(name, parts.get(name)) for name in ("where", "expected", "got", "todo")]
    return _page("error.html", title=title, status=status, what=parts["what"], parts=shown)


def matches(name: str, search: str) -> bool:
    """Return whether a name has every word of a search, whatever the case."""
    return all(word in name.casefold() for word in search.casefold().split())


def _page(template: str, scripts: tuple[str, ...] = (), **words: Any) -> Answer:
    from markupsafe import Markup

    text = (
        _templates()
        .get_template(template)
        .render(
            style=Markup("".join(text_of(*style) for style in _STYLES)),
            scripts=[Markup(script) for script in scripts],
            version=__version__,
            **words,
        )
    )
    headers = {"Content-Security-Policy": policy(scripts, forms="'self'") + "; frame-ancestors 'none'"}
    return Answer(text.encode(), HTML, headers)


@cache
def _templates() -> Environment:
    templates = environment(_HERE)
    templates.filters["address"] = lambda text: quote(str(text), safe="")
    return templates
