"""The Socrata Open Data API, version 2.1: rows as JSON or CSV by SoQL, and a dataset's metadata.

Rows have no implicit order, as in the field: without a `$order` that ends in a unique column, pages overlap.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate

import duckdb

from civic_pipeline.demo.columns import Kind
from civic_pipeline.demo.conditions import ConditionUnknown, conditions_sql
from civic_pipeline.demo.exchange import Answer, Request
from civic_pipeline.demo.folder import ServedFile

DEFAULT_LIMIT = 1000

# Types as the metadata name them, where that is not the name portal.yml uses.
_METADATA_TYPE: Mapping[Kind, str] = {"integer": "number", "double": "number"}
_HEADER_TYPE: Mapping[str, str] = {
    "money": "number",
    "percent": "number",
    "email": "text",
    "calendar_date": "floating_timestamp",
    "date": "fixed_timestamp",
}

# A point as files write it, `POINT (-76.6 39.3)`, and as the portal sends it.
_POINT = r"^\s*POINT\s*\(\s*(\S+)\s+(\S+?)\s*\)\s*$"
_GEOJSON_POINT = r'{"type":"Point","coordinates":[\1,\2]}'

# Beyond this the real portals leave the X-SODA2 headers out.
_LONGEST_HEADER = 8000

_PARAMETERS = {"$select", "$where", "$order", "$limit", "$offset", "$$app_token", "$$exclude_system_fields"}


@dataclass(frozen=True)
class _Field:
    """What one name in a `$select` gives: SQL over the dataset's table, and how its values are written."""

    name: str
    type: str
    sql: str
    title: str = ""

    def json_sql(self) -> str:
        """SQL of the value as JSON text; null stays null, and the row then leaves the field out."""
        if self.type in {"calendar_date", "date"}:
            return f"""'"' || {self.text_sql()} || '"'"""
        if self.type == "url":
            return f"""'{{"url":' || to_json({self.sql}) || '}}'"""
        if self.type == "point":
            return f"regexp_replace({self.sql}, '{_POINT}', '{_GEOJSON_POINT}')"
        if self.type == "geometry":
            return self.sql
        if self.type == "checkbox":
            return f"cast({self.sql} as varchar)"
        return f"cast(to_json(cast({self.sql} as varchar)) as varchar)"

    def text_sql(self) -> str:
        """SQL of the value as a CSV cell."""
        if self.type in {"calendar_date", "date"}:
            zone = "Z" if self.type == "date" else ""
            return f"strftime({self.sql}, '%Y-%m-%dT%H:%M:%S.%g{zone}')"
        return f"cast({self.sql} as varchar)"


class _Refused(Exception):
    """A query the portal would refuse; the answer is its body."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer.of({"code": code, "error": True, "message": message}, status=400)


class SocrataPortal:
    """Answers requests below `/resource/` and `/api/views/`."""

    def __init__(self, files: Iterable[ServedFile]) -> None:
        self._files = {file.socrata_id: file for file in files}

    def answer(self, request: Request, con: duckdb.DuckDBPyConnection) -> Answer:
        """Raises nothing: whatever the portal refuses is an answer too."""
        found = re.fullmatch(r"/(resource|api/views)/([^/.]+)(?:\.(json|csv))?", request.path)
        file = self._files.get(found[2]) if found else None
        if not found or not file:
            wanted = found[2] if found else request.path
            return Answer.of(
                {"code": "dataset.missing", "error": True, "message": "Not found", "data": {"id": wanted}}, status=404
            )
        if found[1] == "api/views":
            return _tagged(Answer.of(_metadata(file)), file)
        try:
            return _tagged(_rows(file, request.parameters, found[3] or "json", con), file)
        except _Refused as refused:
            return refused.answer
        except duckdb.Error as error:
            return _Refused("query.soql.type-mismatch", f"Query coordinator: query.soql.type-mismatch; {error}").answer


def _metadata(file: ServedFile) -> dict[str, object]:
    return {
        "id": file.socrata_id,
        "name": file.title,
        "assetType": "dataset",
        "viewType": "tabular",
        "createdAt": file.updated_at,
        "publicationDate": file.updated_at,
        "rowsUpdatedAt": file.updated_at,
        "viewLastModified": file.updated_at,
        "columns": [
            {
                "id": file.updated_at + position,
                "name": field.title or field.name,
                "fieldName": field.name,
                "dataTypeName": _data_type(file, field),
                "renderTypeName": _data_type(file, field),
                "position": position,
            }
            for position, field in enumerate(_own_fields(file).values(), start=1)
        ],
    }


def _data_type(file: ServedFile, field: _Field) -> str:
    return (file.geometry_type or "").lower() if field.type == "geometry" else field.type


def _own_fields(file: ServedFile) -> dict[str, _Field]:
    fields = {
        c.field_name: _Field(c.field_name, _METADATA_TYPE.get(c.kind, c.kind), c.sql, c.name) for c in file.columns
    }
    if file.geometry_type:
        region = f":@computed_region_{file.item_id[:4]}_{file.item_id[4:8]}"
        fields["the_geom"] = _Field("the_geom", "geometry", "geometry")
        fields[region] = _Field(region, "number", "1 + number % 278")
    return fields


def _system_fields(file: ServedFile) -> dict[str, _Field]:
    at = f"make_timestamp({file.updated_at}000000)"
    return {
        ":id": _Field(":id", "text", "('row-' || digest[1:4] || '-' || digest[5:8] || '-' || digest[9:12])"),
        ":created_at": _Field(":created_at", "date", at),
        ":updated_at": _Field(":updated_at", "date", at),
        ":version": _Field(
            ":version", "text", "('rv-' || digest[13:16] || '-' || digest[17:20] || '-' || digest[21:24])"
        ),
    }


def _rows(file: ServedFile, parameters: Mapping[str, str], form: str, con: duckdb.DuckDBPyConnection) -> Answer:
    own, system = _own_fields(file), _system_fields(file)
    every = own | system

    def known(name: str) -> _Field:
        if name not in every:
            raise _Refused(
                "query.soql.no-such-column", f"Query coordinator: query.soql.no-such-column; No such column: {name}"
            )
        return every[name]

    equal = {name: value for name, value in parameters.items() if not name.startswith("$")}
    strange = [name for name in parameters if name.startswith("$") and name not in _PARAMETERS]
    strange += [name for name in equal if name not in every]
    if strange:
        raise _Refused("query.compiler.malformed", f"Unrecognized arguments [{', '.join(strange)}]")

    conditions = [
        "true",
        *("{} = '{}'".format(known(name).sql, value.replace("'", "''")) for name, value in equal.items()),
    ]
    if "$where" in parameters:
        try:
            conditions.append(conditions_sql(parameters["$where"], lambda name: known(name).sql))
        except ConditionUnknown as error:
            raise _Refused("query.compiler.malformed", f"Could not parse SoQL query at: {error}") from None
    where = " and ".join(conditions)

    select = parameters.get("$select", "*")
    if parameters.get("$$exclude_system_fields", "").lower() == "false":
        select = f":*,{select}"
    if re.fullmatch(r"\s*count\(\s*\*\s*\)(\s+as\s+\w+)?\s*", select, re.IGNORECASE):
        name = select.split()[-1] if " as " in select.lower() else "count"
        source = f"select count(*) as n from {file.table} where {where}"
        return _written([_Field(name, "number", "n")], source, form, con)

    fields: dict[str, _Field] = {}
    for name in (part.strip().strip("`") for part in select.split(",")):
        fields |= own if name == "*" else system if name == ":*" else {name: known(name)}

    offset, limit = _whole(parameters, "$offset", 0), _whole(parameters, "$limit", DEFAULT_LIMIT)
    order = [*_ordered(parameters.get("$order", ""), known), f"hash(number, {offset})"]
    source = f"select * from {file.table} where {where} order by {', '.join(order)} limit {limit} offset {offset}"
    return _written(list(fields.values()), source, form, con)


def _ordered(text: str, known: Callable[[str], _Field]) -> Iterable[str]:
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = re.fullmatch(r"`?([:@\w]+)`?(?:\s+(asc|desc))?", part, re.IGNORECASE)
        if not found:
            raise _Refused("query.compiler.malformed", f"Could not parse SoQL query at: {part}")
        yield f"{known(found[1]).sql} {found[2] or 'asc'} nulls last"


def _whole(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not text.isdigit():
        raise _Refused(
            "query.compiler.malformed", f"Could not parse SoQL query: {name} must be a whole number, not {text!r}"
        )
    return int(text)


def _written(fields: list[_Field], source: str, form: str, con: duckdb.DuckDBPyConnection) -> Answer:
    """Let DuckDB write each row's text; in JSON `concat_ws` leaves nulls out, just as the portal does."""
    if form == "json":
        members = ", ".join(f"{_literal(json.dumps(field.name))} || ':' || {field.json_sql()}" for field in fields)
        row = f"'{{' || concat_ws(',', {members}) || '}}'"
        lines = [line for (line,) in con.execute(f"select {row} from ({source})").fetchall()]
        body, content_type = "[" + "\n,".join(lines) + "]\n", "application/json;charset=utf-8"
    else:
        cells = ", ".join(f"""'"' || coalesce(replace({field.text_sql()}, '"', '""'), '') || '"'""" for field in fields)
        lines = [line for (line,) in con.execute(f"select concat_ws(',', {cells}) from ({source})").fetchall()]
        header = ",".join(f'"{field.name}"' for field in fields)
        body, content_type = "\n".join([header, *lines]) + "\n", "text/csv;charset=utf-8"
    names = json.dumps([field.name for field in fields], separators=(",", ":"))
    types = json.dumps([_HEADER_TYPE.get(field.type, field.type) for field in fields], separators=(",", ":"))
    headers = {} if max(len(names), len(types)) > _LONGEST_HEADER else {"X-SODA2-Fields": names, "X-SODA2-Types": types}
    return Answer(body.encode(), content_type=content_type, headers=headers)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _tagged(answer: Answer, file: ServedFile) -> Answer:
    tag = hashlib.md5(answer.body, usedforsecurity=False).hexdigest()
    modified = formatdate(file.updated_at, usegmt=True)
    headers = {"Last-Modified": modified, "X-SODA2-Truth-Last-Modified": modified, "ETag": f'W/"{tag}"'}
    return Answer(answer.body, answer.status, answer.content_type, {**answer.headers, **headers})
