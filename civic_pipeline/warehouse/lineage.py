"""Which columns a column is computed from, read from the SQL."""

import logging

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from civic_pipeline.errors import ModelFailed
from civic_pipeline.warehouse.model import Model

# A screen of warnings for each unpivot that it does not follow; the contract's `source` then says what a column is made of.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

# Columns of every table the SQL may read: schema -> table -> column -> type.
Schema = dict[str, dict[str, dict[str, str]]]


def column_lineage(model: Model, schema: Schema) -> dict[str, list[str]]:
    """Column -> the `schema.table.column`s it is made from, sorted; a constant has an empty list.

    If the parser cannot follow a column (an unpivot names its columns by a pattern), the `source` of its contract is
    used. Of a table made by Python, its contract states the lineage. Raises ModelFailed for SQL the parser cannot resolve
    at all.
    """
    if model.code:
        every = model.code.origins
        return {c.name: every if c.made_from is None else sorted(c.made_from) for c in model.contract.columns}
    try:
        roots = lineage(None, model.query.copy(), schema, dialect="duckdb", trim_selects=False)
    except SqlglotError as error:
        raise ModelFailed(model.path, f"its column lineage cannot be read: {error}") from error
    return {
        column.name: sorted(_origins(roots[column.name], schema)) or _declared(model, column.source)
        for column in model.contract.columns
    }


def _origins(root: Node, schema: Schema) -> set[str]:
    """The columns of tables that a column is computed from, spelled as in the table; without constants."""
    origins = set()
    for leaf in root.walk():
        if leaf.downstream or not isinstance(leaf.source, exp.Table) or not leaf.source.db:
            continue
        table, name = leaf.source, leaf.name.rpartition(".")[2].strip('"')
        columns = {column.lower(): column for column in schema.get(table.db, {}).get(table.name, {})}
        if name.lower() in columns:
            origins.add(f"{table.db}.{table.name}.{columns[name.lower()]}")
    return origins


def _declared(model: Model, source: str | None) -> list[str]:
    raw = next((name for name in sorted(model.inputs) if name.startswith("raw.")), None)
    return [f"{raw}.{source}"] if source and raw else []
