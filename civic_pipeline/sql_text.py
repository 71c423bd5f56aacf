"""Quoting of identifiers and strings in SQL, for places where DuckDB accepts no parameter or would import pandas."""


def quoted(name: str) -> str:
    """`name` as an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string in single quotes."""
    return "'" + text.replace("'", "''") + "'"
