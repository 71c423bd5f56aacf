"""The Socrata Open Data API, versions 2.1 and 3: rows as JSON or CSV by SoQL, and a dataset's metadata.

Rows have no implicit order, as in the field: without a `$order` that ends in a unique column, pages overlap.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from email.utils import formatdate

import duckdb

from civic_pipeline.demo.conditions import ConditionUnknown, conditions_sql
from civic_pipeline.demo.conduct import Asked
from civic_pipeline.demo.exchange import Answer, Request
from civic_pipeline.demo.rows import EVERYTHING
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.socrata_fields import HEADER_TYPE, Field, own_fields, system_fields
from civic_pipeline.demo.socrata_views import metadata, view
from civic_pipeline.demo.soda3 import QueryUnknown, parameters_of
from civic_pipeline.demo.writing import written
from civic_pipeline.sql_text import literal

DEFAULT_LIMIT = 1000

# Beyond this the real portals leave the X-SODA2 headers out.
_LONGEST_HEADER = 8000

_PATH = re.compile(
    r"/(?P<place>resource|api/views|api/views/metadata/v1)/(?P<id>[^/.]+)(?:\.(?P<form>json|csv))?"
    r"|/(?P<v3>api/v3/views)/(?P<v3_id>[^/.]+)/(?:query|export)\.(?P<v3_form>json|csv)"
)
_AGGREGATE = re.compile(r"(count|min|max)\(\s*(\*|[:@\w]+)\s*\)(?:\s+as\s+`?(\w+)`?)?", re.IGNORECASE)
# The Last-Modified of SODA3 is that of its cache, whatever happened to the rows.
_CACHED_AT = 1_767_225_600
_PARAMETERS = {"$select", "$where", "$order", "$limit", "$offset", "$$app_token", "$$exclude_system_fields"}


class _Refused(Exception):
    """A query the portal would refuse; the answer is its body."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer.of({"code": code, "error": True, "message": message}, status=400)


class SocrataPortal:
    """Answers requests below `/resource/`, `/api/views/` and `/api/v3/views/`."""

    def __init__(self, files: Iterable[ServedFile]) -> None:
        self._files = {file.socrata_id: file for file in files}

    def find(self, request: Request) -> tuple[ServedFile, Asked] | None:
        found = _PATH.fullmatch(request.path)
        file = self._files.get(found["id"] or found["v3_id"]) if found else None
        if not found or not file:
            return None
        if found["v3"]:
            try:
                return file, _asked(parameters_of(request))
            except QueryUnknown:
                return file, Asked("rows")
        return file, _asked(request.parameters) if found["place"] == "resource" else Asked("metadata")

    def answer(self, request: Request, file: ServedFile, con: duckdb.DuckDBPyConnection) -> Answer:
        found = _PATH.fullmatch(request.path)
        if not found or (found["place"] or "").startswith("api/"):
            is_view = not found or found["place"] == "api/views"
            return _tagged(Answer.of(view(file) if is_view else metadata(file, request.base)), file, request)
        if found["v3"] and not request.headers.get("x-app-token"):
            message = "You must be logged in or provide an app token."
            return Answer.of({"code": "permission_denied", "error": True, "message": message}, status=403)
        try:
            parameters = parameters_of(request) if found["v3"] else request.parameters
            answer = _tagged(_rows(file, parameters, found["form"] or found["v3_form"] or "json", con), file, request)
        except _Refused as refused:
            return refused.answer
        except QueryUnknown as error:
            return _Refused("query.compiler.malformed", f"Could not parse SoQL query at: {error}").answer
        except duckdb.Error as error:
            return _Refused("query.soql.type-mismatch", f"Query coordinator: query.soql.type-mismatch; {error}").answer
        cached = {"Last-Modified": formatdate(_CACHED_AT, usegmt=True)} if found["v3"] else {}
        return replace(answer, headers={**answer.headers, **cached})

    def elsewhere(self, request: Request) -> Answer:
        found = _PATH.fullmatch(request.path)
        data = {"id": found["id"] or found["v3_id"] if found else request.path}
        return Answer.of({"code": "dataset.missing", "error": True, "message": "Not found", "data": data}, status=404)

    @staticmethod
    def error(code: int, message: str, details: str, status: int, /) -> Answer:
        """The body of a failure; without details it is the older form."""
        said: dict[str, object] = {"error": True, "message": message}
        said |= {"status": code} if details == "absent" else {"code": "internal-error", "data": {}}
        return Answer.of(said, status=status)


def _rows(file: ServedFile, parameters: Mapping[str, str], form: str, con: duckdb.DuckDBPyConnection) -> Answer:
    own, system = own_fields(file), system_fields()
    every = own | system

    def known(name: str) -> Field:
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
        return _written(*_totals(file, aggregates, where, known), form, con)

    fields: dict[str, Field] = {}
    for name in (part.strip().strip("`") for part in select.split(",")):
        fields |= own if name == "*" else system if name == ":*" else {name: known(name)}

    offset, limit = _whole(parameters, "$offset", 0), _whole(parameters, "$limit", DEFAULT_LIMIT)
    order = list(_ordered(parameters.get("$order", ""), known))
    unique = any(part.startswith("row_id ") for part in order)
    if file.faults.short_pages and file.faults.short_pages < limit:
        file.conduct.meet("short_pages")
        limit = file.faults.short_pages
    source = file.data.page(where, order, offset, limit, unique=unique)
    return _written(list(fields.values()), source, form, con, file.faults.nan)


def _asked(parameters: Mapping[str, str]) -> Asked:
    if _aggregates(parameters.get("$select", "")):
        return Asked("count")
    limit = parameters.get("$limit", "")
    return Asked("rows", int(limit) if limit.isdigit() else DEFAULT_LIMIT)


def _aggregates(select: str) -> list[re.Match[str]]:
    """What a `$select` of nothing but aggregates asks for; else nothing."""
    found = [_AGGREGATE.fullmatch(part.strip()) for part in select.split(",")]
    return [one for one in found if one] if all(found) else []


def _totals(
    file: ServedFile, aggregates: list[re.Match[str]], where: str, known: Callable[[str], Field]
) -> tuple[list[Field], str]:
    """The fields of the one row of totals, and SQL of that row."""
    fields, parts = [], []
    for at, (function, name, alias) in enumerate(found.groups() for found in aggregates):
        counted, field = function.lower() == "count", known(name) if name != "*" else None
        if counted:
            file.conduct.meet("count_off_by")
        title = alias or (function.lower() if field is None else f"{function}_{field.name.strip(':@')}".lower())
        sql = f"{function}({field.sql if field else '*'})"
        parts.append(f"greatest(0, {sql} + {file.faults.count_off_by})" if counted else sql)
        fields.append(Field(title, "number" if counted or field is None else field.type, f"t{at}"))
    named = ", ".join(f"{sql} as t{at}" for at, sql in enumerate(parts))
    return fields, f"select {named} from {file.table} where {where}"


def _ordered(text: str, known: Callable[[str], Field]) -> Iterable[str]:
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


def _written(
    fields: list[Field], source: str, form: str, con: duckdb.DuckDBPyConnection, nan: str | None = None
) -> Answer:
    """Let DuckDB write each row's text; in JSON `concat_ws` leaves nulls out, just as the portal does."""
    if form == "json":
        members = ", ".join(f"{literal(json.dumps(field.name))} || ':' || {field.json_sql(nan)}" for field in fields)
        rows, _ = written(con, f"'\n,{{' || concat_ws(',', {members}) || '}}'", source)
        body, content_type = b"[" + rows[2:] + b"]\n", "application/json;charset=utf-8"
    else:
        cells = ", ".join(f"""'"' || coalesce(replace({field.text_sql()}, '"', '""'), '') || '"'""" for field in fields)
        rows, _ = written(con, f"concat_ws(',', {cells}) || '\n'", source)
        header = ",".join(f'"{field.name}"' for field in fields)
        body, content_type = f"{header}\n".encode() + rows, "text/csv;charset=utf-8"
    names = json.dumps([field.name for field in fields], separators=(",", ":"))
    types = json.dumps([HEADER_TYPE.get(field.type, field.type) for field in fields], separators=(",", ":"))
    headers = {} if max(len(names), len(types)) > _LONGEST_HEADER else {"X-SODA2-Fields": names, "X-SODA2-Types": types}
    return Answer(body, content_type=content_type, headers=headers)


def _tagged(answer: Answer, file: ServedFile, request: Request) -> Answer:
    """The answer with its age and a tag that holds until the rows change."""
    asked = f"{file.updated_at}{request.path}{sorted(request.parameters.items())}{request.body!r}{file.conduct.edition}"
    tag = hashlib.md5(asked.encode(), usedforsecurity=False).hexdigest()
    modified = formatdate(file.updated_at, usegmt=True)
    headers = {"ETag": f'W/"{tag}"'}
    if file.faults.freshness in {"metadata", "truth_header"}:
        headers["X-SODA2-Truth-Last-Modified"] = modified
    if file.faults.freshness in {"metadata", "last_modified_header"}:
        headers["Last-Modified"] = modified
    return Answer(answer.body, answer.status, answer.content_type, {**answer.headers, **headers})
