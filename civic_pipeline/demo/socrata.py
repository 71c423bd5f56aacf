"""The Socrata Open Data API, versions 2.1 and 3: rows as JSON or CSV by SoQL, and the metadata of a dataset.

Rows have no fixed order, as on real portals: without a `$order` that ends in a unique column, pages overlap.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from email.utils import formatdate

import duckdb

from civic_pipeline.demo.conditions import ConditionUnknown, conditions_sql
from civic_pipeline.demo.exchange import Request, Response
from civic_pipeline.demo.fault_injection import Purpose
from civic_pipeline.demo.render import render_rows
from civic_pipeline.demo.rows import EVERYTHING
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.socrata_fields import HEADER_TYPE, Field, own_fields, system_fields
from civic_pipeline.demo.socrata_views import metadata, view
from civic_pipeline.demo.soda3 import QueryUnknown, parameters_of
from civic_pipeline.sql_text import literal

DEFAULT_LIMIT = 1000

# The real portals omit the X-SODA2 headers if they are longer than this.
_LONGEST_HEADER = 8000

_PATH = re.compile(
    r"/(?P<place>resource|api/views|api/views/metadata/v1)/(?P<id>[^/.]+)(?:\.(?P<form>json|csv))?"
    r"|/(?P<v3>api/v3/views)/(?P<v3_id>[^/.]+)/(?:query|export)\.(?P<v3_form>json|csv)"
)
_AGGREGATE = re.compile(r"(count|min|max)\(\s*(\*|[:@\w]+)\s*\)(?:\s+as\s+`?(\w+)`?)?", re.IGNORECASE)
# SODA3 sends the Last-Modified of its cache, not of the rows.
_CACHED_AT = 1_767_225_600
_PARAMETERS = {"$select", "$where", "$order", "$limit", "$offset", "$$app_token", "$$exclude_system_fields"}


class _Refused(Exception):
    """A query that the portal rejects; `response` has the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.response = Response.of({"code": code, "error": True, "message": message}, status=400)


class SocrataPortal:
    """Responds to requests below `/resource/`, `/api/views/` and `/api/v3/views/`."""

    def __init__(self, files: Iterable[ServedFile]) -> None:
        self._files = {file.socrata_id: file for file in files}

    def find(self, request: Request) -> tuple[ServedFile, Purpose] | None:
        match = _PATH.fullmatch(request.path)
        file = self._files.get(match["id"] or match["v3_id"]) if match else None
        if not match or not file:
            return None
        if match["v3"]:
            try:
                return file, _purpose(parameters_of(request))
            except QueryUnknown:
                return file, Purpose("rows")
        return file, _purpose(request.parameters) if match["place"] == "resource" else Purpose("metadata")

    def answer(self, request: Request, file: ServedFile, con: duckdb.DuckDBPyConnection) -> Response:
        match = _PATH.fullmatch(request.path)
        if not match or (match["place"] or "").startswith("api/"):
            is_view = not match or match["place"] == "api/views"
            return _with_headers(Response.of(view(file) if is_view else metadata(file, request.base)), file, request)
        if match["v3"] and not request.headers.get("x-app-token"):
            message = "You must be logged in or provide an app token."
            return Response.of({"code": "permission_denied", "error": True, "message": message}, status=403)
        try:
            parameters = parameters_of(request) if match["v3"] else request.parameters
            response = _with_headers(
                _rows(file, parameters, match["form"] or match["v3_form"] or "json", con), file, request
            )
        except _Refused as refused:
            return refused.response
        except QueryUnknown as error:
            return _Refused("query.compiler.malformed", f"Could not parse SoQL query at: {error}").response
        except duckdb.Error as error:
            return _Refused(
                "query.soql.type-mismatch", f"Query coordinator: query.soql.type-mismatch; {error}"
            ).response
        cached = {"Last-Modified": formatdate(_CACHED_AT, usegmt=True)} if match["v3"] else {}
        return replace(response, headers={**response.headers, **cached})

    def fallback(self, request: Request) -> Response:
        match = _PATH.fullmatch(request.path)
        data = {"id": match["id"] or match["v3_id"] if match else request.path}
        return Response.of({"code": "dataset.missing", "error": True, "message": "Not found", "data": data}, status=404)

    @staticmethod
    def error(code: int, message: str, details: str, status: int, /) -> Response:
        """Return the error; if `details` is `absent`, in the older form."""
        body: dict[str, object] = {"error": True, "message": message}
        body |= {"status": code} if details == "absent" else {"code": "internal-error", "data": {}}
        return Response.of(body, status=status)


def _rows(file: ServedFile, parameters: Mapping[str, str], form: str, con: duckdb.DuckDBPyConnection) -> Response:
    own, system = own_fields(file), system_fields()
    every = own | system

    def known(name: str) -> Field:
        if name not in every:
            raise _Refused(
                "query.soql.no-such-column", f"Query coordinator: query.soql.no-such-column; No such column: {name}"
            )
        return every[name]

    equal = {name: value for name, value in parameters.items() if not name.startswith("$")}
    unknown = [name for name in parameters if name.startswith("$") and name not in _PARAMETERS]
    unknown += [name for name in equal if name not in every]
    if unknown:
        raise _Refused("query.compiler.malformed", f"Unrecognized arguments [{', '.join(unknown)}]")

    conditions = [f"{known(name).sql} = {literal(value)}" for name, value in equal.items()]
    if "$where" in parameters:
        try:
            conditions.append(conditions_sql(parameters["$where"], lambda name: known(name).sql))
        except ConditionUnknown as error:
            raise _Refused("query.compiler.malformed", f"Could not parse SoQL query at: {error}") from None
    where = " and ".join(conditions) or EVERYTHING

    select = parameters.get("$select", "*")
    if parameters.get("$$exclude_system_fields", "").lower() == "false":
        select = f":*,{select}"
    if aggregates := _aggregates(select):
        return _render(*_totals(file, aggregates, where, known), form, con)

    fields: dict[str, Field] = {}
    for name in (part.strip().strip("`") for part in select.split(",")):
        fields |= own if name == "*" else system if name == ":*" else {name: known(name)}

    offset, limit = _whole_number(parameters, "$offset", 0), _whole_number(parameters, "$limit", DEFAULT_LIMIT)
    order = list(_ordered(parameters.get("$order", ""), known))
    unique = any(part.startswith("row_id ") for part in order)
    if file.faults.short_pages and file.faults.short_pages < limit:
        file.fault_injection.mark_struck("short_pages")
        limit = file.faults.short_pages
    source = file.data.page(where, order, offset, limit, unique=unique)
    return _render(list(fields.values()), source, form, con, file.faults.nan)


def _purpose(parameters: Mapping[str, str]) -> Purpose:
    if _aggregates(parameters.get("$select", "")):
        return Purpose("count")
    limit = parameters.get("$limit", "")
    return Purpose("rows", int(limit) if limit.isdigit() else DEFAULT_LIMIT)


def _aggregates(select: str) -> list[re.Match[str]]:
    """Return the aggregates of a `$select` with only aggregates; else an empty list."""
    matches = [_AGGREGATE.fullmatch(part.strip()) for part in select.split(",")]
    return [match for match in matches if match] if all(matches) else []


def _totals(
    file: ServedFile, aggregates: list[re.Match[str]], where: str, known: Callable[[str], Field]
) -> tuple[list[Field], str]:
    """Return the fields of the row of totals, and the SQL of that row."""
    fields, parts = [], []
    for at, (function, name, alias) in enumerate(match.groups() for match in aggregates):
        counted, field = function.lower() == "count", known(name) if name != "*" else None
        if counted:
            file.fault_injection.mark_struck("count_off_by")
        title = alias or (function.lower() if field is None else f"{function}_{field.name.strip(':@')}".lower())
        sql = f"{function}({field.sql if field else '*'})"
        parts.append(f"greatest(0, {sql} + {file.faults.count_off_by})" if counted else sql)
        fields.append(Field(title, "number" if counted or field is None else field.type, f"t{at}"))
    named = ", ".join(f"{sql} as t{at}" for at, sql in enumerate(parts))
    return fields, f"select {named} from {file.table} where {where}"


def _ordered(text: str, known: Callable[[str], Field]) -> Iterable[str]:
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = re.fullmatch(r"`?([:@\w]+)`?(?:\s+(asc|desc))?", part, re.IGNORECASE)
        if not match:
            raise _Refused("query.compiler.malformed", f"Could not parse SoQL query at: {part}")
        yield f"{known(match[1]).sql} {match[2] or 'asc'} nulls last"


def _whole_number(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name, str(default))
    if not text.isdigit():
        raise _Refused(
            "query.compiler.malformed", f"Could not parse SoQL query: {name} must be a whole number, not {text!r}"
        )
    return int(text)


def _render(
    fields: list[Field], source: str, form: str, con: duckdb.DuckDBPyConnection, nan: str | None = None
) -> Response:
    """Let DuckDB write the text of each row. In JSON, `concat_ws` omits nulls, as the portal does."""
    if form == "json":
        members = ", ".join(f"{literal(json.dumps(field.name))} || ':' || {field.json_sql(nan)}" for field in fields)
        rows, _ = render_rows(con, f"'\n,{{' || concat_ws(',', {members}) || '}}'", source)
        body, content_type = b"[" + rows[2:] + b"]\n", "application/json;charset=utf-8"
    else:
        cells = ", ".join(f"""'"' || coalesce(replace({field.text_sql()}, '"', '""'), '') || '"'""" for field in fields)
        rows, _ = render_rows(con, f"concat_ws(',', {cells}) || '\n'", source)
        header = ",".join(f'"{field.name}"' for field in fields)
        body, content_type = f"{header}\n".encode() + rows, "text/csv;charset=utf-8"
    names = json.dumps([field.name for field in fields], separators=(",", ":"))
    types = json.dumps([HEADER_TYPE.get(field.type, field.type) for field in fields], separators=(",", ":"))
    headers = {} if max(len(names), len(types)) > _LONGEST_HEADER else {"X-SODA2-Fields": names, "X-SODA2-Types": types}
    return Response(body, content_type=content_type, headers=headers)


def _with_headers(response: Response, file: ServedFile, request: Request) -> Response:
    """Return the response with headers for its age, and an ETag that stays the same until the rows change."""
    content = f"{file.updated_at}{request.path}{sorted(request.parameters.items())}{request.body!r}{file.fault_injection.edition}"
    tag = hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()
    modified = formatdate(file.updated_at, usegmt=True)
    headers = {"ETag": f'W/"{tag}"'}
    if file.faults.freshness in {"metadata", "truth_header"}:
        headers["X-SODA2-Truth-Last-Modified"] = modified
    if file.faults.freshness in {"metadata", "last_modified_header"}:
        headers["Last-Modified"] = modified
    return Response(response.body, response.status, response.content_type, {**response.headers, **headers})
