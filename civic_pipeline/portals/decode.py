"""JSON pages -> Arrow columns of text, through DuckDB's JSON reader; `columns.py` then gives the text its types.

Everything comes as text because the reader's own casts round: 1.5 becomes the integer 2, a decimal loses what exceeds
its scale. Its leniency is made good for here: a list cut off after a comma, or a file of nothing, is whole to it.
How it was chosen among the decoders: docs/adr/0010.
"""

import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from civic_pipeline.errors import AnswerUnreadable
from civic_pipeline.portals.http import Body
from civic_pipeline.sql_text import literal, quoted

# A page is small, but the reader's buffers are 32 MB and a wide row has a vector for every column.
_MOST_MEMORY = "256MB"


@dataclass(frozen=True)
class FeaturePage:
    """A page of ArcGIS features: columns of text by attribute, geometries as JSON text, whether more are announced.

    `fields` are the attributes that the server says it sends; None where it does not say.
    """

    attributes: Mapping[str, pa.Array]
    geometries: pa.Array
    is_flagged: bool
    fields: frozenset[str] | None


class Decoder:
    """Reads the pages of one source, from any thread but one after the other, so that memory holds one page's buffers.

    `spool` is the folder where a page lies while it is read.
    """

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._one_page = threading.Lock()
        self._connection = duckdb.connect(
            config={"threads": 1, "memory_limit": _MOST_MEMORY, "temp_directory": str(spool)}
        )

    @contextmanager
    def place(self) -> Iterator[Path]:
        """Where a page may lie while the block runs."""
        handle, name = tempfile.mkstemp(suffix=".json", dir=self._spool)
        os.close(handle)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink()

    def rows(self, page: Body, names: Iterable[str]) -> Mapping[str, pa.ChunkedArray]:
        """A list of flat objects as columns of text; what an object leaves out is null, what is nested is its JSON.

        Raises AnswerUnreadable.
        """
        page = page.without_markup()
        if not (page.beginning().startswith(b"[") and page.end().endswith(b"]")):
            raise AnswerUnreadable(page.url, "a list of rows", page.kind())
        fields = ", ".join(f"{literal(name)}: 'varchar'" for name in names)
        table = self._read(page, f"format='array', columns={{{fields}}}")
        return dict(zip(table.column_names, table.columns, strict=True))

    def features(self, page: Body, names: Iterable[str]) -> FeaturePage:
        """A page of a layer. Raises AnswerUnreadable."""
        attributes = ", ".join(f"{quoted(name)} varchar" for name in names)
        features = f"struct(attributes struct({attributes}), geometry varchar)[]"
        table = self._read(
            page.without_markup(),
            f"format='unstructured', records=true, columns={{features: {literal(features)}, exceededTransferLimit: 'boolean',"
            " fields: 'struct(name varchar)[]'}",
        )  # fmt: skip
        if table.num_rows != 1 or not table["features"][0].is_valid:
            raise AnswerUnreadable(page.url, "a page of features", page.kind())
        found = table["features"].combine_chunks().flatten()
        fields = table["fields"][0].as_py()
        structs, geometries = found.flatten()
        return FeaturePage(
            dict(zip([field.name for field in structs.type], structs.flatten(), strict=True)),
            geometries,
            bool(table["exceededTransferLimit"][0].as_py()),
            frozenset(field["name"] for field in fields) if fields else None,
        )

    def _read(self, page: Body, options: str) -> pa.Table:
        largest = page.path.stat().st_size + 1
        with self._one_page:
            try:
                return self._connection.execute(
                    f"from read_json({literal(str(page.path))}, maximum_object_size={largest}, {options})"
                ).to_arrow_table()
            except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
                told = str(error).partition(f'file "{page.path}"')[2].split("\n", 1)[0]
                raise AnswerUnreadable(page.url, "a page of rows", f"{page.kind()}{told}") from error
