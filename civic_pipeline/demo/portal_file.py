"""What `portal.yml` may say of a served file, and how a file takes the ids and types of a dataset of the catalog."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from civic_pipeline.catalog import Dataset, SocrataSource, Strict
from civic_pipeline.demo.columns import KINDS, Kind
from civic_pipeline.errors import CivicError

_ARCGIS_KINDS: dict[str, Kind] = {
    "String": "text", "SmallInteger": "integer", "Integer": "integer", "BigInteger": "integer",
    "Single": "double", "Double": "double", "Date": "date",
}  # fmt: skip


class DemoFolderError(CivicError):
    """The folder cannot be served."""

    exit_code = 2


class FileEntry(Strict):
    """One file in `portal.yml`; everything but `file` has a default derived from the file's name.

    `dataset` takes ids, title and portal types from the catalog, as if the file were that dataset.
    """

    file: str = Field(min_length=1)
    dataset: str | None = Field(default=None, pattern=r"^[a-z0-9_]+/[a-z0-9_]+$")
    edition: str | None = Field(default=None, pattern=r"^[0-9]{4}$")
    item: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    layer: str | None = Field(default=None, pattern=r"^\w+$")
    socrata: str | None = Field(default=None, pattern=r"^[a-z0-9]{4}-[a-z0-9]{4}$")
    geometry: bool | None = None
    title: str | None = None
    types: dict[str, Kind] = Field(default_factory=dict)


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
    else:
        ids = {"item": source.item, "layer": source.layer}
        kinds = {name: _ARCGIS_KINDS[kind] for name, kind in dataset.columns.items() if kind in _ARCGIS_KINDS}
        field_names = {name: name for name in field_names}
    types: dict[str, Kind] = {
        name: kind
        for name, field in field_names.items()
        for pattern, kind in kinds.items()
        if fnmatchcase(field, pattern)
    }
    return entry.model_copy(update={"title": dataset.title, **ids}), types
