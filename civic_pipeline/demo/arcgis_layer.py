"""The metadata of ArcGIS: items, services, layers and fields."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from civic_pipeline.demo.columns import Column, Kind
from civic_pipeline.demo.served_file import ServedFile

SPATIAL_REFERENCE = {"wkid": 4326, "latestWkid": 4326}
GEOMETRY_TYPE = {
    "Point": "esriGeometryPoint",
    "MultiPoint": "esriGeometryMultipoint",
    "LineString": "esriGeometryPolyline",
    "MultiLineString": "esriGeometryPolyline",
    "Polygon": "esriGeometryPolygon",
    "MultiPolygon": "esriGeometryPolygon",
}
_TYPES: dict[Kind, str] = {
    "small_integer": "SmallInteger", "big_integer": "BigInteger", "oid": "OID", "single": "Single", "date_only": "DateOnly",
    "time_only": "TimeOnly", "timestamp_offset": "TimestampOffset", "guid": "GUID", "global_id": "GlobalID",
}  # fmt: skip

_GENERATED = "OBJECTID"
# Fields that servers with edit tracking add.
TRACKED = {"CreationDate": "created_at", "EditDate": "updated_at"}


@dataclass(frozen=True)
class Layer:
    """An entry of a service. Without a `file` it is a group layer or a layer that is not served."""

    number: int
    name: str
    file: ServedFile | None = None
    members: tuple[int, ...] = ()

    @property
    def type(self) -> str:
        if self.members:
            return "Group Layer"
        return "Table" if self.file and not self.file.is_layer else "Feature Layer"


@dataclass(frozen=True)
class Service:
    """A FeatureServer or MapServer and its layers."""

    name: str
    server: str
    layers: tuple[Layer, ...]

    @property
    def path(self) -> str:
        return f"/arcgis/rest/services/{self.name}/{self.server}"


def services_of(files: Iterable[ServedFile]) -> list[Service]:
    """Return the services. Layers are numbered in the order of `portal.yml`, a group layer before its members."""
    by_service: defaultdict[str, list[ServedFile]] = defaultdict(list)
    for file in files:
        by_service[file.faults.moved_to_service or file.entry.service or file.layer].append(file)
    return [Service(name, members[0].entry.server, tuple(_numbered(members))) for name, members in by_service.items()]


def service_path(files: Iterable[ServedFile], wanted: ServedFile) -> tuple[str, int]:
    """Return the path of a file's service and the number of its layer."""
    return next(
        (service.path, layer.number)
        for service in services_of(files)
        for layer in service.layers
        if layer.file is wanted
    )


def _numbered(files: list[ServedFile]) -> list[Layer]:
    layers: list[Layer] = []
    for file in files:
        if (number := file.faults.layer_number) is not None:
            layers += [Layer(at, f"Archive {at}") for at in range(len(layers), number)]
        group = file.entry.group
        if group and group not in {layer.name for layer in layers}:
            size = sum(other.entry.group == group for other in files)
            layers.append(Layer(len(layers), group, members=tuple(range(len(layers) + 1, len(layers) + 1 + size))))
        layers.append(Layer(len(layers), file.layer, file))
    if layers[0].file is None and not layers[0].members:
        layers[0] = Layer(
            0, "Archive", members=tuple(layer.number for layer in layers if not layer.file and layer.number)
        )
    return layers


def item(file: ServedFile, url: str) -> dict[str, Any]:
    """Return the JSON of an item."""
    return {
        "id": file.item_id,
        "title": file.title,
        "name": file.layer,
        "type": "Feature Service",
        "access": "public",
        "created": file.updated_at * 1000,
        "modified": file.updated_at * 1000,
        "description": file.entry.description,
        "snippet": (file.entry.description or "").partition(".")[0] or None,
        "licenseInfo": file.entry.license,
        "accessInformation": file.entry.attribution,
        "url": url,
    }


def service(served: Service, max_record_count: int) -> dict[str, Any]:
    """Return the JSON of a service."""
    parents = {member: layer.number for layer in served.layers for member in layer.members}
    listed = [
        {
            "id": layer.number,
            "name": layer.name,
            "type": layer.type,
            **({"parentLayerId": parents.get(layer.number, -1)} if parents else {}),
            **({"subLayerIds": list(layer.members)} if layer.members else {}),
        }
        for layer in served.layers
    ]
    return {
        "currentVersion": 11.5,
        "serviceItemId": next(layer.file.item_id for layer in served.layers if layer.file),
        "maxRecordCount": max_record_count,
        "supportedQueryFormats": "JSON",
        "capabilities": "Map,Query,Data" if served.server == "MapServer" else "Query",
        "spatialReference": SPATIAL_REFERENCE,
        "layers": [entry for entry in listed if entry["type"] != "Table"],
        "tables": [entry for entry in listed if entry["type"] == "Table"],
    }


def layer_without_rows(layer: Layer) -> dict[str, Any]:
    """Return the JSON of a group layer, which has no `fields`, or of a layer that is not served."""
    named: dict[str, Any] = {"currentVersion": 11.5, "id": layer.number, "name": layer.name, "type": layer.type}
    if layer.members:
        return named | {"subLayers": [{"id": number} for number in layer.members], "capabilities": "Map,Query,Data"}
    return named | {
        "objectIdField": _GENERATED,
        "fields": [_field(_GENERATED, "esriFieldTypeOID")],
        "maxRecordCount": 1000,
    }


def layer(file: ServedFile, number: int, max_record_count: int) -> dict[str, Any]:
    """Return the JSON of a layer."""
    faults, entry, edited = file.faults, file.entry, file.updated_at * 1000
    advanced = {
        "supportsPagination": faults.no_paging is None,
        "supportsOrderBy": True,
        "supportsStatistics": True,
        "supportsDistinct": False,
        "supportsQueryWithResultType": entry.standard_max_record_count is not None,
        "supportsMaxRecordCountFactor": False,
    }
    if faults.no_paging == "absent":
        del advanced["supportsPagination"]
    description: dict[str, Any] = {
        "currentVersion": 11.5,
        "id": number,
        "name": file.layer,
        "type": "Feature Layer" if file.is_layer else "Table",
        "description": entry.description or "",
        "copyrightText": entry.attribution or "",
        "serviceItemId": file.item_id,
        "objectIdField": object_id(file)[0],
        "fields": fields(file),
        "maxRecordCount": max_record_count,
        "supportedQueryFormats": "JSON, geoJSON",
        "capabilities": "Query" if entry.server == "FeatureServer" else "Map,Query,Data",
        "supportsPagination": faults.no_paging is None,
        "supportsAdvancedQueries": True,
        "supportsStatistics": True,
        "advancedQueryCapabilities": advanced,
    }
    if entry.standard_max_record_count is not None:
        description["standardMaxRecordCount"] = entry.standard_max_record_count
    if faults.freshness == "metadata":
        description["editingInfo"] = {
            "lastEditDate": edited, "dataLastEditDate": edited, "schemaLastEditDate": file.data.published_at * 1000,
        }  # fmt: skip
    if entry.edit_tracking:
        description["editFieldsInfo"] = {
            "creationDateField": "CreationDate", "creatorField": None, "editDateField": "EditDate", "editorField": None,
        }  # fmt: skip
    if file.is_layer:
        extent = {"xmin": -180, "ymin": -90, "xmax": 180, "ymax": 90, "spatialReference": SPATIAL_REFERENCE}
        description |= {"geometryType": GEOMETRY_TYPE.get(file.geometry_type or "Point"), "extent": extent}
    return description


def object_id(file: ServedFile) -> tuple[str, str]:
    """Return name and SQL of the object id: the object id of the file, or else the row number."""
    own = file.object_id
    if own:
        return own.name, own.sql
    repeated = file.faults.repeated_ids
    number = (
        f"(case when number <= {2 * repeated} and number % 2 = 0 then number - 1 else number end)"
        if repeated
        else "number"
    )
    shapes = {
        "sparse": f"({number} * 997 + 13)",
        "huge": f"({number} + 410106100000)",
        "float": f"({number} + 410106100000)::double",
    }
    return _GENERATED, shapes.get(file.faults.object_ids or "", number)


def fields(file: ServedFile) -> list[dict[str, Any]]:
    """Return the fields of a layer, including the object id."""
    name, _ = object_id(file)
    # In a file without rows, a column OBJECTID has no numbers, but it is the object id all the same.
    described = [] if any(column.name == name for column in file.columns) else [_field(name, "esriFieldTypeOID")]
    for column in file.columns:
        kind = "esriFieldTypeOID" if column.name == name else field_type(column)
        domain = file.entry.domains.get(column.name)
        described.append(_field(column.name, kind, column.longest, domain))
    return described + [_field(added, "esriFieldTypeDate") for added in TRACKED if file.entry.edit_tracking]


def _field(name: str, kind: str, longest: int = 0, domain: dict[str, str] | None = None) -> dict[str, Any]:
    numeric = kind in {"esriFieldTypeInteger", "esriFieldTypeSmallInteger", "esriFieldTypeBigInteger"}
    codes = [
        {"name": text, "code": int(code) if numeric and code.isdigit() else code}
        for code, text in (domain or {}).items()
    ]
    field = {
        "name": name,
        "type": kind,
        "alias": name,
        "sqlType": "sqlTypeOther",
        "nullable": kind != "esriFieldTypeOID",
        "domain": {"type": "codedValue", "name": f"{name}_codes", "codedValues": codes} if codes else None,
    }
    return field | ({"length": max(255, longest)} if kind == "esriFieldTypeString" else {})


def field_type(column: Column) -> str:
    """Return the ArcGIS type of a column."""
    if column.kind in _TYPES:
        return f"esriFieldType{_TYPES[column.kind]}"
    if column.stored in {"TIMESTAMP", "EPOCH"}:
        return "esriFieldTypeDate"
    if column.kind == "checkbox":
        return "esriFieldTypeSmallInteger"
    if column.kind in {"integer", "number"} and column.integral:
        return "esriFieldTypeInteger" if column.fits_32_bits else "esriFieldTypeBigInteger"
    return "esriFieldTypeString" if column.stored == "VARCHAR" else "esriFieldTypeDouble"


def attribute(column: Column) -> str:
    """Return the SQL of the value that ArcGIS sends: epoch milliseconds for dates, 1 or 0 for checkboxes, doubles for fractions."""
    kind = field_type(column)
    if kind == "esriFieldTypeDate":
        return f"epoch_ms({column.sql})"
    if column.kind == "checkbox":
        return f"cast({column.sql} as integer)"
    return f"cast({column.sql} as double)" if kind in {"esriFieldTypeDouble", "esriFieldTypeSingle"} else column.sql
