"""Rows as text: DuckDB writes each row, and the bytes leave its buffers without becoming Python strings."""

import struct

import duckdb

_BATCH = 65_536


def written(con: duckdb.DuckDBPyConnection, text: str, source: str, most: int | None = None) -> tuple[bytes, int]:
    """The SQL `text` of every row of `source`, one after another, and how many rows there were.

    Rows beyond `most` are counted, not written.
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
