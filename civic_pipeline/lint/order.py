"""Window functions whose result depends on which of two tied rows comes first."""

from collections.abc import Iterator, Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

# Table (`schema.table`) -> the columns that identify a row.
Keys = Mapping[str, frozenset[str]]

_BY_PLACE = (exp.RowNumber, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Ntile)
# The same for all rows of a capture, so it does not order them.
_TELLS_NOTHING = {"_capture_id"}


def unordered_windows(query: exp.Expr, keys: Keys) -> Iterator[tuple[exp.Window, list[str]]]:
    """Windows that depend on the order of rows and can have ties, and the columns that would break the ties.

    `query` has its columns resolved. There are no ties if partition and order contain a key of the rows, or all columns
    that the select uses: rows equal in those are interchangeable.
    """
    for scope in traverse_scope(query):
        if not isinstance(scope.expression, exp.Select):
            continue
        named = {window.name: window for window in scope.expression.args.get("windows") or ()}
        for window in scope.find_all(exp.Window):
            function = window.this.this if isinstance(window.this, exp.IgnoreNulls) else window.this
            if not isinstance(function, _BY_PLACE):
                continue
            over = named.get(window.alias, window)
            order = over.args.get("order")
            by = [*(over.args.get("partition_by") or ()), *(o.this for o in (order.expressions if order else ()))]
            ordered = {node.sql() for node in by} | _fixed(scope)
            lacking = _lacking(scope, ordered, keys)
            if lacking:
                yield window, lacking


def _lacking(scope: Scope, ordered: set[str], keys: Keys) -> list[str]:
    """Columns missing from `ordered`; none if it contains a key of the rows of `scope`, or every used column."""
    select = scope.expression
    if group := select.args.get("group"):
        return sorted({node.sql() for node in group.expressions} - ordered)
    for alias, (_, source) in scope.selected_sources.items():
        is_alone = len(scope.selected_sources) == 1
        for key in _keys_of(source, keys):
            if is_alone and {f"{alias}.{name}" for name in key} <= ordered:
                return []
    used = {
        column.sql()
        for column in scope.columns
        if column.table in scope.selected_sources and column.name not in _TELLS_NOTHING
    }
    return sorted(used - ordered)


def _keys_of(source: exp.Expr | Scope, keys: Keys) -> list[frozenset[str]]:
    """The sets of columns known to identify a row of a table or subquery."""
    if isinstance(source, exp.Table):
        key = keys.get(f"{source.db}.{source.name}")
        return [key] if key else []
    if not isinstance(source, Scope) or not isinstance(select := source.expression, exp.Select):
        return []
    outputs = {projection.unalias().sql(): projection.alias_or_name for projection in select.selects}
    if select.args.get("distinct"):
        return [frozenset(outputs.values())]
    if group := select.args.get("group"):
        by = [node.sql() for node in group.expressions]
        return [frozenset(outputs[node] for node in by)] if all(node in outputs for node in by) else []
    if len(source.selected_sources) != 1:
        return []
    [(alias, (_, below))] = source.selected_sources.items()
    fixed, keys_of_rows = _fixed(source), []
    for key in _keys_of(below, keys):
        needed = [f"{alias}.{name}" for name in key if f"{alias}.{name}" not in fixed]
        if all(name in outputs for name in needed):
            keys_of_rows.append(frozenset(outputs[name] for name in needed))
    return keys_of_rows


def _fixed(scope: Scope) -> set[str]:
    """The columns that `where` fixes to one value."""
    where = scope.expression.args.get("where")
    conditions = where.this.flatten() if where and isinstance(where.this, exp.And) else [where.this] if where else []
    return {
        condition.this.sql()
        for condition in conditions
        if isinstance(condition, exp.EQ) and isinstance(condition.expression, exp.Literal)
    }
