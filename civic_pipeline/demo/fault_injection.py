"""Injects the faults of a served file: decides which fault a request gets, and changes the response."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from civic_pipeline.demo.exchange import Request, Response
from civic_pipeline.demo.faults import Faults, Times

PurposeKind = Literal["metadata", "rows", "count", "ids", "export", "file"]
_PAGES: frozenset[PurposeKind] = frozenset({"rows", "export", "file"})
# Faults that change the metadata of a file, so that every metadata request shows them.
_METADATA_FAULTS = (
    "freshness", "moved_to_service", "layer_number", "no_paging", "hidden_columns", "renamed_columns", "retyped_columns", "added_columns",
)  # fmt: skip

_NONE = Faults()

LONGEST_URL = 2000
_HTML = b"<html><head><title>Sign in</title></head><body>Please wait ...</body></html>\n"


@dataclass(frozen=True)
class Purpose:
    """What a request is for. `limit` is the number of rows requested; 0 means none, or all."""

    kind: PurposeKind
    limit: int = 0


class ErrorWriter(Protocol):
    """Function of a protocol that writes an error response."""

    def __call__(self, code: int, message: str, details: str, status: int, /) -> Response:
        """Return the error. `details` is one of `Faults.error_details`, `status` is the HTTP status of a portal that uses one."""
        ...


class FaultInjection:
    """The faults of one file, with counters of how often each occurred. Thread-safe."""

    def __init__(self, faults: Faults) -> None:
        self._lock = threading.Lock()
        self.edition = 0
        self.set_faults(faults)

    def set_faults(self, faults: Faults) -> None:
        """Replace the faults and reset all counters."""
        self.faults = faults
        self.edition += 1
        self._strikes: Counter[tuple[str, str]] = Counter()
        self._struck_faults: set[str] = set()
        self._pages: Counter[str] = Counter()
        self._calls = 0
        self._since_edit = 0

    def strikes(self, fault: str, path: str) -> bool:
        """Return whether a fault of type `Times` occurs in this request, and count it."""
        times: Times = getattr(self.faults, fault)
        with self._lock:
            if not times or self._pages[path] < self.faults.after_pages:
                return False
            self._strikes[fault, path] += 1
            is_struck = times == "always" or self._strikes[fault, path] <= times
        if is_struck:
            self.mark_struck(fault)
        return is_struck

    def mark_struck(self, *names: str) -> None:
        """Record that these faults changed a response. Faults that are not set are ignored."""
        with self._lock:
            self._struck_faults |= {name for name in names if getattr(self.faults, name) != getattr(_NONE, name)}

    def has_struck(self, fault: str) -> bool:
        """Return whether this fault has changed a response."""
        with self._lock:
            return fault in self._struck_faults

    def error_response(self, request: Request, purpose: Purpose, error: ErrorWriter) -> Response | None:
        """Return the response of a fault that replaces the normal response, or None. Waits for `latency_ms`."""
        faults, path = self.faults, request.path
        if faults.latency_ms:
            time.sleep(faults.latency_ms / 1000)
        if faults.home_page:
            self.mark_struck("home_page")
            return Response.page("Open Data")
        if faults.no_long_urls and len(request.target) > LONGEST_URL:
            self.mark_struck("no_long_urls")
            return Response.page("414 Request-URI Too Large", status=414)
        if faults.no_post and request.method == "POST":
            self.mark_struck("no_post")
            return Response.page("405 Method Not Allowed", status=405)
        if faults.token_required:
            self.mark_struck("token_required")
            return error(499, "Token Required", "empty", 403)
        if purpose.kind == "metadata":
            self.mark_struck(*_METADATA_FAULTS)
            return None
        if self._count_call():
            self.mark_struck("calls_left")
            response = error(429, "You have exceeded the requests limit for this domain.", "empty", 429)
            return replace(response, status=429, headers=self._quota())
        if self.strikes("burst_requests", path):
            status = faults.burst_status
            headers = {} if faults.retry_after is None else {"Retry-After": str(faults.retry_after)}
            return replace(error(status, "Please try again later.", "empty", status), status=status, headers=headers)
        if purpose.kind == "count" and self.strikes("count_fails", path):
            return error(500, "Unable to complete operation.", "empty", 500)
        if purpose.kind == "ids" and faults.no_ids_only:
            self.mark_struck("no_ids_only")
            return error(400, "Unable to complete operation.", "text", 400)
        return self._page_error(request, purpose, error) if purpose.kind in _PAGES else None

    def _page_error(self, request: Request, purpose: Purpose, error: ErrorWriter) -> Response | None:
        faults, path = self.faults, request.path
        if faults.heavy_rows is not None and purpose.limit > faults.heavy_rows:
            self.mark_struck("heavy_rows")
            return error(faults.heavy_code, "Error performing query operation", "empty", faults.heavy_code)
        if self.strikes("error_body", path):
            return error(faults.error_code, faults.error_message, faults.error_details, 200)
        if self.strikes("html_page", path):
            return Response(_HTML, content_type="text/html;charset=utf-8")
        return None

    def damage(self, request: Request, purpose: Purpose, response: Response) -> Response:
        """Return the response with the damage of the faults that occur."""
        if self.faults.calls_left is not None and purpose.kind != "metadata":
            response = replace(response, headers={**response.headers, **self._quota()})
        if purpose.kind not in _PAGES or response.status != 200:
            return response
        undamaged = response
        if self.strikes("html_appended", request.path):
            response = replace(response, body=response.body + _HTML)
        if self.strikes("empty_body", request.path):
            response = replace(response, body=b"")
        if self.strikes("truncated_json", request.path):
            response = replace(response, body=response.body[: len(response.body) // 2])
        if self.strikes("dropped_connection", request.path):
            response = replace(response, dropped=True)
        with self._lock:
            self._pages[request.path] += response is undamaged
            self._since_edit += 1
        return response

    def is_edit_due(self) -> bool:
        """Return whether rows must change now: after `edit_after_pages` pages, once or repeatedly."""
        due = self.faults.edit_after_pages
        with self._lock:
            if due is None or self._since_edit < due:
                return False
            # A single edit is never due again.
            self._since_edit = 0 if self.faults.edits_forever else -(2**63)
        self.mark_struck("edit_after_pages")
        return True

    def _quota(self) -> dict[str, str]:
        """Return the headers with the remaining requests of the day."""
        granted = self.faults.calls_left or 0
        left = {"X-RateLimit-Limit": str(granted), "X-RateLimit-Remaining": str(max(0, granted - self._calls))}
        return left | {"X-RateLimit-Reset": "2030-01-01T00:00:00Z"}

    def _count_call(self) -> bool:
        """Count a data request; return whether the quota of the day is used up."""
        with self._lock:
            self._calls += 1
            return self.faults.calls_left is not None and self._calls > self.faults.calls_left
