"""The fields of Socrata: the types of a file's columns, and the form of their values."""

from collections.abc import Mapping
from dataclasses import dataclass

from civic_pipeline.demo.columns import Kind
from civic_pipeline.demo.served_file import ServedFile

# Type names in the metadata, where they differ from the names in portal.yml.
_METADATA_TYPE: Mapping[Kind, str] = {
    **dict.fromkeys(("integer", "double", "small_integer", "big_integer", "single", "oid"), "number"),
    **dict.fromkeys(("date_only", "time_only", "timestamp_offset", "guid", "global_id"), "text"),
}
HEADER_TYPE: Mapping[str, str] = {
    "money": "number",
    "percent": "number",
    "email": "text",
    "id": "text",
    "calendar_date": "floating_timestamp",
    "date": "fixed_timestamp",
}

# A point in a file, `POINT (-76.6 39.3)`, and in the response of the portal.
_POINT = r"^\s*POINT\s*\(\s*(\S+)\s+(\S+?)\s*\)\s*$"
_GEOJSON_POINT = r'{"type":"Point","coordinates":[\1,\2]}'

_NUMBERS = {"number", "money", "percent"}
_NAN = {"bare": "NaN", "text": '"NaN"'}


@dataclass(frozen=True)
class Field:
    """A field that `$select` can name: the SQL of its value, and the form in which the value is sent."""

    name: str
    type: str
    sql: str
    title: str = ""

    def json_sql(self, nan: str | None) -> str:
        """Return the SQL of the value as JSON text. Null stays null, and the row then omits the field.

        With `nan`, a missing number is written as NaN, bare or as text.
        """
        if self.type in _NUMBERS:
            number = f"""'"' || {self.sql} || '"'"""
            return f"coalesce({number}, '{_NAN[nan]}')" if nan else number
        if self.type in {"calendar_date", "date"}:
            return f"""'"' || {self.text_sql()} || '"'"""
        if self.type == "url":
            return f"""'{{"url":' || to_json({self.sql}) || '}}'"""
        if self.type == "phone":
            return f"""'{{"phone_number":' || to_json({self.sql}) || '}}'"""
        if self.type == "point":
            return f"regexp_replace({self.sql}, '{_POINT}', '{_GEOJSON_POINT}')"
        if self.type == "geometry":
            return self.sql
        if self.type == "checkbox":
            return f"cast({self.sql} as varchar)"
        if self.type == "id":
            return f"""'"' || {self.sql} || '"'"""
        return f"cast(to_json(cast({self.sql} as varchar)) as varchar)"

    def text_sql(self) -> str:
        """Return the SQL of the value as a CSV cell."""
        if self.type in {"calendar_date", "date"}:
            zone = "Z" if self.type == "date" else ""
            return f"strftime({self.sql}, '%Y-%m-%dT%H:%M:%S.%g{zone}')"
        return f"cast({self.sql} as varchar)"


def own_fields(file: ServedFile) -> dict[str, Field]:
    """Return the columns of the publisher, and for a geometry the columns that the portal adds."""
    fields = {
        c.field_name: Field(c.field_name, _METADATA_TYPE.get(c.kind, c.kind), c.sql, c.name) for c in file.columns
    }
    if file.geometry_type:
        region = f":@computed_region_{file.item_id[:4]}_{file.item_id[4:8]}"
        fields["the_geom"] = Field("the_geom", "geometry", "geometry")
        fields[region] = Field(region, "number", "1 + number % 278")
    return fields


def system_fields() -> dict[str, Field]:
    """Return the system fields of every row."""
    return {
        ":id": Field(":id", "id", "row_id"),
        ":created_at": Field(":created_at", "date", "created_at"),
        ":updated_at": Field(":updated_at", "date", "updated_at"),
        ":version": Field(":version", "id", "row_version"),
    }
