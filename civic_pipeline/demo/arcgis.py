"""The ArcGIS REST API of feature and map services: items, services, layers and the `query` of a layer.

Errors are sent with HTTP 200. Rows have no fixed order: without `orderByFields` on a unique field, pages overlap.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from civic_pipeline.demo import arcgis_layer as described
from civic_pipeline.demo.arcgis_layer import SPATIAL_REFERENCE, TRACKED, Service, attribute, fields, object_id
from civic_pipeline.demo.conditions import ConditionUnknown, conditions_sql
from civic_pipeline.demo.exchange import Request, Response
from civic_pipeline.demo.fault_injection import Purpose
from civic_pipeline.demo.render import render_rows
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.sql_text import quoted

MAX_RECORD_COUNT = 2000

_INVALID = "Cannot perform query. Invalid query parameters."
_NUMERIC_TYPES = {"Integer", "SmallInteger", "BigInteger", "Double", "Single", "Date"}


class _Refused(Exception):
    """A query that the server rejects; `response` has the error."""

    def __init__(self, message: str, *details: str) -> None:
        super().__init__(message)
        self.response = Response.of({"error": {"code": 400, "message": message, "details": list(details)}})


class ArcgisPortal:
    """Responds to requests below `/sharing/rest/` and `/arcgis/rest/services/`."""

    def __init__(self, files: Iterable[ServedFile]) -> None:
        self._files = tuple(files)

    def find(self, request: Request) -> tuple[ServedFile, Purpose] | None:
        if request.parameters.get("f", "html") == "html":
            return None
        if wanted := re.fullmatch(r"/sharing/rest/content/items/(\w+)", request.path):
            file = next((file for file in self._files if file.item_id == wanted[1]), None)
            if file and file.faults.item_gone:
                file.fault_injection.mark_struck("item_gone")
                return None
            return (file, Purpose("metadata")) if file else None
        service, number, is_query = self._parse_path(request)
        if service is None:
            return None
        layer = next(
            (layer for layer in service.layers if layer.number == number or (number is None and layer.file)), None
        )
        if layer is None or layer.file is None:
            return None
        return layer.file, _purpose(layer.file, request.parameters) if is_query else Purpose("metadata")

    def answer(self, request: Request, file: ServedFile, con: duckdb.DuckDBPyConnection) -> Response:
        service, number, is_query = self._parse_path(request)
        if service is None:
            home, _ = described.service_path(self._files, file)
            return Response.of(described.item(file, request.base + home))
        if number is None:
            return Response.of(described.service(service, _page_limit(file, {})))
        if not is_query:
            return Response.of(described.layer(file, number, _page_limit(file, {})))
        try:
            return _Query(file, request.path, request.parameters, con).answer()
        except _Refused as refused:
            return refused.response
        except duckdb.Error as error:
            return _Refused("Unable to complete operation.", f"Unable to perform query operation. {error}").response

    def fallback(self, request: Request) -> Response:
        if request.parameters.get("f", "html") == "html":
            return Response.page("ArcGIS REST Services Directory")
        if request.path.startswith("/sharing/"):
            message = "Item does not exist or is inaccessible."
            return Response.of({"error": {"code": 400, "messageCode": "CONT_0001", "message": message, "details": []}})
        service, number, is_query = self._parse_path(request)
        layer = next((layer for layer in service.layers if layer.number == number), None) if service else None
        if layer is None:
            return _Refused("Invalid URL", "Invalid URL").response
        if is_query:
            return _Refused("Invalid or missing input parameters.").response
        return Response.of(described.layer_without_rows(layer))

    @staticmethod
    def error(code: int, message: str, details: str, _status: int, /) -> Response:
        """Return the error. ArcGIS sends every error with HTTP 200, so `_status` is ignored."""
        body: dict[str, Any] = {"code": code, "message": message}
        if details != "absent":
            body["details"] = {"null": None, "text": [message]}.get(details, [])
        return Response.of({"error": body})

    def _parse_path(self, request: Request) -> tuple[Service | None, int | None, bool]:
        """Return the service, the number of the layer, and whether the request is a query."""
        match = re.fullmatch(
            r"(/arcgis/rest/services/[\w()]+/(?:FeatureServer|MapServer))(?:/(\d+)(/query)?)?/?", request.path
        )
        if not match:
            return None, None, False
        services = described.services_of(self._files)
        service = next((service for service in services if service.path.lower() == match[1].lower()), None)
        return service, None if match[2] is None else int(match[2]), match[3] is not None


def _page_limit(file: ServedFile, parameters: Mapping[str, str]) -> int:
    """Return the largest number of rows in a page."""
    standard = file.entry.standard_max_record_count if parameters.get("resultType") == "standard" else None
    return standard or file.entry.max_record_count or MAX_RECORD_COUNT


def _purpose(file: ServedFile, parameters: Mapping[str, str]) -> Purpose:
    if parameters.get("returnCountOnly") == "true":
        return Purpose("count")
    if parameters.get("returnIdsOnly") == "true":
        return Purpose("ids")
    wanted, most = parameters.get("resultRecordCount", ""), _page_limit(file, parameters)
    return Purpose("rows", min(int(wanted), most) if wanted.isdigit() else most)


@dataclass(frozen=True)
class _Query:
    file: ServedFile
    path: str
    parameters: Mapping[str, str]
    con: duckdb.DuckDBPyConnection

    def answer(self) -> Response:
        what = _purpose(self.file, self.parameters).kind
        if what == "count":
            return Response.of({"count": self._count()})
        self.file.fault_injection.mark_struck("object_ids", "repeated_ids")
        return self._ids() if what == "ids" else self._page()

    def _names(self) -> dict[str, tuple[str, str, str]]:
        """Return by lower-case name: the name, its SQL, and the SQL of the value that is sent."""
        name, sql = object_id(self.file)
        known = {column.name.lower(): (column.name, column.sql, attribute(column)) for column in self.file.columns}
        if self.file.entry.edit_tracking:
            known |= {name.lower(): (name, sql, f"epoch_ms({sql})") for name, sql in TRACKED.items()}
        return known | {name.lower(): (name, sql, sql)}

    def _known(self, name: str) -> tuple[str, str, str]:
        names = self._names()
        if name.lower() not in names:
            raise _Refused(_INVALID, f"'Invalid field: {name}' parameter is invalid")
        return names[name.lower()]

    def _where(self) -> str:
        if self.parameters.get("outSR", "4326") not in {"", "4326", '{"wkid":4326}'}:
            raise _Refused(_INVALID, "'outSR' parameter is invalid: only 4326 is served")
        conditions = []
        if text := self.parameters.get("where"):
            names = self._names()
            try:
                conditions.append(
                    conditions_sql(
                        text, lambda name: (names.get(name.lower()) and names[name.lower()][1]) or self._known(name)[1]
                    )
                )
            except ConditionUnknown:
                raise _Refused(_INVALID, "'where' parameter is invalid") from None
        if not conditions:
            raise _Refused(_INVALID, "'where' clause is required")
        return " and ".join(conditions)

    def _count(self) -> int:
        self.file.fault_injection.mark_struck("count_off_by")
        rows = self.con.execute(f"select count(*) from {self.file.table} where {self._where()}").fetchall()
        return max(0, int(rows[0][0]) + self.file.faults.count_off_by)

    def _ids(self) -> Response:
        name, sql = object_id(self.file)
        shuffled = f"select {sql} as id from {self.file.table} where {self._where()} order by hash(number)"
        body, _ = render_rows(self.con, "',' || id::varchar", shuffled)
        return Response(b'{"objectIdFieldName":%s,"objectIds":[%s]}' % (json.dumps(name).encode(), body[1:]))

    def _page(self) -> Response:
        faults, parameters, mark_struck = self.file.faults, self.parameters, self.file.fault_injection.mark_struck
        paged = bool(parameters.get("resultOffset"))
        if faults.no_paging and (paged or parameters.get("resultRecordCount")):
            mark_struck("no_paging")
            raise _Refused("Pagination is not supported.")
        if faults.no_field_list_in_pages and paged and parameters.get("outFields", "*") != "*":
            mark_struck("no_field_list_in_pages")
            raise _Refused("Failed to execute query.")
        offset = self._whole_number("resultOffset", 0)
        most = _page_limit(self.file, parameters)
        size = min(self._whole_number("resultRecordCount", most), most)
        if faults.short_pages and faults.short_pages < size:
            mark_struck("short_pages")
            size = faults.short_pages
        has_shape = parameters.get("returnGeometry", "true") == "true"
        if offset:
            mark_struck("paging_lies")
        text, head = self._esri(has_shape)
        rows, count = render_rows(
            self.con, text, self._source(0 if faults.paging_lies else offset, size + 1), most=size
        )
        more = count > size
        if faults.empty_with_geometry and has_shape:
            mark_struck("empty_with_geometry")
            rows = b""
        at = faults.flagged_empty_at
        struck = at is not None and paged and offset <= at < offset + min(size, count)
        if struck and self.file.fault_injection.strikes("flagged_empty_times", self.path):
            mark_struck("flagged_empty_at")
            rows, more = b"", True
        if b'":NaN' in rows:
            mark_struck("nan")
        if faults.nan == "text":
            rows = rows.replace(b'":NaN', b'":"NaN"')
        mark_struck("never_flags" if more else "flags_always")
        if (more or faults.flags_always) and not faults.never_flags:
            head["exceededTransferLimit"] = True
        return Response(json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"features":[' + rows[1:] + b"]}")

    def _source(self, offset: int, limit: int) -> str:
        _, id_sql = object_id(self.file)
        order, unique = [], False
        for part in filter(None, (part.strip() for part in self.parameters.get("orderByFields", "").split(","))):
            name, _, direction = part.partition(" ")
            if direction.strip().lower() not in {"", "asc", "desc"}:
                raise _Refused(_INVALID, "'orderByFields' parameter is invalid")
            _, sql, _ = self._known(name)
            unique = unique or sql == id_sql
            # Generated object ids have the order of the row numbers.
            in_file_order = sql == id_sql and not self.file.object_id
            order.append(
                ("number" if in_file_order else sql) + (" desc" if direction.strip().lower() == "desc" else "")
            )
        return self.file.data.page(self._where(), order, offset, limit, unique=unique)

    def _chosen(self) -> dict[str, str]:
        """Return the requested fields and the SQL of the values that are sent."""
        requested = self.parameters.get("outFields") or object_id(self.file)[0]
        names = [field["name"] for field in fields(self.file)]
        if requested != "*":
            names = [name.strip() for name in requested.split(",") if name.strip()]
        known = self._names()
        chosen = [known.get(name.lower()) or self._known(name) for name in names]
        if not self.file.faults.nan:
            return {name: sent for name, _, sent in chosen}
        numeric = {f["name"] for f in fields(self.file) if f["type"].removeprefix("esriFieldType") in _NUMERIC_TYPES}
        return {name: f"coalesce({sent}::double, 'nan')" if name in numeric else sent for name, _, sent in chosen}

    def _attributes(self) -> str:
        packed = ", ".join(f"{quoted(name)} := {sql}" for name, sql in self._chosen().items())
        return f"cast(to_json(struct_pack({packed})) as varchar)"

    def _esri(self, has_shape: bool) -> tuple[str, dict[str, Any]]:
        """Return the SQL of a row, and the members of the response before `features`."""
        missing = ',"geometry":{"x":NaN,"y":NaN}' if self.file.faults.nan else ""
        shape = f"""coalesce(',"geometry":' || esri, '{missing}')""" if has_shape and self.file.is_layer else "''"
        head: dict[str, Any] = {"objectIdFieldName": object_id(self.file)[0]}
        if self.file.is_layer:
            kind = described.GEOMETRY_TYPE.get(self.file.geometry_type or "Point")
            head |= {"geometryType": kind, "spatialReference": SPATIAL_REFERENCE}
        chosen = self._chosen()
        head["fields"] = [field for field in fields(self.file) if field["name"] in chosen]
        return f"""',{{"attributes":' || {self._attributes()} || {shape} || '}}'""", head

    def _whole_number(self, name: str, default: int) -> int:
        text = self.parameters.get(name) or str(default)
        if not text.isdigit():
            raise _Refused(_INVALID, f"'{name}' parameter is invalid")
        return int(text)
