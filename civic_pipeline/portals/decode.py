"""Reads JSON pages as Arrow columns of text, with DuckDB's JSON reader; `columns.py` then converts the text to types.

All values are read as text because the reader's own casts round: 1.5 becomes the integer 2, and a decimal loses the
digits beyond its scale. The reader accepts truncated arrays and empty files, so both are rejected here. Why this reader:
docs/adr/0010.
"""

import json
import os
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from civic_pipeline.errors import AnswerUnreadable
from civic_pipeline.portals.http import Body
from civic_pipeline.portals.source import comparable
from civic_pipeline.sql_text import literal, quoted

# A page is small, but the reader's buffers have 32 MB, and a wide row needs one vector per column.
_MEMORY_LIMIT = "256MB"
# The reader's buffers return to the system at once: without this DuckDB keeps them for the next page, and the peak of a capture is 30 MB
# higher (208 MB instead of 178 MB for 100,000 rows of a layer, benchmarks/extract.py).
_KEPT_AT_MOST = "16MB"


@dataclass(frozen=True)
class FeaturePage:
    """A page of ArcGIS features: attribute -> column of text, and geometries as JSON text.

    `reference`: the page's `spatialReference`, if it has one. `is_flagged`: the server says that more rows follow. `absent`:
    attributes that are in no row of the page; `unknown`: what its rows have and nobody asked for.
    """

    attributes: Mapping[str, pa.Array]
    geometries: pa.Array
    reference: Mapping[str, Any] | None
    is_flagged: bool
    absent: tuple[str, ...]
    unknown: tuple[str, ...]


class Decoder:
    """Reads the pages of one source. Thread-safe; reads one page at a time, so that memory holds the buffers of one page.

    `spool`: folder for the page files.
    """

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._one_page = threading.Lock()
        self._connection = duckdb.connect(
            config={
                "threads": 1,
                "memory_limit": _MEMORY_LIMIT,
                "temp_directory": str(spool),
                "allocator_bulk_deallocation_flush_threshold": _KEPT_AT_MOST,
            }
        )

    @contextmanager
    def page_file(self) -> Iterator[Path]:
        """A file for one page, removed at the end of the block."""
        handle, name = tempfile.mkstemp(suffix=".json", dir=self._spool)
        os.close(handle)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink()

    def rows(self, page: Body, names: Collection[str], are_all: bool = False) -> Mapping[str, pa.ChunkedArray]:
        """Columns of text from a JSON array of objects: a missing value is null, a nested value is its JSON text.

        `are_all`: nothing but `names` was asked for. Raises AnswerUnreadable.
        """
        page = page.without_markup()
        if not (page.beginning().startswith(b"[") and page.end().endswith(b"]")):
            raise AnswerUnreadable(page.url, "a list of rows", page.describe())
        table = self._read_rows(page, names)
        if table.num_rows and any(column.null_count == table.num_rows for column in table.columns):
            select = "distinct unnest(json_keys(row))"
            keys = self._read(page, "format='array', records=false, columns={row: 'json'}", select)
            spelled = _spellings(page, names, keys)  # a row may leave out its nulls: a name in no row is null
            if are_all:
                _refuse_unknown(page, names, spelled, keys)
            if any(name != key for name, key in spelled.items()):
                table = self._read_rows(page, [spelled.get(name, name) for name in names])
        return dict(zip(names, table.columns, strict=True))

    def _read_rows(self, page: Body, names: Collection[str]) -> pa.Table:
        fields = ", ".join(f"{literal(name)}: 'varchar'" for name in names)
        return self._read(page, f"format='array', columns={{{fields}}}")

    def features(self, page: Body, names: Collection[str]) -> FeaturePage:
        """A page of a layer. Raises AnswerUnreadable."""
        page = page.without_markup()
        keys = self._read(
            page, "format='unstructured', records=true, columns={features: 'struct(attributes json)[]'}",
            "distinct unnest(json_keys(feature.attributes)) from (select unnest(features) as feature", ")",
        )  # fmt: skip
        spelled = _spellings(page, names, keys)
        attributes = ", ".join(f"{quoted(spelled.get(name, name))} varchar" for name in names)
        features = f"struct(attributes struct({attributes}), geometry varchar)[]"
        table = self._read(
            page,
            f"format='unstructured', records=true, columns={{features: {literal(features)}, exceededTransferLimit: 'boolean',"
            " spatialReference: 'json'}",
        )
        if table.num_rows != 1 or not table["features"][0].is_valid:
            raise AnswerUnreadable(page.url, "a page of features", page.describe())
        structs, geometries = table["features"].combine_chunks().flatten().flatten()
        return FeaturePage(
            dict(zip(names, structs.flatten(), strict=True)),
            geometries,
            json.loads(table["spatialReference"][0].as_py() or "null"),
            bool(table["exceededTransferLimit"][0].as_py()),
            tuple(name for name in names if len(structs) and name not in spelled),
            tuple(key for key in sorted(keys[0].to_pylist()) if key not in spelled.values()),
        )

    def _read(self, page: Body, options: str, select: str = "*", after: str = "") -> pa.Table:
        largest = page.path.stat().st_size + 1
        with self._one_page:
            try:
                return self._connection.execute(
                    f"select {select} from read_json({literal(str(page.path))}, maximum_object_size={largest}, {options}){after}"
                ).to_arrow_table()
            except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
                detail = str(error).partition(f'file "{page.path}"')[2].split("\n", 1)[0]
                raise AnswerUnreadable(page.url, "a page of rows", f"{page.describe()}{detail}") from error


def _spellings(page: Body, names: Collection[str], keys: pa.Table) -> dict[str, str]:
    """Name -> how the rows spell it, for each of `names` that is in a row. `keys`: those of all rows.

    Servers spell a field in the rows in another case than in its definition (Esri BUG-000099829). Raises AnswerUnreadable if
    the rows have several spellings.
    """
    in_rows: dict[str, list[str]] = {}
    for key in keys[0].to_pylist():
        in_rows.setdefault(comparable(key), []).append(key)
    spelled = {}
    for name in names:
        variants = in_rows.get(comparable(name), [])
        if len(variants) > 1:
            raise AnswerUnreadable(page.url, f"one column {name}", f"rows with {', '.join(sorted(variants))}")
        if variants:
            spelled[name] = variants[0]
    return spelled


def _refuse_unknown(page: Body, names: Collection[str], spelled: Collection[str], keys: pa.Table) -> None:
    """Raise AnswerUnreadable if a name is in no row while the rows have a key of no name: then it was renamed, and is not null.

    A key that begins with a name is a part of that column, such as location_city of location.
    """
    known = tuple(comparable(name) for name in names)
    unknown = [key for key in keys[0].to_pylist() if not comparable(key).startswith(known)]
    absent = [name for name in names if name not in spelled and not name.startswith(":")]
    if unknown and absent:
        raise AnswerUnreadable(
            page.url, f"rows with {', '.join(absent[:5])}", f"rows that have {', '.join(sorted(unknown)[:5])} instead"
        )
