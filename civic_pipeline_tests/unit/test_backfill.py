"""Backfill: an older file becomes the capture of its day, or nothing is stored."""

import gzip
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import shapely
from tiny_project import TinyProject

from civic_pipeline.catalog import Dataset, Points
from civic_pipeline.errors import (
    AlreadyThere,
    BackfillRefused,
    FileUnreadable,
    ProfileMixed,
    ShapeUnknown,
    SourceEmpty,
)
from civic_pipeline.lake import Manifest, backfill
from civic_pipeline.lake.capture import _known_urls
from civic_pipeline.warehouse.captured import capture_sql

DAY = datetime(2015, 4, 14, tzinfo=UTC)
TEXT = "payment_no,Paid_On,Amount,Memo\n1,1/5/2015,$10.00, padded \n2,,n/a,\n2,,n/a,\n"


def load(tiny: TinyProject, content: bytes, name: str = "old.csv", at: datetime = DAY) -> Manifest:
    file = tiny.settings.root / name
    file.write_bytes(content)
    return backfill(tiny.name, tiny.dataset, tiny.lake, file, at, "demo")


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_is_stored_with_its_own_columns(tiny: TinyProject, compressed: bool) -> None:
    content = gzip.compress(TEXT.encode()) if compressed else TEXT.encode()
    manifest = load(tiny, content)
    (part,) = manifest.parts
    assert part.counted == part.landed == part.counted_after == 3
    assert part.freshness_token == hashlib.sha256(content).hexdigest()
    assert (part.url, manifest.captured_at, manifest.held_back) == ("old.csv", "2015-04-14T00:00:00+00:00", None)
    assert manifest.capture_id == "town/payments/2015-04-14T000000.000000Z"
    assert manifest.backfilled_at is not None
    landed = pq.read_table(*tiny.lake.files(manifest)).drop_columns(["_row"])
    assert landed.column_names == ["payment_no", "Paid_On", "Amount", "Memo"]
    assert [tuple(row.values()) for row in landed.to_pylist()] == [
        ("1", "1/5/2015", "$10.00", " padded "), ("2", None, "n/a", None), ("2", None, "n/a", None),
    ]  # fmt: skip
    tiny.lake.verify(manifest)


EXPORT = "\ufeffX,Y,payment_no,Paid_On,Amount\n1420000.5,593000.25,1,1/5/2015,1\n ,,2,1/5/2015,1\n0,0,3,1/5/2015,1\n"


def with_points(tiny: TinyProject) -> TinyProject:
    points = Points(x="x", y="y", system="EPSG:2248")
    return replace(tiny, dataset=tiny.dataset.model_copy(update={"points": points}))


def test_the_points_of_an_export_in_feet_become_its_geometry_in_degrees(tiny: TinyProject) -> None:
    """Maryland State Plane, feet: 1420000.5 and 593000.25 are -76.6196 and 39.2943; 0 and 0 are a place far away, which a row rule finds."""
    tiny = with_points(tiny)
    manifest = load(tiny, EXPORT.encode())
    (part,) = manifest.parts
    landed = pq.read_table(*tiny.lake.files(manifest))
    assert landed.column_names == ["_row", "X", "Y", "payment_no", "Paid_On", "Amount", "_geometry"]
    assert landed["X"].to_pylist() == ["1420000.5", " ", "0"]
    first, blank, zero = (shapely.from_wkb(wkb) for wkb in landed["_geometry"].to_pylist())
    assert (first.x, first.y) == (pytest.approx(-76.6196, abs=1e-4), pytest.approx(39.2943, abs=1e-4))
    assert blank is None
    assert (zero.x, zero.y) == (pytest.approx(-81.53, abs=0.01), pytest.approx(37.58, abs=0.1))
    assert part.reference_system == "EPSG:4326"


@pytest.mark.parametrize("header", ["payment_no,Paid_On,Amount", "X,payment_no,Paid_On,Amount"])
def test_an_export_without_points_has_no_geometry(tiny: TinyProject, header: str) -> None:
    values = ",".join("1" for _ in header.split(","))
    manifest = load(with_points(tiny), f"{header}\n{values}\n".encode())
    assert "_geometry" not in pq.read_schema(*tiny.lake.files(manifest)).names


def test_a_coordinate_that_is_no_number_is_an_error(tiny: TinyProject) -> None:
    with pytest.raises(FileUnreadable, match=r"a coordinate is no number.*west"):
        load(with_points(tiny), EXPORT.replace("1420000.5", "west").encode())
    assert tiny.lake.captures(tiny.name) == []


def test_a_geojson_file_can_be_backfilled(tiny: TinyProject) -> None:
    feature = {"type": "Feature", "geometry": None, "properties": {"Payment_No": "1", "Paid_On": "x", "Amount": "1"}}
    layer = json.dumps({"type": "FeatureCollection", "features": [feature, feature]}).encode()
    assert load(tiny, layer, "layer.geojson").rows == 2


def test_a_newer_capture_stays_the_accepted_one(tiny: TinyProject) -> None:
    newer = tiny.capture([("7", "2026-01-01", "1.00")])
    load(tiny, TEXT.encode())
    assert tiny.lake.accepted(tiny.name) == newer
    assert [c.captured_at[:10] for c in tiny.lake.captures(tiny.name)] == ["2015-04-14", "2026-01-02"]
    assert tiny.lake.accepted(tiny.name, by=datetime(2020, 1, 1, tzinfo=UTC)) == tiny.lake.captures(tiny.name)[0]


def test_the_path_of_a_file_is_not_used_as_the_url_of_the_portal(tiny: TinyProject) -> None:
    assert _known_urls(load(tiny, TEXT.encode(), at=datetime.now(UTC))) == {}


def refused(tiny: TinyProject, content: str = TEXT, at: datetime = DAY) -> None:
    """Load; after an error the lake must be unchanged."""
    before = sorted(tiny.settings.lake.rglob("*.parquet"))
    try:
        load(tiny, content.encode(), at=at)
    finally:
        assert sorted(tiny.settings.lake.rglob("*.parquet")) == before
        assert not [p for p in tiny.settings.lake.glob("town/payments/*/") if not (p / "manifest.json").exists()]


def test_a_refused_file_leaves_nothing_in_the_lake(tiny: TinyProject) -> None:
    with pytest.raises(BackfillRefused, match="2092-01-01T00:00Z is in the future"):
        refused(tiny, at=datetime(2092, 1, 1, tzinfo=UTC))
    with pytest.raises(ShapeUnknown, match=r"old.csv lacks Paid_On, Amount .* no entry of `earlier_shapes` matches it"):
        refused(tiny, "Payment_No,Day\n1,2\n")
    with pytest.raises(SourceEmpty, match=r"old\.csv counts 0 rows"):
        refused(tiny, "Payment_No,Paid_On,Amount\n")
    with pytest.raises(FileUnreadable, match="line 2 has 1 value"):
        refused(tiny, "Payment_No,Paid_On,Amount\n1\n")


def test_a_second_file_for_the_same_moment_is_an_error(tiny: TinyProject) -> None:
    load(tiny, TEXT.encode())
    with pytest.raises(AlreadyThere, match=r"payments/2015-04-14T000000\.000000Z already exists"):
        refused(tiny)


def test_a_lake_of_the_other_profile_is_an_error(tiny: TinyProject) -> None:
    load(tiny, TEXT.encode())
    with pytest.raises(ProfileMixed, match="captures of the demo portals"):
        backfill(tiny.name, tiny.dataset, tiny.lake, Path("old.csv"), datetime(2016, 1, 1, tzinfo=UTC), "live")


def test_a_file_cannot_replace_a_dataset_of_editions(tiny: TinyProject) -> None:
    source = {
        "portal": "socrata",
        "domain": "data.town.gov",
        "editions": {"2025": "abcd-1234"},
        "recorded": "2026-01-01",
    }
    text = tiny.dataset.model_dump() | {"source": source, "volume": {"shrink_at_most": "1%"}}
    with pytest.raises(
        BackfillRefused, match="has the editions 2025, and a file has only one; say which with --edition"
    ):
        refused(TinyProject(tiny.settings, Dataset.model_validate(text)))


def test_time_zones_apply_only_to_columns_of_the_declared_type(tiny: TinyProject) -> None:
    columns = {"columns": {"Payment_No": "text", "Paid_On": "date", "Amount": "text"}}
    text = (
        tiny.dataset.model_dump()
        | columns
        | {"time_zones": {"Paid_On": "date_only"}, "volume": {"shrink_at_most": "1%"}}
    )
    dated = TinyProject(tiny.settings, Dataset.model_validate(text))
    load(dated, TEXT.encode())
    copy = dated.lake.accepted(dated.name, datetime.now(UTC))
    assert copy
    with dated.build() as build:
        sql = capture_sql(dated.lake, dated.dataset, copy)
        rows = build.connection.execute(f"select Paid_On from ({sql}) where Payment_No = '1'").fetchall()
    assert rows == [("1/5/2015",)], "dates of a file are text; the clean model parses them"
