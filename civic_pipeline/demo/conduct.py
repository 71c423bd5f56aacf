"""How badly one file is served: which of its faults strikes a request, and what the client then sees."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from civic_pipeline.demo.exchange import Answer, Request
from civic_pipeline.demo.faults import Faults, Times

Matter = Literal["metadata", "rows", "count", "ids", "export", "file"]
_PAGES: frozenset[Matter] = frozenset({"rows", "export", "file"})
# What the description of a file shows: any request for it meets these.
_DESCRIBED = (
    "freshness", "moved_to_service", "layer_number", "no_paging", "hidden_columns", "renamed_columns", "retyped_columns", "added_columns",
)  # fmt: skip

_NONE = Faults()

LONGEST_URL = 2000
_HTML = b"<html><head><title>Sign in</title></head><body>Please wait ...</body></html>\n"


@dataclass(frozen=True)
class Asked:
    """What a request wants of a file: `limit` rows (0 where it wants none, or all)."""

    what: Matter
    limit: int = 0


class ErrorWriter(Protocol):
    """A protocol's way to say that something failed."""

    def __call__(self, code: int, message: str, details: str, status: int, /) -> Answer:
        """`details` is one of `Faults.error_details`, `status` the HTTP status the failure is announced with."""
        ...


class Conduct:
    """The faults of one file, and how often each has struck. Safe to call from any thread."""

    def __init__(self, faults: Faults) -> None:
        self._lock = threading.Lock()
        self.edition = 0
        self.begin(faults)

    def begin(self, faults: Faults) -> None:
        """From now on with these faults, none of which has struck."""
        self.faults = faults
        self.edition += 1
        self._struck: Counter[tuple[str, str]] = Counter()
        self._met: set[str] = set()
        self._pages: Counter[str] = Counter()
        self._calls = 0
        self._since_edit = 0

    def strikes(self, fault: str, path: str) -> bool:
        """Whether a fault that is counted in Times hits this request; it has then struck once more."""
        times: Times = getattr(self.faults, fault)
        with self._lock:
            if not times or self._pages[path] < self.faults.after_pages:
                return False
            self._struck[fault, path] += 1
            is_struck = times == "always" or self._struck[fault, path] <= times
        if is_struck:
            self.meet(fault)
        return is_struck

    def meet(self, *names: str) -> None:
        """Note that an answer is another because of these faults, those of them that are set."""
        with self._lock:
            self._met |= {name for name in names if getattr(self.faults, name) != getattr(_NONE, name)}

    def met(self, fault: str) -> bool:
        """Whether an answer was another because of a fault."""
        with self._lock:
            return fault in self._met

    def before(self, request: Request, asked: Asked, error: ErrorWriter) -> Answer | None:
        """The failure that takes the place of an answer, if one does."""
        faults, path = self.faults, request.path
        if faults.latency_ms:
            time.sleep(faults.latency_ms / 1000)
        if faults.home_page:
            self.meet("home_page")
            return Answer.page("Open Data")
        if faults.no_long_urls and len(request.target) > LONGEST_URL:
            self.meet("no_long_urls")
            return Answer.page("414 Request-URI Too Large", status=414)
        if faults.no_post and request.method == "POST":
            self.meet("no_post")
            return Answer.page("405 Method Not Allowed", status=405)
        if faults.token_required:
            self.meet("token_required")
            return error(499, "Token Required", "empty", 403)
        if asked.what == "metadata":
            self.meet(*_DESCRIBED)
            return None
        if self._quota_used():
            self.meet("calls_left")
            used = error(429, "You have exceeded the requests limit for this domain.", "empty", 429)
            return replace(used, status=429, headers=self._quota())
        if self.strikes("burst_requests", path):
            status = faults.burst_status
            later = {} if faults.retry_after is None else {"Retry-After": str(faults.retry_after)}
            return replace(error(status, "Please try again later.", "empty", status), status=status, headers=later)
        if asked.what == "count" and self.strikes("count_fails", path):
            return error(500, "Unable to complete operation.", "empty", 500)
        if asked.what == "ids" and faults.no_ids_only:
            self.meet("no_ids_only")
            return error(400, "Unable to complete operation.", "text", 400)
        return self._page_fails(request, asked, error) if asked.what in _PAGES else None

    def _page_fails(self, request: Request, asked: Asked, error: ErrorWriter) -> Answer | None:
        faults, path = self.faults, request.path
        if faults.heavy_rows is not None and asked.limit > faults.heavy_rows:
            self.meet("heavy_rows")
            return error(faults.heavy_code, "Error performing query operation", "empty", faults.heavy_code)
        if self.strikes("error_body", path):
            return error(faults.error_code, faults.error_message, faults.error_details, 200)
        if self.strikes("html_page", path):
            return Answer(_HTML, content_type="text/html;charset=utf-8")
        return None

    def after(self, request: Request, asked: Asked, answer: Answer) -> Answer:
        """The answer as it arrives, damaged if a fault says so."""
        if self.faults.calls_left is not None and asked.what != "metadata":
            answer = replace(answer, headers={**answer.headers, **self._quota()})
        if asked.what not in _PAGES or answer.status != 200:
            return answer
        whole = answer
        if self.strikes("html_appended", request.path):
            answer = replace(answer, body=answer.body + _HTML)
        if self.strikes("empty_body", request.path):
            answer = replace(answer, body=b"")
        if self.strikes("truncated_json", request.path):
            answer = replace(answer, body=answer.body[: len(answer.body) // 2])
        if self.strikes("dropped_connection", request.path):
            answer = replace(answer, dropped=True)
        with self._lock:
            self._pages[request.path] += answer is whole
            self._since_edit += 1
        return answer

    def edit_due(self) -> bool:
        """Whether rows are to change now: once, or again and again, after so many pages."""
        due = self.faults.edit_after_pages
        with self._lock:
            if due is None or self._since_edit < due:
                return False
            # A single edit is never due again.
            self._since_edit = 0 if self.faults.edits_forever else -(2**63)
        self.meet("edit_after_pages")
        return True

    def _quota(self) -> dict[str, str]:
        """What the headers say of the day's calls."""
        granted = self.faults.calls_left or 0
        left = {"X-RateLimit-Limit": str(granted), "X-RateLimit-Remaining": str(max(0, granted - self._calls))}
        return left | {"X-RateLimit-Reset": "2030-01-01T00:00:00Z"}

    def _quota_used(self) -> bool:
        with self._lock:
            self._calls += 1
            return self.faults.calls_left is not None and self._calls > self.faults.calls_left
