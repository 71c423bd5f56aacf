"""ArcGIS REST: hosted layers and tables, found by item id and verified by layer name.

Pages are ordered by the object id, advance by the rows received, and end when the server no longer flags
`exceededTransferLimit` and everything it counted has arrived.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from civic_pipeline.catalog import ArcgisSource
from civic_pipeline.errors import AnswerUnreadable, CivicError, PortalRefused, PortalUnreachable, SourceNotFound
from civic_pipeline.portals.columns import CLOCK, to_array
from civic_pipeline.portals.http import PASSING_CODES, Access, get_json, new_session, shaped_as
from civic_pipeline.portals.source import Description, Freshness, PortalColumn

_SHARING = "https://www.arcgis.com"
_ARROW_TYPES: dict[str, pa.DataType] = {
    "OID": pa.int64(), "SmallInteger": pa.int64(), "Integer": pa.int64(), "BigInteger": pa.int64(),
    "Single": pa.float64(), "Double": pa.float64(), "Date": CLOCK,
}  # fmt: skip
_GEOMETRY = PortalColumn(
    name="_geometry", portal_type="Geometry", arrow_type=pa.string(), title="Geometry in EPSG:4326, Esri JSON"
)


class ArcgisLayer:
    """One layer or table of one item."""

    def __init__(self, source: ArcgisSource, access: Access) -> None:
        self._source = source
        self._sharing = access.root or _SHARING
        # The demo portals serve every item; the published service addresses are only for the live profile.
        self._fallbacks = () if access.root else source.fallbacks
        self._session = new_session()
        self._layer: dict[str, Any] = {}
        self._url = ""

    def describe(self) -> Description:
        self._url = self._find_layer()
        self._layer = layer = self._get(self._url, {})
        with shaped_as("a layer with fields", self._url):
            columns = [
                PortalColumn(f["name"], kind, _ARROW_TYPES.get(kind, pa.string()), f.get("alias") or f["name"])
                for f in layer["fields"]
                if (kind := f["type"].removeprefix("esriFieldType")) != "Geometry"
            ]
        row_id = next((c for c in columns if c.name == layer.get("objectIdField") or c.portal_type == "OID"), None)
        if row_id is None:
            raise SourceNotFound(
                f"An object id field of {self._source.layer}",
                self._url,
                "the layer declares none, so rows cannot be told apart",
            )
        if layer.get("geometryType"):
            columns.append(_GEOMETRY)
        return Description(
            url=self._url, title=self._source.layer, columns=tuple(columns), row_id=row_id,
            row_count=self.count(), freshness=_freshness(layer),
        )  # fmt: skip

    def count(self) -> int:
        answer = self._get(f"{self._url}/query", {"where": "1=1", "returnCountOnly": "true"})
        if not isinstance(answer.get("count"), int):
            raise AnswerUnreadable(self._url, "a row count", str(answer)[:100])
        return int(answer["count"])

    def read(self, description: Description) -> Iterator[pa.RecordBatch]:
        received = 0
        while True:
            page = self._get(
                f"{self._url}/query",
                {
                    "where": "1=1", "outFields": "*", "orderByFields": f"{description.row_id.name} ASC",
                    "returnGeometry": str(_GEOMETRY in description.columns).lower(), "outSR": 4326,
                    "resultOffset": received, "resultRecordCount": self._layer.get("maxRecordCount", 1000),
                },
            )  # fmt: skip
            features = page.get("features")
            if not isinstance(features, list):
                raise AnswerUnreadable(self._url, "a page of features", str(page)[:100])
            flagged = bool(page.get("exceededTransferLimit"))
            if not features:
                if flagged:
                    raise PortalRefused(self._url, f"it flags more rows after the first {received:,} but sends none")
                return
            with shaped_as("a page of features", self._url):
                batch = _batch(features, description)
            yield batch
            received += len(features)
            # Servers before 10.3.1 never flag, so an unflagged page ends the read only when nothing is owed.
            if not flagged and received >= description.row_count:
                return

    def _find_layer(self) -> str:
        """The address of the layer: the item's service first, then the fallbacks; the layer is found by its name."""
        problems: list[CivicError] = []
        for address in (None, *self._fallbacks):
            try:
                service = address or self._service_of_item()
                listing = self._get(service, {})
                with shaped_as("a list of layers", service):
                    entries = [*listing.get("layers", ()), *listing.get("tables", ())]
                    numbers = {entry["name"]: entry["id"] for entry in entries}
                if self._source.layer in numbers:
                    return f"{service}/{numbers[self._source.layer]}"
                holds = f"the service holds {', '.join(numbers) or 'no layers'}"
                raise SourceNotFound(f"The layer {self._source.layer!r}", service, holds)
            except CivicError as problem:
                problems.append(problem)
        raise problems[0]

    def _service_of_item(self) -> str:
        url = f"{self._sharing}/sharing/rest/content/items/{self._source.item}"
        try:
            item = self._get(url, {})
        except PortalRefused as error:
            raise SourceNotFound(f"The item {self._source.item}", url, str(error)) from error
        if not item.get("url"):
            raise SourceNotFound(
                f"A service of item {self._source.item}", url, f"it is a {item.get('type', 'thing without an address')}"
            )
        return re.sub(r"(/\d+)?/*$", "", str(item["url"]))  # some items point at a layer of their service

    def _get(self, url: str, parameters: dict[str, Any]) -> dict[str, Any]:
        answer = get_json(self._session, url, {**parameters, "f": "json"})
        if not isinstance(answer, dict):
            raise AnswerUnreadable(url, "a JSON object", str(answer)[:100])
        if "error" in answer:
            error = answer["error"] if isinstance(answer["error"], dict) else {"message": str(answer["error"])}
            details = " ".join(str(detail) for detail in error.get("details") or ())
            words = f"{error.get('code', '')} {error.get('message', '')} {details}".strip()
            raise PortalUnreachable(url, words) if error.get("code") in PASSING_CODES else PortalRefused(url, words)
        return answer


def _batch(features: list[dict[str, Any]], description: Description) -> pa.RecordBatch:
    arrays = [
        to_array(
            [
                _geometry(feature) if column is _GEOMETRY else feature["attributes"][column.name]  # nulls are sent
                for feature in features
            ],
            column,
        )
        for column in description.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=description.schema)


def _geometry(feature: dict[str, Any]) -> str | None:
    return json.dumps(feature["geometry"]) if feature.get("geometry") else None


def _freshness(layer: dict[str, Any]) -> Freshness:
    """Hosted layers say when their data was last edited; older servers do not, and we load."""
    editing = layer.get("editingInfo") or {}
    for link in ("dataLastEditDate", "lastEditDate"):
        if editing.get(link) is not None:
            return Freshness(token=str(editing[link]), link=f"editingInfo.{link}")
    return Freshness(token=None, link="none")
