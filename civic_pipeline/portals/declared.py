"""The types that columns will land with, from the portal types that a dataset declares: no portal is asked."""

import pyarrow as pa

from civic_pipeline.catalog import Dataset
from civic_pipeline.portals import arcgis, geojson, opendatasoft, socrata, table

_TYPES = {
    "arcgis": arcgis.ARROW_TYPES,
    "file": geojson.ARROW_TYPES,
    "opendatasoft": opendatasoft.ARROW_TYPES,
    "socrata": socrata.ARROW_TYPES,
}
# What we add ourselves to every source of a kind, where it has it.
_OURS = {
    "arcgis": (arcgis.GEOMETRY,),
    "file": (table.ROW_NUMBER, table.GEOMETRY),
    "opendatasoft": (),
    "socrata": (socrata.ROW_ID,),
}


def declared_schema(dataset: Dataset) -> pa.Schema:
    """The columns of a capture of `dataset`, as declared and in that order, then those that reading adds.

    A family (a name with *) becomes one column for each of a number, a year and a day in the place of *.
    """
    types, ours = _TYPES[dataset.source.portal], _OURS[dataset.source.portal]
    fields = [
        (name.replace("*", stand_in), types.get(kind, pa.string()))
        for name, kind in dataset.columns.items()
        for stand_in in (("1", "2020", "01_01_2020") if "*" in name else ("",))
    ]
    known = {name.lower() for name, _ in fields}
    return pa.schema([*fields, *((c.name, c.arrow_type) for c in ours if c.name not in known)])
