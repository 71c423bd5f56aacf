"""Faults of real portals that the demo portals can inject: set in `portal.yml` for a file, or by a test.

All are off by default. Each was reported in an issue tracker of a client of these portals.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from civic_pipeline.catalog import Strict
from civic_pipeline.demo.columns import Kind

Times = Annotated[int, Field(ge=0)] | Literal["always"]
"""The number of requests in which a fault occurs before it stops."""

Count = Annotated[int, Field(ge=0)]
Rows = Annotated[int, Field(ge=1)]


class Faults(Strict):
    """One field per fault. A page request is for rows; a data request is for rows, counts, ids or a file.

    `Times` are counted per path, so every layer and every endpoint has its own count.
    """

    # Time and throttling
    latency_ms: Count = 0
    after_pages: Count = 0  # good page responses before the faults of type Times begin
    burst_requests: Times = 0  # data requests that get `burst_status`
    burst_status: Literal[202, 429, 500, 502, 503, 504] = 429
    retry_after: Count | None = None  # seconds in the Retry-After header of a burst; None: no header

    # Errors instead of rows
    error_body: Times = 0  # page requests that get HTTP 200 with an error of the protocol
    error_code: int = 500
    error_message: str = "Unable to complete operation."
    error_details: Literal["null", "absent", "empty", "text"] = "null"
    token_required: bool = False  # ArcGIS: error 499 with HTTP 200; other protocols: HTTP 403
    heavy_rows: Rows | None = None  # page requests for more rows than this fail
    heavy_code: Literal[400, 500, 504] = 500  # ArcGIS: in the body; other protocols: the HTTP status

    # Damaged responses, all with HTTP 200
    html_page: Times = 0  # a page of HTML instead of rows
    html_appended: Times = 0  # good JSON with HTML after it
    empty_body: Times = 0
    truncated_json: Times = 0  # half of the JSON, with a matching Content-Length
    dropped_connection: Times = 0  # fewer bytes than Content-Length states
    nan: Literal["bare", "text"] | None = None  # missing numbers and coordinates are NaN, or "NaN", instead of null

    # Pages
    short_pages: Rows | None = None  # the most rows of a page, less than requested and advertised
    never_flags: bool = False  # exceededTransferLimit is never sent, as in ArcGIS before 10.3.1
    flags_always: bool = False  # exceededTransferLimit even on the last page
    flagged_empty_at: Count | None = None  # the page with the row at this offset is empty, with the flag set
    flagged_empty_times: Times = 1
    no_paging: Literal["denied", "absent"] | None = None  # value of supportsPagination; offsets are rejected
    paging_lies: bool = False  # resultOffset is accepted and ignored
    empty_with_geometry: bool = False  # pages are empty unless returnGeometry=false
    no_field_list_in_pages: bool = False  # outFields other than * is rejected together with resultOffset
    no_post: bool = False
    no_long_urls: bool = False  # HTTP 414 above 2,000 characters
    no_ids_only: bool = False  # returnIdsOnly is rejected

    # Object ids
    object_ids: Literal["sparse", "huge", "float"] | None = None  # only for files without an OBJECTID column
    repeated_ids: Count = 0  # rows that share the object id of the row before them

    # Counts
    count_off_by: int = 0  # added to every count
    count_fails: Times = 0

    # Freshness
    freshness: Literal["metadata", "truth_header", "last_modified_header", "view_last_modified", "none"] = "metadata"

    # Schema drift, in metadata and rows alike
    hidden_columns: tuple[str, ...] = ()
    renamed_columns: Mapping[str, str] = Field(default_factory=dict)
    added_columns: Mapping[str, Kind] = Field(default_factory=dict)
    retyped_columns: Mapping[str, Kind] = Field(default_factory=dict)

    # Moves
    moved_to_service: str | None = Field(
        default=None, pattern=r"^\w+$"
    )  # the item points to this service; the old name no longer exists
    layer_number: Count | None = None  # a group layer and other layers have the numbers before it
    item_gone: bool = False
    home_page: bool = False  # every request gets the home page of the host

    # Edits while a client reads
    edit_after_pages: Rows | None = None  # rows change after this many page responses
    edit: Literal["insert", "update", "delete"] = "delete"
    edit_rows: Rows = 1
    edits_forever: bool = False  # again after every `edit_after_pages` page responses

    # OpenDataSoft exports
    export_breaks_after: Count | None = None  # rows, then "Streaming interrupted ..." with HTTP 200
    export_short_by: Count = 0  # rows missing at the end, without an error
    calls_left: Count | None = (
        None  # data requests until the daily quota is used up: X-RateLimit headers, then HTTP 429
    )

    # Files
    no_validators: bool = False  # neither ETag nor Last-Modified

    def over(self, default: "Faults") -> "Faults":
        """Return `default` with the faults that are set here."""
        return default.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that these faults hide, rename or retype."""
        return (*self.hidden_columns, *self.renamed_columns, *self.retyped_columns)
