"""One request and one answer, free of HTTP machinery: what the protocols take and give."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """`parameters` are those of the query string and of a posted form together; `base` is the server's own address.

    `headers` have lower-case names. `target` is path and query as sent, `body` what was posted.
    """

    path: str
    parameters: Mapping[str, str]
    base: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire. A `dropped` answer ends in the middle of its body, and the connection with it."""

    body: bytes
    status: int = 200
    content_type: str = "application/json;charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False

    @classmethod
    def of(cls, value: Any, status: int = 200) -> "Answer":
        """Any plain value as JSON."""
        return cls(json.dumps(value, separators=(",", ":")).encode(), status)

    @classmethod
    def page(cls, text: str, status: int = 200) -> "Answer":
        """An HTML page that says `text`."""
        html = f"<!doctype html><html><head><title>{text}</title></head><body>{text}</body></html>\n"
        return cls(html.encode(), status, "text/html;charset=utf-8")


@dataclass(frozen=True)
class Answered:
    """A request as the portals remember it: enough to count requests and to see how a client asked."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    status: int
