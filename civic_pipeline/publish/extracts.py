"""Writes query results as CSV, JSON or Parquet."""

import re
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from civic_pipeline.sql_text import quoted

# First characters of formulas (OWASP, CSV injection), also in full width, which Excel accepts in some languages.
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"

# Types that Arrow writes as CSV. Bytes, such as a geometry, are hexadecimal there, and all else is the text that DuckDB prints.
_PLAIN = set(
    "boolean tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint decimal float double date time"
    " timestamp timestamp_s timestamp_ms timestamp_ns varchar uuid enum".split()
) | {"timestamp with time zone"}
# Types, also within others, that Arrow or Parquet has not: another value or an error would be written. They are text, too.
_INEXACT = re.compile(r"\b(?:BIGNUM|BIT|INTERVAL|TIME WITH TIME ZONE|UHUGEINT)\b")


def write_result(result: duckdb.DuckDBPyRelation, form: str, stream: BinaryIO) -> int:
    """Write `result` as csv, json (one object per line) or parquet, in batches: it need not fit into memory. Returns its rows.

    In CSV, text that a spreadsheet would run as a formula gets an apostrophe before it, and bytes are hexadecimal. The other formats
    are exact.
    """
    count = 0
    if form == "json":
        lines = result.query("result", "select to_json(result) from result")
        while batch := lines.fetchmany(10_000):
            stream.write("".join(f"{line}\n" for (line,) in batch).encode())
            count += len(batch)
        return count
    places = [f"column{number}" for number in range(len(result.columns))]  # two columns may have one name
    columns = [
        f"{_value(place, kind, form)} as {quoted(name)}"
        for place, kind, name in zip(places, result.types, result.columns, strict=True)
    ]
    result = result.query("result", f"select {', '.join(columns)} from result as result({', '.join(places)})")
    rows = result.to_arrow_reader(100_000)
    if form == "parquet":
        with pyarrow.parquet.ParquetWriter(stream, rows.schema) as file:
            for batch in rows:
                file.write_batch(batch)
                count += batch.num_rows
        return count
    return write_csv(rows, stream)


def write_csv(rows: pa.RecordBatchReader, stream: BinaryIO) -> int:
    """Write rows of plain types as such a CSV. Returns their number."""
    count = 0
    header = _without_formulas(pa.RecordBatch.from_pylist([], schema=rows.schema))
    with pyarrow.csv.CSVWriter(stream, header.schema) as file:
        for batch in rows:
            file.write_batch(_without_formulas(batch))
            count += batch.num_rows
    return count


def _value(column: str, kind: duckdb.sqltypes.DuckDBPyType, form: str) -> str:
    """SQL of a column as the form can hold it."""
    if form == "csv" and kind.id == "blob":
        return f"lower(hex({column}))"
    return (
        f"cast({column} as varchar)"
        if (form == "csv" and kind.id not in _PLAIN) or _INEXACT.search(str(kind))
        else column
    )


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
