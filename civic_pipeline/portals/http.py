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
from civic_pipeline.settings import Profile

TIMEOUT_SECONDS = (10, 120)  # connect, read: big pages and deep offsets take a portal more than a minute at times
TRIES = 4

T = TypeVar("T")

# As an HTTP status, or inside the body of an ArcGIS 200. 202 is a Socrata that is still computing.
OVERLOADED_CODES = (500, 502, 503, 504)
THROTTLED = 429
PASSING_CODES = (202, THROTTLED, *OVERLOADED_CODES)

# A portal that asks for more patience than this gets its turn in the next run.
_LONGEST_PAUSE_SECONDS = 120
# Servers and their front ends refuse longer addresses (Esri/arcgis-rest-js#1226 and others: from about 2,000 characters).
_LONGEST_ADDRESS = 1900
_POST_REFUSED = (403, 404, 405, 411, 413)


@dataclass(frozen=True)
class Access:
    """How portals are reached: `root` is None for the real hosts, or the address of the demo portals.

    `allows_private`: a person allowed hosts that are not on the public internet. The demo portals always are such a host.
    """

    root: str | None = None
    socrata_token: str | None = field(default=None, repr=False)
    allows_private: bool = False

    @property
    def profile(self) -> Profile:
        return "demo" if self.root else "live"

    def session(self) -> Session:
        """A session for requests by this way."""
        return new_session(only_public=not (self.root or self.allows_private))


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

    def download(self, url: str, parameters: Mapping[str, Any], path: Path) -> Mapping[str, str]:
        """Write the body at `url` to `path`, however long it is; returns the headers. Raises what `json` raises."""

        def save() -> Mapping[str, str]:
            with self._turn(url), path.open("wb") as file:
                answer = self._session.get(url, params=dict(parameters), timeout=TIMEOUT_SECONDS, stream=True)
                _check_status(url, answer)
                for chunk in answer.iter_content(1 << 20):
                    self.traffic.bytes += file.write(chunk)
                return answer.headers

        return self._again(save, TRIES)

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

    def _answer(self, url: str, parameters: Mapping[str, Any], posted: object) -> requests.Response:
        session = self._session
        with self._turn(url):
            address = requests.Request("GET", url, params=dict(parameters)).prepare().url or url
            if posted is not None:
                answer = session.post(url, params=dict(parameters), json=posted, timeout=TIMEOUT_SECONDS, stream=True)
            elif len(address) > _LONGEST_ADDRESS:
                answer = session.post(url, data=dict(parameters), timeout=TIMEOUT_SECONDS)
                if answer.status_code in _POST_REFUSED:
                    answer = session.get(address, timeout=TIMEOUT_SECONDS)
            else:
                answer = session.get(address, timeout=TIMEOUT_SECONDS, stream=True)
            _read_body(answer)
            with self._turns:
                self.traffic.bytes += len(answer.content)
        _check_status(url, answer)
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
    try:
        return json.loads(body_of(answer))
    except (ValueError, RecursionError) as error:
        raise AnswerUnreadable(address_of(answer), "JSON", kind_of(answer)) from error


def body_of(answer: requests.Response) -> bytes:
    """The body, without the HTML that some servers append to good JSON (koop's recorded answers)."""
    body = answer.content.strip()
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


def kind_of(answer: requests.Response) -> str:
    """What a body is when it is not what was due."""
    text = answer.text.strip()
    if not text:
        return "an empty body"
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title or text[:200].lower().lstrip().startswith(("<!doctype", "<html")):
        return f"an HTML page titled {title.group(1).strip()!r}" if title else "an HTML page"
    return f"{len(text):,} characters of broken JSON or text beginning {text[:60]!r}"


def _read_body(answer: requests.Response) -> None:
    """What `answer.content` does in pieces of 10 kB, which takes as long as decoding the page, in pieces of 1 MB."""
    if answer.raw is not None and not answer._content:  # noqa: SLF001 - requests offers no other way to set the size
        answer._content = b"".join(answer.iter_content(1 << 20))  # noqa: SLF001


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
        return kind_of(answer)
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(body)[:200]
