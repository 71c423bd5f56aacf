"""After any edits at the portal, a capture that reads only the edits equals a capture that reads everything."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from terminal import serve

from civic_pipeline.catalog import Dataset
from civic_pipeline.demo import DemoPortals
from civic_pipeline.lake import Captured, Lake, capture
from civic_pipeline.lake.manifest import MANIFEST
from civic_pipeline.portals import Access

ITEM, LAYER, FOUR = "0123456789abcdef0123456789abcdef", "Things", "abcd-1234"
Portal = Literal["socrata", "arcgis"]
SOURCES: dict[str, dict[str, Any]] = {
    "socrata": {"portal": "socrata", "domain": "data.town.gov", "id": FOUR, "recorded": "2026-01-01"},
    "arcgis": {"portal": "arcgis", "item": ITEM, "layer": LAYER, "recorded": "2026-01-01"},
}
COLUMNS = {"socrata": {"number": "number", "name": "text"}, "arcgis": {"number": "Integer", "name": "String"}}

# An edit by the publisher, and the number of the row.
Edit = tuple[Literal["insert", "update", "delete", "replace"], int]
EDITS = st.lists(
    st.tuples(st.sampled_from(["insert", "update", "update", "delete", "replace"]), st.integers(1, 40)), max_size=4
)


def take(folder: Path, portals: DemoPortals, portal: Portal, full_read_every_days: int | None) -> Captured:
    dataset = Dataset.model_validate({
        "title": "Things", "publisher": "The town", "subject": "shared", "licence": "not stated", "description": "Things.",
        "source": SOURCES[portal] | {"full_read_every_days": full_read_every_days}, "cadence": "irregular", "key": [],
        "columns": COLUMNS[portal], "volume": {"shrink_at_most": "100%"},
    })  # fmt: skip
    return capture("town/things", dataset, Lake(folder), Access(root=portals.url))


def rows(folder: Path, captured: Captured) -> pa.Table:
    (file,) = Lake(folder).files(captured.manifest)
    table = pq.read_table(file)
    return table.sort_by(captured.manifest.parts[0].row_id or "").select(
        [name for name in table.column_names if name != "_updated_at"]
    )


def edit(portals: DemoPortals, what: str, number: int) -> None:
    match what:
        case "insert":
            portals.insert("things.csv", [{"number": 100 + number, "name": f"new {number}"}])
        case "update":
            portals.update("things.csv", f"number % {number} = 0", {"name": f"edited {number}"})
        case "delete":
            portals.delete("things.csv", f"number = {number}")
        case _:
            portals.replace("things.csv")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = serve(
        tmp_path_factory.mktemp("served"),
        {"file": "things.csv", "item": ITEM, "layer": LAYER, "socrata": FOUR, "edit_tracking": True},
    )
    lines = [f"{number},thing {number}" for number in range(1, 31)]
    (folder / "things.csv").write_text("\n".join(["number,name", *lines]), encoding="utf-8")
    return folder


@pytest.mark.parametrize("portal", ["socrata", "arcgis"])
@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(EDITS, min_size=1, max_size=3))
def test_reading_only_the_edits_equals_a_full_read(
    served: Path, tmp_path_factory: pytest.TempPathFactory, portal: Portal, history: list[list[Edit]]
) -> None:
    by_edits, in_full = tmp_path_factory.mktemp("edits"), tmp_path_factory.mktemp("full")
    with DemoPortals(served) as portals:
        take(by_edits, portals, portal, 7)
        for night in history:
            for what, number in night:
                edit(portals, what, number)
            assert rows(by_edits, take(by_edits, portals, portal, 7)).equals(
                rows(in_full, take(in_full, portals, portal, None))
            )


@pytest.mark.parametrize("portal", ["socrata", "arcgis"])
def test_only_the_edits_are_read_until_a_full_read_is_due(served: Path, tmp_path: Path, portal: Portal) -> None:
    with DemoPortals(served) as portals:
        first = take(tmp_path, portals, portal, 7).manifest
        # The rows are old: otherwise the overlap of one day would include all of them.
        portals.update("things.csv", "number = 3", {"name": "edited"})
        (part,) = take(tmp_path, portals, portal, 7).manifest.parts
        assert part.full_read_at == first.parts[0].full_read_at
        assert (part.counted, part.landed, part.distinct) == (30, 30, 30)

        newest = Lake(tmp_path).accepted("town/things")
        assert newest is not None
        long_ago = (datetime.now(UTC) - timedelta(days=8)).isoformat()
        manifest = tmp_path / newest.capture_id / MANIFEST
        manifest.write_text(manifest.read_text().replace(part.full_read_at, long_ago))
        portals.update("things.csv", "number = 4", {"name": "edited"})
        (later,) = take(tmp_path, portals, portal, 7).manifest.parts
        assert later.full_read_at > part.full_read_at


@pytest.mark.parametrize("portal", ["socrata", "arcgis"])
def test_an_edit_that_becomes_visible_late_is_read(served: Path, tmp_path: Path, portal: Portal) -> None:
    with DemoPortals(served) as portals:
        take(tmp_path, portals, portal, 7)
        portals.update("things.csv", "number = 4", {"name": "edited"})
        data = portals.file("things.csv").data
        with data._editing() as (cursor, _):
            cursor.execute(f"update {data.table} set updated_at = updated_at - interval 1 hour where number = 4")
        assert "edited" in rows(tmp_path, take(tmp_path, portals, portal, 7))["name"].to_pylist()


@pytest.mark.parametrize("portal", ["socrata", "arcgis"])
def test_a_deletion_is_detected_by_the_count_and_causes_a_full_read(
    served: Path, tmp_path: Path, portal: Portal
) -> None:
    with DemoPortals(served) as portals:
        first = take(tmp_path, portals, portal, 7).manifest.parts[0]
        portals.delete("things.csv", "number = 3")
        (part,) = take(tmp_path, portals, portal, 7).manifest.parts
    assert part.landed == 29
    assert part.full_read_at > first.full_read_at
