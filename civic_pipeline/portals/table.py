"""The interface of all file formats: named columns, a row count, and the rows as text."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from civic_pipeline.portals.source import PortalColumn, comparable, plain

ROW_NUMBER = PortalColumn("_row", "row number", pa.int64(), "Position of the row in the file, from 1")
GEOMETRY = PortalColumn("_geometry", "WKB", pa.binary(), "Geometry, WKB in EPSG:4326", is_derived=True)


class FileTable(Protocol):
    """The rows of one file."""

    @property
    def kind(self) -> str:
        """A description of the file format for users."""
        ...

    @property
    def columns(self) -> tuple[PortalColumn, ...]: ...

    @property
    def rows(self) -> int: ...

    def read(self, spool: Path, sequential: bool, /) -> Iterator[pa.Table]:
        """Pages with all rows in the order of the file; each of `columns` is a column of text.

        Raises PagingBroken if a `sequential` read may succeed.
        """
        ...


def column_names(header: Iterable[str]) -> list[str]:
    """Column names that are unique in SQL, which ignores case: `amount` and `Amount` become `amount` and `Amount_2`.

    Names are stored as they are shown (`plain`). An empty name becomes its position: `column_3`.
    """
    used = {ROW_NUMBER.name, GEOMETRY.name}
    names, repetitions = [], Counter[str]()
    for place, title in enumerate(header, 1):
        name = shown = plain(title) or f"column_{place}"
        compared = comparable(shown)
        while comparable(name) in used:
            repetitions[compared] += 1
            name = f"{shown}_{repetitions[compared] + 1}"
        used.add(comparable(name))
        names.append(name)
    return names


def text_columns(header: Sequence[str], has_values: Sequence[bool]) -> dict[int, PortalColumn]:
    """The text columns of a table by position.

    Columns without name and values are left out: spreadsheets leave such commas and formats behind.
    """
    return {
        place: PortalColumn(name, "text", pa.string(), plain(title) or name)
        for place, (name, title) in enumerate(zip(column_names(header), header, strict=True))
        if plain(title) or has_values[place]
    }
