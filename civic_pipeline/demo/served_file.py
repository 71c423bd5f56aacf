"""A served file: its ids, columns, rows and faults."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from civic_pipeline.demo.columns import DATED, NUMERIC, Column, Kind
from civic_pipeline.demo.fault_injection import FaultInjection
from civic_pipeline.demo.faults import Faults
from civic_pipeline.demo.portal_file import FileEntry
from civic_pipeline.demo.rows import Rows, is_object_id

# The time of the last update is computed from the content, and lies in the 580 days after this one (epoch seconds).
_EPOCH = 1_735_689_600
_SPAN = 50_000_000


@dataclass(frozen=True)
class ServedFile:
    """One file of the folder. Only `data` and `fault_injection` change while it is served."""

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
    fault_injection: FaultInjection

    @property
    def faults(self) -> Faults:
        return self.fault_injection.faults

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
        """The columns that metadata and rows show, with the schema drift of the faults."""
        return _apply_drift(self.data.columns, self.faults)

    @property
    def object_id(self) -> Column | None:
        """The column of the file that is its object id, or None."""
        return next((column for column in self.columns if is_object_id(column)), None)


def update_time_of(content: bytes) -> int:
    """Return the update time of a file, in epoch seconds.

    It depends only on the content: an unchanged file has the same time on every machine, a changed file another one.
    """
    return _EPOCH + zlib.crc32(content) % _SPAN


def _apply_drift(columns: tuple[Column, ...], faults: Faults) -> tuple[Column, ...]:
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
