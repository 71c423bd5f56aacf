"""The ArcGIS REST API as hosted feature services speak it: items, services, layers and their `query`.

Errors come inside HTTP 200. Rows have no implicit order: without `orderByFields` on a unique field, pages overlap.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import duckdb

from civic_pipeline.demo.columns import Column, quoted
from civic_pipeline.demo.conditions import ConditionUnknown, conditions_sql
from civic_pipeline.demo.exchange import Answer, Request
from civic_pipeline.demo.folder import ServedFile

MAX_RECORD_COUNT = 2000

_GENERATED = "OBJECTID"
_GEOMETRY_TYPE = {
    "Point": "esriGeometryPoint",
    "MultiPoint": "esriGeometryMultipoint",
    "LineString": "esriGeometryPolyline",
    "MultiLineString": "esriGeometryPolyline",
    "Polygon": "esriGeometryPolygon",
    "MultiPolygon": "esriGeometryPolygon",
}
_SPATIAL_REFERENCE = {"wkid": 4326, "latestWkid": 4326}


class _Refused(Exception):
    """A query the server would refuse; the answer is its body."""

    def __init__(self, message: str, *details: str) -> None:
        super().__init__(message)
        self.answer = Answer.of({"error": {"code": 400, "message": message, "details": list(details)}})


class ArcgisPortal:
    """Answers requests below `/sharing/rest/` and `/arcgis/rest/services/`."""

    def __init__(self, files: Iterable[ServedFile]) -> None:
        self._files = tuple(files)

    def answer(self, request: Request, con: duckdb.DuckDBPyConnection) -> Answer:
        """Raises nothing: whatever the server refuses is an answer too."""
        if request.parameters.get("f", "html") == "html":
            return Answer(
                b"<html><body>ArcGIS REST Services Directory</body></html>\n", content_type="text/html;charset=utf-8"
            )
        if item := re.fullmatch(r"/sharing/rest/content/items/(\w+)", request.path):
            return self._item(item[1], request.base)
        found = re.fullmatch(r"/arcgis/rest/services/(\w+)/FeatureServer(?:/(\d+)(/query)?)?", request.path)
        file = next((file for file in self._files if found and file.layer.lower() == found[1].lower()), None)
        if not found or not file or found[2] not in (None, "0"):
            return _Refused("Invalid URL", "Invalid URL").answer
        if found[2] is None:
            return Answer.of(_service(file))
        if found[3] is None:
            return Answer.of(_layer(file))
        try:
            return _query(file, request.parameters, con)
        except _Refused as refused:
            return refused.answer
        except duckdb.Error as error:
            return _Refused("Unable to complete operation.", f"Unable to perform query operation. {error}").answer

    def _item(self, wanted: str, base: str) -> Answer:
        file = next((file for file in self._files if file.item_id == wanted), None)
        if not file:
            message = "Item does not exist or is inaccessible."
            return Answer.of({"error": {"code": 400, "messageCode": "CONT_0001", "message": message, "details": []}})
        return Answer.of(
            {
                "id": file.item_id,
                "title": file.title,
                "name": file.layer,
                "type": "Feature Service",
                "access": "public",
                "created": file.updated_at * 1000,
                "modified": file.updated_at * 1000,
                "url": f"{base}/arcgis/rest/services/{file.layer}/FeatureServer",
            }
        )


def _service(file: ServedFile) -> dict[str, Any]:
    listed = [{"id": 0, "name": file.layer, "type": _type(file)}]
    return {
        "currentVersion": 11.5,
        "serviceItemId": file.item_id,
        "maxRecordCount": MAX_RECORD_COUNT,
        "supportedQueryFormats": "JSON",
        "capabilities": "Query",
        "spatialReference": _SPATIAL_REFERENCE,
        "layers": listed if file.is_layer else [],
        "tables": [] if file.is_layer else listed,
    }


def _layer(file: ServedFile) -> dict[str, Any]:
    edited = file.updated_at * 1000
    description: dict[str, Any] = {
        "currentVersion": 11.5,
        "id": 0,
        "name": file.layer,
        "type": _type(file),
        "serviceItemId": file.item_id,
        "objectIdField": _object_id(file)[0],
        "fields": _fields(file),
        "maxRecordCount": MAX_RECORD_COUNT,
        "supportedQueryFormats": "JSON, geoJSON",
        "capabilities": "Query",
        "supportsPagination": True,
        "supportsAdvancedQueries": True,
        "advancedQueryCapabilities": {
            "supportsPagination": True,
            "supportsOrderBy": True,
            "supportsStatistics": False,
            "supportsDistinct": False,
            "supportsQueryWithResultType": False,
            "supportsMaxRecordCountFactor": False,
        },
        "editingInfo": {"lastEditDate": edited, "dataLastEditDate": edited, "schemaLastEditDate": edited},
    }
    if file.is_layer:
        description["geometryType"] = _GEOMETRY_TYPE.get(file.geometry_type or "Point")
        description["extent"] = {
            "xmin": -180,
            "ymin": -90,
            "xmax": 180,
            "ymax": 90,
            "spatialReference": _SPATIAL_REFERENCE,
        }
    return description


def _type(file: ServedFile) -> str:
    return "Feature Layer" if file.is_layer else "Table"


def _object_id(file: ServedFile) -> tuple[str, str]:
    """Name and SQL of the object id: the file's own, or its row number."""
    own = file.object_id
    return (own.name, own.sql) if own else (_GENERATED, "number")


def _fields(file: ServedFile) -> list[dict[str, Any]]:
    object_id, _ = _object_id(file)
    fields = [] if file.object_id else [_field(object_id, "esriFieldTypeOID")]
    for column in file.columns:
        kind = "esriFieldTypeOID" if column.name == object_id else _field_type(column)
        fields.append(
            _field(column.name, kind, length=max(255, column.longest) if kind == "esriFieldTypeString" else None)
        )
    return fields


def _field(name: str, kind: str, length: int | None = None) -> dict[str, Any]:
    field = {
        "name": name,
        "type": kind,
        "alias": name,
        "sqlType": "sqlTypeOther",
        "nullable": kind != "esriFieldTypeOID",
        "domain": None,
    }
    return field | ({"length": length} if length else {})


def _field_type(column: Column) -> str:
    if column.stored in {"TIMESTAMP", "EPOCH"}:
        return "esriFieldTypeDate"
    if column.kind == "checkbox":
        return "esriFieldTypeSmallInteger"
    if column.kind in {"integer", "number"} and column.integral:
        return "esriFieldTypeInteger" if column.fits_32_bits else "esriFieldTypeBigInteger"
    return "esriFieldTypeString" if column.stored == "VARCHAR" else "esriFieldTypeDouble"


def _attribute(column: Column) -> str:
    """SQL of a value as ArcGIS sends it: epoch milliseconds for a date, 1 or 0 for a tick, a double for a fraction."""
    kind = _field_type(column)
    if kind == "esriFieldTypeDate":
        return f"epoch_ms({column.sql})"
    if kind == "esriFieldTypeSmallInteger":
        return f"cast({column.sql} as integer)"
    return f"cast({column.sql} as double)" if kind == "esriFieldTypeDouble" else column.sql


def _query(file: ServedFile, parameters: Mapping[str, str], con: duckdb.DuckDBPyConnection) -> Answer:
    object_id, object_id_sql = _object_id(file)
    by_name = {column.name.lower(): (column.name, column.sql) for column in file.columns}
    by_name[object_id.lower()] = object_id, object_id_sql

    def known(name: str) -> str:
        if name.lower() not in by_name:
            raise _Refused(
                "Cannot perform query. Invalid query parameters.", f"'Invalid field: {name}' parameter is invalid"
            )
        return by_name[name.lower()][1]

    where = _where(parameters, known, object_id_sql)
    if parameters.get("returnCountOnly") == "true":
        return Answer.of({"count": _count(file, where, con)})
    if parameters.get("returnIdsOnly") == "true":
        ids = con.execute(f"select {object_id_sql} from {file.table} where {where} order by hash(number)").fetchall()
        return Answer.of({"objectIdFieldName": object_id, "objectIds": [row[0] for row in ids]})

    offset = _whole(parameters, "resultOffset", 0)
    size = min(_whole(parameters, "resultRecordCount", MAX_RECORD_COUNT), MAX_RECORD_COUNT)
    order = []
    for part in filter(None, (part.strip() for part in parameters.get("orderByFields", "").split(","))):
        name, _, direction = part.partition(" ")
        if direction.strip().lower() not in {"", "asc", "desc"}:
            raise _Refused("Cannot perform query. Invalid query parameters.", "'orderByFields' parameter is invalid")
        order.append(f"{known(name)} {direction}")
    order.append(f"hash(number, {offset})")

    asked = parameters.get("outFields", object_id)
    names = (
        [field["name"] for field in _fields(file)]
        if asked == "*"
        else [name.strip() for name in asked.split(",") if name.strip()]
    )
    for name in names:
        known(name)
    by_column = {column.name: column for column in file.columns}
    chosen = [by_name[name.lower()] for name in names]
    packed = ", ".join(
        f"{quoted(name)} := {_attribute(by_column[name]) if name in by_column else sql}" for name, sql in chosen
    )
    attributes = f"cast(to_json(struct_pack({packed})) as varchar)"

    source = f"select * from {file.table} where {where} order by {', '.join(order)} limit {size} offset {offset}"
    more = offset + size < _count(file, where, con)
    has_shape = file.is_layer and parameters.get("returnGeometry", "true") == "true"
    if parameters.get("f") == "geojson":
        shape = "coalesce(geometry, 'null')" if has_shape else "'null'"
        row = (
            f"""'{{"type":"Feature","id":' || {object_id_sql} || ',"geometry":' || {shape}"""
            f""" || ',"properties":' || {attributes} || '}}'"""
        )
        head: dict[str, Any] = {"type": "FeatureCollection"}
        if more:
            head |= {"exceededTransferLimit": True, "properties": {"exceededTransferLimit": True}}
    else:
        shape = """coalesce(',"geometry":' || esri, '')""" if has_shape else "''"
        row = f"""'{{"attributes":' || {attributes} || {shape} || '}}'"""
        head = {"objectIdFieldName": object_id}
        if file.is_layer:
            head |= {
                "geometryType": _GEOMETRY_TYPE.get(file.geometry_type or "Point"),
                "spatialReference": _SPATIAL_REFERENCE,
            }
        head["fields"] = [field for field in _fields(file) if field["name"] in {name for name, _ in chosen}]
        if more:
            head["exceededTransferLimit"] = True
    rows = ",".join(line for (line,) in con.execute(f"select {row} from ({source})").fetchall())
    return Answer((json.dumps(head, separators=(",", ":"))[:-1] + f',"features":[{rows}]}}').encode())


def _where(parameters: Mapping[str, str], known: Callable[[str], str], object_id_sql: str) -> str:
    if parameters.get("outSR", "4326") not in {"", "4326", '{"wkid":4326}'}:
        raise _Refused(
            "Cannot perform query. Invalid query parameters.", "'outSR' parameter is invalid: only 4326 is served"
        )
    conditions = []
    if ids := parameters.get("objectIds"):
        if not re.fullmatch(r"[0-9,\s]+", ids):
            raise _Refused("Cannot perform query. Invalid query parameters.", "'objectIds' parameter is invalid")
        conditions.append(f"{object_id_sql} in ({ids})")
    if text := parameters.get("where"):
        try:
            conditions.append(conditions_sql(text, known))
        except ConditionUnknown:
            raise _Refused("Cannot perform query. Invalid query parameters.", "'where' parameter is invalid") from None
    if not conditions:
        raise _Refused("Cannot perform query. Invalid query parameters.", "'where' clause is required")
    return " and ".join(conditions)


def _count(file: ServedFile, where: str, con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute(f"select count(*) from {file.table} where {where}").fetchone()
    return int(row[0]) if row else 0


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name) or str(default)
    if not text.isdigit():
        raise _Refused("Cannot perform query. Invalid query parameters.", f"'{name}' parameter is invalid")
    return int(text)
