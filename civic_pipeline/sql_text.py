"""Quoting of identifiers and strings in SQL, for places where DuckDB accepts no parameter or would import pandas."""


def quoted(name: str) -> str:
    """`name` as an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as an SQL string in single quotes, in which a null character ends the query: it is a call where a portal sent one."""
    parts = ["'" + part.replace("'", "''") + "'" for part in text.split("\0")]
    return parts[0] if len(parts) == 1 else f"({' || chr(0) || '.join(parts)})"
