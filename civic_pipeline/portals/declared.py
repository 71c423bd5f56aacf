"""The Arrow schema of a capture, from the portal types that a dataset declares; no portal is contacted."""

import pyarrow as pa

from civic_pipeline.catalog import Dataset
from civic_pipeline.portals import arcgis, geojson, opendatasoft, socrata, table
from civic_pipeline.portals.source import unused_name

_TYPES = {
    "arcgis": arcgis.ARROW_TYPES,
    "file": geojson.ARROW_TYPES,
    "opendatasoft": opendatasoft.ARROW_TYPES,
    "socrata": socrata.ARROW_TYPES,
}
# Columns that our readers add.
_ADDED = {
    "arcgis": (arcgis.GEOMETRY,),
    "file": (table.ROW_NUMBER, table.GEOMETRY),
    "opendatasoft": (),
    "socrata": (socrata.ROW_ID,),
}


def declared_schema(dataset: Dataset) -> pa.Schema:
    """The declared columns of `dataset` in their order, then the columns that our readers add.

    A family of columns (a name with *) becomes three columns: with a number, a year and a day instead of *.
    """
    types, added = _TYPES[dataset.source.portal], _ADDED[dataset.source.portal]
    fields = [
        (name.replace("*", stand_in), types.get(kind, pa.string()))
        for name, kind in dataset.columns.items()
        for stand_in in (("1", "2020", "01_01_2020") if "*" in name else ("",))
    ]
    known = [name for name, _ in fields]
    return pa.schema([*fields, *((unused_name(c.name, known), c.arrow_type) for c in added)])
