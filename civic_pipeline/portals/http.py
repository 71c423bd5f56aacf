"""HTTP requests to a portal: a request returns the expected data or raises an error that describes the response.

Temporary failures are retried. If a portal throttles, fewer requests run at the same time from then on.
"""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util.retry import Retry

from civic_pipeline.errors import (
    AnswerUnreadable,
    PortalOverloaded,
    PortalRefused,
    PortalUnreachable,
    SourceNotFound,
)
from civic_pipeline.portals.session import Session, new_session
from civic_pipeline.portals.source import Traffic
from civic_pipeline.portals.wire import now
from civic_pipeline.settings import CHECKOUT, Profile, waits

SILENCE_SECONDS = 120  # until the next byte: large pages and high offsets can take a portal more than a minute
TRIES = 4

T = TypeVar("T")

# HTTP statuses; ArcGIS also sends them in the body of an HTTP 200. Socrata sends 202 while it still computes the result.
OVERLOADED_CODES = (500, 502, 503, 504)
THROTTLED = 429
TEMPORARY_CODES = (202, THROTTLED, *OVERLOADED_CODES)

# A portal that asks for a longer pause is asked again in the next run.
_MAX_PAUSE_SECONDS = 120
# With chunks of 10 kB, the default of requests, reading a page takes as long as decoding it.
_CHUNK_BYTES = 1 << 20
_PEEK_BYTES = 4096


@dataclass(frozen=True)
class OlderCopy:
    """A file that becomes the capture of its day before the portals are asked. Only the demo has such files."""

    dataset: str
    edition: str | None
    file: Path
    captured_at: datetime


@dataclass(frozen=True)
class Access:
    """How to reach portals.

    `root`: address of the demo portals, or None for the real hosts. `project`: folder for sources with a relative path.
    `allows_private`: the user allows hosts that are not on the public internet; the demo portals are always allowed.
    `older_copies`: what the demo portals published before.
    """

    root: str | None = None
    project: Path = CHECKOUT
    socrata_token: str | None = field(default=None, repr=False)
    allows_private: bool = False
    older_copies: tuple[OlderCopy, ...] = ()

    @property
    def profile(self) -> Profile:
        return "demo" if self.root else "live"

    def session(self) -> Session:
        """A new session with the restrictions of this access."""
        return new_session(only_public=not (self.root or self.allows_private))


@dataclass(frozen=True)
class Body:
    """A response body in a file, with the URL that sent it (without parameters) and the response headers."""

    url: str
    path: Path
    headers: Mapping[str, str]

    def beginning(self) -> bytes:
        """The first 4 kB, without leading whitespace."""
        with self.path.open("rb") as file:
            return file.read(_PEEK_BYTES).lstrip()

    def end(self) -> bytes:
        """The last 4 kB, without trailing whitespace."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _PEEK_BYTES))
            return file.read().rstrip()

    def json(self) -> Any:
        """The body as JSON. Raises AnswerUnreadable."""
        return _parse_json(self.url, self.path.read_bytes())

    def describe(self) -> str:
        """What the body is, for error messages."""
        return describe_body(self.path.read_bytes())

    def without_markup(self) -> "Body":
        """The same body; HTML after valid JSON is removed from the file."""
        if self.end().endswith(b">") and self.beginning().startswith((b"{", b"[")):
            self.path.write_bytes(_without_markup(self.path.read_bytes().strip()))
        return self


class Client:
    """Sends the requests of one source: counts them, retries them, at most `at_once` at the same time. Thread-safe."""

    def __init__(self, at_once: int, session: requests.Session | None = None) -> None:
        self.traffic = Traffic()
        self.at_once = at_once
        # Shared by all threads: its connection pool is thread-safe, and nothing else in it changes during a read.
        self._session = session or new_session(only_public=True)
        self._slots = threading.Condition()
        self._in_flight = 0
        self._started = now()
        self._waits = waits()

    def json(self, url: str, parameters: Mapping[str, Any], posted: object = None) -> Any:
        """The JSON at `url`. With `posted`, sends a POST request with this value as its JSON body.

        Raises PortalUnreachable, SourceNotFound (404), PortalRefused (another 4xx) or AnswerUnreadable (not JSON).
        """
        return self.ask(url, parameters, json_of, posted)

    def ask(
        self,
        url: str,
        parameters: Mapping[str, Any],
        parse: Callable[[requests.Response], T],
        posted: object = None,
        tries: int = TRIES,
    ) -> T:
        """The result of `parse` on the response. PortalUnreachable and AnswerUnreadable are retried, also from `parse`."""
        return self._retry(lambda: parse(self._send(url, parameters, posted)), tries)

    def download(
        self,
        url: str,
        parameters: Mapping[str, Any],
        path: Path,
        parse: Callable[[Body], T],
        posted: object = None,
        tries: int = TRIES,
    ) -> T:
        """The same for a body of any length: it is streamed to `path` and never completely in memory."""

        def attempt() -> T:
            response = self._send(url, parameters, posted, path)
            return parse(Body(address_of(response), path, response.headers))

        return self._retry(attempt, tries)

    def count_halved_page(self) -> None:
        """Count a page that was too large for the portal."""
        with self._slots:
            self.traffic.pages_halved += 1

    def _retry(self, attempt: Callable[[], T], tries: int) -> T:
        for left in range(tries - 1, -1, -1):
            try:
                return attempt()
            except (PortalUnreachable, AnswerUnreadable) as error:
                retry_after = error.retry_after if isinstance(error, PortalUnreachable) else None
                if not left or (retry_after or 0) > _MAX_PAUSE_SECONDS:
                    raise
                with self._slots:
                    self.traffic.retries += 1
                    if isinstance(error, PortalUnreachable) and error.throttled:
                        self.at_once = max(1, self.at_once // 2)
                backoff = 0.5 * 2 ** (tries - left - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - not used for security
                pause(backoff if retry_after is None else retry_after)
        raise AssertionError("the last try returns or raises")

    def _send(
        self, url: str, parameters: Mapping[str, Any], posted: object, path: Path | None = None
    ) -> requests.Response:
        """The response of a successful request. With `path`, its body is written there."""
        timeout = self._waits.connect_seconds, SILENCE_SECONDS
        request = partial(self._session.request, timeout=timeout, stream=path is not None)
        if now() - self._started > self._waits.attempt_seconds:
            why = f"the attempt is not complete after {self._waits.attempt_seconds:,} seconds"
            raise PortalRefused(url, why)
        with self._slot(url):
            response = request("GET" if posted is None else "POST", url, params=dict(parameters), json=posted)
            _check_status(url, response)
            received = len(response.content) if path is None else _save(response, path)
            with self._slots:
                self.traffic.bytes += received
        return response

    @contextmanager
    def _slot(self, url: str) -> Iterator[None]:
        """Wait until fewer than `at_once` requests are in flight; turns errors of requests into ours."""
        with self._slots:
            self._slots.wait_for(lambda: self._in_flight < self.at_once)
            self._in_flight += 1
            self.traffic.requests += 1
        try:
            yield
        except requests.Timeout as error:
            raise PortalOverloaded(url, _reason(error)) from error
        # ValueError: libraries do not foresee a Location that is no address, or a chunk of -5 bytes.
        except (requests.RequestException, ValueError) as error:
            raise PortalUnreachable(url, _reason(error)) from error
        finally:
            with self._slots:
                self._in_flight -= 1
                self._slots.notify()


def pause(seconds: float) -> None:
    """Wait before a retry."""
    time.sleep(seconds)


def json_of(response: requests.Response) -> Any:
    """The JSON value of a response. Raises AnswerUnreadable."""
    return _parse_json(address_of(response), response.content)


def _parse_json(url: str, body: bytes) -> Any:
    try:
        return json.loads(_without_markup(body.strip()))
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(url, "JSON", describe_body(body)) from error


def _without_markup(body: bytes) -> bytes:
    """The body without the HTML that some servers append to valid JSON (seen in responses recorded by koop)."""
    if body[:1] not in (b"{", b"[") or body[-1:] != b">":
        return body
    try:
        text = body.decode()
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return body
    return text[:end].encode() if text[end:].lstrip().startswith("<") else body


@contextmanager
def expecting(expected: str, url: str) -> Iterator[None]:
    """Context for code that reads values from JSON: raises AnswerUnreadable if they are missing or of another type."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise AnswerUnreadable(url, expected, f"JSON of another shape ({type(error).__name__}: {error})") from error


def describe_body(body: bytes) -> str:
    """What a body is, for error messages."""
    text = body[:_PEEK_BYTES].decode(errors="replace").strip()
    if not text:
        return "an empty body"
    title = re.search(r"<title[^<>]*>([^<]*)", text, re.IGNORECASE)
    if title or text[:200].lower().lstrip().startswith(("<!doctype", "<html")):
        return f"an HTML page titled {title.group(1).strip()[:200]!r}" if title else "an HTML page"
    return f"{len(body):,} bytes of broken JSON or text, beginning with {text[:60]!r}"


def detect_markup(beginning: bytes) -> str | None:
    """Return "an HTML page" or "a markup document" if the content is not data, else None. `beginning`: its first bytes."""
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    return "a markup document" if start.startswith((b"<?xml", b"<!", b"<head", b"<body", b"<div")) else None


def _save(response: requests.Response, path: Path) -> int:
    """Write the body to `path`. Returns the number of bytes."""
    with path.open("wb") as file:
        return sum(file.write(chunk) for chunk in response.iter_content(_CHUNK_BYTES))


def _check_status(url: str, response: requests.Response) -> None:
    """Raise the error for the HTTP status, if it is one."""
    status = response.status_code
    if status == 404:
        raise SourceNotFound("The dataset", url, _message(response))
    if status in TEMPORARY_CODES:
        problem = f"HTTP {status}: {_message(response)}"
        if status in OVERLOADED_CODES:
            raise PortalOverloaded(url, problem, _retry_after(response))
        raise PortalUnreachable(url, problem, _retry_after(response), throttled=status == THROTTLED)
    if status not in (200, 203, 304):  # 206 is a part of what was asked for
        raise PortalRefused(url, f"HTTP {status}: {_message(response)}")


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait from the header Retry-After (a number or a date), or None."""
    header = response.headers.get("Retry-After")
    try:
        return Retry().parse_retry_after(header) if header else None
    except InvalidHeader:
        return None


def address_of(response: requests.Response) -> str:
    """The URL of the response without its parameters, which may contain a token."""
    return str(response.url).partition("?")[0]


def _reason(error: Exception) -> str:
    """The message of the innermost cause, without object addresses."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return re.sub(r"<[^<>]+>: ?", "", str(cause)) or type(cause).__name__


def _message(response: requests.Response) -> str:
    """The portal's error message, or a description of the body."""
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return describe_body(response.content)
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(body)[:200]
