"""Renders rows as text. DuckDB writes each row; the bytes are copied from its buffers without Python strings."""

import struct

import duckdb

_BATCH = 65_536


def render_rows(con: duckdb.DuckDBPyConnection, text: str, source: str, most: int | None = None) -> tuple[bytes, int]:
    """Return the SQL expression `text` for every row of `source`, concatenated, and the number of rows.

    Rows beyond `most` are counted but not rendered.
    """
    parts, rows = [], 0
    for batch in con.execute(f"select {text} from ({source})").to_arrow_reader(_BATCH):
        column = batch.column(0)
        if most is not None:
            column = column.slice(0, max(0, most - rows))
        rows += batch.num_rows
        _, offsets, data = column.buffers()
        if len(column) and data is not None:
            (start,) = struct.unpack_from("<i", offsets, 4 * column.offset)
            (end,) = struct.unpack_from("<i", offsets, 4 * (column.offset + len(column)))
            parts.append(memoryview(data)[start:end])
    return b"".join(parts), rows
