"""Queries with the macros they call written out."""

from sqlglot import exp

from civic_pipeline.warehouse.macros import Macros

# Set on every node that came out of a macro, so that a rule about models does not judge what a macro is there for.
FROM_MACRO = "from_macro"


def written_out(query: exp.Expr, macros: Macros) -> exp.Expr:
    """A copy of `query` in which each call of a macro is its body, at the line of the call."""

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
    """Where a node is, or else the first of the nodes in it that the parser placed."""
    lines = [inner.meta["line"] for inner in node.walk() if "line" in inner.meta]
    return min(lines) if lines else 1
