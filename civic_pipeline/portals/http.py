"""Requests that either return the JSON asked for or raise an error that says what came instead."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from civic_pipeline.errors import AnswerUnreadable, PortalRefused, PortalUnreachable, SourceNotFound
from civic_pipeline.settings import Profile

TIMEOUT_SECONDS = (10, 120)  # connect, read: big pages and deep offsets take a portal more than a minute at times

PASSING_CODES = (429, 500, 502, 503, 504)  # as an HTTP status, or inside the body of an ArcGIS 200


@dataclass(frozen=True)
class Access:
    """How portals are reached: `root` is None for the real hosts, or the address of the demo portals."""

    root: str | None = None
    socrata_token: str | None = None

    @property
    def profile(self) -> Profile:
        return "demo" if self.root else "live"


def retrying_adapter() -> HTTPAdapter:
    """Three more tries on lost connections, PASSING_CODES and 202 (a Socrata that is still computing), with jittered backoff.

    Retry-After is honoured up to two minutes; a portal that asks for more gets its turn in the next run.
    """
    return HTTPAdapter(
        max_retries=Retry(
            total=3, backoff_factor=0.5, backoff_jitter=0.5, status_forcelist=(202, *PASSING_CODES), retry_after_max=120,
            allowed_methods=("GET", "POST"), raise_on_status=False,
        )
    )  # fmt: skip


def new_session() -> requests.Session:
    """A session that retries. Sessions are not shared between threads."""
    session = requests.Session()
    session.mount("https://", retrying_adapter())
    session.mount("http://", retrying_adapter())
    return session


def get_json(session: requests.Session, url: str, parameters: dict[str, Any]) -> Any:
    """The JSON at `url`.

    Raises PortalUnreachable (no answer, or a server error that outlived the retries), SourceNotFound (404),
    PortalRefused (another 4xx) or AnswerUnreadable (not JSON).
    """
    try:
        answer = session.get(url, params=parameters, timeout=TIMEOUT_SECONDS)
    except requests.RequestException as error:
        raise PortalUnreachable(url, _reason(error)) from error
    if answer.status_code == 404:
        raise SourceNotFound("The dataset", url, _words(answer))
    if answer.status_code in (202, *PASSING_CODES):
        raise PortalUnreachable(url, f"HTTP {answer.status_code} after 4 tries: {_words(answer)}")
    if answer.status_code >= 400:
        raise PortalRefused(url, f"HTTP {answer.status_code}: {_words(answer)}")
    try:
        return answer.json()
    except requests.JSONDecodeError as error:
        raise AnswerUnreadable(answer.url.partition("?")[0], "JSON", _kind(answer)) from error


@contextmanager
def shaped_as(expected: str, url: str) -> Iterator[None]:
    """Around code that takes JSON apart: another shape than the protocol's becomes AnswerUnreadable."""
    try:
        yield
    except (AttributeError, LookupError, TypeError) as error:
        raise AnswerUnreadable(url, expected, f"JSON of another shape ({type(error).__name__}: {error})") from error


def _reason(error: requests.RequestException) -> str:
    """The innermost cause in words, without object addresses."""
    cause: BaseException = error
    while cause.__cause__ or cause.__context__:
        cause = cause.__cause__ or cause.__context__ or cause
    return re.sub(r"<[^>]+>: ?", "", str(cause)) or type(cause).__name__


def _words(answer: requests.Response) -> str:
    """The portal's own message where it gave one."""
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return _kind(answer)
    if isinstance(body, dict) and body.get("message"):
        return str(body["message"])
    return str(body)[:200]


def _kind(answer: requests.Response) -> str:
    """What a body is when it is not JSON."""
    text = answer.text.strip()
    if not text:
        return "an empty body"
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
    if title or text[:200].lower().lstrip().startswith(("<!doctype", "<html")):
        return f"an HTML page titled {title.group(1).strip()!r}" if title else "an HTML page"
    return f"{len(text):,} characters of broken JSON or text beginning {text[:60]!r}"
