"""OpenDataSoft (Huwise), Explore API v2.1: one export of all records, because paging ends at 10,000.

An export that fails half way says so inside its HTTP 200, or says nothing and is short. It is therefore stored and looked
at before a row of it is read, and believed only with the portal's own count. Such portals have no row ids.
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
from civic_pipeline.portals.http import Access, Body, Client, markup_in, shaped_as
from civic_pipeline.portals.json_rows import json_rows
from civic_pipeline.portals.source import About, Description, Freshness, PortalColumn, Traffic
from civic_pipeline.sql_text import quoted

ARROW_TYPES: dict[str, pa.DataType] = {
    "int": pa.int64(), "double": NUMBER, "date": pa.date32(), "datetime": CLOCK, "boolean": pa.bool_(),
}  # fmt: skip

# What the API appends to the rows it has sent when it cannot send more (seen at data.longbeach.gov).
_INTERRUPTED = b"Streaming interrupted"

_Form = Literal["jsonl", "json"]
_ENDS: dict[_Form, tuple[bytes, bytes]] = {"jsonl": (b"{", b"}"), "json": (b"[", b"]")}


class OpendatasoftDataset:
    """One dataset of one domain."""

    def __init__(self, source: OpendatasoftSource, access: Access) -> None:
        base = access.root or f"https://{source.domain}"
        session = access.session()
        session.hooks["response"].append(_say_when_to_return)
        self._client = Client(at_once=1, session=session)
        self._id = source.id
        self.url = f"{base}/api/explore/v2.1/catalog/datasets/{source.id}"

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def describe(self) -> Description:
        dataset = self._client.json(self.url, {})
        with shaped_as("a dataset's metadata", self.url):
            columns = tuple(_column(field) for field in dataset["fields"])
            told = dataset["metas"]["default"]
            about = _about(dataset["metas"], self._id)
            freshness = _freshness(told)
        if not columns or dataset.get("has_records") is False:
            raise SourceNotFound(f"Records of {self._id}", self.url, "the dataset holds none, only files or links")
        return Description(self.url, about, columns, None, freshness)

    def count(self) -> int:
        answer = self._client.json(f"{self.url}/records", {"limit": 0})
        with shaped_as("a row count", self.url):
            return int(answer["total_count"])

    def read(self, description: Description, _counted: int, spool: Path, careful: bool, /) -> Iterator[pa.Table]:
        """By an export of JSON lines; careful: by one of a JSON array, which is of another make.

        Raises PagingBroken where a careful read may succeed.
        """
        if careful:
            yield from self._read_export("json", description, spool)
            return
        try:
            yield from self._read_export("jsonl", description, spool)
        except (AnswerUnreadable, PortalOverloaded) as error:
            raise PagingBroken(self.url, str(error)) from error

    def read_edited(self, *_: object) -> Iterator[pa.Table]:
        yield from ()  # nothing marks an edit, so nobody asks

    def reused_ids(self) -> int:
        return 0

    def _read_export(self, form: _Form, description: Description, spool: Path) -> Iterator[pa.Table]:
        # No parameters at all: with an offset the limit of 10,000 holds for exports too.
        url, path = f"{self.url}/exports/{form}", spool / f"export.{form}"
        self._client.download(url, {}, path, partial(_check_export, form))
        names = [column.name for column in description.columns]
        lines: Literal["array", "newline_delimited"] = "newline_delimited" if form == "jsonl" else "array"
        select = ", ".join(map(quoted, names))
        for page in json_rows(url, path, lines, dict.fromkeys(names, "varchar"), select, spool):
            arrays = [typed(page[column.name], column) for column in description.columns]
            yield pa.table(arrays, schema=description.schema)


def _check_export(form: _Form, export: Body) -> None:
    """Raises PortalOverloaded for an export that says it was broken off, AnswerUnreadable for one that is no list of rows."""
    beginning, end = export.beginning(), export.end()
    opening, closing = _ENDS[form]
    if beginning.startswith(opening) and end.endswith(closing):
        return
    _, interrupted, words = end.rpartition(_INTERRUPTED)
    if interrupted:
        told = (interrupted + words[:300]).decode(errors="replace")
        raise PortalOverloaded(export.url, f"the export broke off after {export.path.stat().st_size:,} bytes: {told}")
    got = markup_in(beginning) or f"text that begins {beginning[:60]!r} and ends {end[-60:]!r}"
    raise AnswerUnreadable(export.url, "a whole export", got if beginning else "an empty body")


def _say_when_to_return(answer: requests.Response, *_: Any, **__: Any) -> None:
    """Put the end of the quota where HTTP has it: the portal says `X-RateLimit-Reset: 2026-01-01T00:00:00Z`."""
    if answer.status_code != 429 or "Retry-After" in answer.headers:
        return
    try:
        reset = datetime.fromisoformat(answer.headers.get("X-RateLimit-Reset", ""))
    except ValueError:
        return
    left = (reset if reset.tzinfo else reset.replace(tzinfo=UTC)) - datetime.now(UTC)
    answer.headers["Retry-After"] = str(max(0, round(left.total_seconds())))


def _column(field: Mapping[str, Any]) -> PortalColumn:
    kind, name = str(field["type"]), str(field["name"])
    # A date that is a year or a month is sent as `2024` or `2024-01`, and would be made a day by a guess.
    precision = (field.get("annotations") or {}).get("timeserie_precision")
    is_vague = kind == "date" and precision in {"year", "month"}
    arrow_type = pa.string() if is_vague else ARROW_TYPES.get(kind, pa.string())
    return PortalColumn(name, kind, arrow_type, str(field.get("label") or name))


def _about(metas: Mapping[str, Any], dataset_id: str) -> About:
    told, dcat = metas["default"], metas.get("dcat") or {}
    return About(
        title=told.get("title") or dataset_id,
        description=told.get("description") or "",
        publisher=told.get("publisher") or "",
        licence=told.get("license") or "",
        cadence=told.get("update_frequency") or dcat.get("accrualperiodicity") or "",
    )


def _freshness(told: Mapping[str, Any]) -> Freshness:
    """When the data were last processed, else when data or metadata were; a portal that says neither is loaded."""
    for link in ("data_processed", "modified"):
        if told.get(link):
            return Freshness(str(told[link]), f"metas.default.{link}")
    return Freshness(None, "none")
