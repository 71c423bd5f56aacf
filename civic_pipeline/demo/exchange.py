"""One request and one answer, free of HTTP machinery: what the two protocols take and give."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """`parameters` are those of the query string and of a posted form together; `base` is the server's own address."""

    path: str
    parameters: Mapping[str, str]
    base: str


@dataclass(frozen=True)
class Answer:
    """What goes back over the wire."""

    body: bytes
    status: int = 200
    content_type: str = "application/json;charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any, status: int = 200) -> "Answer":
        """Any plain value as JSON."""
        return cls(json.dumps(value, separators=(",", ":")).encode(), status)
