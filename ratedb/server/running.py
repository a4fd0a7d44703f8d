"""Run the server until Ctrl-C or SIGTERM, on an address of this machine."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from ratedb.errors import RatedbError, UsageError
from ratedb.server.app import make_app
from ratedb.server.served import Limits, Served

_CONNECTIONS, _IDLE_S, _END_S = 200, 15, 3
_LOCAL = ("localhost", "127.0.0.1", "[::1]", "::1")


def names_of(host: str, taken: socket.socket) -> tuple[str, ...]:
    """Return the host names that the server answers to: any, unless only this machine reaches its address.

    A page elsewhere could otherwise have a name of its own point here, and read what it gets.
    """
    local = ipaddress.ip_address(taken.getsockname()[0]).is_loopback
    return (*_LOCAL, host) if local else ("*",)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises UsageError for a port that is no port, RatedbError where the address cannot be had.
    """
    if not 0 <= port < 65536:
        raise UsageError("not a port", expected="0 to 65535", got=str(port))
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=_CONNECTIONS)
    except (OSError, UnicodeError) as error:
        raise RatedbError(
            "cannot listen on this address",
            where=f"{host}, port {port}",
            got=getattr(error, "strerror", None) or str(error),
            todo="name another with --host and --port; --port 0 takes a free one",
        ) from error


def address_of(host: str, taken: socket.socket) -> str:
    """Return the address that a browser on this machine opens."""
    name = f"[{host}]" if ":" in host else host
    shown = "localhost" if host in ("0.0.0.0", "::") else name
    return f"http://{shown}:{taken.getsockname()[1]}/"


def run(served: Served, limits: Limits, host: str, taken: socket.socket, ready: Callable[[], None]) -> int:
    """Answer until a signal ends it; returns how many requests were answered."""
    counted = _Counted(make_app(served, limits, names_of(host, taken)))
    config = uvicorn.Config(
        counted,
        log_config=None,
        access_log=False,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_END_S,
        server_header=False,
        date_header=False,
        ws="none",
    )
    # What ends the server is said by its last words, and errors by our own log.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    server = _Server(config, ready)
    server.run(sockets=[taken])
    return counted.number


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order at the first signal, which is no error, and at once at the second."""
        if self.should_exit:
            os._exit(128 + sig)
        self.should_exit = True


class _Counted:
    """An application that counts the requests it gets."""

    def __init__(self, app: Callable[..., object]) -> None:
        self._app, self.number = app, 0

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        self.number += scope["type"] == "http"
        await self._app(scope, receive, send)  # type: ignore[misc]
