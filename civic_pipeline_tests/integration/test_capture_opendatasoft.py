"""Captures over the OpenDataSoft protocol: every row and value, the number of requests, and faults."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from faulty import faulty

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
    SourceEmpty,
    SourceNotFound,
)
from civic_pipeline.lake import Captured, Lake, capture
from civic_pipeline.portals import Access, http

ROWS = 10_500  # beyond what paging can reach
PORTAL_YML = """
files:
  - file: stops.csv
    opendatasoft: bus-stops
    title: Stops
    types: {Open: checkbox, Place: point, Day: date_only}
"""
COLUMNS = {
    "n": "int", "rate": "double", "name": "text", "at": "datetime", "day": "date", "open": "boolean", "place": "geo_point_2d",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _: None)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "portal.yml").write_text(PORTAL_YML, encoding="utf-8")
    lines = (
        f'{n},{n}.25,"stop; ""{n}"" é",2024-01-31 10:00:00,2024-01-31,true,POINT (-76.6 39.3)\n' for n in range(1, ROWS)
    )
    content = "N,Rate,Name,At,Day,Open,Place\n" + "".join(lines) + f"{ROWS},,,,,,\n"
    (folder / "stops.csv").write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def take(lake: Lake, portals: DemoPortals, dataset_id: str = "bus-stops") -> Captured:
    dataset = Dataset.model_validate({
        "title": "Stops", "publisher": "The town", "subject": "shared", "licence": "not stated", "description": "Stops.", "cadence": "irregular", "key": [],
        "source": {"portal": "opendatasoft", "domain": "data.town.gov", "id": dataset_id, "recorded": "2026-01-01"},
        "columns": COLUMNS, "time_zones": {"day": "date_only"}, "volume": {"shrink_at_most": "0%"},
    })  # fmt: skip
    return capture("town/stops", dataset, lake, Access(root=portals.url))


def rows(lake: Lake, captured: Captured) -> list[dict[str, Any]]:
    (file,) = lake.files(captured.manifest)
    rows_read: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return sorted(rows_read, key=lambda row: row["n"])


def test_all_rows_come_from_one_export_and_an_unchanged_dataset_costs_one_request(served: Path, lake: Lake) -> None:
    with DemoPortals(served) as portals:
        captured = take(lake, portals)
        asked = [answered.path for answered in portals.requests]
        again = take(lake, portals)
        assert len(portals.requests) == len(asked) + 1
    assert [path.rpartition("bus-stops")[2] for path in asked] == ["", "/records", "/exports/jsonl", "/records", ""]
    (part,) = captured.manifest.parts
    assert (part.counted, part.landed, part.counted_after, part.distinct, part.row_id) == (ROWS, ROWS, ROWS, None, None)
    assert part.freshness_link == "metas.default.data_processed"
    assert (again.status, again.manifest) == ("unchanged", captured.manifest)
    rows_read = rows(lake, captured)
    assert [row["n"] for row in rows_read] == list(range(1, ROWS + 1))
    assert rows_read[0] == {
        "n": 1, "rate": Decimal("1.25"), "name": 'stop; "1" é', "at": datetime(2024, 1, 31, 10), "day": date(2024, 1, 31),
        "open": True, "place": '{"lon":-76.6,"lat":39.3}',
    }  # fmt: skip
    assert {value for name, value in rows_read[-1].items() if name != "n"} == {None}


@pytest.mark.parametrize(
    "faults",
    [
        {"html_page": 1}, {"empty_body": 1}, {"truncated_json": 1}, {"dropped_connection": 1}, {"html_appended": 1},
        {"error_body": 1}, {"burst_requests": 2}, {"burst_requests": 2, "burst_status": 503}, {"count_fails": 1},
        {"truncated_json": 2}, {"html_page": 3},
    ],
    ids=str,
)  # fmt: skip
def test_a_temporary_fault_costs_only_retries(served: Path, lake: Lake, faults: dict[str, Any]) -> None:
    with faulty(served, **faults) as portals:
        captured = take(lake, portals)
    assert [row["n"] for row in rows(lake, captured)] == list(range(1, ROWS + 1))


@pytest.mark.parametrize(
    ("faults", "error", "message"),
    [
        ({"export_breaks_after": 100}, PortalOverloaded, "Streaming interrupted due to the following error: Query timed out"),
        ({"export_breaks_after": 0}, PortalOverloaded, "Streaming interrupted"),
        ({"export_short_by": 1}, CaptureNotVerified, "10,499 rows were read"),
        ({"truncated_json": "always"}, AnswerUnreadable, "expected a complete export"),
        ({"html_page": "always"}, AnswerUnreadable, "an HTML page"),
        ({"html_appended": "always"}, AnswerUnreadable, "expected a complete export"),
        ({"empty_body": "always"}, AnswerUnreadable, "an empty body"),
        ({"dropped_connection": "always"}, PortalUnreachable, "could not be reached"),
        ({"burst_requests": "always"}, PortalUnreachable, "HTTP 429"),
        ({"count_off_by": 3}, CaptureNotVerified, "counted 10,503 rows"),
        ({"count_off_by": -ROWS}, SourceEmpty, "counts 0 rows"),
        ({"calls_left": 1}, PortalUnreachable, "HTTP 429"),
        ({"token_required": True}, PortalRefused, "HTTP 403"),
        ({"home_page": True}, AnswerUnreadable, "an HTML page titled 'Open Data'"),
        ({"hidden_columns": ("N",)}, SchemaDrifted, "missing columns: n"),
        ({"retyped_columns": {"Rate": "text"}}, SchemaDrifted, "rate (double -> text)"),
        ({"edit_after_pages": 1, "edit": "update", "edits_forever": True}, SourceChangedDuringRead, "the portal's date of the data changed"),
    ],
    ids=str,
)  # fmt: skip
def test_a_lasting_fault_is_an_error_and_nothing_is_stored(
    served: Path, lake: Lake, faults: dict[str, Any], error: type[CivicError], message: str
) -> None:
    with faulty(served, **faults) as portals, pytest.raises(CivicError) as raised:
        take(lake, portals)
    assert message in str(raised.value)
    assert type(raised.value) is error
    assert lake.newest("town/stops") is None
    assert not list(lake.folder.rglob("*.parquet"))


def test_no_retry_after_the_quota_is_used_up(served: Path, lake: Lake) -> None:
    with faulty(served, calls_left=0) as portals:
        with pytest.raises(PortalUnreachable):
            take(lake, portals)
        assert [answered.status for answered in portals.requests] == [200, 429]


def test_after_an_edit_during_the_export_it_is_read_again(served: Path, lake: Lake) -> None:
    with faulty(served, edit_after_pages=1, edit="delete", edit_rows=2) as portals:
        captured = take(lake, portals)
        assert [a.path.rpartition("/")[2] for a in portals.requests if "exports" in a.path] == ["jsonl", "json"]
    assert captured.manifest.rows == ROWS - 2


def test_an_unknown_dataset_is_an_error(served: Path, lake: Lake) -> None:
    with (
        DemoPortals(served) as portals,
        pytest.raises(SourceNotFound, match="Unknown dataset"),
    ):
        take(lake, portals, "bus-stop")


def test_a_dataset_without_freshness_is_read_every_time_and_stored_once(served: Path, lake: Lake) -> None:
    with faulty(served, freshness="none") as portals:
        assert take(lake, portals).status == "captured"
        asked = len(portals.requests)
        assert take(lake, portals).status == "unchanged"
        assert len(portals.requests) == 2 * asked
