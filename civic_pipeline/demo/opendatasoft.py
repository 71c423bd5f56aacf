"""The Explore API v2.1 of OpenDataSoft: metadata of a dataset, records in small pages, and exports."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from civic_pipeline.demo.columns import DATED, NUMERIC, Column
from civic_pipeline.demo.conditions import ConditionUnknown, conditions_sql
from civic_pipeline.demo.exchange import Request, Response
from civic_pipeline.demo.fault_injection import Purpose
from civic_pipeline.demo.render import render_rows
from civic_pipeline.demo.rows import EVERYTHING
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.sql_text import quoted

MOST_RECORDS = 100
DEFAULT_RECORDS = 10
WINDOW = 10_000  # paging cannot read beyond this row

_PATH = re.compile(r"/api/explore/v2\.[01]/catalog/datasets/([^/]+?)(?:/(records|exports/(?:json|jsonl)))?/?")
_POINT = r"^\s*POINT\s*\(\s*(\S+)\s+(\S+?)\s*\)\s*$"
_LON_LAT = r'{"lon":\1,"lat":\2}'
_INTERRUPTED = "Streaming interrupted due to the following error: "


class _Refused(Exception):
    """A query that the portal rejects; `response` has the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.response = Response.of({"error_code": code, "message": message}, status=400)


@dataclass(frozen=True)
class _Field:
    """A field of the API. `value` is the SQL of the value that is sent as JSON."""

    name: str
    label: str
    type: str
    sql: str
    value: str


class OpenDataSoftPortal:
    """Responds to requests below `/api/explore/v2.1/catalog/datasets/`."""

    def __init__(self, files: Iterable[ServedFile]) -> None:
        self._files = {file.opendatasoft_id: file for file in files}

    def find(self, request: Request) -> tuple[ServedFile, Purpose] | None:
        match = _PATH.fullmatch(request.path)
        file = self._files.get(match[1]) if match else None
        if not match or not file:
            return None
        if match[2] is None:
            return file, Purpose("metadata")
        if match[2] == "records":
            limit = request.parameters.get("limit", "")
            rows = int(limit) if limit.isdigit() else DEFAULT_RECORDS
            return file, Purpose("rows" if rows else "count", rows)
        return file, Purpose("export", file.rows)

    def answer(self, request: Request, file: ServedFile, con: duckdb.DuckDBPyConnection) -> Response:
        match = _PATH.fullmatch(request.path)
        if not match or match[2] is None:
            return Response.of(_dataset(file))
        query = _Query(file, request.parameters, con)
        try:
            return query.records() if match[2] == "records" else query.export(match[2].rpartition("/")[2])
        except _Refused as refused:
            return refused.response
        except duckdb.Error as error:
            return _Refused("ODSQLError", f"ODSQL query is malformed: {error}").response

    def fallback(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        body = {"error_code": "UnknownDataset", "message": f"Unknown dataset: {match[1] if match else request.path}"}
        return Response.of(body, status=404)

    @staticmethod
    def error(code: int, message: str, _details: str, status: int, /) -> Response:
        """Return the error. The error of a used quota (429) has its own form."""
        if code == 429:
            body = {
                "errorcode": 10002,
                "error": message,
                "reset_time": "2030-01-01T00:00:00Z",
                "limit_time_unit": "day",
            }
            return Response.of(body, status=status)
        return Response.of({"error_code": "InternalError", "message": message}, status=status)


def _dataset(file: ServedFile) -> dict[str, Any]:
    entry, at = file.entry, datetime.fromtimestamp(file.updated_at, UTC).isoformat()
    described: dict[str, Any] = {
        "title": file.title,
        "description": entry.description,
        "license": entry.license,
        "publisher": entry.attribution,
        "records_count": max(0, file.rows + file.faults.count_off_by),
        "metadata_processed": at,
    }
    if file.faults.freshness == "metadata":
        described |= {"modified": at, "data_processed": at}
    return {
        "dataset_id": file.opendatasoft_id,
        "dataset_uid": f"da_{file.item_id[:6]}",
        "has_records": True,
        "fields": [
            {"name": field.name, "label": field.label, "type": field.type, "description": None, "annotations": {}}
            for field in _fields(file)
        ],
        "metas": {"default": described, "dcat": {"accrualperiodicity": entry.update_frequency}},
    }


def _fields(file: ServedFile) -> list[_Field]:
    fields = [_field(column) for column in file.columns]
    if file.geometry_type:
        shape = """json('{"type":"Feature","geometry":' || geometry || ',"properties":{}}')"""
        fields.append(_Field("geo_shape", "Geo Shape", "geo_shape", "geometry", shape))
    return fields


def _field(column: Column) -> _Field:
    kind, value = "text", column.sql
    if column.kind in NUMERIC:
        kind = "int" if column.integral else "double"
        value = column.sql if column.integral else f"cast({column.sql} as double)"
    elif column.kind in DATED:
        kind, value = "datetime", f"strftime({column.sql}, '%Y-%m-%dT%H:%M:%S+00:00')"
    elif column.kind == "date_only":
        kind = "date"
    elif column.kind == "checkbox":
        kind = "boolean"
    elif column.kind == "point":
        kind, value = "geo_point_2d", f"json(regexp_replace({column.sql}, '{_POINT}', '{_LON_LAT}'))"
    return _Field(column.field_name, column.name, kind, column.sql, value)


@dataclass(frozen=True)
class _Query:
    file: ServedFile
    parameters: Mapping[str, str]
    con: duckdb.DuckDBPyConnection

    def records(self) -> Response:
        """Return a page of at most 100 of the first 10,000 records."""
        limit, offset = self._whole_number("limit", DEFAULT_RECORDS), self._whole_number("offset", 0)
        if not -1 <= limit <= MOST_RECORDS:
            raise _invalid("limit", limit, f"-1 <= limit <= {MOST_RECORDS}")
        if limit + offset > WINDOW:
            raise _invalid("offset", offset, f"0 <= offset + limit <= {WINDOW}")
        limit = MOST_RECORDS if limit == -1 else min(limit, self.file.faults.short_pages or limit)
        self.file.fault_injection.mark_struck("count_off_by")
        rows, _ = render_rows(self.con, f"',' || {self._object()}", self._source(limit, offset))
        count = f"select count(*) from {self.file.table} where {self._where()}"
        total = max(0, self.con.execute(count).fetchall()[0][0] + self.file.faults.count_off_by)
        return Response(b'{"total_count":%d,"results":[%s]}' % (total, rows[1:]))

    def export(self, form: str) -> Response:
        """Return all records. An error after the first byte is written into the body, with HTTP 200."""
        limit, offset, faults = self._whole_number("limit", -1), self._whole_number("offset", 0), self.file.faults
        most, broken = self.file.rows if limit == -1 else limit, ""
        if offset and offset + most > WINDOW:
            most, broken = max(0, WINDOW - offset), str(_invalid("offset", offset, f"0 <= offset + limit <= {WINDOW}"))
        most = max(0, most - faults.export_short_by)
        self.file.fault_injection.mark_struck("export_short_by")
        if faults.export_breaks_after is not None and faults.export_breaks_after < most:
            self.file.fault_injection.mark_struck("export_breaks_after")
            most, broken = faults.export_breaks_after, "Query timed out"
        source = self._source(most, offset, in_file_order=True)
        end = f"{_INTERRUPTED}{broken}".encode() if broken else b""
        if form == "jsonl":
            rows, _ = render_rows(self.con, f"{self._object()} || '\n'", source)
            return Response(rows + end, content_type="application/jsonl;charset=utf-8")
        rows, _ = render_rows(self.con, f"',\n' || {self._object()}", source)
        return Response(b"[" + rows[1:] + (end or b"\n]"))

    def _object(self) -> str:
        packed = ", ".join(f"{quoted(field.name)} := {field.value}" for field in self._chosen())
        return f"cast(to_json(struct_pack({packed})) as varchar)"

    def _chosen(self) -> list[_Field]:
        fields = _fields(self.file)
        select = self.parameters.get("select") or "*"
        if select.strip() == "*":
            return fields
        return [self._known(name) for name in select.split(",")]

    def _source(self, limit: int, offset: int, *, in_file_order: bool = False) -> str:
        order = []
        for part in filter(None, (part.strip() for part in self.parameters.get("order_by", "").split(","))):
            name, _, direction = part.partition(" ")
            if direction.strip().lower() not in {"", "asc", "desc"}:
                raise _Refused("ODSQLError", f"ODSQL query is malformed: order_by {part}")
            order.append(f"{self._known(name).sql} {direction}")
        if in_file_order and not order:
            return self.file.data.page(self._where(), ["number"], offset, limit, unique=True)
        return self.file.data.page(self._where(), order, offset, limit, unique=False)

    def _where(self) -> str:
        text = re.sub(r'"([^"]*)"', r"'\1'", self.parameters.get("where", ""))
        if not text:
            return EVERYTHING
        try:
            return conditions_sql(text, lambda name: self._known(name).sql)
        except ConditionUnknown as error:
            raise _Refused("ODSQLError", f"ODSQL query is malformed: {error}") from None

    def _known(self, name: str) -> _Field:
        field = next((field for field in _fields(self.file) if field.name == name.strip().strip("`")), None)
        if field is None:
            raise _Refused("ODSQLError", f"Unknown field: {name.strip()}")
        return field

    def _whole_number(self, name: str, default: int) -> int:
        text = self.parameters.get(name) or str(default)
        if not re.fullmatch(r"-1|[0-9]+", text):
            raise _invalid(name, json.dumps(text), "a whole number")
        return int(text)


def _invalid(name: str, value: object, expected: str) -> _Refused:
    message = f"Invalid value for {name} API parameter: {value} was found but {expected} is expected."
    return _Refused("InvalidRESTParameterError", message)
