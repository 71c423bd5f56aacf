"""Socrata datasets. URLs, session and token come from sodapy; the paging is ours, because sodapy's paging loses rows.

Uses SODA3 if there is a token and the portal supports it, else SODA 2.1. Pages are ordered by `:id`, the only order that is
unique at Socrata. The offset grows by the rows received until a page is empty.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pyarrow as pa
import requests
import sodapy

from civic_pipeline.catalog import SocrataSource
from civic_pipeline.errors import AnswerUnreadable, PortalOverloaded, PortalRefused, SourceNotFound
from civic_pipeline.portals.columns import CLOCK, NUMBER, typed
from civic_pipeline.portals.decode import Decoder
from civic_pipeline.portals.http import SILENCE_SECONDS, Access, Body, Client, expecting, json_of
from civic_pipeline.portals.pages import Page, PageAt, ask_halving, page_rows, read_by_offset, read_from
from civic_pipeline.portals.source import About, Description, Freshness, PortalColumn, Traffic, unused_name

ARROW_TYPES: dict[str, pa.DataType] = {
    "number": NUMBER, "money": NUMBER, "percent": NUMBER, "double": NUMBER,
    "calendar_date": CLOCK, "date": CLOCK, "checkbox": pa.bool_(),
}  # fmt: skip

ROW_ID = PortalColumn("_id", "row_identifier", pa.string(), "Socrata row identifier")
_EDITED = PortalColumn("_updated_at", "date", CLOCK, "When the row last changed at Socrata, UTC", is_instant=True)

_FINAL = re.compile(
    r"^(query|dataset|permission|authentication)\.|permission|not authori[sz]ed|must be logged in", re.IGNORECASE
)

# Servers reject URLs of more than about 2,000 characters (Esri/arcgis-rest-js#1226 and others). If the encoded list of
# columns is longer than this, the request selects `*` instead.
_MAX_SELECT_CHARACTERS = 1500


class SocrataDataset:
    """One dataset, by domain and 4x4 id."""

    def __init__(self, source: SocrataSource, access: Access) -> None:
        host, scheme = (access.root.removeprefix("http://"), "http://") if access.root else (source.domain, "https://")
        session = access.session()
        session.headers.update(sodapy.Socrata(host, access.socrata_token, timeout=SILENCE_SECONDS).session.headers)
        self._client = Client(source.requests_at_once, session)
        self._id = source.id
        self._reads_edits = source.full_read_every_days is not None
        self._base = f"{scheme}{host}"
        self._has_soda3 = access.socrata_token is not None
        self.url = f"{self._base}/resource/{source.id}.json"

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def describe(self) -> Description:
        view = self._json(f"{self._base}/api/views/{self._id}.json", {})
        if not isinstance(view, dict) or "columns" not in view:
            raise AnswerUnreadable(self.url, "a dataset's metadata", "JSON without `columns`")
        if view.get("viewType", "tabular") != "tabular":
            raise SourceNotFound(f"A table {self._id}", self.url, f"its type is {view['viewType']!r}")
        with expecting("a dataset's columns", self.url):
            columns = tuple(
                PortalColumn(
                    c["fieldName"], c["dataTypeName"], ARROW_TYPES.get(c["dataTypeName"], pa.string()), c.get("name") or "",
                    is_instant=c["dataTypeName"] == "date",
                )
                for c in view["columns"]
                if not c["fieldName"].startswith(":@computed_region")  # computed by the portal, not published data
            )  # fmt: skip
            about = _about(view, self._id)
        published = [column.name for column in columns]
        row_id, edited = (replace(column, name=unused_name(column.name, published)) for column in (ROW_ID, _EDITED))
        return Description(
            self.url, about, columns, row_id, self._freshness(view), edited if self._reads_edits else None
        )

    def count(self) -> int:
        answer = self._json(self.url, {"$select": "count(*) as count"})
        try:
            return int(answer[0]["count"])
        except (LookupError, TypeError, ValueError) as error:
            raise AnswerUnreadable(self.url, "a row count", str(answer)[:100]) from error

    def read(self, description: Description, counted: int, spool: Path, sequential: bool) -> Iterator[pa.Table]:
        """Reads by offset, several pages at once; if `sequential`, one page after the other, by the last row id."""
        ask = partial(self._page, Decoder(spool), description)
        rows = page_rows(len(description.columns))
        if sequential:
            yield from self._read_by_id(ask, rows)
        else:
            yield from read_by_offset(self._client, self.url, _by_offset(ask, {}), counted, rows)

    def read_edited(self, description: Description, since: datetime, spool: Path) -> Iterator[pa.Table]:
        where = {"$where": f":updated_at >= '{since:%Y-%m-%dT%H:%M:%S.%f}'", "$order": ":updated_at,:id"}
        ask = partial(self._page, Decoder(spool), description)
        yield from read_from(self._client, self.url, _by_offset(ask, where), 0, page_rows(len(description.columns)))

    def reused_ids(self) -> int:
        return 0

    def _read_by_id(self, ask: "_Ask", rows: int) -> Iterator[pa.Table]:
        place: dict[str, Any] = {}
        received = 0
        while True:
            try:
                page = ask_halving(self._client, rows, partial(ask, place)).table
            except PortalRefused:
                if "$where" not in place:
                    raise
                place = {"$offset": received}  # some datasets cannot compare row ids
                continue
            if not page.num_rows:
                return
            yield page
            received += page.num_rows
            last = str(page[0][-1].as_py()).replace("'", "''")
            place = {"$offset": received} if "$offset" in place else {"$where": f":id > '{last}'"}

    def _page(
        self, decoder: Decoder, description: Description, place: Mapping[str, Any], rows: int, tries: int
    ) -> Page:
        system = {description.row_id: ":id", description.edited: ":updated_at"}
        names = {column: system.get(column, column.name) for column in description.landed}
        listed = ",".join(names.values())
        select = listed if len(quote_plus(listed)) <= _MAX_SELECT_CHARACTERS else ":id,:updated_at,*"
        query = {"$select": select, "$order": ":id", "$limit": rows, **place}

        def parse(body: Body) -> Page:
            if body.beginning().startswith(b"{"):
                _raise_error(self.url, body.json())
            texts = decoder.rows(body, names.values(), are_all=select == listed)
            arrays = [typed(texts[name], column) for column, name in names.items()]
            return Page(pa.table(arrays, schema=description.schema))

        with decoder.page_file() as path:
            if self._has_soda3:
                url = f"{self._base}/api/v3/views/{self._id}/query.json"
                try:
                    return self._client.download(url, {}, path, parse, {"query": _soql(query)}, tries)
                except (PortalRefused, SourceNotFound):  # the portal has no SODA3, or the token is not valid for it
                    self._has_soda3 = False
            return self._client.download(self.url, query, path, parse, tries=tries)

    def _json(self, url: str, parameters: Mapping[str, Any]) -> Any:
        def parse(response: requests.Response) -> Any:
            value = json_of(response)
            _raise_error(url, value)
            return value

        return self._client.ask(url, parameters, parse)

    def _freshness(self, view: Mapping[str, Any]) -> Freshness:
        """`rowsUpdatedAt`; if the portal does not have it, a header of a request for rows, then `viewLastModified`.

        `Last-Modified` is the time of the data only in SODA 2.1; in SODA3 it is the time of the cache.
        """
        if view.get("rowsUpdatedAt") is not None:
            return Freshness(str(view["rowsUpdatedAt"]), "rowsUpdatedAt")
        headers = self._client.ask(self.url, {"$limit": 1}, lambda response: response.headers)
        for name in ("X-SODA2-Truth-Last-Modified", "Last-Modified"):
            if headers.get(name):
                return Freshness(headers[name], name)
        modified = view.get("viewLastModified")
        return Freshness(None, "none") if modified is None else Freshness(str(modified), "viewLastModified")


# (place: an offset or a condition, maximum of rows, tries) -> page
_Ask = Callable[[Mapping[str, Any], int, int], Page]


def _by_offset(ask: _Ask, query: Mapping[str, Any]) -> PageAt:
    return lambda offset, rows, tries: ask({**query, "$offset": offset}, rows, tries)


def _soql(query: Mapping[str, Any]) -> str:
    """The query parameters of SODA 2.1 as a SoQL statement for SODA3."""
    where = f" WHERE {query['$where']}" if "$where" in query else ""
    offset = f" OFFSET {query['$offset']}" if "$offset" in query else ""
    return f"SELECT {query['$select']}{where} ORDER BY {query['$order']} LIMIT {query['$limit']}{offset}"


def _raise_error(url: str, answer: Any) -> None:
    """Raise for an error in an HTTP 200: PortalRefused for invalid or forbidden requests, else PortalOverloaded."""
    if isinstance(answer, dict) and answer.get("error"):
        message = f"{answer.get('code', '')} {answer.get('message', answer)}".strip()
        raise PortalRefused(url, message) if _FINAL.search(message) else PortalOverloaded(url, message)


def _about(view: Mapping[str, Any], dataset_id: str) -> About:
    groups = (view.get("metadata") or {}).get("custom_fields") or {}
    fields = {name.lower(): str(value) for group in groups.values() for name, value in group.items()}
    return About(
        title=view.get("name") or dataset_id,
        description=view.get("description") or "",
        publisher=view.get("attribution") or "",
        licence=(view.get("license") or {}).get("name") or "",
        cadence=next((value for name, value in fields.items() if "frequency" in name or "cadence" in name), ""),
    )
