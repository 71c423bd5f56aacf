"""The Arrow schema of a capture, from the portal types that a dataset declares; no portal is contacted."""

import pyarrow as pa

from civic_pipeline.catalog import Dataset
from civic_pipeline.portals import arcgis, json_objects, opendatasoft, socrata, table
from civic_pipeline.portals.columns import CLOCK, NUMBER
from civic_pipeline.portals.source import unused_name

# Portal type, or class of types, -> the type in which it is stored. A class has its widest type.
_TYPES: dict[str, dict[str, pa.DataType]] = {
    "arcgis": {"integer": pa.int64(), "number": pa.float64(), "date": CLOCK, **arcgis.ARROW_TYPES},
    "file": json_objects.ARROW_TYPES,
    "opendatasoft": {"integer": pa.int64(), "number": NUMBER, "date": CLOCK, **opendatasoft.ARROW_TYPES},
    "socrata": {"integer": NUMBER, **socrata.ARROW_TYPES},
}
# Columns that our readers add.
_ADDED = {
    "arcgis": (arcgis.GEOMETRY,),
    "file": (table.ROW_NUMBER, table.GEOMETRY),
    "opendatasoft": (),
    "socrata": (socrata.ROW_ID,),
}


def declared_schema(dataset: Dataset) -> pa.Schema:
    """The declared columns of `dataset` and its editions in their order, then the columns that our readers add.

    A family of columns (a name with *) becomes three columns: with a short year, a year and a day instead of *.
    """
    fields: dict[str, tuple[str, pa.DataType]] = {}
    added: dict[str, pa.DataType] = {}
    editions = list(dataset.editions.values())
    for columns, portal in (
        (declared.columns, edition.source.portal) for edition in editions for declared in (edition, dataset)
    ):
        added |= {column.name: column.arrow_type for column in _ADDED[portal]}
        for name, kind in columns.items():
            for stand_in in ("20", "2020", "01_01_2020") if "*" in name else ("",):
                member = name.replace("*", stand_in)
                fields.setdefault(member.lower(), (member, _TYPES[portal].get(kind, pa.string())))
    known = [name for name, _ in fields.values()]
    return pa.schema([*fields.values(), *((unused_name(name, known), kind) for name, kind in added.items())])
