"""What a file is once its format is known: named columns, a count of rows, and the rows as text."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from civic_pipeline.portals.source import PortalColumn

ROW_NUMBER = PortalColumn("_row", "row number", pa.int64(), "Position of the row in the file, from 1")
GEOMETRY = PortalColumn("_geometry", "Geometry", pa.string(), "Geometry, GeoJSON", is_derived=True)


class FileTable(Protocol):
    """The rows of one file."""

    @property
    def kind(self) -> str:
        """What the file is, in words."""
        ...

    @property
    def columns(self) -> tuple[PortalColumn, ...]: ...

    @property
    def rows(self) -> int: ...

    def read(self, spool: Path, careful: bool, /) -> Iterator[pa.Table]:
        """All rows in the file's order, by pages: a column of text for each of `columns`, in their order.

        Raises PagingBroken where a careful read may succeed.
        """
        ...


def column_names(header: Iterable[str]) -> list[str]:
    """Names that are unique whatever their case, as SQL needs them: `amount` and `Amount` become `amount` and `Amount_2`.

    Blanks and line breaks within a name become one blank, and one without letters is named by its place: `column_3`.
    """
    used = {ROW_NUMBER.name, GEOMETRY.name}
    names = []
    for place, written in enumerate(header, 1):
        plain = " ".join(written.split()) or f"column_{place}"
        name, repetition = plain, 2
        while name.lower() in used:
            name, repetition = f"{plain}_{repetition}", repetition + 1
        used.add(name.lower())
        names.append(name)
    return names


def text_columns(header: Sequence[str], has_values: Sequence[bool]) -> dict[int, PortalColumn]:
    """The columns of a table of text by their place in it.

    Nameless ones without a value are left out: they are the commas or formats that a spreadsheet leaves behind.
    """
    return {
        place: PortalColumn(name, "text", pa.string(), " ".join(written.split()) or name)
        for place, (name, written) in enumerate(zip(column_names(header), header, strict=True))
        if written.strip() or has_values[place]
    }
