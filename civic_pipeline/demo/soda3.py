"""Translates a SODA3 query (posted JSON with one SoQL statement) into SODA 2.1 parameters."""

import json
import re
from typing import Any

from civic_pipeline.demo.exchange import Request

_CLAUSE = re.compile(r"'(?:[^']|'')*'|\b(select|where|order\s+by|limit|offset)\b", re.IGNORECASE)
_NAMES = {"select": "$select", "where": "$where", "order by": "$order", "limit": "$limit", "offset": "$offset"}
_ALL_ROWS = 2**40


class QueryUnknown(ValueError):
    """The posted text is not a supported query; the argument is the part that cannot be read."""


def parameters_of(request: Request) -> dict[str, str]:
    """Return `{"query", "page": {"pageNumber", "pageSize"}, "includeSynthetic"}` as 2.1 parameters. Raises QueryUnknown."""
    try:
        posted: dict[str, Any] = json.loads(request.body or b"{}")
        page = posted.get("page") or {}
        parameters = _clauses(str(posted.get("query", "SELECT *")))
        if page:
            size = int(page.get("pageSize", 1000))
            parameters |= {"$limit": str(size), "$offset": str(size * (int(page.get("pageNumber", 1)) - 1))}
            parameters.setdefault("$order", ":id")  # paging needs an order
    except (ValueError, TypeError, AttributeError) as error:
        raise QueryUnknown(str(error)) from None
    if posted.get("includeSynthetic", True) and parameters["$select"].strip() == "*":
        parameters["$select"] = ":*,*"
    return {"$limit": str(_ALL_ROWS)} | parameters


def _clauses(query: str) -> dict[str, str]:
    """Return the clauses of the statement by the names of their parameters."""
    marks = [match for match in _CLAUSE.finditer(query) if match[1]]
    if not marks or marks[0].start() > len(query) - len(query.lstrip()):
        raise QueryUnknown(query)
    ends = [*(mark.start() for mark in marks[1:]), len(query)]
    clauses = {
        _NAMES[re.sub(r"\s+", " ", mark[1].lower())]: query[mark.end() : end].strip()
        for mark, end in zip(marks, ends, strict=True)
    }
    if "$select" not in clauses or len(clauses) < len(marks):
        raise QueryUnknown(query)
    return clauses
