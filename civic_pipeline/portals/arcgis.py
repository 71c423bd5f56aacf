"""ArcGIS REST: layers and tables of feature and map services, looked up by item id and checked by layer name.

Pages are ordered by the object id. The offset grows by the rows received until a page is empty and not flagged with
`exceededTransferLimit`. A layer without paging, or with inconsistent pages, is read by ranges of object ids.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import requests

from civic_pipeline.catalog import ArcgisSource
from civic_pipeline.errors import (
    AnswerUnreadable,
    CivicError,
    LayerAmbiguous,
    PagingBroken,
    PortalOverloaded,
    PortalRefused,
    PortalUnreachable,
    SourceNotFound,
)
from civic_pipeline.portals import table
from civic_pipeline.portals.columns import CLOCK, typed
from civic_pipeline.portals.decode import Decoder, FeaturePage
from civic_pipeline.portals.http import OVERLOADED_CODES, THROTTLED, TRIES, Access, Body, Client, expecting, json_of
from civic_pipeline.portals.pages import Page, PageAt, in_order, page_rows, read_by_offset, read_from
from civic_pipeline.portals.projection import esri_system
from civic_pipeline.portals.source import About, Description, Freshness, PortalColumn, Traffic, unused_name

_SHARING = "https://www.arcgis.com"
ARROW_TYPES: dict[str, pa.DataType] = {
    "OID": pa.int64(), "SmallInteger": pa.int64(), "Integer": pa.int64(), "BigInteger": pa.int64(),
    "Single": pa.float64(), "Double": pa.float64(), "Date": CLOCK, "DateOnly": pa.date32(),
}  # fmt: skip
GEOMETRY = table.GEOMETRY
# Messages of servers for a page that is too large; the error codes vary (pyesridump#32, #48, #49).
_PAGE_TOO_LARGE = re.compile(
    r"unable to complete operation|error performing query|failed to execute query|timed? ?out", re.IGNORECASE
)

# (place: an offset or a condition, maximum of rows (0: the server's own limit), tries) -> page
_Ask = Callable[[Mapping[str, Any], int, int], Page]


class ArcgisLayer:
    """One layer or table. `known_url`: its last known URL, which is tried first and checked."""

    def __init__(self, source: ArcgisSource, access: Access, known_url: str | None = None) -> None:
        self._source = source
        self._sharing = access.root or _SHARING
        self._fallbacks = _demo_addresses(access.root, source) if access.root else source.fallbacks
        # The demo portals listen on a new port in every run.
        moved = access.root and known_url and f"{access.root}{urlsplit(known_url).path}"
        self._known_url = moved or known_url
        self._client = Client(source.requests_at_once, access.session())
        self._about = About(source.layer)
        self._layer: dict[str, Any] = {}
        self._url = ""

    @property
    def traffic(self) -> Traffic:
        return self._client.traffic

    def describe(self) -> Description:
        self._url, self._layer = self._try_known_url() or self._find_layer()
        self._known_url = self._url
        with expecting("a layer with fields", self._url):
            fields = [f for f in self._layer["fields"] if f["type"] != "esriFieldTypeGeometry"]
            columns = [_column(field, self._layer) for field in fields]
            labels = _labels_of(self._layer)
            row_id = _named(self._layer.get("objectIdField"), columns) or next(
                (c for c in columns if c.portal_type == "OID"), None
            )
            if row_id is None:
                why = "the layer declares none, so its rows cannot be identified"
                raise SourceNotFound(f"An object id field of {self._source.layer}", self._url, why)
            published = [column.name for column in columns]
            geometry = replace(GEOMETRY, name=unused_name(GEOMETRY.name, published))
            shape = [geometry] if self._layer.get("geometryType") else []
            tracked = (self._layer.get("editFieldsInfo") or {}).get("editDateField")
            edited = _named(tracked, columns) if self._source.full_read_every_days else None
            described = Description(
                self._url, self._about, (*columns, *labels.values(), *shape), row_id, _freshness(self._layer), edited
            )
            # What the read takes from the layer has the right types, too.
            self._page_rows(described)
            self._can_page()
            _named(self._layer.get("typeIdField"), columns)
        return described

    def count(self) -> int:
        answer = self._json(f"{self._url}/query", {"where": "1=1", "returnCountOnly": "true"})
        if not isinstance(answer.get("count"), int):
            raise AnswerUnreadable(self._url, "a row count", str(answer)[:100])
        return int(answer["count"])

    def read(self, description: Description, counted: int, spool: Path, sequential: bool) -> Iterator[pa.Table]:
        """Reads by offset, several pages at once; if `sequential` or without paging, by ranges of object ids.

        Raises PagingBroken if a `sequential` read may succeed.
        """
        ask = partial(self._page, Decoder(spool), description)
        rows = self._page_rows(description)
        if sequential or not self._can_page():
            yield from self._read_by_ids(ask, description, counted, rows)
            return
        try:
            yield from read_by_offset(self._client, self._url, _by_offset(ask, "1=1"), counted, rows)
        except PortalRefused as error:  # the layer advertises paging but rejects it
            raise PagingBroken(self._url, str(error)) from error

    def read_edited(self, description: Description, since: datetime, spool: Path) -> Iterator[pa.Table]:
        edited = description.edited.name if description.edited else ""
        where = f"{edited} >= TIMESTAMP '{since:%Y-%m-%d %H:%M:%S}'"
        ask = partial(self._page, Decoder(spool), description)
        yield from read_from(self._client, self._url, _by_offset(ask, where), 0, self._page_rows(description))

    def reused_ids(self) -> int:
        ids = self._ids()
        return len(ids) - len(set(ids))

    def _page_rows(self, description: Description) -> int:
        limit = self._layer.get("maxRecordCount") or 1000
        if (self._layer.get("advancedQueryCapabilities") or {}).get("supportsQueryWithResultType"):
            limit = max(limit, self._layer.get("standardMaxRecordCount") or 0)
        return page_rows(len(description.columns), limit)

    def _can_page(self) -> bool:
        advanced = self._layer.get("advancedQueryCapabilities") or {}
        return bool(advanced.get("supportsPagination", self._layer.get("supportsPagination", False)))

    def _read_by_ids(self, ask: _Ask, description: Description, counted: int, rows: int) -> Iterator[pa.Table]:
        """All rows by ranges of the sorted object ids; if the server does not list all ids, page by page from the last id."""
        name = description.row_id.name if description.row_id else ""
        try:
            ids = sorted(self._ids())
        except (PortalRefused, PortalOverloaded, AnswerUnreadable):
            ids = []
        if len(ids) < counted:
            yield from self._read_after_last_id(ask, name)
        else:
            yield from in_order(
                (partial(self._between, ask, name, chunk) for chunk in _chunks(ids, rows)), self._client
            )

    def _between(self, ask: _Ask, name: str, ids: Sequence[int]) -> list[pa.Table]:
        """The rows with an id from the first to the last of `ids`. If they do not come in one page, the range is halved."""
        first, last = ids[0], ids[-1]
        try:
            page = ask({"where": f"{name} >= {first} AND {name} <= {last}"}, 0, 2)
            if page.table.num_rows >= len(ids):
                return [page.table]
        except PortalOverloaded:
            if first == last:
                raise
            self._client.count_halved_page()
        if first == last:  # more rows have the same id than fit into a page
            return self._same_id(ask, name, first, len(ids))
        middle = next(i for i in (*range(len(ids) // 2, len(ids)), *range(len(ids) // 2)) if i and ids[i] != ids[i - 1])
        return self._between(ask, name, ids[:middle]) + self._between(ask, name, ids[middle:])

    def _same_id(self, ask: _Ask, name: str, value: int, rows: int) -> list[pa.Table]:
        """The rows with the same id; fewer than `rows` if some were deleted meanwhile, which the verification will detect."""
        pages: list[pa.Table] = []
        received = 0
        while received < rows:
            page = ask({"where": f"{name} = {value}", "resultOffset": received}, rows - received, TRIES)
            if not page.table.num_rows:
                break
            pages.append(page.table)
            received += page.table.num_rows
        return pages

    def _read_after_last_id(self, ask: _Ask, name: str) -> Iterator[pa.Table]:
        """Pages with ids above the last id, until a page is empty or ends with the same id as the page before."""
        where, last = "1=1", None
        while True:
            page = ask({"where": where}, 0, TRIES).table
            if not page.num_rows or page[name][-1].as_py() == last:
                return
            yield page
            last = page[name][-1].as_py()
            where = f"{name} > {last}"

    def _ids(self) -> list[int]:
        """All object ids that the server lists, with repetitions. This request has no row limit."""
        answer = self._json(f"{self._url}/query", {"where": "1=1", "returnIdsOnly": "true"})
        ids = answer.get("objectIds")
        with expecting("a list of object ids", self._url):
            return [int(value) for value in ids or ()]

    def _page(
        self, decoder: Decoder, description: Description, place: Mapping[str, Any], rows: int, tries: int
    ) -> Page:
        """A page of features. `rows` 0: the server's own limit."""
        query = {
            "where": "1=1", "outFields": "*", "outSR": 4326, "f": "json",
            "returnGeometry": str(any(map(_is_geometry, description.columns))).lower(),
            **place,
        }  # fmt: skip
        advanced = self._layer.get("advancedQueryCapabilities") or {}
        if advanced.get("supportsOrderBy", True) and description.row_id:
            query["orderByFields"] = f"{description.row_id.name} ASC"
        if rows:
            query["resultRecordCount"] = rows
        if advanced.get("supportsQueryWithResultType"):
            query["resultType"] = "standard"
        names = [column.name for column in description.columns if not column.is_derived]

        def parse(body: Body) -> Page:
            if b'"error"' in body.beginning()[:1000]:
                _raise_error(self._url, body.json())
            page = decoder.features(body, names)
            if page.absent:
                others = f" but with {', '.join(page.unknown[:5])}" if page.unknown else ""
                raise AnswerUnreadable(
                    self._url, "every column of the layer", f"a page without {', '.join(page.absent)}{others}"
                )
            return Page(_table(page, description, self._layer), page.is_flagged)

        with decoder.page_file() as path:
            return self._client.download(f"{self._url}/query", query, path, parse, tries=tries)

    def _try_known_url(self) -> tuple[str, dict[str, Any]] | None:
        """The layer at its last known URL, if it still has the name, the number, and the item or the address of the source."""
        if not self._known_url:
            return None
        try:
            layer = self._json(self._known_url, {}, tries=1)
        except CivicError:
            return None
        expected, item = self._source.item, layer.get("serviceItemId")
        service, _, number = self._known_url.rpartition("/")
        # Services of a city's own server have no item. Without one in the source, its address must be among those given.
        is_its_service = service in self._fallbacks if expected is None else item in (None, expected)
        is_its_number = self._source.number in (None, int(number))
        is_same = layer.get("name") == self._source.layer and is_its_service and is_its_number
        return (self._known_url, layer) if is_same else None

    def _find_layer(self) -> tuple[str, dict[str, Any]]:
        """URL and metadata of the layer with this name, in the item's service or else in the fallbacks."""
        problems: list[CivicError] = []
        for address in (*([None] if self._source.item else []), *self._fallbacks):
            try:
                service = address or self._service_of_item()
                listing = self._json(service, {})
                url = f"{service}/{self._number_in(layers_of(listing, service), service)}"
                return url, self._json(url, {})
            except CivicError as problem:
                problems.append(problem)
        raise problems[0]

    def _number_in(self, names: Mapping[int, str], service: str) -> int:
        """The number of the source's layer among the layers of `service`. Raises SourceNotFound or LayerAmbiguous."""
        name, wanted = self._source.layer, self._source.number
        numbers = [number for number, other in names.items() if other == name and wanted in (None, number)]
        if len(numbers) > 1:
            raise LayerAmbiguous(name, service, numbers)
        if not numbers:
            what = f"The layer {name!r}" + ("" if wanted is None else f" with the number {wanted}")
            listed = ", ".join(f"{other} ({number})" for number, other in names.items())
            raise SourceNotFound(what, service, f"the service has {listed or 'no layers'}")
        return numbers[0]

    def _service_of_item(self) -> str:
        url = f"{self._sharing}/sharing/rest/content/items/{self._source.item}"
        try:
            item = self._json(url, {})
        except PortalRefused as error:
            raise SourceNotFound(f"The item {self._source.item}", url, str(error)) from error
        if not item.get("url"):
            kind = item.get("type", "item without a URL")
            raise SourceNotFound(f"A service of item {self._source.item}", url, f"it is a {kind}")
        with expecting("an item with texts", url):
            self._about = About(
                title=item.get("title") or self._source.layer,
                description=item.get("description") or item.get("snippet") or "",
                publisher=item.get("accessInformation") or item.get("owner") or "",
                licence=item.get("licenseInfo") or "",
            )
        return re.sub(r"/\d+$", "", str(item["url"]).rstrip("/"))  # some items have the URL of a layer

    def _json(self, url: str, parameters: Mapping[str, Any], tries: int = TRIES) -> dict[str, Any]:
        def parse(response: requests.Response) -> dict[str, Any]:
            value = json_of(response)
            if not isinstance(value, dict):
                raise AnswerUnreadable(url, "a JSON object", str(value)[:100])
            _raise_error(url, value)
            return value

        return self._client.ask(url, {**parameters, "f": "json"}, parse, tries=tries)


def _demo_addresses(root: str, source: ArcgisSource) -> tuple[str, ...]:
    """The services of the demo portals for a source without an item. They serve every item, which needs no fallback."""
    services = [address.rsplit("/", 2)[1:] for address in source.fallbacks if source.item is None]
    return tuple(f"{root}/arcgis/rest/services/{name}/{server}" for name, server in services)


def layers_of(listing: Mapping[str, Any], service: str) -> dict[int, str]:
    """Number -> name of a service's layers and tables, without group layers, which have no rows. Raises AnswerUnreadable."""
    with expecting("a list of layers", service):
        entries = [*(listing.get("layers") or ()), *(listing.get("tables") or ())]
        return {int(entry["id"]): str(entry["name"]) for entry in entries if entry.get("type") != "Group Layer"}


def _by_offset(ask: _Ask, where: str) -> PageAt:
    return lambda offset, rows, tries: ask({"where": where, "resultOffset": offset}, rows, tries)


def _column(field: Mapping[str, Any], layer: Mapping[str, Any]) -> PortalColumn:
    kind = field["type"].removeprefix("esriFieldType")
    arrow_type, title = ARROW_TYPES.get(kind, pa.string()), field.get("alias") or field["name"]
    is_instant = kind == "Date" and not layer.get("datesInUnknownTimezone")
    return PortalColumn(field["name"], kind, arrow_type, title, is_instant=is_instant)


def _named(name: str | None, columns: Iterable[PortalColumn]) -> PortalColumn | None:
    """The column that a layer's metadata names; parts of the metadata differ in case."""
    return next((c for c in columns if name is not None and c.name.lower() == name.lower()), None)


def _is_geometry(column: PortalColumn) -> bool:
    return column.is_derived and column.portal_type == GEOMETRY.portal_type


def _labels_of(layer: Mapping[str, Any]) -> dict[str, PortalColumn]:
    """Field with coded values -> the column with the labels of its codes."""
    names = [field["name"] for field in layer["fields"]]
    return {
        field["name"]: PortalColumn(
            unused_name(f"{field['name']}_label", names), "Label", pa.string(),
            f"{field.get('alias') or field['name']}: the label of the code", is_derived=True,
        )
        for field in layer["fields"]
        if _codes(field, layer)
    }  # fmt: skip


def _codes(field: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str | None, dict[str, str]]:
    """Subtype -> code -> label of a field; the labels under None are valid for every subtype."""
    domains: dict[str | None, Any] = {None: field.get("domain")}
    for subtype in layer.get("types") or ():
        own = {name.lower(): domain for name, domain in (subtype.get("domains") or {}).items()}
        domains[str(subtype["id"])] = own.get(field["name"].lower())
    return {
        subtype: {str(value["code"]): str(value["name"]) for value in domain["codedValues"]}
        for subtype, domain in domains.items()
        if domain and domain.get("codedValues")
    }


def _table(page: FeaturePage, description: Description, layer: Mapping[str, Any]) -> pa.Table:
    fields = {field["name"]: field for field in layer["fields"]}
    labelled = {column.name: field for field, column in _labels_of(layer).items()}
    subtype = _named(layer.get("typeIdField"), description.columns)
    arrays = []
    for column in description.columns:
        if _is_geometry(column):
            from civic_pipeline.portals.geometry import esri, to_wkb  # layers without geometry need neither library

            arrays.append(to_wkb(description.url, page.geometries, esri, esri_system(description.url, page.reference)))
        elif column.is_derived:
            name = labelled[column.name]
            arrays.append(_labels(page, name, _codes(fields[name], layer), subtype.name if subtype else None))
        else:
            arrays.append(typed(page.attributes[column.name], column))
    return pa.table(arrays, schema=description.schema)


def _labels(
    page: FeaturePage, name: str, codes: Mapping[str | None, Mapping[str, str]], subtype_field: str | None
) -> pa.Array:
    """The label of every code; null for a code without a label."""
    values = page.attributes[name]
    labels = _look_up(values, codes.get(None, {}))
    for subtype, own in codes.items():
        if subtype is not None and subtype_field is not None and subtype_field in page.attributes:
            of_subtype = pc.fill_null(pc.equal(page.attributes[subtype_field], subtype), False)
            labels = pc.if_else(of_subtype, pc.coalesce(_look_up(values, own), labels), labels)
    return labels


def _look_up(values: pa.Array, labels: Mapping[str, str]) -> pa.Array:
    positions = pc.index_in(values, pa.array(labels.keys(), pa.string()))
    return pa.array(labels.values(), pa.string()).take(positions)


def _chunks(ids: Sequence[int], rows: int) -> Iterator[list[int]]:
    """Sorted `ids` in lists of about `rows`; equal ids stay in one list."""
    chunk: list[int] = []
    for _, same in groupby(ids):
        chunk += same
        if len(chunk) >= rows:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _raise_error(url: str, answer: Mapping[str, Any]) -> None:
    """Raise for an error in an HTTP 200: PortalUnreachable or PortalOverloaded if it is temporary, else PortalRefused."""
    if not isinstance(answer, dict) or "error" not in answer:
        return
    error = answer["error"] if isinstance(answer["error"], dict) else {"message": str(answer["error"])}
    details = error.get("details")
    listed = map(str, details) if isinstance(details, list) else ()
    message = " ".join([str(error.get("code", "")), str(error.get("message", "")), *listed]).strip()
    if error.get("code") == THROTTLED:
        raise PortalUnreachable(url, message, throttled=True)
    if error.get("code") in OVERLOADED_CODES or _PAGE_TOO_LARGE.search(message):
        raise PortalOverloaded(url, message)
    raise PortalRefused(url, message)


def _freshness(layer: dict[str, Any]) -> Freshness:
    """The time of the last edit, which hosted layers have; older servers do not, so their data is always read."""
    editing = layer.get("editingInfo") or {}
    for link in ("dataLastEditDate", "lastEditDate"):
        if editing.get(link) is not None:
            return Freshness(str(editing[link]), f"editingInfo.{link}")
    return Freshness(None, "none")
