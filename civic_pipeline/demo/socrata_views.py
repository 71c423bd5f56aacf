"""The metadata of Socrata: the view of a dataset, and the shorter metadata at another address."""

from datetime import UTC, datetime
from typing import Any

from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.socrata_fields import Field, own_fields

_LICENSES = {"Public Domain": "PUBLIC_DOMAIN", "Creative Commons Attribution 4.0 International": "CC_40_BY"}


def view(file: ServedFile) -> dict[str, Any]:
    """Return `/api/views/<4x4>`, with times in epoch seconds."""
    faults, entry, data = file.faults, file.entry, file.data
    body: dict[str, Any] = {
        "id": file.socrata_id,
        "name": file.title,
        "assetType": "dataset",
        "viewType": "tabular",
        "createdAt": data.published_at,
        "publicationDate": data.published_at,
    }
    if faults.freshness == "metadata":
        body["rowsUpdatedAt"] = file.updated_at
    if faults.freshness in {"metadata", "view_last_modified"}:
        body["viewLastModified"] = file.updated_at
    if entry.description:
        body["description"] = entry.description
    if entry.attribution:
        body["attribution"] = entry.attribution
    if entry.license:
        body |= {"licenseId": _LICENSES.get(entry.license, "SEE_TERMS_OF_USE"), "license": {"name": entry.license}}
    if entry.update_frequency:
        body["metadata"] = {"custom_fields": {"Publishing Information": {"Update Frequency": entry.update_frequency}}}
    return body | {"columns": _columns(file)}


def _columns(file: ServedFile) -> list[dict[str, Any]]:
    return [
        {
            "id": file.data.published_at + position,
            "name": field.title or field.name,
            "fieldName": field.name,
            "dataTypeName": _data_type(file, field),
            "renderTypeName": _data_type(file, field),
            "position": position,
        }
        for position, field in enumerate(own_fields(file).values(), start=1)
    ]


def metadata(file: ServedFile, base: str) -> dict[str, Any]:
    """Return `/api/views/metadata/v1/<4x4>`, with times in ISO format and without columns."""
    entry = file.entry
    body: dict[str, Any] = {
        "id": file.socrata_id,
        "name": file.title,
        "description": entry.description,
        "attribution": entry.attribution,
        "license": entry.license,
        "dataUri": f"{base}/resource/{file.socrata_id}",
        "webUri": f"{base}/d/{file.socrata_id}",
        "createdAt": _iso(file.data.published_at),
        "metadataUpdatedAt": _iso(file.data.published_at),
    }
    if entry.update_frequency:
        body["customFields"] = {"Publishing Information": {"Update Frequency": entry.update_frequency}}
    if file.faults.freshness == "metadata":
        body |= {"updatedAt": _iso(file.updated_at), "dataUpdatedAt": _iso(file.updated_at)}
    return body


def _data_type(file: ServedFile, field: Field) -> str:
    return (file.geometry_type or "").lower() if field.type == "geometry" else field.type


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
