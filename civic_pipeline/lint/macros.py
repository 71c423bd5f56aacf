"""Expand the macros in a query."""

from sqlglot import exp

from civic_pipeline.warehouse.macros import Macros

# Set on every node that comes from a macro, so that rules about models do not apply to it.
FROM_MACRO = "from_macro"


def written_out(query: exp.Expr, macros: Macros) -> exp.Expr:
    """A copy of `query` with each macro call replaced by the macro's body, at the line of the call."""

    def one(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Anonymous) or node.name.lower() not in macros:
            return node
        macro = macros[node.name.lower()]
        given = dict(zip([p.name for p in macro.this.expressions], node.expressions, strict=True))
        body = exp.paren(macro.expression.copy())
        for inner in body.walk():
            inner.meta.update({"line": line_of(node), FROM_MACRO: node.name})
        for column in [c for c in body.find_all(exp.Column) if c.name in given and not c.table]:
            column.replace(exp.paren(given[column.name].copy()))
        return body.transform(one)

    return query.copy().transform(one)


def line_of(node: exp.Expr) -> int:
    """The line of a node, or of the first node in it whose line the parser knows."""
    lines = [inner.meta["line"] for inner in node.walk() if "line" in inner.meta]
    return min(lines) if lines else 1
