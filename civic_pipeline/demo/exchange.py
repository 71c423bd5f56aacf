"""Requests and responses as plain values, independent of the HTTP server."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    `parameters` are those of the query string and of a posted form; `base` is the address of the server. Names in `headers`
    are lower case. `target` is path and query as sent, `body` is the posted data.
    """

    path: str
    parameters: Mapping[str, str]
    base: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    """One HTTP response. A `dropped` response ends in the middle of its body, and the connection is closed."""

    body: bytes
    status: int = 200
    content_type: str = "application/json;charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: bool = False

    @classmethod
    def of(cls, value: Any, status: int = 200) -> "Response":
        """Return a response with `value` as JSON."""
        return cls(json.dumps(value, separators=(",", ":")).encode(), status)

    @classmethod
    def page(cls, text: str, status: int = 200) -> "Response":
        """Return an HTML page that shows `text`."""
        html = f"<!doctype html><html><head><title>{text}</title></head><body>{text}</body></html>\n"
        return cls(html.encode(), status, "text/html;charset=utf-8")


@dataclass(frozen=True)
class LoggedRequest:
    """An entry of the request log: enough to count requests and to see how a client sent them."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    status: int
