"""Socrata's SODA 2.1 through sodapy: its addresses, session and token; the paging is ours, because sodapy's loses rows.

Pages are ordered by `:id`, the only order Socrata keeps unique, and advance by the rows received.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import sodapy

from civic_pipeline.errors import AnswerUnreadable, PortalRefused, SourceNotFound
from civic_pipeline.portals.columns import CLOCK, NUMBER, to_array
from civic_pipeline.portals.http import TIMEOUT_SECONDS, Access, get_json, retrying_adapter, shaped_as
from civic_pipeline.portals.source import Description, Freshness, PortalColumn

PAGE_ROWS = 50_000  # the most a SODA 2.0 endpoint answers; 2.1 has no maximum, but the cap is still met

_ARROW_TYPES: dict[str, pa.DataType] = {
    "number": NUMBER, "money": NUMBER, "percent": NUMBER, "double": NUMBER,
    "calendar_date": CLOCK, "date": CLOCK, "checkbox": pa.bool_(),
}  # fmt: skip

_ROW_ID = PortalColumn(name="_id", portal_type="row_identifier", arrow_type=pa.string(), title="Socrata row identifier")


class SocrataDataset:
    """One 4x4 dataset of one domain."""

    def __init__(self, domain: str, dataset_id: str, access: Access) -> None:
        host, prefix = (access.root.removeprefix("http://"), "http://") if access.root else (domain, "https://")
        self._client = sodapy.Socrata(
            host, access.socrata_token, timeout=TIMEOUT_SECONDS[1],
            session_adapter={"prefix": prefix, "adapter": retrying_adapter()},
        )  # fmt: skip
        self._id = dataset_id
        self._base = f"{prefix}{host}"
        self.url = f"{self._base}/resource/{dataset_id}.json"

    def describe(self) -> Description:
        view = self._get(f"{self._base}/api/views/{self._id}.json", {})
        if not isinstance(view, dict) or "columns" not in view:
            raise AnswerUnreadable(self.url, "a dataset's metadata", "JSON without `columns`")
        if view.get("viewType", "tabular") != "tabular":
            raise SourceNotFound(f"A table {self._id}", self.url, f"it is of type {view['viewType']!r} there")
        with shaped_as("a dataset's columns", self.url):
            columns = tuple(
                PortalColumn(c["fieldName"], kind, _ARROW_TYPES.get(kind, pa.string()), c.get("name", ""))
                for c in view["columns"]
                if not c["fieldName"].startswith(
                    ":@computed_region"
                )  # the portal's own joins, not the publisher's data
                for kind in [c["dataTypeName"]]
            )
        return Description(
            url=self.url, title=view.get("name", self._id), columns=columns, row_id=_ROW_ID,
            row_count=self.count(), freshness=_freshness(view),
        )  # fmt: skip

    def count(self) -> int:
        answer = self._get(self.url, {"$select": "count(*) as count"})
        try:
            return int(answer[0]["count"])
        except (LookupError, TypeError, ValueError) as error:
            raise AnswerUnreadable(self.url, "a row count", str(answer)[:100]) from error

    def read(self, description: Description) -> Iterator[pa.RecordBatch]:
        names = [column.name for column in description.columns]
        received = 0
        while True:
            rows = self._get(
                self.url,
                {"$select": ",".join([":id", *names]), "$order": ":id", "$limit": PAGE_ROWS, "$offset": received},
            )
            if not isinstance(rows, list):
                raise AnswerUnreadable(self.url, "a list of rows", str(rows)[:100])
            if not rows:
                return
            # A null is left out of Socrata's JSON, hence `get`; the columns come from the metadata, never from a page.
            with shaped_as("a list of rows", self.url):
                arrays = [to_array([row[":id"] for row in rows], _ROW_ID)]
                arrays += [to_array([row.get(column.name) for row in rows], column) for column in description.columns]
            yield pa.RecordBatch.from_arrays(arrays, schema=description.schema)
            received += len(rows)

    def _get(self, url: str, parameters: dict[str, Any]) -> Any:
        answer = get_json(self._client.session, url, parameters)
        if isinstance(answer, dict) and answer.get("error"):
            raise PortalRefused(url, str(answer.get("message", answer)))
        return answer


def _freshness(view: dict[str, Any]) -> Freshness:
    """`rowsUpdatedAt` changes with the rows; without it we know nothing and load."""
    updated = view.get("rowsUpdatedAt")
    return Freshness(token=None if updated is None else str(updated), link="rowsUpdatedAt")
