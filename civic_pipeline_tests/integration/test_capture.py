"""Captures over the Socrata and ArcGIS protocols: all pages, values and types, and no more requests than needed."""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from faulty import faulty
from terminal import serve

from civic_pipeline.catalog import Dataset
from civic_pipeline.demo import DemoPortals
from civic_pipeline.demo.exchange import Request, Response
from civic_pipeline.errors import CaptureNotVerified
from civic_pipeline.lake import Captured, Lake, capture
from civic_pipeline.portals import Access, arcgis, socrata

# Times of a portal have no zone; `time_zones` of the dataset says what they mean.
at = datetime.fromisoformat

ITEM, LAYER, FOUR = "0123456789abcdef0123456789abcdef", "Things", "abcd-1234"
SOURCES: dict[str, dict[str, Any]] = {
    "socrata": {"portal": "socrata", "domain": "data.town.gov", "id": FOUR, "recorded": "2026-01-01"},
    "arcgis": {"portal": "arcgis", "item": ITEM, "layer": LAYER, "recorded": "2026-01-01"},
}


class Watched(DemoPortals):
    """Demo portals that record their requests and can change them."""

    def __init__(self, folder: Path, change: Callable[[Request], Request] = lambda request: request) -> None:
        super().__init__(folder)
        self.received: list[Request] = []
        self._change = change

    def answer(self, request: Request) -> Response:
        self.received.append(request)
        return super().answer(self._change(request))

    def pages(self) -> list[Request]:
        """The requests for rows."""
        return [r for r in self.received if "$offset" in r.parameters or "resultOffset" in r.parameters]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def served(folder: Path, header: Sequence[str], rows: Sequence[Sequence[str | None]], **entry: Any) -> Path:
    folder.mkdir(exist_ok=True)
    with (folder / "things.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([header, *rows])
    return serve(folder, {"file": "things.csv", "item": ITEM, "layer": LAYER, "socrata": FOUR, **entry})


def served_shapes(folder: Path, shapes: Sequence[dict[str, Any] | None]) -> Path:
    folder.mkdir()
    (folder / "things.geojson").write_text(json.dumps({
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "geometry": shape, "properties": {"name": f"n{i}"}} for i, shape in enumerate(shapes)],
    }), encoding="utf-8")  # fmt: skip
    return serve(folder, {"file": "things.geojson", "item": ITEM, "layer": LAYER})


def take(lake: Lake, portals: DemoPortals, portal: str, columns: dict[str, str]) -> Captured:
    dataset = Dataset.model_validate({
        "title": "Things", "publisher": "The town", "subject": "shared", "licence": "not stated", "description": "Things.", "source": SOURCES[portal],
        "cadence": "irregular", "key": [], "columns": columns, "volume": {"shrink_at_most": "0%"},
        "time_zones": {name: "utc" for name, kind in columns.items() if kind in {"date", "Date"}},
    })  # fmt: skip
    return capture("town/things", dataset, lake, Access(root=portals.url))


def landed(lake: Lake, captured: Captured) -> pa.Table:
    (file,) = lake.files(captured.manifest)
    return pq.read_table(file)


NUMBERED = [[str(number), f"thing {number}"] for number in range(1, 51)]
COLUMNS = {"socrata": {"number": "number", "name": "text"}, "arcgis": {"number": "Integer", "name": "String"}}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> int:
    for portal in (arcgis, socrata):
        monkeypatch.setattr(portal, "page_rows", lambda *_: 7)
    return 7


@pytest.mark.parametrize("portal", SOURCES)
def test_every_page_is_read_and_every_row_once(lake: Lake, tmp_path: Path, portal: str, small_pages: int) -> None:
    with Watched(served(tmp_path / "served", ["number", "name"], NUMBERED)) as portals:
        captured = take(lake, portals, portal, COLUMNS[portal])
    rows = landed(lake, captured).select(["number", "name"]).to_pylist()
    assert sorted((int(row["number"]), row["name"]) for row in rows) == [(int(n), name) for n, name in NUMBERED]
    assert len(portals.pages()) >= len(NUMBERED) / small_pages
    (part,) = captured.manifest.parts
    assert (part.counted, part.landed, part.distinct, part.counted_after) == (50, 50, 50, 50)


@pytest.mark.parametrize("portal", SOURCES)
def test_pages_without_an_order_are_not_verified(lake: Lake, tmp_path: Path, portal: str, small_pages: int) -> None:
    """The demo portals shuffle rows if the request has no order, as real portals do."""

    def disordered(request: Request) -> Request:
        kept = {name: value for name, value in request.parameters.items() if name not in {"$order", "orderByFields"}}
        return Request(request.path, kept, request.base)

    with Watched(served(tmp_path / "served", ["number", "name"], NUMBERED), disordered) as portals:
        if portal == "socrata":
            with pytest.raises(CaptureNotVerified, match=r"rows were read, [1-4]?\d of them distinct"):
                take(lake, portals, portal, COLUMNS[portal])
            assert lake.captures("town/things") == []
        else:  # ranges of object ids need no order
            (part,) = take(lake, portals, portal, COLUMNS[portal]).manifest.parts
            assert (part.landed, part.distinct) == (50, 50)
    assert len(portals.pages()) > small_pages


@pytest.mark.parametrize("portal", SOURCES)
def test_an_unchanged_source_costs_one_metadata_request_and_no_rows(lake: Lake, tmp_path: Path, portal: str) -> None:
    folder = served(tmp_path / "served", ["number", "name"], NUMBERED)
    with Watched(folder) as portals:
        first = take(lake, portals, portal, COLUMNS[portal])
        assert portals.pages()
    with Watched(folder) as portals:
        second = take(lake, portals, portal, COLUMNS[portal])
        assert [request.path.rpartition("/")[2] for request in portals.received] == {
            "socrata": [f"{FOUR}.json"],
            "arcgis": ["0"],
        }[portal]  # columns and freshness in one request
        assert portals.pages() == []
    assert (first.status, second.status) == ("captured", "unchanged")
    assert lake.captures("town/things") == [first.manifest]

    served(folder, ["number", "name"], [*NUMBERED, ["51", "thing 51"]])
    with Watched(folder) as portals:
        assert take(lake, portals, portal, COLUMNS[portal]).status == "captured"
    assert len(lake.captures("town/things")) == 2


TEXTS = [
    "Café Zoë, 東京 🦀", 'says "hello", twice', "two\nlines\r\nand a\ttab", "O'Brien; drop table x; --", "  padded  ", "00123", "null",
    "\\backslash\\", "NaN", "<b>&amp;</b>", None,
]  # fmt: skip


@pytest.mark.parametrize("portal", SOURCES)
def test_texts_are_stored_unchanged(lake: Lake, tmp_path: Path, portal: str) -> None:
    kind = "text" if portal == "socrata" else "String"
    rows = [[str(number), text] for number, text in enumerate(TEXTS)]
    with DemoPortals(
        served(tmp_path / "served", ["id", "note"], rows, types={"id": "text", "note": "text"})
    ) as portals:
        table = landed(lake, take(lake, portals, portal, {"id": kind, "note": kind}))
    assert {row["id"]: row["note"] for row in table.to_pylist()} == {number: text for number, text in rows}  # noqa: C416
    assert table.schema.field("note").type == pa.string()


def test_socrata_types(lake: Lake, tmp_path: Path) -> None:
    kinds = {
        "id": "text", "n": "number", "m": "money", "day": "calendar_date", "at": "date", "is_open": "checkbox", "site": "url", "mail": "email",
    }  # fmt: skip
    rows = [
        # A number with more digits than a double has.
        [
            "a",
            "12345678901234567.000000000000000001",
            "$1,234.50",
            "2024-03-05T00:00:00",
            "1709596800",
            "true",
            "https://a.gov",
            "a@b.org",
        ],
        ["b", "-0.1", "-5", "1999-12-31T23:59:59", "0", "false", "", ""],
        ["c", "", "", "", "", "", "", ""],
    ]
    with DemoPortals(served(tmp_path / "served", list(kinds), rows, types=kinds)) as portals:
        table = landed(lake, take(lake, portals, "socrata", kinds))
    number, clock = pa.decimal128(38, 18), pa.timestamp("ms")
    assert dict(zip(table.schema.names, table.schema.types, strict=True)) == {
        "_id": pa.string(), "id": pa.string(), "n": number, "m": number, "day": clock, "at": clock, "is_open": pa.bool_(),
        "site": pa.string(), "mail": pa.string(),
    }  # fmt: skip
    rows_read = sorted((tuple(row.values()) for row in table.drop(["_id"]).to_pylist()), key=lambda row: row[0])
    assert rows_read == [
        (
            "a", Decimal("12345678901234567.000000000000000001"), Decimal("1234.5"), at("2024-03-05"), at("2024-03-05"), True,
            '{"url":"https://a.gov"}', "a@b.org",
        ),
        ("b", Decimal("-0.1"), Decimal(-5), at("1999-12-31T23:59:59"), at("1970-01-01"), False, None, None),
        ("c", None, None, None, None, None, None, None),
    ]  # fmt: skip


def test_arcgis_types(lake: Lake, tmp_path: Path) -> None:
    columns = {
        "OBJECTID": "OID",
        "small": "Integer",
        "big": "BigInteger",
        "share": "Double",
        "at": "Date",
        "name": "String",
    }
    rows = [
        [
            "7",
            "1",
            "9007199254740993",
            "0.1",
            "2024-03-05 14:30:00",
            "a",
        ],  # the second is larger than the integers of a double
        ["9", "-2147483647", "-1", "-1e-300", "1969-12-31 23:59:59", "b"],
        ["12", "", "", "", "", ""],
    ]
    types = {"share": "double", "at": "date"}
    with DemoPortals(served(tmp_path / "served", list(columns), rows, types=types)) as portals:
        table = landed(lake, take(lake, portals, "arcgis", columns))
    assert [field.type for field in table.schema] == [
        pa.int64(),
        pa.int64(),
        pa.int64(),
        pa.float64(),
        pa.timestamp("ms"),
        pa.string(),
    ]
    assert [tuple(row.values()) for row in table.to_pylist()] == [
        (7, 1, 9007199254740993, 0.1, at("2024-03-05T14:30"), "a"),
        (9, -2147483647, -1, -1e-300, at("1969-12-31T23:59:59"), "b"),
        (12, None, None, None, None, None),
    ]


@pytest.mark.parametrize("portal", SOURCES)
def test_hundreds_of_columns(lake: Lake, tmp_path: Path, portal: str) -> None:
    names = [f"day_{number:03}" for number in range(400)]
    rows = [
        [str(line), *(str(line * 1000 + number) if (line + number) % 5 else "" for number in range(400))]
        for line in range(20)
    ]
    columns = {"id": COLUMNS[portal]["name"], "day_*": COLUMNS[portal]["number"]}
    with DemoPortals(served(tmp_path / "served", ["id", *names], rows, types={"id": "text"})) as portals:
        captured = take(lake, portals, portal, columns)
    assert captured.undeclared == ()
    rows_read = {row["id"]: [row[name] for name in names] for row in landed(lake, captured).to_pylist()}
    assert rows_read == {line[0]: [int(value) if value else None for value in line[1:]] for line in rows}


def test_a_layer_is_captured_with_its_geometry(lake: Lake, tmp_path: Path) -> None:
    ring = [[-76.6, 39.2], [-76.5, 39.2], [-76.5, 39.3], [-76.6, 39.2]]
    shapes: list[dict[str, Any] | None] = [{"type": "Polygon", "coordinates": [ring]}, None]
    folder = served_shapes(tmp_path / "served", shapes)
    with DemoPortals(folder) as portals:
        captured = take(lake, portals, "arcgis", {"OBJECTID": "OID", "name": "String"})
    assert captured.undeclared == ()  # a geometry need not be declared
    first, second = landed(lake, captured).to_pylist()
    assert (first["name"], shapely.from_wkb(first["_geometry"]).equals(shapely.Polygon(ring))) == ("n0", True)
    assert (second["name"], second["_geometry"]) == ("n1", None)


def test_codes_have_labels_and_newer_types_are_read(lake: Lake, tmp_path: Path) -> None:
    names = ["OBJECTID", "status", "day", "seen", "moment"]
    rows = [
        ["1", "2", "2024-01-31", "10:15:00", "2024-01-31T10:15:00-05:00"],
        ["2", "9", "1969-12-31", "", "2024-07-01T00:00:00+00:00"],
        ["3", "", "", "", ""],
    ]
    types = {"status": "small_integer", "day": "date_only", "seen": "time_only", "moment": "timestamp_offset"}
    folder = served(tmp_path / "served", names, rows, types=types, domains={"status": {"1": "Open", "2": "Closed"}})
    columns = {
        "OBJECTID": "OID", "status": "SmallInteger", "day": "DateOnly", "seen": "TimeOnly", "moment": "TimestampOffset",
    }  # fmt: skip
    with DemoPortals(folder) as portals:
        captured = take(lake, portals, "arcgis", columns)
    assert captured.undeclared == ()  # a label need not be declared
    assert [tuple(row.values()) for row in landed(lake, captured).to_pylist()] == [
        (1, 2, date(2024, 1, 31), "10:15:00", "2024-01-31T10:15:00-05:00", "Closed"),
        (2, 9, date(1969, 12, 31), None, "2024-07-01T00:00:00+00:00", None),  # the domain names no 9
        (3, None, None, None, None, None),
    ]


def test_a_geometry_at_nan_is_null(lake: Lake, tmp_path: Path) -> None:
    shapes: list[dict[str, Any] | None] = [{"type": "Point", "coordinates": [-76.6, 39.2]}, None]
    folder = served_shapes(tmp_path / "served", shapes)
    with faulty(folder, nan="text") as portals:
        first, second = landed(lake, take(lake, portals, "arcgis", {"name": "String"})).to_pylist()
    assert shapely.from_wkb(first["_geometry"]) == shapely.Point(-76.6, 39.2)
    assert second["_geometry"] is None
