"""CSV as spreadsheets open it: text that one would run as a formula is made text again."""

import pyarrow as pa
import pyarrow.compute as pc

# OWASP's list (CSV injection) with the full-width forms, which Excel reads alike in some languages.
_RUNS = r"^[=+\-@\t\r\n＝＋－＠]"


def without_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`batch` with an apostrophe before every text that a spreadsheet would run, names of columns included.

    Only columns of text are touched: a negative number stays a number.
    """
    columns = [_without_formulas(column) for column in batch.columns]
    names = _without_formulas(pa.array(batch.schema.names, pa.string())).to_pylist()
    return pa.RecordBatch.from_arrays(columns, names=names)


def _without_formulas(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    return pc.if_else(pc.match_substring_regex(column, _RUNS), pc.binary_join_element_wise("'", column, ""), column)
