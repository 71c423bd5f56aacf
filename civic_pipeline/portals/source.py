"""What every portal module offers: describe a source, then read it as typed Arrow record batches."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class PortalColumn:
    """A column as the portal declares it, and the Arrow type its values are landed in."""

    name: str
    portal_type: str
    arrow_type: pa.DataType
    title: str


@dataclass(frozen=True)
class Freshness:
    """What the portal says about the age of its data. Two equal known tokens mean unchanged data; None means load."""

    token: str | None
    link: str


@dataclass(frozen=True)
class Description:
    """A source before it is read. `row_id` names the landed column whose values the portal keeps unique."""

    url: str
    title: str
    columns: tuple[PortalColumn, ...]
    row_id: PortalColumn
    row_count: int
    freshness: Freshness

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the batches: the declared columns, and `row_id` where it is not one of them."""
        columns = self.columns if self.row_id in self.columns else (self.row_id, *self.columns)
        return pa.schema([pa.field(column.name, column.arrow_type) for column in columns])


class PortalSource(Protocol):
    """One dataset of one portal. Both methods raise the portal errors of `civic_pipeline.errors`."""

    def describe(self) -> Description:
        """Columns with portal types, rows counted, freshness: metadata requests only."""
        ...

    def count(self) -> int:
        """The rows the portal counts now."""
        ...

    def read(self, description: Description) -> Iterator[pa.RecordBatch]:
        """All rows, once each, in pages of bounded size, in `description.schema`."""
        ...
