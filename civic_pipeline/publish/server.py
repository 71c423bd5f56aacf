"""`civic serve`: the released files over HTTP, for analysts on other machines (ADR 0015).

Files are all it knows: no SQL runs here, so there is nothing to write with and no other file to read.
"""

import base64
import binascii
import hmac
import ipaddress
import logging
import os
import re
import socket
import stat
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from civic_pipeline.errors import AddressTaken, ServeTokenInvalid
from civic_pipeline.releases.kept import RELEASE_ID, release_files
from civic_pipeline.settings import Settings

_log = logging.getLogger(__name__)

_LEAST_TOKEN = 32  # characters: 128 bits, written in hexadecimal
_GRACE_SECONDS = 5  # what is under way when the server is told to end has this long


def application(settings: Settings) -> Starlette:
    """The releases under `settings.data`, looked up anew for every request. Raises ServeTokenInvalid.

    `/releases/<id>.duckdb` never changes and is served by byte ranges. `/warehouse.duckdb` leads to the newest.
    """

    def newest(request: Request) -> RedirectResponse:
        # DuckDB follows this again for every range it reads: a release published in between would be mixed in.
        if "range" in request.headers:
            raise HTTPException(416, "Attach the release that this address redirects to: here the bytes change.")
        file = _newest(settings)
        if file is None:
            raise HTTPException(404, "Nothing is released yet.")
        return RedirectResponse(f"releases/{file.name}", 307)

    def release(request: Request) -> FileResponse:
        file = settings.releases / request.path_params["name"]
        found = _release(file)
        if found is None:
            raise HTTPException(404)
        return FileResponse(file, stat_result=found, headers={"cache-control": "private, max-age=31536000, immutable"})

    routes = [Route("/warehouse.duckdb", newest), Route("/releases/{name}", release)]
    app = Starlette(routes=routes, middleware=[Middleware(_TokenRequired, token=_fit(settings.serve_token))])
    app.router.redirect_slashes = False
    return app


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the releases until interrupted. Raises ServeTokenInvalid or AddressTaken before anything listens."""
    app = application(settings)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise AddressTaken(host, port, str(error)) from error
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/warehouse.duckdb"
    _log.info("the newest release is at %s; Ctrl-C ends it", address)
    if not _is_loopback(host):
        _log.warning(
            "%s is reached from other machines, and this is plain HTTP: token and data can be read on the way."
            " Listen on 127.0.0.1 behind a proxy that speaks TLS.",
            host,
        )
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", ws="none", server_header=False, timeout_graceful_shutdown=_GRACE_SECONDS
    )
    # Once it has ended in good order, uvicorn raises the signal again for the handler of before.
    uvicorn.Server(config).run(sockets=[listening])


class _TokenRequired:
    """Nothing is said to who does not give the token: as a bearer, or as the password of a browser's dialogue."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["query_string"] = b""  # nothing here reads it, and the log would keep a token that was put there
        if hmac.compare_digest(_given(Headers(scope=scope).get("authorization", "")), self._token):
            await self._app(scope, receive, send)
        else:
            challenge = {"www-authenticate": 'Basic realm="civic", Bearer'}
            await PlainTextResponse("A token is needed.", 401, challenge)(scope, receive, send)


def _given(authorization: str) -> bytes:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.encode()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def _fit(token: str | None) -> str:
    if not token:
        raise ServeTokenInvalid("is not set")
    if len(token) < _LEAST_TOKEN:
        raise ServeTokenInvalid(f"has {len(token)} characters, and {_LEAST_TOKEN} are the least")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ServeTokenInvalid("holds a blank, or something else that a header cannot carry")
    return token


def _newest(settings: Settings) -> Path | None:
    """The release that `warehouse.duckdb` is a link to: not always the youngest, since one can roll back."""
    try:
        live = settings.warehouse.stat()
    except FileNotFoundError:
        return None
    for file in release_files(settings):
        found = _release(file)
        if found is not None and (found.st_dev, found.st_ino) == (live.st_dev, live.st_ino):
            return file
    return None


def _release(file: Path) -> os.stat_result | None:
    """What is known of a release's file; None for anything else, a link to elsewhere included."""
    if not RELEASE_ID.fullmatch(file.stem) or file.suffix != ".duckdb":
        return None
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
