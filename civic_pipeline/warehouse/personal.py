"""Columns about persons: find the columns computed from them, and refuse marts and rules that show one.

A column is declared `personal: true` in `defs.yaml` or in a contract. Lineage follows it through the SQL, so a missing
declaration is an error when the files are loaded, before a name is published. Of a table with `rows_are_persons`, a mart
may show groups of rows only.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sqlglot import exp
from sqlglot.lineage import Node, lineage

from civic_pipeline.catalog import Dataset, table_name
from civic_pipeline.catalog.yaml_file import line_of
from civic_pipeline.errors import FileInvalid
from civic_pipeline.sql_text import quoted
from civic_pipeline.warehouse.model import Model
from civic_pipeline.warehouse.selects import parse_select

# Table (`schema.table`) -> its columns about persons, in lower case.
Personal = Mapping[str, frozenset[str]]

# What our readers add to the columns of a publisher.
ADDED_COLUMNS = ("_capture_id", "_captured_at", "_sequence", "_edition", "_id", "_row", "_geometry")


def mark_personal(models: Mapping[str, Model], datasets: Mapping[str, Dataset]) -> dict[str, Model]:
    """`models`, in the order they are built, each with its columns about persons, helper columns included.

    Raises FileInvalid for a column of a clean table that is computed from one and not declared, and for a mart or a rule
    across tables that shows one.
    """
    columns, personal = _of_captures(datasets)
    marked = {}
    persons: set[str] = set()
    for name, model in models.items():
        origins: dict[str, str] = {}
        for part in model.parts:
            origins |= personal_origins(part.path, part.query, part.inputs, columns, personal)
            if not model.contract.rows_are_persons:
                _refuse_single_rows(part.path, part.query, persons)
        if model.code:
            origins |= _stated_origins(model, model.code.origins, personal)
        _refuse(model, origins)
        helpers = {column for column in origins if column.startswith("_")}
        if model.contract.rows_are_persons:
            persons.add(name)
            helpers |= {column for column in model.query.named_selects if column.startswith("_")} - {*ADDED_COLUMNS}
        reads_personal = any(personal.get(table) or table in persons for table in model.inputs)
        marked[name] = replace(model, personal=model.contract.personal | helpers, reads_personal=reads_personal)
        columns[name] = [column.name for column in model.contract.columns]
        personal[name] = frozenset(column.name for column in model.contract.columns if column.personal)
        if model.schema == "clean":
            history = f"clean_history.{model.table}"
            columns[history], personal[history] = [*columns[name], *ADDED_COLUMNS], personal[name]
            if name in persons:
                persons.add(history)
        for rule in model.rules:
            query = parse_select(rule.path, rule.sql)
            _refuse_single_rows(rule.path, query, persons)
            shown = personal_origins(rule.path, query, rule.reads, columns, personal)
            if shown:
                listed = ", ".join(f"{column} (made of {origin})" for column, origin in sorted(shown.items()))
                raise FileInvalid(
                    rule.path, [(1, f"its rows would show {listed}, which is about persons: leave it out")]
                )
    return marked


def personal_origins(
    path: Path, query: exp.Query, inputs: Iterable[str], columns: Mapping[str, Collection[str]], personal: Personal
) -> dict[str, str]:
    """The columns of `query` computed from a column about persons -> that column, as `schema.table.column`.

    Counts, tests for null and conditions show no person, so they are allowed. Raises FileInvalid for SQL whose columns the
    parser cannot follow.
    """
    read = [table for table in inputs if personal.get(table)]
    if not read:
        return {}
    _refuse_opaque(path, query, read)
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in inputs:
        namespace, _, name = table.partition(".")
        if table in columns:
            schema.setdefault(namespace, {})[name] = dict.fromkeys(columns[table], "varchar")
    roots = lineage(None, query.transform(_without_counts), schema, dialect="duckdb", trim_selects=False)
    origins = {}
    for column, root in roots.items():
        if origin := next(_leaves(root, {table: personal[table] for table in read}), None):
            origins[column] = origin
    return origins


def _stated_origins(model: Model, every: Iterable[str], personal: Personal) -> dict[str, str]:
    """The columns of a table made by Python that its contract computes from a column about persons -> that column."""
    about_persons = {f"{table}.{column}" for table, hidden in personal.items() for column in hidden}
    origins = {}
    for column in model.contract.columns:
        read = every if column.made_from is None else column.made_from
        if origin := next((name for name in read if name.lower() in about_persons), None):
            origins[column.name] = origin
    return origins


def without(relation: str, columns: Iterable[str], personal: Collection[str]) -> str:
    """`relation`, which has `columns`, as SQL without those about persons."""
    hidden = [quoted(name) for name in columns if name in personal]
    return f"(select * exclude ({', '.join(hidden)}) from {relation})" if hidden else relation


def _of_captures(datasets: Mapping[str, Dataset]) -> tuple[dict[str, Collection[str]], dict[str, frozenset[str]]]:
    columns: dict[str, Collection[str]] = {}
    personal: dict[str, frozenset[str]] = {}
    for name, dataset in datasets.items():
        for schema in ("raw", "history"):
            table = f"{schema}.{table_name(name)}"
            columns[table] = [*(column.lower() for column in dataset.all_columns if "*" not in column), *ADDED_COLUMNS]
            personal[table] = dataset.about_persons
    return columns, personal


def _refuse(model: Model, origins: Mapping[str, str]) -> None:
    path = model.contract_path
    dated_by = model.dataset.dated_by if model.dataset else None
    for position, column in enumerate(model.contract.columns):
        if model.schema == "marts" and (column.personal or column.name in origins):
            of = f", made of {origins[column.name]}," if column.name in origins else ""
            problem = f"{column.name}{of} is about persons: a mart may match on it, not show it"
        elif column.name in origins and not column.personal:
            problem = f"{column.name} is made of {origins[column.name]}, which is about persons: add personal: true, or leave it out"
        elif column.name in model.contract.personal and column.name == dated_by:
            problem = f"{column.name} is about persons, so it cannot be dated_by, which is shown"
        else:
            continue
        raise FileInvalid(path, [(line_of(path, "columns", position), problem)])


def _refuse_opaque(path: Path, query: exp.Query, read: Iterable[str]) -> None:
    """Refuse SQL that can hide a column: a pattern of names, columns turned into rows, or a whole row as one value."""
    rows = {table.alias_or_name.lower() for table in query.find_all(exp.Table)}
    rows |= {source.alias.lower() for source in query.find_all(exp.CTE, exp.Subquery) if source.alias}
    opaque: list[exp.Expr] = [*query.find_all(exp.Columns, exp.Pivot)]
    opaque += [column for column in query.find_all(exp.Column) if not column.table and column.name.lower() in rows]
    if opaque:
        what = f"{', '.join(sorted(read))} has columns about persons, which {opaque[0].sql('duckdb')} could show: name the columns"
        raise FileInvalid(path, [(1, what)])


def _refuse_single_rows(path: Path, query: exp.Query, persons: Collection[str]) -> None:
    """Refuse a select that reads a table whose rows are persons and does not group them."""
    for select in query.find_all(exp.Select):
        sources = [source.this for source in [select.args.get("from_"), *(select.args.get("joins") or ())] if source]
        read = {f"{table.db}.{table.name}" for table in sources if isinstance(table, exp.Table)}
        is_grouped = select.args.get("group") or all(shown.find(exp.AggFunc) for shown in select.expressions)
        if (single := sorted(read.intersection(persons))) and not is_grouped:
            message = f"each row of {', '.join(single)} is a person: add `group by` to the select that reads it"
            raise FileInvalid(path, [(1, message)])


def _without_counts(node: exp.Expr) -> exp.Expr:
    shows_nobody = isinstance(node, exp.Count) or (isinstance(node, exp.Is) and isinstance(node.expression, exp.Null))
    return exp.Literal.number(1) if shows_nobody else node


def _leaves(root: Node, personal: Personal) -> Iterator[str]:
    """The columns about persons that a column is computed from. A column the parser cannot resolve is matched by name."""
    everywhere = frozenset().union(*personal.values())
    for leaf in root.walk():
        if leaf.downstream:
            continue
        name = leaf.name.rpartition(".")[2].strip('"').lower()
        if isinstance(leaf.source, exp.Table) and leaf.source.db:
            table = f"{leaf.source.db}.{leaf.source.name}"
            if name in personal.get(table, ()):
                yield f"{table}.{name}"
        for column in leaf.expression.find_all(exp.Column) if not isinstance(leaf.expression, exp.Table) else ():
            if not column.table and column.name.lower() in everywhere:
                yield column.name
