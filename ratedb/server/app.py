"""The pages and the query API of a store over HTTP, for reading only."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ratedb import __version__
from ratedb.errors import UsageError
from ratedb.server import pages
from ratedb.server.answers import HTML, JSON, Answer, json_answer
from ratedb.server.endpoints import ENDPOINTS, Endpoint, read_parameters
from ratedb.server.keeping import BusyError
from ratedb.server.openapi import description
from ratedb.server.reading import Reader
from ratedb.server.refusals import RETRY_AFTER_S, parts_of, status_of
from ratedb.server.served import Limits, Served

_log = logging.getLogger(__name__)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # a browser asks whether it changed, which costs nothing
}
_LONGEST_QUERY = 8000
_Handler = Callable[[Request], Awaitable[Answer]]


def make_app(served: Served, limits: Limits, hosts: tuple[str, ...] = ("*",)) -> Starlette:
    """Return the application: pages, files and the query API; `hosts` are the names it answers to."""
    reader = Reader(served, limits)

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        yield
        reader.close()

    def route(path: str, handler: _Handler) -> Route:
        return Route(path, partial(_respond, served, limits, handler))

    def refuse(request: Request, error: Exception) -> Response:
        return _refused(served, request, error)

    return Starlette(
        routes=[
            route("/", partial(_index, reader)),
            route("/systems/{system}", partial(_report, reader)),
            route("/files/{name}", partial(_file, reader)),
            route("/api", partial(_api_page, served)),
            route("/api/openapi.json", partial(_openapi, served)),
            route("/health", _health),
            *(route(one.path, partial(_query, reader, one)) for one in ENDPOINTS),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)],
        exception_handlers={HTTPException: refuse, Exception: refuse},
        lifespan=life,
        max_body_size=0,
    )


async def _respond(served: Served, limits: Limits, handler: _Handler, request: Request) -> Response:
    """Answer a request: 304 where the asker has the answer already, else its data or an error."""
    try:
        if len(request.url.query) > _LONGEST_QUERY:
            raise UsageError("the query is too long", expected=f"{_LONGEST_QUERY} characters at most")
        state = served.state()
        if not state:
            raise BusyError("the store is not in its place")
        tag = _tag(served, limits, state, request)
        if tag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers={"ETag": tag, **_HEADERS})
        async with asyncio.timeout(limits.seconds):
            answer = await handler(request)
    except TimeoutError:
        return _refused(served, request, BusyError(f"the answer takes longer than {limits.seconds:g} s"))
    except Exception as error:
        return _refused(served, request, error)
    headers = {"ETag": tag, **_HEADERS, **answer.headers}
    return Response(answer.content, media_type=answer.type, headers=headers)


def _tag(served: Served, limits: Limits, state: str, request: Request) -> str:
    shown = [__version__, served.title, repr(limits), state]
    asked = "\n".join([*shown, request.url.path, request.url.query])
    return f'"{hashlib.sha256(asked.encode()).hexdigest()[:32]}"'


def _refused(served: Served, request: Request, error: Exception) -> Response:
    """Return the answer to what cannot be answered, as JSON under /api, else as a page."""
    more: dict[str, str] = {}
    parts: dict[str, str | None]
    if isinstance(error, HTTPException):
        status, more = error.status_code, dict(error.headers or {})
        parts = {"what": error.detail, "got": f"{request.method} {request.url.path}"}
    else:
        status, parts = status_of(error), parts_of(error, served.hidden)
        if status == 500:
            _log.error("no answer to %s", request.url.path, exc_info=error)
    headers = {**_HEADERS, **more, "Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if request.url.path.startswith("/api/"):
        return Response(json_answer({"error": parts}).content, status, headers, JSON)
    page = pages.error_page(served.title, status, parts)
    return Response(page.content, status, {**headers, **page.headers}, HTML)


async def _index(reader: Reader, request: Request) -> Answer:
    search = request.query_params.get("search", "")
    return await reader.page(
        ("index", search), lambda rows: pages.index_page(reader.served.title, rows, search)
    )


async def _report(reader: Reader, request: Request) -> Answer:
    return await reader.report(request.path_params["system"])


async def _file(reader: Reader, request: Request) -> Answer:
    return await reader.file(request.path_params["name"])


async def _query(reader: Reader, endpoint: Endpoint, request: Request) -> Answer:
    asked = read_parameters(endpoint, request.query_params.multi_items())
    name = endpoint.path.rpartition("/")[2]
    if name == "systems":
        return await reader.systems(asked["search"])
    if name == "rates":
        return await reader.rates(asked, request.url.query)
    return await reader.table(name, asked["system"])


async def _api_page(served: Served, request: Request) -> Answer:
    return pages.api_page(served.title)


async def _openapi(served: Served, request: Request) -> Answer:
    return json_answer(description(served.title))


async def _health(request: Request) -> Answer:
    return json_answer({"ok": True, "ratedb_version": __version__})
