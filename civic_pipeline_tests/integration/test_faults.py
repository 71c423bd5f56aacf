"""All known failures of portals, over HTTP: either all rows land, or the error names the cause."""

import csv
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from faulty import faulty
from terminal import serve

from civic_pipeline.catalog import Dataset
from civic_pipeline.demo import DemoPortals
from civic_pipeline.errors import (
    AnswerUnreadable,
    CaptureNotVerified,
    CivicError,
    PortalOverloaded,
    PortalRefused,
    PortalUnreachable,
    SchemaDrifted,
    SourceChangedDuringRead,
    SourceNotFound,
)
from civic_pipeline.lake import Captured, Lake, capture
from civic_pipeline.lake.manifest import Part
from civic_pipeline.portals import Access, arcgis, http, socrata

ITEM, LAYER, FOUR = "0123456789abcdef0123456789abcdef", "Things", "abcd-1234"
SOURCES: dict[str, dict[str, Any]] = {
    "socrata": {"portal": "socrata", "domain": "data.town.gov", "id": FOUR, "recorded": "2026-01-01"},
    "arcgis": {"portal": "arcgis", "item": ITEM, "layer": LAYER, "recorded": "2026-01-01"},
}
COLUMNS = {
    "socrata": {"number": "number", "name": "text", "amount": "number"},
    "arcgis": {"number": "Integer", "name": "String", "amount": "Double"},
}
ROWS = [(number, f"thing {number}", None if number % 7 == 0 else number / 4) for number in range(1, 61)]
PAGE = 7


@pytest.fixture(autouse=True)
def small_pages_without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for portal in (arcgis, socrata):
        monkeypatch.setattr(portal, "page_rows", lambda *_: PAGE)
    monkeypatch.setattr(http, "pause", lambda _: None)


@dataclass(frozen=True)
class Served:
    """One table of 60 rows, served with faults and captured into its own lake."""

    folder: Path

    def portals(self, **faults: Any) -> AbstractContextManager[DemoPortals]:
        return faulty(self.folder / "served", **faults)

    @property
    def lake(self) -> Lake:
        return Lake(self.folder / "lake")

    def take(
        self,
        portals: DemoPortals,
        portal: str,
        token: str | None = None,
        columns: dict[str, str] | None = None,
        **source: Any,
    ) -> Captured:
        dataset = Dataset.model_validate({
            "title": "Things", "publisher": "The town", "subject": "shared", "licence": "not stated", "description": "Things.",
            "source": SOURCES[portal] | source, "cadence": "irregular", "key": [], "columns": columns or COLUMNS[portal],
            "volume": {"shrink_at_most": "100%"},
        })  # fmt: skip
        return capture("town/things", dataset, self.lake, Access(root=portals.url, socrata_token=token))

    def landed(self, captured: Captured) -> pa.Table:
        (file,) = self.lake.files(captured.manifest)
        return pq.read_table(file)

    def is_whole(self, captured: Captured) -> bool:
        """Return whether the capture has every row exactly once, with its values."""
        rows = self.landed(captured).select(["number", "name", "amount"]).to_pylist()
        values = sorted(
            (int(r["number"]), r["name"], None if r["amount"] is None else float(r["amount"])) for r in rows
        )
        return values == ROWS


@pytest.fixture
def served(tmp_path: Path) -> Served:
    folder = serve(tmp_path / "served", {"file": "things.csv", "item": ITEM, "layer": LAYER, "socrata": FOUR})
    with (folder / "things.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("number", "name", "amount"), *ROWS])
    return Served(tmp_path)


def part_of(captured: Captured) -> Part:
    (part,) = captured.manifest.parts
    return part


BOTH = ("socrata", "arcgis")
# What a portal does -> the portals that are known to do it, and the faults that simulate it.
SURVIVED: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "throttles": (BOTH, {"burst_requests": 2, "burst_status": 429, "retry_after": 0}),
    "throttles without Retry-After": (BOTH, {"burst_requests": 2, "burst_status": 429}),
    "is down for a short time": (BOTH, {"burst_requests": 2, "burst_status": 503}),
    "is still computing": (("socrata",), {"burst_requests": 2, "burst_status": 202}),
    "fails in the middle": (BOTH, {"after_pages": 4, "burst_requests": 1, "burst_status": 500}),
    "sends an error inside a 200": (BOTH, {"error_body": 1}),
    "sends an error inside a 200 late": (BOTH, {"after_pages": 3, "error_body": 1}),
    "sends an error without details": (("arcgis",), {"error_body": 1, "error_details": "absent"}),
    "fails on many rows": (BOTH, {"heavy_rows": 3}),
    "fails on many rows with code 400": (("arcgis",), {"heavy_rows": 3, "heavy_code": 400}),
    "times out on many rows": (("socrata",), {"heavy_rows": 2, "heavy_code": 504}),
    "sends a page of HTML": (BOTH, {"html_page": 1}),
    "sends HTML after the JSON": (BOTH, {"html_appended": "always"}),
    "sends an empty body": (BOTH, {"empty_body": 1}),
    "truncates the JSON": (BOTH, {"truncated_json": 1}),
    "drops the connection": (BOTH, {"dropped_connection": 1}),
    "writes NaN for a missing value": (("arcgis",), {"nan": "bare"}),
    "writes NaN in quotes": (("arcgis",), {"nan": "text"}),
    "sends shorter pages than it states": (BOTH, {"short_pages": 3}),
    "never flags that more follow": (("arcgis",), {"never_flags": True, "short_pages": 5}),
    "always flags that more follow": (("arcgis",), {"flags_always": True}),
    "sends an empty page although more follow": (("arcgis",), {"flagged_empty_at": 15}),
    "sends an empty page for ever": (("arcgis",), {"flagged_empty_at": 15, "flagged_empty_times": "always"}),
    "cannot page": (("arcgis",), {"no_paging": "denied"}),
    "does not state that it can page": (("arcgis",), {"no_paging": "absent"}),
    "states that it can page and repeats the first page": (("arcgis",), {"paging_lies": True}),
    "can neither page nor list its ids": (("arcgis",), {"no_paging": "denied", "no_ids_only": True}),
    "sends empty pages, lists no ids and always flags": (
        ("arcgis",), {"no_ids_only": True, "flagged_empty_at": 0, "flagged_empty_times": "always", "flags_always": True},
    ),
    "has sparse ids": (("arcgis",), {"object_ids": "sparse"}),
    "has huge ids": (("arcgis",), {"object_ids": "huge", "no_paging": "denied"}),
    "has ids with a fraction": (("arcgis",), {"object_ids": "float", "no_paging": "denied"}),
    "fails to count at first": (BOTH, {"count_fails": 1}),
    "moved to another service": (("arcgis",), {"moved_to_service": "New_Things"}),
    "moved to another layer number": (("arcgis",), {"layer_number": 4}),
    "does not state when it changed": (BOTH, {"freshness": "none"}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("does", "portal"), [(does, portal) for does, (which, _) in SURVIVED.items() for portal in which]
)
def test_all_rows_land_from_a_portal_that(does: str, portal: str, served: Served) -> None:
    with served.portals(**SURVIVED[does][1]) as portals:
        captured = served.take(portals, portal)
    assert served.is_whole(captured)
    part = part_of(captured)
    assert (part.counted, part.landed, part.counted_after) == (60, 60, 60)
    assert (part.distinct, part.reused_ids) == (60, 0)


REJECTED: dict[str, tuple[tuple[str, ...], dict[str, Any], type[CivicError], str]] = {
    "throttles for ever": (BOTH, {"burst_requests": "always", "burst_status": 429}, PortalUnreachable, "HTTP 429"),
    "is down": (BOTH, {"burst_requests": "always", "burst_status": 503}, PortalOverloaded, "HTTP 503"),
    "fails for every page size": (BOTH, {"error_body": "always"}, PortalOverloaded, "Unable to complete operation"),
    "requires a token": (("socrata",), {"token_required": True}, PortalRefused, "403"),
    "requires a token for the item": (("arcgis",), {"token_required": True}, SourceNotFound, "Token Required"),
    "sends HTML for ever": (BOTH, {"html_page": "always"}, AnswerUnreadable, "an HTML page"),
    "truncates the JSON for ever": (BOTH, {"truncated_json": "always"}, AnswerUnreadable, "broken JSON"),
    "sends an empty body for ever": (BOTH, {"empty_body": "always"}, AnswerUnreadable, "an empty body"),
    "drops every connection": (BOTH, {"dropped_connection": "always"}, PortalUnreachable, "Connection broken|IncompleteRead"),
    "counts too many": (BOTH, {"count_off_by": 5}, CaptureNotVerified, "counted 65 rows .*; 60 rows were read"),
    "counts too few": (BOTH, {"count_off_by": -5}, CaptureNotVerified, "counted 55 rows .*; 60 rows were read"),
    "never counts": (BOTH, {"count_fails": "always"}, PortalUnreachable, "Unable to complete operation"),
    "is edited all the time": (
        BOTH, {"edit_after_pages": 2, "edits_forever": True, "edit": "update"}, SourceChangedDuringRead, "the portal's date of the data changed",
    ),
    "loses rows all the time": (
        BOTH, {"edit_after_pages": 2, "edits_forever": True, "freshness": "none"}, CaptureNotVerified, "rows were read",
    ),
    "dropped a column": (BOTH, {"hidden_columns": ("amount",)}, SchemaDrifted, "missing columns: amount"),
    "renamed a column": (BOTH, {"renamed_columns": {"amount": "amount_usd"}}, SchemaDrifted, "similar names: amount_usd"),
    "has moved to another host": (BOTH, {"home_page": True}, AnswerUnreadable, "HTML page"),
    "lost the item": (("arcgis",), {"item_gone": True}, SourceNotFound, ITEM),
}  # fmt: skip


@pytest.mark.parametrize(
    ("does", "portal"), [(does, portal) for does, (which, *_) in REJECTED.items() for portal in which]
)
def test_nothing_is_kept_from_a_portal_that(does: str, portal: str, served: Served) -> None:
    _, faults, error, message = REJECTED[does]
    with served.portals(**faults) as portals, pytest.raises(error, match=message):
        served.take(portals, portal)
    assert served.lake.captures("town/things") == []
    assert list((served.lake.folder / "town" / "things").glob("*/")) == []


@pytest.mark.parametrize("portal", BOTH)
@pytest.mark.parametrize("edit", ["insert", "update", "delete"])
def test_a_source_that_is_edited_once_during_a_read_is_read_again(portal: str, edit: str, served: Served) -> None:
    with served.portals(edit_after_pages=3, edit=edit, edit_rows=2) as portals:
        captured = served.take(portals, portal)
        again = served.take(portals, portal)
    part = part_of(captured)
    assert part.counted == part.landed == part.distinct == {"insert": 62, "update": 60, "delete": 58}[edit]
    assert again.status == "unchanged"


def test_a_complete_range_of_ids_is_not_requested_again_even_if_it_is_flagged(served: Served) -> None:
    with served.portals(no_paging="denied", flags_always=True) as portals:
        captured = served.take(portals, "arcgis")
    assert served.is_whole(captured)
    assert part_of(captured).requests < 2 * 60 / PAGE


def test_rows_that_share_an_object_id_are_all_kept_and_counted(served: Served) -> None:
    with served.portals(repeated_ids=9) as portals:
        captured = served.take(portals, "arcgis")
    assert served.is_whole(captured)
    assert (part_of(captured).landed, part_of(captured).distinct, part_of(captured).reused_ids) == (60, 51, 9)


def test_more_rows_share_an_object_id_than_fit_into_a_page(served: Served) -> None:
    with served.portals(repeated_ids=25, short_pages=4) as portals:
        captured = served.take(portals, "arcgis")
    assert served.is_whole(captured)
    assert part_of(captured).reused_ids == 25


@pytest.mark.parametrize("portal", BOTH)
def test_the_cost_of_a_read_is_in_the_manifest(portal: str, served: Served) -> None:
    with served.portals(heavy_rows=3, html_page=1) as portals:
        captured = served.take(portals, portal)
        request_count = len(portals.requests)
    part = part_of(captured)
    assert part.requests == request_count
    assert part.retries >= 1
    assert part.pages_halved >= 1
    assert part.received_bytes > 60 * 20


@pytest.mark.parametrize("portal", BOTH)
@pytest.mark.parametrize("at_once", [1, 2])
def test_the_number_of_parallel_requests_has_a_limit(portal: str, at_once: int, served: Served) -> None:
    with served.portals(latency_ms=20) as portals:
        assert served.is_whole(served.take(portals, portal, requests_at_once=at_once))
        assert portals.most_at_once == at_once


@pytest.mark.parametrize(
    ("portal", "freshness", "link"),
    [
        ("socrata", "metadata", "rowsUpdatedAt"), ("socrata", "truth_header", "X-SODA2-Truth-Last-Modified"),
        ("socrata", "last_modified_header", "Last-Modified"), ("socrata", "view_last_modified", "viewLastModified"),
        ("arcgis", "metadata", "editingInfo.dataLastEditDate"),
    ],
)  # fmt: skip
def test_every_kind_of_date_shows_that_a_source_is_unchanged(
    portal: str, freshness: str, link: str, served: Served
) -> None:
    with served.portals(freshness=freshness) as portals:
        assert part_of(served.take(portals, portal)).freshness_link == link
        assert served.take(portals, portal).status == "unchanged"
        portals.update("things.csv", "number = 1", {"name": "another thing"})
        assert served.take(portals, portal).status == "captured"


@pytest.mark.parametrize("portal", BOTH)
def test_a_source_without_a_date_is_read_every_time(portal: str, served: Served) -> None:
    with served.portals(freshness="none") as portals:
        first = served.take(portals, portal)
        requests_before = len(portals.requests)
        again = served.take(portals, portal)
        assert len(portals.requests) - requests_before > 3  # all rows were read, not only the metadata
        assert (first.status, again.status, again.manifest) == ("captured", "unchanged", first.manifest)
        assert len(served.lake.captures("town/things")) == 1  # the same bytes are stored once
        portals.update("things.csv", "number = 1", {"name": "another thing"})
        assert served.take(portals, portal).status == "captured"


def test_soda3_is_used_with_a_token_and_returns_the_same_rows(served: Served) -> None:
    with served.portals() as portals:
        captured = served.take(portals, "socrata", token="any")
        assert [request for request in portals.requests if request.path.startswith("/api/v3/")]
    assert served.is_whole(captured)


def test_a_portal_that_rejects_posts_is_read_with_soda_2(served: Served) -> None:
    with served.portals(no_post=True) as portals:
        captured = served.take(portals, "socrata", token="any")
    assert served.is_whole(captured)


@pytest.mark.parametrize(
    "names", [[f"a_column_with_a_long_name_{n}" for n in range(90)], [f"c{n}" for n in range(500)]]
)
def test_a_socrata_table_with_many_columns_is_requested_with_a_short_address(served: Served, names: list[str]) -> None:
    (served.folder / "served" / "things.csv").write_text(f"{','.join(names)}\n{','.join('1' for _ in names)}\n")
    with served.portals(no_long_urls=True) as portals:
        captured = served.take(portals, "socrata", columns={names[0]: "number"})
        url = f"{portals.url}/resource/{FOUR}.json"
        assert requests.get(url, params={"$select": ",".join(names)}, timeout=10).status_code == 414
    assert served.landed(captured).select(names).num_rows == 1


def test_pages_of_arcgis_are_requested_without_a_list_of_fields(served: Served) -> None:
    with served.portals(no_field_list_in_pages=True) as portals:
        assert served.is_whole(served.take(portals, "arcgis"))
        query = f"{portals.url}/arcgis/rest/services/{LAYER}/FeatureServer/0/query"
        listed = {"f": "json", "where": "1=1", "outFields": "name,amount", "resultOffset": "7"}
        assert "error" in requests.get(query, params=listed, timeout=10).json()


def test_a_test_fails_if_its_fault_does_not_strike(served: Served) -> None:
    with pytest.raises(AssertionError, match="no_post changed no response"), served.portals(no_post=True) as portals:
        served.take(portals, "arcgis")
