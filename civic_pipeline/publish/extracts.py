"""Writes query results as CSV, JSON or Parquet."""

from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from civic_pipeline.sql_text import quoted

# First characters of formulas (OWASP, CSV injection), also in full width, which Excel accepts in some languages.
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"

_NESTED = {"list", "struct", "map", "array"}


def write_result(result: duckdb.DuckDBPyRelation, form: str, stream: BinaryIO) -> int:
    """Write `result` as csv, json (one object per line) or parquet, in batches: it need not fit into memory. Returns its rows.

    In CSV, text that a spreadsheet would run as a formula gets an apostrophe before it. The other formats are exact.
    """
    count = 0
    if form == "json":
        lines = result.query("result", "select to_json(result) from result")
        while batch := lines.fetchmany(10_000):
            stream.write("".join(f"{line}\n" for (line,) in batch).encode())
            count += len(batch)
        return count
    if form == "csv" and any(kind.id in _NESTED for kind in result.types):  # Arrow's CSV has no nested types
        columns = [
            f"cast({quoted(name)} as varchar) as {quoted(name)}" if kind.id in _NESTED else quoted(name)
            for name, kind in zip(result.columns, result.types, strict=True)
        ]
        result = result.query("result", f"select {', '.join(columns)} from result")
    rows = result.to_arrow_reader(100_000)
    if form == "parquet":
        with pyarrow.parquet.ParquetWriter(stream, rows.schema) as file:
            for batch in rows:
                file.write_batch(batch)
                count += batch.num_rows
        return count
    header = _without_formulas(pa.RecordBatch.from_pylist([], schema=rows.schema))
    with pyarrow.csv.CSVWriter(stream, header.schema) as file:
        for batch in rows:
            file.write_batch(_without_formulas(batch))
            count += batch.num_rows
    return count


def _without_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`batch` with an apostrophe before every text and column name that a spreadsheet would run as a formula.

    Only text columns change: a negative number stays a number.
    """
    columns = [_escape_formulas(column) for column in batch.columns]
    names = _escape_formulas(pa.array(batch.schema.names, pa.string())).to_pylist()
    return pa.RecordBatch.from_arrays(columns, names=names)


def _escape_formulas(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.if_else(pc.match_substring_regex(column, _FORMULA), pc.binary_join_element_wise("'", column, ""), column)
