"""What an answer is as a file: CSV, JSON or Parquet."""

from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

# OWASP's list (CSV injection) with the full-width forms, which Excel reads alike in some languages.
_RUNS = r"^[=+\-@\t\r\n＝＋－＠]"


def write_answer(answer: duckdb.DuckDBPyRelation, form: str, stream: BinaryIO) -> None:
    """Write `answer` as csv, json (an object a line) or parquet, in batches, so that it does not have to fit in memory.

    CSV is written as spreadsheets open it: text that one would run as a formula is made text again. The others are exact.
    """
    if form == "json":
        lines = answer.query("answer", "select to_json(answer) from answer")
        while batch := lines.fetchmany(10_000):
            stream.write("".join(f"{line}\n" for (line,) in batch).encode())
        return
    if form == "csv" and any(kind.id in {"list", "struct", "map", "array"} for kind in answer.types):
        answer = answer.query("answer", "select cast(columns(*) as varchar) from answer")  # it knows no lists
    rows = answer.to_arrow_reader(100_000)
    if form == "parquet":
        with pyarrow.parquet.ParquetWriter(stream, rows.schema) as file:
            for batch in rows:
                file.write_batch(batch)
        return
    header = _without_formulas(pa.RecordBatch.from_pylist([], schema=rows.schema))
    with pyarrow.csv.CSVWriter(stream, header.schema) as file:
        for batch in rows:
            file.write_batch(_without_formulas(batch))


def _without_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`batch` with an apostrophe before every text that a spreadsheet would run, names of columns included.

    Only columns of text are touched: a negative number stays a number.
    """
    columns = [_as_text(column) for column in batch.columns]
    names = _as_text(pa.array(batch.schema.names, pa.string())).to_pylist()
    return pa.RecordBatch.from_arrays(columns, names=names)


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.if_else(pc.match_substring_regex(column, _RUNS), pc.binary_join_element_wise("'", column, ""), column)
