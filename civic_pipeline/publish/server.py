"""`civic serve`: serves the released files over HTTP to analysts on other machines (ADR 0015).

It serves files only and runs no SQL, so clients cannot write anything or read other files.
"""

import asyncio
import base64
import binascii
import hmac
import ipaddress
import logging
import os
import re
import socket
import stat
from itertools import pairwise
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from civic_pipeline.errors import AddressTaken, ServeTokenInvalid
from civic_pipeline.publish.limits import limited_server
from civic_pipeline.releases.kept import RELEASE_ID, release_files
from civic_pipeline.settings import Settings

_log = logging.getLogger(__name__)

_MIN_TOKEN_LENGTH = 32  # characters: 128 bits in hexadecimal
_MIN_TOKEN_CHARACTERS = 8  # different ones: a token of one letter is not random
_WRONG_TOKEN_SECONDS = 0.05  # for each, one after the other
_MOST_WRONG_TOKENS = 100  # that wait for their answer: the next ones would take memory and connections from others


def application(settings: Settings) -> Starlette:
    """The web application for the releases under `settings.data`. Raises ServeTokenInvalid.

    `/releases/<id>.duckdb` never changes and supports byte ranges. `/warehouse.duckdb` redirects to the live release. Each
    request looks the releases up again.
    """
    conditions = StaticFiles()  # reads If-None-Match and If-Modified-Since; serves nothing here

    def redirect(request: Request) -> RedirectResponse:
        # DuckDB follows the redirect for every range that it reads. After a new release it would mix two files.
        if "range" in request.headers:
            raise HTTPException(
                416, "Attach the release that this address redirects to: the file at this address changes."
            )
        file = _live_file(settings)
        if file is None:
            raise HTTPException(404, "There is no release yet.")
        return RedirectResponse(f"releases/{file.name}", 307)

    def release(request: Request) -> Response:
        file = settings.releases / request.path_params["name"]
        status = _release_status(file)
        if status is None:
            raise HTTPException(404)
        headers = {
            "cache-control": "private, max-age=31536000, immutable",
            # The file of a release never changes, and no other file has its time to the nanosecond.
            "etag": f'"{file.stem}-{status.st_size}-{status.st_mtime_ns}"',
            "x-content-type-options": "nosniff",
        }
        response = FileResponse(file, stat_result=status, filename=file.name, headers=headers)
        if conditions.is_not_modified(response.headers, request.headers):
            return NotModifiedResponse(response.headers)
        return response

    routes = [Route("/warehouse.duckdb", redirect), Route("/releases/{name}", release)]
    app = Starlette(routes=routes, middleware=[Middleware(_TokenRequired, token=_check_token(settings.serve_token))])
    app.router.redirect_slashes = False
    return app


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the releases until interrupted. Raises ServeTokenInvalid or AddressTaken before it listens."""
    app = application(settings)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise AddressTaken(host, port, str(error)) from error
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/warehouse.duckdb"
    _log.info("the newest release is at %s; stop with Ctrl-C", address)
    if not _is_loopback(host):
        _log.warning(
            "%s can be reached from other machines over unencrypted HTTP: others in the network can read token and data."
            " Use 127.0.0.1 behind a proxy with TLS.",
            host,
        )
    # After a clean shutdown uvicorn raises the signal again for the previous handler.
    limited_server(app).run(sockets=[listening])


class _TokenRequired:
    """Rejects requests without the token, sent as a bearer token or as the HTTP Basic password."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()
        self._refusing, self._refused = asyncio.Lock(), 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["query_string"] = b""  # not used here, and the log would contain a token that was put into it
        if hmac.compare_digest(_token_of(Headers(scope=scope).get("authorization", "")), self._token):
            await self._app(scope, receive, send)
        else:
            await (await self._refusal())(scope, receive, send)

    async def _refusal(self) -> Response:
        """The response to a wrong token, late: that slows down guessing."""
        if self._refused >= _MOST_WRONG_TOKENS:
            return PlainTextResponse("Too many requests without the token. Try again.", 429, {"connection": "close"})
        self._refused += 1
        try:
            async with self._refusing:
                await asyncio.sleep(_WRONG_TOKEN_SECONDS)
        finally:
            self._refused -= 1
        return PlainTextResponse("A token is required.", 401, {"www-authenticate": 'Basic realm="civic", Bearer'})


def _token_of(authorization: str) -> bytes:
    """The token in an Authorization header, or empty bytes."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.encode()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""


def _check_token(token: str | None) -> str:
    if not token:
        raise ServeTokenInvalid("is not set")
    if len(token) < _MIN_TOKEN_LENGTH:
        raise ServeTokenInvalid(f"has {len(token)} characters, but needs at least {_MIN_TOKEN_LENGTH}")
    if _is_pattern(token):
        raise ServeTokenInvalid("repeats a few characters or counts, and could be guessed")
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ServeTokenInvalid("contains a blank or another character that is not allowed in an HTTP header")
    return token


def _is_pattern(token: str) -> bool:
    """Whether a token is of a few characters, is a text again and again, or is mostly a sequence such as 12345 or edcba."""
    steps = sum(abs(ord(one) - ord(next_one)) <= 1 for one, next_one in pairwise(token))
    repeats = any(token[length:] == token[:-length] for length in range(1, len(token) // 2 + 1))
    return repeats or len(set(token)) < _MIN_TOKEN_CHARACTERS or steps > 0.6 * len(token)


def _live_file(settings: Settings) -> Path | None:
    """The file of the live release, which `warehouse.duckdb` is a hard link to. After a rollback it is not the newest."""
    try:
        live = settings.warehouse.stat()
    except FileNotFoundError:
        return None
    for file in release_files(settings):
        status = _release_status(file)
        if status is not None and (status.st_dev, status.st_ino) == (live.st_dev, live.st_ino):
            return file
    return None


def _release_status(file: Path) -> os.stat_result | None:
    """The stat result of a release file; None for any other file and for symbolic links."""
    if not RELEASE_ID.fullmatch(file.stem) or file.suffix != ".duckdb":
        return None
    try:
        status = file.lstat()
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
