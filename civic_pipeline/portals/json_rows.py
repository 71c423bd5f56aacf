"""A file of JSON rows, however long -> Arrow columns of text, through DuckDB's JSON reader as pages are in `decode.py`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from civic_pipeline.errors import AnswerUnreadable
from civic_pipeline.portals.pages import page_rows
from civic_pipeline.sql_text import literal

# A row beyond this is taken for damage; the reader's two buffers are of this size each.
LARGEST_ROW_BYTES = 64 << 20
_MOST_MEMORY = "512MB"


def json_rows(
    url: str, path: Path, form: Literal["array", "newline_delimited"], fields: dict[str, str], select: str, spool: Path
) -> Iterator[pa.Table]:
    """The rows of `path` by pages: the SQL `select` over `fields`, which are names with the DuckDB types they are read as.

    A field that a row leaves out is null, what is nested is its JSON where it is read as text. `url` is where the file came
    from, for the error. Raises AnswerUnreadable, possibly after some pages.
    """
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in fields.items())
    query = (
        f"select {select} from read_json({literal(str(path))}, format='{form}', records='true', columns={{{columns}}},"
        f" maximum_object_size={LARGEST_ROW_BYTES})"
    )
    with duckdb.connect(
        config={"threads": 1, "memory_limit": _MOST_MEMORY, "temp_directory": str(spool)}
    ) as connection:
        try:
            reader = connection.execute(query).to_arrow_reader(page_rows(select.count(",") + 1))
            yield from (pa.Table.from_batches([batch]) for batch in reader)
        except (duckdb.InvalidInputException, duckdb.ConversionException, pa.ArrowInvalid) as error:
            told = str(error).partition(f'file "{path}"')[2].split("\n", 1)[0] or str(error).split("\n", 1)[0]
            raise AnswerUnreadable(url, "rows of JSON", f"broken JSON{told}") from error
