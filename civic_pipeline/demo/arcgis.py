"""The ArcGIS REST API as feature and map services speak it: what is asked, and the `query` of a layer.

Errors come inside HTTP 200. Rows have no implicit order: without `orderByFields` on a unique field, pages overlap.
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
from civic_pipeline.demo.conduct import Asked
from civic_pipeline.demo.exchange import Answer, Request
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.writing import written
from civic_pipeline.sql_text import quoted

MAX_RECORD_COUNT = 2000

_INVALID = "Cannot perform query. Invalid query parameters."
_NUMERIC_TYPES = {"Integer", "SmallInteger", "BigInteger", "Double", "Single", "Date"}


class _Refused(Exception):
    """A query the server would refuse; the answer is its body."""

    def __init__(self, message: str, *details: str) -> None:
        super().__init__(message)
        self.answer = Answer.of({"error": {"code": 400, "message": message, "details": list(details)}})


class ArcgisPortal:
    """Answers requests below `/sharing/rest/` and `/arcgis/rest/services/`."""

    def __init__(self, files: Iterable[ServedFile]) -> None:
        self._files = tuple(files)

    def find(self, request: Request) -> tuple[ServedFile, Asked] | None:
        if request.parameters.get("f", "html") == "html":
            return None
        if wanted := re.fullmatch(r"/sharing/rest/content/items/(\w+)", request.path):
            file = next((file for file in self._files if file.item_id == wanted[1]), None)
            if file and file.faults.item_gone:
                file.conduct.meet("item_gone")
                return None
            return (file, Asked("metadata")) if file else None
        service, number, is_query = self._place(request)
        if service is None:
            return None
        layer = next(
            (layer for layer in service.layers if layer.number == number or (number is None and layer.file)), None
        )
        if layer is None or layer.file is None:
            return None
        return layer.file, _asked(layer.file, request.parameters) if is_query else Asked("metadata")

    def answer(self, request: Request, file: ServedFile, con: duckdb.DuckDBPyConnection) -> Answer:
        service, number, is_query = self._place(request)
        if service is None:
            home, _ = described.service_path(self._files, file)
            return Answer.of(described.item(file, request.base + home))
        if number is None:
            return Answer.of(described.service(service, _most(file, {})))
        if not is_query:
            return Answer.of(described.layer(file, number, _most(file, {})))
        try:
            return _Query(file, request.path, request.parameters, con).answer()
        except _Refused as refused:
            return refused.answer
        except duckdb.Error as error:
            return _Refused("Unable to complete operation.", f"Unable to perform query operation. {error}").answer

    def elsewhere(self, request: Request) -> Answer:
        if request.parameters.get("f", "html") == "html":
            return Answer.page("ArcGIS REST Services Directory")
        if request.path.startswith("/sharing/"):
            message = "Item does not exist or is inaccessible."
            return Answer.of({"error": {"code": 400, "messageCode": "CONT_0001", "message": message, "details": []}})
        service, number, is_query = self._place(request)
        layer = next((layer for layer in service.layers if layer.number == number), None) if service else None
        if layer is None:
            return _Refused("Invalid URL", "Invalid URL").answer
        if is_query:
            return _Refused("Invalid or missing input parameters.").answer
        return Answer.of(described.layer_without_rows(layer))

    @staticmethod
    def error(code: int, message: str, details: str, _status: int, /) -> Answer:
        """ArcGIS announces every failure with HTTP 200, whatever `_status` says."""
        said: dict[str, Any] = {"code": code, "message": message}
        if details != "absent":
            said["details"] = {"null": None, "text": [message]}.get(details, [])
        return Answer.of({"error": said})

    def _place(self, request: Request) -> tuple[Service | None, int | None, bool]:
        """The service, the number of the layer, and whether it is queried."""
        found = re.fullmatch(
            r"(/arcgis/rest/services/\w+/(?:FeatureServer|MapServer))(?:/(\d+)(/query)?)?/?", request.path
        )
        if not found:
            return None, None, False
        services = described.services_of(self._files)
        service = next((service for service in services if service.path.lower() == found[1].lower()), None)
        return service, None if found[2] is None else int(found[2]), found[3] is not None


def _most(file: ServedFile, parameters: Mapping[str, str]) -> int:
    """The most rows in a page."""
    standard = file.entry.standard_max_record_count if parameters.get("resultType") == "standard" else None
    return standard or file.entry.max_record_count or MAX_RECORD_COUNT


def _asked(file: ServedFile, parameters: Mapping[str, str]) -> Asked:
    if parameters.get("returnCountOnly") == "true":
        return Asked("count")
    if parameters.get("returnIdsOnly") == "true":
        return Asked("ids")
    wanted, most = parameters.get("resultRecordCount", ""), _most(file, parameters)
    return Asked("rows", min(int(wanted), most) if wanted.isdigit() else most)


@dataclass(frozen=True)
class _Query:
    file: ServedFile
    path: str
    parameters: Mapping[str, str]
    con: duckdb.DuckDBPyConnection

    def answer(self) -> Answer:
        what = _asked(self.file, self.parameters).what
        if what == "count":
            return Answer.of({"count": self._count()})
        self.file.conduct.meet("object_ids", "repeated_ids")
        return self._ids() if what == "ids" else self._page()

    def _names(self) -> dict[str, tuple[str, str, str]]:
        """By name in lower case: the name, its SQL, and SQL of the value as it is sent."""
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
        self.file.conduct.meet("count_off_by")
        found = self.con.execute(f"select count(*) from {self.file.table} where {self._where()}").fetchall()
        return max(0, int(found[0][0]) + self.file.faults.count_off_by)

    def _ids(self) -> Answer:
        name, sql = object_id(self.file)
        shuffled = f"select {sql} as id from {self.file.table} where {self._where()} order by hash(number)"
        body, _ = written(self.con, "',' || id::varchar", shuffled)
        return Answer(b'{"objectIdFieldName":%s,"objectIds":[%s]}' % (json.dumps(name).encode(), body[1:]))

    def _page(self) -> Answer:
        faults, parameters, meet = self.file.faults, self.parameters, self.file.conduct.meet
        paged = bool(parameters.get("resultOffset"))
        if faults.no_paging and (paged or parameters.get("resultRecordCount")):
            meet("no_paging")
            raise _Refused("Pagination is not supported.")
        if faults.no_field_list_in_pages and paged and parameters.get("outFields", "*") != "*":
            meet("no_field_list_in_pages")
            raise _Refused("Failed to execute query.")
        offset = self._whole("resultOffset", 0)
        most = _most(self.file, parameters)
        size = min(self._whole("resultRecordCount", most), most)
        if faults.short_pages and faults.short_pages < size:
            meet("short_pages")
            size = faults.short_pages
        has_shape = parameters.get("returnGeometry", "true") == "true"
        if offset:
            meet("paging_lies")
        text, head = self._esri(has_shape)
        rows, found = written(self.con, text, self._source(0 if faults.paging_lies else offset, size + 1), most=size)
        more = found > size
        if faults.empty_with_geometry and has_shape:
            meet("empty_with_geometry")
            rows = b""
        at = faults.flagged_empty_at
        struck = at is not None and paged and offset <= at < offset + min(size, found)
        if struck and self.file.conduct.strikes("flagged_empty_times", self.path):
            meet("flagged_empty_at")
            rows, more = b"", True
        if b'":NaN' in rows:
            meet("nan")
        if faults.nan == "text":
            rows = rows.replace(b'":NaN', b'":"NaN"')
        meet("never_flags" if more else "flags_always")
        if (more or faults.flags_always) and not faults.never_flags:
            head["exceededTransferLimit"] = True
        return Answer(json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"features":[' + rows[1:] + b"]}")

    def _source(self, offset: int, limit: int) -> str:
        _, id_sql = object_id(self.file)
        order, unique = [], False
        for part in filter(None, (part.strip() for part in self.parameters.get("orderByFields", "").split(","))):
            name, _, direction = part.partition(" ")
            if direction.strip().lower() not in {"", "asc", "desc"}:
                raise _Refused(_INVALID, "'orderByFields' parameter is invalid")
            _, sql, _ = self._known(name)
            unique = unique or sql == id_sql
            # Object ids made from row numbers stand in their order.
            in_file_order = sql == id_sql and not self.file.object_id
            order.append(
                ("number" if in_file_order else sql) + (" desc" if direction.strip().lower() == "desc" else "")
            )
        return self.file.data.page(self._where(), order, offset, limit, unique=unique)

    def _chosen(self) -> dict[str, str]:
        """The fields asked for, and SQL of their values as they are sent."""
        asked = self.parameters.get("outFields") or object_id(self.file)[0]
        names = [field["name"] for field in fields(self.file)]
        if asked != "*":
            names = [name.strip() for name in asked.split(",") if name.strip()]
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
        """SQL of a row, and what stands before the rows."""
        missing = ',"geometry":{"x":NaN,"y":NaN}' if self.file.faults.nan else ""
        shape = f"""coalesce(',"geometry":' || esri, '{missing}')""" if has_shape and self.file.is_layer else "''"
        head: dict[str, Any] = {"objectIdFieldName": object_id(self.file)[0]}
        if self.file.is_layer:
            kind = described.GEOMETRY_TYPE.get(self.file.geometry_type or "Point")
            head |= {"geometryType": kind, "spatialReference": SPATIAL_REFERENCE}
        chosen = self._chosen()
        head["fields"] = [field for field in fields(self.file) if field["name"] in chosen]
        return f"""',{{"attributes":' || {self._attributes()} || {shape} || '}}'""", head

    def _whole(self, name: str, default: int) -> int:
        text = self.parameters.get(name) or str(default)
        if not text.isdigit():
            raise _Refused(_INVALID, f"'{name}' parameter is invalid")
        return int(text)
