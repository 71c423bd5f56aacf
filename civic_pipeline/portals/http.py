"""Requests to one portal that either return what was asked for or raise an error that says what came instead.

What may pass by itself is tried again; a portal that throttles is asked by fewer threads from then on.
"""

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from civic_pipeline.settings import CHECKOUT, Profile

TIMEOUT_SECONDS = (10, 120)  # connect, read: big pages and deep offsets take a portal more than a minute at times
TRIES = 4

T = TypeVar("T")

# As an HTTP status, or inside the body of an ArcGIS 200. 202 is a Socrata that is still computing.
OVERLOADED_CODES = (500, 502, 503, 504)
THROTTLED = 429
PASSING_CODES = (202, THROTTLED, *OVERLOADED_CODES)

# A portal that asks for more patience than this gets its turn in the next run.
_LONGEST_PAUSE_SECONDS = 120
# In pieces of 10 kB, as requests has it by itself, reading a page takes as long as decoding it.
_PIECE_BYTES = 1 << 20
_PEEK_BYTES = 4096


@dataclass(frozen=True)
class Access:
    """How portals are reached: `root` is None for the real hosts, or the address of the demo portals.

    Files of the project are read below `project`.

    `allows_private`: a person allowed hosts that are not on the public internet. The demo portals always are such a host.
    """

    root: str | None = None
    project: Path = CHECKOUT
    socrata_token: str | None = field(default=None, repr=False)
    allows_private: bool = False

    @property
    def profile(self) -> Profile:
        return "demo" if self.root else "live"

    def session(self) -> Session:
        """A session for requests by this way."""
        return new_session(only_public=not (self.root or self.allows_private))


@dataclass(frozen=True)
class Body:
    """A body that lies on the disk, and the address that sent it, without parameters."""

    url: str
    path: Path
    headers: Mapping[str, str]

    def beginning(self) -> bytes:
        """Its first 4 kB without blanks before them."""
        with self.path.open("rb") as file:
            return file.read(_PEEK_BYTES).lstrip()

    def end(self) -> bytes:
        """Its last 4 kB without blanks behind them."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _PEEK_BYTES))
            return file.read().rstrip()

    def json(self) -> Any:
        """All of it. Raises AnswerUnreadable."""
        return _parsed(self.url, self.path.read_bytes())

    def kind(self) -> str:
        """What it is when it is not what was due."""
        return kind_of(self.path.read_bytes())

    def without_markup(self) -> "Body":
        """The same, HTML behind good JSON cut off."""
        if self.end().endswith(b">") and self.beginning().startswith((b"{", b"[")):
            self.path.write_bytes(_without_markup(self.path.read_bytes().strip()))
        return self


class Client:
    """The requests of one source: counted, retried, at most `at_once` under way. Used from any thread."""

    def __init__(self, at_once: int, session: requests.Session | None = None) -> None:
        self.traffic = Traffic()
        self.at_once = at_once
        # Shared by our threads: its pool of connections is safe, and nothing else of it changes while we read.
        self._session = session or new_session(only_public=True)
        self._turns = threading.Condition()
        self._under_way = 0

    def json(self, url: str, parameters: Mapping[str, Any], posted: object = None) -> Any:
        """The JSON at `url`; `posted` goes along as a JSON body.

        Raises PortalUnreachable, SourceNotFound (404), PortalRefused (another 4xx) or AnswerUnreadable (not JSON).
        """
        return self.ask(url, parameters, json_of, posted)

    def ask(
        self,
        url: str,
        parameters: Mapping[str, Any],
        understand: Callable[[requests.Response], T],
        posted: object = None,
        tries: int = TRIES,
    ) -> T:
        """What `understand` makes of the answer's body.

        PortalUnreachable and AnswerUnreadable are worth another try, wherever they come from.
        """
        return self._again(lambda: understand(self._answer(url, parameters, posted)), tries)

    def download(
        self,
        url: str,
        parameters: Mapping[str, Any],
        path: Path,
        understand: Callable[[Body], T],
        posted: object = None,
        tries: int = TRIES,
    ) -> T:
        """The same for a body of any length, which is written to `path` and never in memory as a whole."""

        def attempt() -> T:
            answer = self._answer(url, parameters, posted, path)
            return understand(Body(address_of(answer), path, answer.headers))

        return self._again(attempt, tries)

    def halved(self) -> None:
        """Count a page that was too heavy for the portal."""
        with self._turns:
            self.traffic.pages_halved += 1

    def _again(self, attempt: Callable[[], T], tries: int) -> T:
        for left in range(tries - 1, -1, -1):
            try:
                return attempt()
            except (PortalUnreachable, AnswerUnreadable) as error:
                told = error.retry_after if isinstance(error, PortalUnreachable) else None
                if not left or (told or 0) > _LONGEST_PAUSE_SECONDS:
                    raise
                with self._turns:
                    self.traffic.retries += 1
                    if isinstance(error, PortalUnreachable) and error.throttled:
                        self.at_once = max(1, self.at_once // 2)
                jittered = 0.5 * 2 ** (tries - left - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret depends on it
                pause(jittered if told is None else told)
        raise AssertionError("the last try returns or raises")

    def _answer(
        self, url: str, parameters: Mapping[str, Any], posted: object, path: Path | None = None
    ) -> requests.Response:
        """The answer of a request that succeeded, its body at `path` where that is given."""
        ask = partial(self._session.request, timeout=TIMEOUT_SECONDS, stream=path is not None)
        with self._turn(url):
            answer = ask("GET" if posted is None else "POST", url, params=dict(parameters), json=posted)
            _check_status(url, answer)
            received = len(answer.content) if path is None else _save(answer, path)
            with self._turns:
                self.traffic.bytes += received
        return answer

    @contextmanager
    def _turn(self, url: str) -> Iterator[None]:
        """Wait until fewer than `at_once` requests are under way; a lost connection becomes PortalUnreachable."""
        with self._turns:
            self._turns.wait_for(lambda: self._under_way < self.at_once)
            self._under_way += 1
            self.traffic.requests += 1
        try:
            yield
        except requests.Timeout as error:
            raise PortalOverloaded(url, _reason(error)) from error
        except requests.RequestException as error:
            raise PortalUnreachable(url, _reason(error)) from error
        finally:
            with self._turns:
                self._under_way -= 1
                self._turns.notify()


def pause(seconds: float) -> None:
    """Wait before another try."""
    time.sleep(seconds)


def json_of(answer: requests.Response) -> Any:
    """The JSON value of a body. Raises AnswerUnreadable."""
    return _parsed(address_of(answer), answer.content)


def _parsed(url: str, body: bytes) -> Any:
    try:
        return json.loads(_without_markup(body.strip()))
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(url, "JSON", kind_of(body)) from error


def _without_markup(body: bytes) -> bytes:
    """The body, without the HTML that some servers append to good JSON (koop's recorded answers)."""
    if body[:1] not in (b"{", b"[") or body[-1:] != b">":
        return body
    try:
        text = body.decode()
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return body
    return text[:end].encode() if text[end:].lstrip().startswith("<") else body


@contextmanager
def shaped_as(expected: str, url: str) -> Iterator[None]:
    """Around code that takes JSON apart: another shape than the protocol's becomes AnswerUnreadable."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise AnswerUnreadable(url, expected, f"JSON of another shape ({type(error).__name__}: {error})") from error


def kind_of(body: bytes) -> str:
    """What a body is when it is not what was due."""
    text = body.decode(errors="replace").strip()
    if not text:
        return "an empty body"
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title or text[:200].lower().lstrip().startswith(("<!doctype", "<html")):
        return f"an HTML page titled {title.group(1).strip()!r}" if title else "an HTML page"
    return f"{len(text):,} characters of broken JSON or text beginning {text[:60]!r}"


def markup_in(beginning: bytes) -> str | None:
    """What a file that begins so is, where it is a page or a document of markup rather than data."""
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    return "a document of markup" if start.startswith((b"<?xml", b"<!", b"<head", b"<body", b"<div")) else None


def _save(answer: requests.Response, path: Path) -> int:
    """Write the body to `path`; returns its bytes."""
    with path.open("wb") as file:
        return sum(file.write(piece) for piece in answer.iter_content(_PIECE_BYTES))


def _check_status(url: str, answer: requests.Response) -> None:
    """Raises the error that a status stands for."""
    status = answer.status_code
    if status == 404:
        raise SourceNotFound("The dataset", url, _words(answer))
    if status in PASSING_CODES:
        told = f"HTTP {status}: {_words(answer)}"
        if status in OVERLOADED_CODES:
            raise PortalOverloaded(url, told, _retry_after(answer))
        raise PortalUnreachable(url, told, _retry_after(answer), throttled=status == THROTTLED)
    if status >= 400:
        raise PortalRefused(url, f"HTTP {status}: {_words(answer)}")


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds that the portal asks for, given as a number or as a date; None where it asks for none."""
    told = answer.headers.get("Retry-After")
    try:
        return Retry().parse_retry_after(told) if told else None
    except InvalidHeader:
        return None


def address_of(answer: requests.Response) -> str:
    """The address that answered, without its parameters: they may hold a token."""
    return str(answer.url).partition("?")[0]


def _reason(error: requests.RequestException) -> str:
    """The innermost cause in words, without object addresses."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return re.sub(r"<[^>]+>: ?", "", str(cause)) or type(cause).__name__


def _words(answer: requests.Response) -> str:
    """The portal's own message where it gave one."""
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return kind_of(answer.content)
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(body)[:200]
