"""OpenDataSoft (Huwise) datasets, Explore API v2.1: one export of all records, because paging ends at 10,000 records.

An export that fails halfway has HTTP status 200; it ends with an error message or is just too short. So it is stored and
checked before rows are read, and verified with the portal's row count. These portals have no row ids.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import requests

from civic_pipeline.catalog import OpendatasoftSource
from civic_pipeline.errors import AnswerUnreadable, PagingBroken, PortalOverloaded, SourceNotFound
from civic_pipeline.portals.columns import CLOCK, NUMBER, typed
from civic_pipeline.portals.http import Access, Body, Client, detect_markup, expecting
from civic_pipeline.portals.json_rows import json_rows
from civic_pipeline.portals.source import About, Description, Freshness, PortalColumn, Traffic
from civic_pipeline.sql_text import quoted

ARROW_TYPES: dict[str, pa.DataType] = {
    "int": pa.int64(), "double": NUMBER, "date": pa.date32(), "datetime": CLOCK, "boolean": pa.bool_(),
}  # fmt: skip

# The API appends this text when it cannot send more rows (seen at data.longbeach.gov).
_INTERRUPTED = b"Streaming interrupted"

_Form = Literal["jsonl", "json"]
_ENDS: dict[_Form, tuple[bytes, bytes]] = {"jsonl": (b"{", b"}"), "json": (b"[", b"]")}


class OpendatasoftDataset:
    """One dataset, by domain and id."""

    def __init__(self, source: OpendatasoftSource, access: Access) -> None:
        base = access.root or f"https://{source.domain}"
        session = access.session()
        session.hooks["response"].append(_set_retry_after)
        self._client = Client(at_once=1, session=session)
        self._id = source.id
        self.url = f"{base}/api/explore/v2.1/catalog/datasets/{source.id}"

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def describe(self) -> Description:
        dataset = self._client.json(self.url, {})
        with expecting("a dataset's metadata", self.url):
            columns = tuple(_column(field) for field in dataset["fields"])
            about = _about(dataset["metas"], self._id)
            freshness = _freshness(dataset["metas"]["default"])
        if not columns or dataset.get("has_records") is False:
            raise SourceNotFound(f"Records of {self._id}", self.url, "the dataset has no records, only files or links")
        return Description(self.url, about, columns, None, freshness)

    def count(self) -> int:
        answer = self._client.json(f"{self.url}/records", {"limit": 0})
        with expecting("a row count", self.url):
            return int(answer["total_count"])

    def read(self, description: Description, _counted: int, spool: Path, sequential: bool, /) -> Iterator[pa.Table]:
        """Reads an export in JSON lines; if `sequential`, an export as a JSON array, which the portal generates otherwise.

        Raises PagingBroken if a `sequential` read may succeed.
        """
        if sequential:
            yield from self._read_export("json", description, spool)
            return
        try:
            yield from self._read_export("jsonl", description, spool)
        except (AnswerUnreadable, PortalOverloaded) as error:
            raise PagingBroken(self.url, str(error)) from error

    def read_edited(self, *_: object) -> Iterator[pa.Table]:
        yield from ()  # never called: `edited` of the description is None

    def reused_ids(self) -> int:
        return 0

    def _read_export(self, form: _Form, description: Description, spool: Path) -> Iterator[pa.Table]:
        # Without parameters: with an offset the limit of 10,000 applies to exports too.
        url, path = f"{self.url}/exports/{form}", spool / f"export.{form}"
        self._client.download(url, {}, path, partial(_check_export, form))
        names = [column.name for column in description.columns]
        lines: Literal["array", "newline_delimited"] = "newline_delimited" if form == "jsonl" else "array"
        select = ", ".join(map(quoted, names))
        for page in json_rows(url, path, lines, dict.fromkeys(names, "varchar"), select, spool):
            arrays = [typed(page[column.name], column) for column in description.columns]
            yield pa.table(arrays, schema=description.schema)


def _check_export(form: _Form, export: Body) -> None:
    """Raise PortalOverloaded if the export says that it was interrupted, AnswerUnreadable if it is not a list of rows."""
    beginning, end = export.beginning(), export.end()
    opening, closing = _ENDS[form]
    if beginning.startswith(opening) and end.endswith(closing):
        return
    _, interrupted, detail = end.rpartition(_INTERRUPTED)
    if interrupted:
        message = (interrupted + detail[:300]).decode(errors="replace")
        size = export.path.stat().st_size
        raise PortalOverloaded(export.url, f"the export was interrupted after {size:,} bytes: {message}")
    got = detect_markup(beginning) or f"text that begins with {beginning[:60]!r} and ends with {end[-60:]!r}"
    raise AnswerUnreadable(export.url, "a complete export", got if beginning else "an empty body")


def _set_retry_after(response: requests.Response, *_: Any, **__: Any) -> None:
    """Set the header Retry-After from `X-RateLimit-Reset: 2026-01-01T00:00:00Z`, which these portals send instead."""
    if response.status_code != 429 or "Retry-After" in response.headers:
        return
    try:
        reset = datetime.fromisoformat(response.headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return
    left = (reset if reset.tzinfo else reset.replace(tzinfo=UTC)) - datetime.now(UTC)
    response.headers["Retry-After"] = str(max(0, round(left.total_seconds())))


def _column(field: Mapping[str, Any]) -> PortalColumn:
    kind, name = str(field["type"]), str(field["name"])
    # A date with the precision of a year or a month (`2024`, `2024-01`) stays text: a day would be a guess.
    precision = (field.get("annotations") or {}).get("timeserie_precision")
    is_coarse = kind == "date" and precision in {"year", "month"}
    arrow_type = pa.string() if is_coarse else ARROW_TYPES.get(kind, pa.string())
    return PortalColumn(name, kind, arrow_type, str(field.get("label") or name), is_instant=kind == "datetime")


def _about(metas: Mapping[str, Any], dataset_id: str) -> About:
    default, dcat = metas["default"], metas.get("dcat") or {}
    return About(
        title=default.get("title") or dataset_id,
        description=default.get("description") or "",
        publisher=default.get("publisher") or "",
        licence=default.get("license") or "",
        cadence=default.get("update_frequency") or dcat.get("accrualperiodicity") or "",
    )


def _freshness(default: Mapping[str, Any]) -> Freshness:
    """When the data were last processed, else when data or metadata were last modified."""
    for link in ("data_processed", "modified"):
        if default.get(link):
            return Freshness(str(default[link]), f"metas.default.{link}")
    return Freshness(None, "none")
