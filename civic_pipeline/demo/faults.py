"""The failures of real portals, each off until it is asked for: in `portal.yml` below a file, or from a test.

Evidence for each is in the trackers of the portals' clients; none is invented.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from civic_pipeline.catalog import Strict
from civic_pipeline.demo.columns import Kind

Times = Annotated[int, Field(ge=0)] | Literal["always"]
"""How many requests a fault strikes before it passes."""

Count = Annotated[int, Field(ge=0)]
Rows = Annotated[int, Field(ge=1)]


class Faults(Strict):
    """One field per fault. A page request asks for rows; a data request for rows, counts, ids or a file.

    `Times` are counted per path, so that a burst strikes each layer and each endpoint of its own.
    """

    # Time and throttling
    latency_ms: Count = 0
    after_pages: Count = 0  # page requests answered well before any of the faults counted in Times begins
    burst_requests: Times = 0  # data requests answered with `burst_status`
    burst_status: Literal[202, 429, 500, 502, 503, 504] = 429
    retry_after: Count | None = None  # seconds in the Retry-After of a burst; None sends no such header

    # Answers that are no rows
    error_body: Times = 0  # page requests answered 200 with the protocol's own error
    error_code: int = 500
    error_message: str = "Unable to complete operation."
    error_details: Literal["null", "absent", "empty", "text"] = "null"
    token_required: bool = False  # ArcGIS: 499 inside 200; elsewhere 403
    heavy_rows: Rows | None = None  # page requests for more rows than this fail
    heavy_code: Literal[400, 500, 504] = 500  # inside the body of ArcGIS, as the HTTP status elsewhere

    # Answers that are damaged (HTTP 200 all)
    html_page: Times = 0  # a page of HTML instead of rows
    html_appended: Times = 0  # good JSON with HTML after it
    empty_body: Times = 0
    truncated_json: Times = 0  # half the JSON, whole as far as HTTP can tell
    dropped_connection: Times = 0  # less than Content-Length promised
    nan: Literal["bare", "text"] | None = None  # missing numbers and coordinates are NaN, or "NaN", instead of null

    # Pages
    short_pages: Rows | None = None  # most rows in a page, whatever was asked and is advertised
    never_flags: bool = False  # exceededTransferLimit is never sent, as by ArcGIS before 10.3.1
    flags_always: bool = False  # exceededTransferLimit even on the last page
    flagged_empty_at: Count | None = None  # the page that holds the row at this offset comes flagged and empty
    flagged_empty_times: Times = 1
    no_paging: Literal["denied", "absent"] | None = None  # what the layer says of supportsPagination; offsets refused
    paging_lies: bool = False  # resultOffset is taken and ignored
    empty_with_geometry: bool = False  # pages come empty unless returnGeometry=false
    no_field_list_in_pages: bool = False  # outFields other than * refused together with resultOffset
    no_post: bool = False
    no_long_urls: bool = False  # 414 from 2,000 characters
    no_ids_only: bool = False  # returnIdsOnly refused

    # Object ids
    object_ids: Literal["sparse", "huge", "float"] | None = None  # where the file has no OBJECTID of its own
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
    moved_to_service: str | None = Field(default=None, pattern=r"^\w+$")  # the item's url follows, the old name is gone
    layer_number: Count | None = None  # a group layer and other layers take the numbers before it
    item_gone: bool = False
    home_page: bool = False  # the old host answers everything with its home page

    # Edits while a client reads
    edit_after_pages: Rows | None = None  # rows really change once so many page requests were answered
    edit: Literal["insert", "update", "delete"] = "delete"
    edit_rows: Rows = 1
    edits_forever: bool = False  # and again after as many page requests more

    # OpenDataSoft exports
    export_breaks_after: Count | None = None  # rows, then "Streaming interrupted ..." inside the 200
    export_short_by: Count = 0  # rows silently missing at the end
    calls_left: Count | None = None  # data requests until the day's quota is used: X-RateLimit headers, then 429

    # Files
    no_validators: bool = False  # neither ETag nor Last-Modified

    def over(self, default: "Faults") -> "Faults":
        """These faults, and those of `default` that are not mentioned here."""
        return default.model_copy(update={name: getattr(self, name) for name in self.model_fields_set})

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a file that drift."""
        return (*self.hidden_columns, *self.renamed_columns, *self.retyped_columns)
