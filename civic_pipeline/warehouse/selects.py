"""Read a select from a file: its syntax tree, and the tables that it reads."""

from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from civic_pipeline.errors import FileInvalid
from civic_pipeline.warehouse.outside import line_with, refuse_outside


def parse_select(path: Path, sql: str) -> exp.Query:
    """The one select in `path`. Raises FileInvalid with the line the parser stopped at."""
    try:
        statements = _statements(sql)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise FileInvalid(
            path, [(first.get("line") or 1, f"this SQL does not parse: {first.get('description') or error}")]
        ) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise FileInvalid(path, [(1, "a model is exactly one select")])
    return statements[0]


@cache
def _statements(sql: str) -> tuple[exp.Expr, ...]:
    """The statements of a text. A process loads the same files several times; nobody changes a tree without a copy."""
    return tuple(statement for statement in sqlglot.parse(sql, dialect="duckdb") if statement is not None)


def tables_read(path: Path) -> frozenset[str]:
    """The tables that the one select in `path` reads, as `schema.table`. Raises FileInvalid."""
    sql = path.read_text(encoding="utf-8")
    return tables_of(path, sql, parse_select(path, sql))


def tables_of(path: Path, sql: str, query: exp.Query) -> frozenset[str]:
    """The tables that a select reads, as `schema.table`. Raises FileInvalid for a table without its schema."""
    refuse_outside(path, sql, query)
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    tables = [table for table in query.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
    unqualified = sorted({table.name for table in tables if not table.db and table.name not in ctes})
    if unqualified:
        raise FileInvalid(
            path, [(line_with(sql, name), f"{name} needs its schema, such as clean.{name}") for name in unqualified]
        )
    return frozenset(f"{table.db}.{table.name}" for table in tables if table.db)
