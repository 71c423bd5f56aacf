"""What Socrata says of a dataset: its view, and the shorter metadata of the same under another address."""

from datetime import UTC, datetime
from typing import Any

from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.socrata_fields import Field, own_fields

_LICENSES = {"Public Domain": "PUBLIC_DOMAIN", "Creative Commons Attribution 4.0 International": "CC_40_BY"}


def view(file: ServedFile) -> dict[str, Any]:
    """`/api/views/<4x4>`: instants are epoch seconds."""
    faults, entry, data = file.faults, file.entry, file.data
    told: dict[str, Any] = {
        "id": file.socrata_id,
        "name": file.title,
        "assetType": "dataset",
        "viewType": "tabular",
        "createdAt": data.published_at,
        "publicationDate": data.published_at,
    }
    if faults.freshness == "metadata":
        told["rowsUpdatedAt"] = file.updated_at
    if faults.freshness in {"metadata", "view_last_modified"}:
        told["viewLastModified"] = file.updated_at
    if entry.description:
        told["description"] = entry.description
    if entry.attribution:
        told["attribution"] = entry.attribution
    if entry.license:
        told |= {"licenseId": _LICENSES.get(entry.license, "SEE_TERMS_OF_USE"), "license": {"name": entry.license}}
    if entry.update_frequency:
        told["metadata"] = {"custom_fields": {"Publishing Information": {"Update Frequency": entry.update_frequency}}}
    return told | {"columns": _columns(file)}


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
    """`/api/views/metadata/v1/<4x4>`: instants are ISO text, no columns."""
    entry = file.entry
    told: dict[str, Any] = {
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
        told["customFields"] = {"Publishing Information": {"Update Frequency": entry.update_frequency}}
    if file.faults.freshness == "metadata":
        told |= {"updatedAt": _iso(file.updated_at), "dataUpdatedAt": _iso(file.updated_at)}
    return told


def _data_type(file: ServedFile, field: Field) -> str:
    return (file.geometry_type or "").lower() if field.type == "geometry" else field.type


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
