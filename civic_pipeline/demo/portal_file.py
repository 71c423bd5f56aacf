"""The schema of `portal.yml`, and how a served file takes ids and types from a dataset of the catalog."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal, Self
from urllib.parse import unquote

from pydantic import Field, model_validator

from civic_pipeline.catalog import (
    ArcgisSource,
    Dataset,
    FileSource,
    OpendatasoftSource,
    SocrataSource,
    Strict,
    mistake,
    stands_for,
)
from civic_pipeline.demo.columns import KINDS, Kind
from civic_pipeline.demo.faults import Faults
from civic_pipeline.errors import CivicError

_ARCGIS_KINDS: dict[str, Kind] = {
    "String": "text", "SmallInteger": "integer", "Integer": "integer", "BigInteger": "integer",
    "Single": "double", "Double": "double", "Date": "date", "OID": "oid",
    "text": "text", "integer": "integer", "number": "double", "date": "date",
}  # fmt: skip
_SOCRATA_KINDS: dict[str, Kind] = {**{str(kind): kind for kind in KINDS}, "integer": "number"}
_ODS_KINDS: dict[str, Kind] = {
    "text": "text", "int": "integer", "double": "double", "boolean": "checkbox", "date": "date_only", "datetime": "date",
    "integer": "integer", "number": "double",
}  # fmt: skip


class DemoFolderError(CivicError):
    """The folder cannot be served."""

    exit_code = 2


class FileEntry(Strict):
    """One file of `portal.yml`. All keys except `file` have defaults, most of them derived from the name of the file.

    With `dataset`, the file gets the ids, the title and the portal types of that dataset of the catalog.
    """

    file: str = Field(pattern=r"^[^/\\\x00]+$", description="The name of the file in the folder.")
    dataset: str | None = Field(default=None, pattern=r"^[a-z0-9_]+/[a-z0-9_]+$")
    edition: str | None = None
    captured_at: date | None = None  # an older copy: not served, but loaded as the capture of that day
    item: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    layer: str | None = Field(default=None, pattern=r"^\w+$")
    socrata: str | None = Field(default=None, pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$")
    published_as: str | None = Field(default=None, pattern=r"^[^/\\\x00]+$")  # a second name below /files/
    opendatasoft: str | None = Field(default=None, pattern=r"^[\w@.-]+$")
    service: str | None = Field(
        default=None, pattern=r"^\w+$"
    )  # files with the same service are its layers, in this order
    server: Literal["FeatureServer", "MapServer"] = "FeatureServer"
    group: str | None = None  # the group layer of this layer; list its members one after another
    geometry: bool | None = None
    points: tuple[str, str] | None = None  # columns with longitude and latitude, served as the point of a row
    max_record_count: int | None = Field(default=None, ge=1)
    standard_max_record_count: int | None = Field(default=None, ge=1)  # if set, resultType=standard is supported
    edit_tracking: bool = False  # adds the ArcGIS fields with the time of creation and of the last edit
    domains: dict[str, dict[str, str]] = Field(default_factory=dict)  # column -> code -> name
    title: str | None = None
    description: str | None = None
    license: str | None = None
    attribution: str | None = None
    update_frequency: str | None = None
    types: dict[str, Kind] = Field(default_factory=dict)
    faults: Faults = Faults()

    @model_validator(mode="after")
    def _is_of_a_dataset(self) -> Self:
        if self.captured_at and not self.dataset:
            raise mistake("an older copy needs the dataset that it is a capture of", "captured_at")
        return self


class PortalFile(Strict):
    """`portal.yml`."""

    files: Annotated[tuple[FileEntry, ...], Field(min_length=1)]


def as_in_catalog(
    entry: FileEntry, field_names: dict[str, str], datasets: Mapping[str, Dataset]
) -> tuple[FileEntry, dict[str, Kind]]:
    """Return the entry with the ids and title of its `dataset`, and the declared portal types of the columns.

    `field_names` maps the columns of the file to their Socrata names. Raises DemoFolderError for an unknown dataset or
    edition.
    """
    dataset = datasets.get(entry.dataset or "")
    if dataset is None:
        raise DemoFolderError(
            f"portal.yml says {entry.file} is {entry.dataset}, which is not one of {', '.join(datasets)}."
        )
    if entry.edition not in dataset.editions:
        known = ", ".join(label for label in dataset.editions if label) or "none"
        raise DemoFolderError(f"portal.yml must say which edition of {entry.dataset} {entry.file} is: {known}.")
    declared = dataset.edition(entry.edition)
    source = declared.source
    kinds: dict[str, Kind]
    if isinstance(source, SocrataSource):
        ids = {"socrata": source.id}
        kinds = {name: _SOCRATA_KINDS.get(kind, "text") for name, kind in declared.columns.items()}
    elif isinstance(source, OpendatasoftSource):
        ids = {"opendatasoft": source.id}
        kinds = {name: _ODS_KINDS[kind] for name, kind in declared.columns.items() if kind in _ODS_KINDS}
    elif isinstance(source, ArcgisSource):
        ids = {"layer": source.layer} | ({"item": source.item} if source.item else {})
        kinds = {name: _ARCGIS_KINDS[kind] for name, kind in declared.columns.items() if kind in _ARCGIS_KINDS}
        field_names = {name: name for name in field_names}
    else:  # a plain file is known by its name, and has no declared types
        ids = {"published_as": unquote(source.url.rpartition("/")[2])} if isinstance(source, FileSource) else {}
        kinds = {}
    types: dict[str, Kind] = {
        name: kind
        for name, field in field_names.items()
        for pattern, kind in kinds.items()
        if stands_for(pattern, field)
    }
    return entry.model_copy(update={"title": dataset.title, **ids}), types
