"""What every portal module offers: describe a source, count its rows, read it as typed Arrow tables."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class PortalColumn:
    """A column as the portal declares it, and the Arrow type its values are landed in.

    `is_derived`: made here from what the portal sent, such as the label of a code or the geometry. `is_text`: landed as
    the text that was sent, because some value did not fit the type.
    """

    name: str
    portal_type: str
    arrow_type: pa.DataType
    title: str
    is_derived: bool = False
    is_text: bool = False


@dataclass(frozen=True)
class Freshness:
    """What the portal says about the age of its data, and where it says so.

    Two equal known tokens of one link mean unchanged data; None means load.
    """

    token: str | None
    link: str


@dataclass(frozen=True)
class About:
    """What the portal says of a source in words; empty where it says nothing."""

    title: str
    description: str = ""
    publisher: str = ""
    licence: str = ""
    cadence: str = ""


@dataclass(frozen=True)
class Description:
    """A source before it is read.

    `row_id` is the landed column the portal keeps unique, `edited` the one with the time of a row's last change; None where
    it has none, or where nobody asked for it.
    """

    url: str
    about: About
    columns: tuple[PortalColumn, ...]
    row_id: PortalColumn | None
    freshness: Freshness
    edited: PortalColumn | None = None

    @property
    def landed(self) -> tuple[PortalColumn, ...]:
        """The columns of the batches: the declared ones after `row_id` and `edited` where those are not among them."""
        added = [c for c in (self.row_id, self.edited) if c is not None and c not in self.columns]
        return (*added, *self.columns)

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the batches."""
        return pa.schema([pa.field(column.name, column.arrow_type) for column in self.landed])

    @property
    def published(self) -> dict[str, str]:
        """The publisher's own columns and their portal types: without what is derived here."""
        return {column.name: column.portal_type for column in self.columns if not column.is_derived}

    def as_text(self, name: str) -> "Description":
        """The same with column `name` landed as the text that the portal sends."""
        columns = tuple(replace(c, arrow_type=pa.string(), is_text=True) if c.name == name else c for c in self.columns)
        return replace(self, columns=columns)


@dataclass
class Traffic:
    """What a source cost: requests with their retries, pages that had to be halved, bytes of bodies received."""

    requests: int = 0
    retries: int = 0
    pages_halved: int = 0
    bytes: int = field(default=0, repr=False)


class PortalSource(Protocol):
    """One dataset of one portal. Every method raises the portal errors of `civic_pipeline.errors`."""

    @property
    def traffic(self) -> Traffic:
        """What has been asked of the portal so far."""
        ...

    def describe(self) -> Description:
        """Columns with portal types and freshness: one metadata request where the address is known."""
        ...

    def count(self) -> int:
        """The rows the portal counts now."""
        ...

    def read(self, description: Description, counted: int, spool: Path, careful: bool) -> Iterator[pa.Table]:
        """All rows, once each, in pages of bounded size, in `description.schema`; also those beyond `counted`.

        `spool` is a folder for pages on their way. `careful` reads in the slower way that trusts the portal least; it is
        asked for after a read that could not be proven.
        """
        ...

    def read_edited(self, description: Description, since: datetime, spool: Path) -> Iterator[pa.Table]:
        """The rows edited at `since` (UTC) or later, in `description.schema`; only where `description.edited` is known."""
        ...

    def reused_ids(self) -> int:
        """How many rows the portal itself lists under an id that another row has already; 0 where ids are unique."""
        ...
