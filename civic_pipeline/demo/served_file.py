"""A file as the portals serve it: its ids, its columns as they are today, its rows and its faults."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from civic_pipeline.demo.columns import DATED, NUMERIC, Column, Kind
from civic_pipeline.demo.conduct import Conduct
from civic_pipeline.demo.faults import Faults
from civic_pipeline.demo.portal_file import FileEntry
from civic_pipeline.demo.rows import Rows, is_object_id

# The demo's "last updated" lies in the 580 days after this instant, at a second its content decides.
_EPOCH = 1_735_689_600
_SPAN = 50_000_000


@dataclass(frozen=True)
class ServedFile:
    """One file of the folder; what changes while it is served is in `data` and `conduct`."""

    name: str
    path: Path
    title: str
    socrata_id: str
    item_id: str
    opendatasoft_id: str
    layer: str
    is_layer: bool
    geometry_type: str | None
    data: Rows
    entry: FileEntry
    conduct: Conduct

    @property
    def faults(self) -> Faults:
        return self.conduct.faults

    @property
    def rows(self) -> int:
        return self.data.count

    @property
    def table(self) -> str:
        return self.data.table

    @property
    def updated_at(self) -> int:
        """Epoch seconds."""
        return self.data.updated_at

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns as metadata and rows show them, drifted where the faults say so."""
        return _drifted(self.data.columns, self.faults)

    @property
    def object_id(self) -> Column | None:
        """The file's own OBJECTID, where it has one."""
        return next((column for column in self.columns if is_object_id(column)), None)


def instant_of(content: bytes) -> int:
    """When a file claims to have been updated, in epoch seconds.

    From the content, not the clock: an unchanged file keeps its token on every machine, a changed one never does.
    """
    return _EPOCH + zlib.crc32(content) % _SPAN


def _drifted(columns: tuple[Column, ...], faults: Faults) -> tuple[Column, ...]:
    if not (faults.columns or faults.added_columns):
        return columns
    kept = [
        _renamed(_retyped(column, faults.retyped_columns), faults.renamed_columns)
        for column in columns
        if column.name not in faults.hidden_columns
    ]
    return (*kept, *(_added(name, kind) for name, kind in faults.added_columns.items()))


def _renamed(column: Column, names: Mapping[str, str]) -> Column:
    name = names.get(column.name)
    return replace(column, name=name, field_name=name.lower()) if name else column


def _retyped(column: Column, kinds: Mapping[str, Kind]) -> Column:
    kind = kinds.get(column.name)
    if kind is None:
        return column
    stored = _stored(kind)
    return replace(column, kind=kind, stored=stored, sql=f"try_cast(cast({column.sql} as varchar) as {stored})")


def _added(name: str, kind: Kind) -> Column:
    value = {"DOUBLE": "1", "TIMESTAMP": "2024-01-31", "BOOLEAN": "true"}.get(_stored(kind), "new")
    return Column(name, name.lower(), kind, f"'{value}'::{_stored(kind)}", stored=_stored(kind))


def _stored(kind: Kind) -> str:
    if kind in NUMERIC:
        return "DOUBLE"
    return "TIMESTAMP" if kind in DATED else "BOOLEAN" if kind == "checkbox" else "VARCHAR"
