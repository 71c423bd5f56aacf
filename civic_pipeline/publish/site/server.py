"""`civic site serve`: the built site on this machine, as a static host would serve it: byte ranges, caching, strict headers."""

import logging
import socket
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from civic_pipeline.errors import AddressTaken, SiteMissing
from civic_pipeline.publish.limits import limited_server
from civic_pipeline.publish.site.site import POLICY

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
_TEXTS = (".html", ".js", ".css", ".json", ".svg", ".xml", ".csv")
_UNCHANGING = ("/files/", "/assets/")  # their names hold the hash of their content


def application(site: Path) -> Starlette:
    """The web application for the site in the folder `site`. Raises SiteMissing."""
    if not (site / "manifest.json").exists():
        raise SiteMissing(site)
    return Starlette(
        routes=[Mount("/", StaticFiles(directory=site, html=True))],
        middleware=[Middleware(_Headers), Middleware(_Compressed)],
    )


def serve(site: Path, port: int) -> None:
    """Serve the site on this machine until interrupted. Raises SiteMissing or AddressTaken before it listens."""
    app = application(site)
    try:
        listening = socket.create_server((HOST, port), backlog=128)
    except OSError as error:
        raise AddressTaken(HOST, port, str(error)) from error
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    _log.info("the site is at http://%s:%s; stop with Ctrl-C", HOST, listening.getsockname()[1])
    limited_server(app, access_log=False).run(sockets=[listening])


class _Compressed:
    """Compresses texts with gzip, but nothing that is read by byte ranges: they are those of the file."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self._compressing = app, GZipMiddleware(app, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_text = scope["type"] == "http" and (scope["path"].endswith("/") or scope["path"].endswith(_TEXTS))
        await (self._compressing if is_text else self._app)(scope, receive, send)


class _Headers:
    """Adds the headers that a static host should send, too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cache = "max-age=31536000, immutable" if scope["path"].startswith(_UNCHANGING) else "no-cache"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [
                    (b"content-security-policy", f"{POLICY}; frame-ancestors 'self'".encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                    (b"cache-control", cache.encode()),
                ]
            await send(message)

        await self._app(scope, receive, with_headers)
