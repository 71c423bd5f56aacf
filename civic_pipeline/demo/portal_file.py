"""What `portal.yml` may say of a served file, and how a file takes the ids and types of a dataset of the catalog."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from civic_pipeline.catalog import Dataset, FileSource, OpendatasoftSource, SocrataSource, Strict, stands_for
from civic_pipeline.demo.columns import KINDS, Kind
from civic_pipeline.demo.faults import Faults
from civic_pipeline.errors import CivicError

_ARCGIS_KINDS: dict[str, Kind] = {
    "String": "text", "SmallInteger": "integer", "Integer": "integer", "BigInteger": "integer",
    "Single": "double", "Double": "double", "Date": "date",
}  # fmt: skip
_ODS_KINDS: dict[str, Kind] = {
    "text": "text", "int": "integer", "double": "double", "boolean": "checkbox", "date": "date_only", "datetime": "date",
}  # fmt: skip


class DemoFolderError(CivicError):
    """The folder cannot be served."""

    exit_code = 2


class FileEntry(Strict):
    """One file in `portal.yml`; everything but `file` has a default derived from the file's name.

    `dataset` takes ids, title and portal types from the catalog, as if the file were that dataset.
    """

    file: str = Field(pattern=r"^[^/\\\x00]+$", description="Its name in the folder.")
    dataset: str | None = Field(default=None, pattern=r"^[a-z0-9_]+/[a-z0-9_]+$")
    edition: str | None = Field(default=None, pattern=r"^[0-9]{4}$")
    item: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    layer: str | None = Field(default=None, pattern=r"^\w+$")
    socrata: str | None = Field(default=None, pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$")
    opendatasoft: str | None = Field(default=None, pattern=r"^[\w@.-]+$")
    service: str | None = Field(default=None, pattern=r"^\w+$")  # files of one service are its layers, in this order
    server: Literal["FeatureServer", "MapServer"] = "FeatureServer"
    group: str | None = None  # the group layer a layer belongs to; its members stand together
    geometry: bool | None = None
    max_record_count: int | None = Field(default=None, ge=1)
    standard_max_record_count: int | None = Field(default=None, ge=1)  # with it, resultType=standard is supported
    edit_tracking: bool = False  # ArcGIS fields that say when a row was made and edited
    domains: dict[str, dict[str, str]] = Field(default_factory=dict)  # column -> code -> name
    title: str | None = None
    description: str | None = None
    license: str | None = None
    attribution: str | None = None
    update_frequency: str | None = None
    types: dict[str, Kind] = Field(default_factory=dict)
    faults: Faults = Faults()


class PortalFile(Strict):
    """`portal.yml`."""

    files: Annotated[tuple[FileEntry, ...], Field(min_length=1)]


def as_in_catalog(
    entry: FileEntry, field_names: dict[str, str], datasets: Mapping[str, Dataset]
) -> tuple[FileEntry, dict[str, Kind]]:
    """The entry with the ids and title of its `dataset`, and the declared portal types of the file's columns.

    `field_names` maps the file's columns to the names Socrata gives them. Raises DemoFolderError for a dataset or edition
    that the catalog does not have.
    """
    dataset = datasets.get(entry.dataset or "")
    if dataset is None:
        raise DemoFolderError(
            f"portal.yml says {entry.file} is {entry.dataset}, which is none of {', '.join(datasets)}."
        )
    source = dataset.source
    if isinstance(source, SocrataSource):
        socrata_id = source.id or source.editions.get(entry.edition or "")
        if socrata_id is None:
            years = ", ".join(source.editions)
            raise DemoFolderError(
                f"portal.yml must say which edition of {entry.dataset} {entry.file} is: one of {years}."
            )
        ids = {"socrata": socrata_id}
        kinds = {name: kind if kind in KINDS else "text" for name, kind in dataset.columns.items()}
    elif isinstance(source, OpendatasoftSource):
        ids = {"opendatasoft": source.id}
        kinds = {name: _ODS_KINDS[kind] for name, kind in dataset.columns.items() if kind in _ODS_KINDS}
    elif isinstance(source, FileSource):
        ids, kinds = {}, {}  # a file is its own bytes
    else:
        ids = {"layer": source.layer} | ({"item": source.item} if source.item else {})
        kinds = {name: _ARCGIS_KINDS[kind] for name, kind in dataset.columns.items() if kind in _ARCGIS_KINDS}
        field_names = {name: name for name in field_names}
    types: dict[str, Kind] = {
        name: kind
        for name, field in field_names.items()
        for pattern, kind in kinds.items()
        if stands_for(pattern, field)
    }
    return entry.model_copy(update={"title": dataset.title, **ids}), types
