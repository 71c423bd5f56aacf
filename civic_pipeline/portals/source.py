"""The interface of all portal modules: describe a source, count its rows, read it as typed Arrow tables."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from civic_pipeline.errors import FileUnreadable, NamesAlike

MOST_COLUMNS = 5_000
LONGEST_NAME = 1_000  # characters


def _require_texts(*values: object) -> None:
    """Raise TypeError for what a portal sent in place of a text, where it is read and not where it is stored."""
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"{str(value)[:60]!r} is not a text")


@dataclass(frozen=True)
class PortalColumn:
    """A column as the portal declares it, with the Arrow type in which it is stored.

    `is_derived`: computed here from the portal's data, such as the label of a code or the geometry. `is_text`: stored as
    text because a value did not fit the declared type. `is_instant`: its times are UTC; others are local or have no zone.
    """

    name: str
    portal_type: str
    arrow_type: pa.DataType
    title: str
    is_derived: bool = False
    is_text: bool = False
    is_instant: bool = False

    def __post_init__(self) -> None:
        _require_texts(self.name, self.portal_type, self.title)


@dataclass(frozen=True)
class Freshness:
    """The portal's mark for the version of the data. `link`: the field or header that it comes from.

    Two equal tokens of the same link mean that the data did not change. None: unknown, so the data must be read.
    """

    token: str | None
    link: str


@dataclass(frozen=True)
class About:
    """The portal's texts about a source; empty if there are none."""

    title: str
    description: str = ""
    publisher: str = ""
    licence: str = ""
    cadence: str = ""

    def __post_init__(self) -> None:
        _require_texts(self.title, self.description, self.publisher, self.licence, self.cadence)


def refuse_too_wide(url: str, names: Collection[str]) -> None:
    """Raise FileUnreadable for more columns, or longer names, than a table has: keys of objects that are really values."""
    if len(names) > MOST_COLUMNS:
        raise FileUnreadable(url, f"it has {len(names):,} columns, and more than {MOST_COLUMNS:,} are no table")
    if (longest := max(map(len, names), default=0)) > LONGEST_NAME:
        raise FileUnreadable(url, f"the name of a column has {longest:,} characters of at most {LONGEST_NAME}")


@dataclass(frozen=True)
class Description:
    """A source before it is read.

    `row_id`: the column that is unique at the portal, or None. `edited`: the column with the time of a row's last edit;
    None if there is none or if the dataset does not read edits. `answered_from`: the address that a redirect led to, without
    parameters; None if it is `url`. Raises NamesAlike if two names look alike,
    FileUnreadable for more than MOST_COLUMNS columns or a name of more than LONGEST_NAME characters.
    """

    url: str
    about: About
    columns: tuple[PortalColumn, ...]
    row_id: PortalColumn | None
    freshness: Freshness
    edited: PortalColumn | None = None
    answered_from: str | None = None

    def __post_init__(self) -> None:
        names = [column.name for column in self.landed]
        refuse_too_wide(self.url, [column.name for column in self.columns])
        spellings: dict[str, list[str]] = {}
        for name in names:
            spellings.setdefault(comparable(name), []).append(name)
        if alike := [name for same in spellings.values() if len(same) > 1 for name in same]:
            raise NamesAlike(self.url, alike)

    @property
    def landed(self) -> tuple[PortalColumn, ...]:
        """The columns that are stored: `row_id` and `edited` if they are not in `columns`, then `columns`."""
        added = [c for c in (self.row_id, self.edited) if c is not None and c not in self.columns]
        return (*added, *self.columns)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the stored columns."""
        return pa.schema([pa.field(column.name, column.arrow_type) for column in self.landed])

    @property
    def published(self) -> dict[str, str]:
        """The publisher's columns and their portal types, without derived columns."""
        return {column.name: column.portal_type for column in self.columns if not column.is_derived}

    def as_text(self, name: str) -> "Description":
        """The same description with column `name` stored as text."""
        columns = tuple(replace(c, arrow_type=pa.string(), is_text=True) if c.name == name else c for c in self.columns)
        return replace(self, columns=columns)


def plain(name: str) -> str:
    """A name without what nobody sees: composed letters, one blank between words, no byte order marks or other format characters."""
    shown = "".join(letter for letter in unicodedata.normalize("NFC", name) if unicodedata.category(letter) != "Cf")
    return " ".join(shown.split())


def comparable(name: str) -> str:
    """The form in which names of columns are equal: `Año`, `AÑO` and the same in decomposed letters are one name."""
    return unicodedata.normalize("NFC", plain(name).lower())


def unused_name(name: str, published: Iterable[str]) -> str:
    """`name` for a column of ours; with a number (`_id_2`) if the publisher has a column of this name, in any case."""
    taken, free, number = {comparable(other) for other in published}, name, 2
    while comparable(free) in taken:
        free, number = f"{name}_{number}", number + 1
    return free


@dataclass
class Traffic:
    """Counts for one source: requests (with retries), retries, halved pages, bytes of received bodies."""

    requests: int = 0
    retries: int = 0
    pages_halved: int = 0
    bytes: int = field(default=0, repr=False)


class PortalSource(Protocol):
    """One dataset of one portal. Every method raises the portal errors of `civic_pipeline.errors`."""

    @property
    def traffic(self) -> Traffic:
        """Counts of the requests so far."""
        ...

    def describe(self) -> Description:
        """Columns, portal types and freshness. Takes one metadata request if the address is known."""
        ...

    def count(self) -> int:
        """The number of rows that the portal reports now."""
        ...

    def read(self, description: Description, counted: int, spool: Path, sequential: bool) -> Iterator[pa.Table]:
        """All rows, each once, in pages of bounded size with `description.schema`; also rows beyond `counted`.

        `spool`: a folder for temporary files. `sequential`: use the slower method that depends least on the portal's paging;
        used after a read that could not be verified.
        """
        ...

    def read_edited(self, description: Description, since: datetime, spool: Path) -> Iterator[pa.Table]:
        """The rows edited at `since` (UTC) or later, with `description.schema`. Needs `description.edited`."""
        ...

    def reused_ids(self) -> int:
        """The number of rows whose id the portal also gives to another row; 0 if ids are unique."""
        ...
