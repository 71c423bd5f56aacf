"""Names that a publisher gives: compared without case, never mixed up with ours, never read as null. No sockets."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_answers import Answer, client

from civic_pipeline.catalog import ArcgisSource, SocrataSource, load_datasets
from civic_pipeline.errors import AnswerUnreadable, CivicError, LayerAmbiguous, NamesAlike, SourceNotFound
from civic_pipeline.lake.capture import compare_columns
from civic_pipeline.lake.manifest import LandedColumn
from civic_pipeline.portals import Access
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.socrata import SocrataDataset
from civic_pipeline.portals.source import unused_name
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.captured import columns_of

SERVICE = "https://maps.town.gov/rest/services/Trees/MapServer"
OID = {"name": "FID", "type": "esriFieldTypeOID"}


def text(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "esriFieldTypeString", **more}


def layer(
    layers: Mapping[int, tuple[dict[str, Any], list[dict[str, Any]]]],
    number: int | None = None,
    known: str | None = None,
) -> ArcgisLayer:
    """The layer `Benches` of a service. `layers`: number -> metadata and the attributes of its rows."""
    source = ArcgisSource(
        portal="arcgis", layer="Benches", number=number, fallbacks=(SERVICE,), recorded=date(2026, 1, 1)
    )

    def answer(url: str) -> Answer:
        path, query = urlsplit(url).path, urlsplit(url).query
        if path.endswith("MapServer"):
            listing = [{"id": number, "name": metadata["name"]} for number, (metadata, _) in layers.items()]
            return 200, json.dumps({"layers": listing})
        metadata, rows = layers[int(path.removesuffix("/query").rpartition("/")[2])]
        if not path.endswith("/query"):
            return 200, json.dumps(metadata)
        if "returnCountOnly" in query:
            return 200, json.dumps({"count": len(rows)})
        rest = rows if "resultOffset=0" in query else []
        return 200, json.dumps(
            # As servers do: the page lists its fields as the definition spells them.
            {"fieldAliases": {f["name"]: f["name"] for f in metadata["fields"]}, "features": [{"attributes": row} for row in rest]}
        )  # fmt: skip

    reader = ArcgisLayer(source, Access(), known)
    reader._client = client(answer)
    return reader


def benches(*fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "Benches",
        "objectIdField": "FID",
        "fields": [OID, *fields],
        "advancedQueryCapabilities": {"supportsPagination": True},
        **more,
    }


def read(reader: Any, folder: Path) -> list[dict[str, Any]]:
    description = reader.describe()
    return list(pa.concat_tables(reader.read(description, reader.count(), folder, False)).to_pylist())


def test_rows_may_spell_a_field_in_another_case(tmp_path: Path) -> None:
    rows = [{"fid": 1, "MAKER": "Ash", "Cost": 2.5}, {"fid": 2, "MAKER": None, "Cost": 3.5}]
    metadata = benches(text("Maker"), {"name": "COST", "type": "esriFieldTypeDouble"})
    assert read(layer({0: (metadata, rows)}), tmp_path) == [
        {"FID": 1, "Maker": "Ash", "COST": 2.5},
        {"FID": 2, "Maker": None, "COST": 3.5},
    ]


def test_a_field_that_is_in_no_row_is_an_error_and_one_without_values_is_null(tmp_path: Path) -> None:
    metadata = benches(text("maker"))
    assert read(layer({0: (metadata, [{"FID": 1, "maker": None}])}), tmp_path) == [{"FID": 1, "maker": None}]
    with pytest.raises(AnswerUnreadable, match="a page without maker; expected every column of the layer"):
        read(layer({0: (metadata, [{"FID": 1}, {"FID": 2}])}), tmp_path)
    with pytest.raises(AnswerUnreadable, match="a page without maker but with Made by; expected"):  # its alias
        read(layer({0: (metadata, [{"FID": 1, "Made by": "Ash"}])}), tmp_path)


def test_rows_with_two_spellings_of_a_field_are_an_error(tmp_path: Path) -> None:
    rows = [{"FID": 1, "maker": "Ash"}, {"FID": 2, "MAKER": "Elm"}]
    with pytest.raises(AnswerUnreadable, match="rows with MAKER, maker; expected one column Maker"):
        read(layer({0: (benches(text("Maker")), rows)}), tmp_path)


LOOK_ALIKE = (
    ["bench no ", "bench\u00a0no", "\ufeffBench No", "bench\u200b no"],
    ["año", "an\u0303o", "AÑO", "AN\u0303O"],
)


@pytest.mark.parametrize(("name", "in_rows"), [(same[0], other) for same in LOOK_ALIKE for other in same[1:]])
def test_rows_may_spell_a_field_with_what_nobody_sees(name: str, in_rows: str, tmp_path: Path) -> None:
    assert read(layer({0: (benches(text(name)), [{"FID": 1, in_rows: "x"}])}), tmp_path) == [{"FID": 1, name: "x"}]
    assert read(socrata([name], [{":id": "row-1", in_rows: "x"}]), tmp_path)[0][name] == "x"
    with pytest.raises(NamesAlike, match="differ only in case, or in what nobody sees"):
        layer({0: (benches(text(name), text(in_rows)), [])}).describe()


def test_a_column_that_the_rows_call_otherwise_is_not_null(tmp_path: Path) -> None:
    with pytest.raises(AnswerUnreadable, match="rows that have total instead; expected rows with amount"):
        read(socrata(["kind", "amount"], [{":id": "row-1", "kind": "x", "total": "5"}]), tmp_path)
    parts = {":id": "row-1", "place_city": "x"}  # Socrata's older API gives a location in parts, and leaves out nulls
    assert read(socrata(["kind", "place"], [parts]), tmp_path) == [
        {"_id": "row-1", "_updated_at": None, "kind": None, "place": None}
    ]


def test_times_of_an_unknown_zone_are_no_instants() -> None:
    metadata = benches({"name": "Built", "type": "esriFieldTypeDate"})
    assert [c.is_instant for c in layer({0: (metadata, [])}).describe().columns] == [False, True]
    unknown = metadata | {"datesInUnknownTimezone": True}
    assert [c.is_instant for c in layer({0: (unknown, [])}).describe().columns] == [False, False]


def test_metadata_may_name_its_fields_in_another_case(tmp_path: Path) -> None:
    """The object id, and the subtypes whose labels a row gets."""
    metadata = benches(
        {"name": "Kind", "type": "esriFieldTypeInteger"}, text("State"),
        objectIdField="fid", typeIdField="KIND",
        types=[{"id": 1, "domains": {"STATE": {"codedValues": [{"code": "o", "name": "open to all"}]}}}],
    )  # fmt: skip
    reader = layer({0: (metadata, [{"FID": 7, "Kind": 1, "State": "o"}])})
    row_id = reader.describe().row_id
    assert row_id is not None
    assert row_id.name == "FID"
    assert read(reader, tmp_path) == [{"FID": 7, "Kind": 1, "State": "o", "State_label": "open to all"}]


def test_a_column_of_ours_gives_way_to_one_of_the_publisher(tmp_path: Path) -> None:
    domain = {"codedValues": [{"code": "o", "name": "Open"}]}
    metadata = benches(
        text("state", domain=domain), text("State_Label"), text("_geometry"), geometryType="esriGeometryPoint"
    )
    rows = [{"FID": 1, "state": "o", "State_Label": "in our words", "_geometry": "a bench"}]
    assert read(layer({0: (metadata, rows)}), tmp_path) == [
        {"FID": 1, "state": "o", "State_Label": "in our words", "_geometry": "a bench", "state_label_2": "Open", "_geometry_2": None}
    ]  # fmt: skip
    assert unused_name("_id", ["_ID", "_id_2"]) == "_id_3"


def socrata(fields: list[str], rows: list[dict[str, Any]]) -> SocrataDataset:
    source = SocrataSource(
        portal="socrata", domain="data.town.gov", id="abcd-1234", full_read_every_days=9, recorded=date(2026, 1, 1)
    )

    def answer(url: str) -> Answer:
        if "/api/views/" in url:
            columns = [{"fieldName": name, "name": name, "dataTypeName": "text"} for name in fields]
            return 200, json.dumps({"columns": columns, "rowsUpdatedAt": 1})
        if "count" in url:
            return 200, json.dumps([{"count": str(len(rows))}])
        return 200, json.dumps(rows if "offset=0" in url else [])

    reader = SocrataDataset(source, Access())
    reader._client = client(answer)
    return reader


def test_the_row_id_of_socrata_gives_way_to_a_column_of_the_publisher(tmp_path: Path) -> None:
    rows = [
        {":id": "row-1", ":updated_at": "2026-01-02T00:00:00", "_id": "5f1a", "_updated_at": "in May", "KIND": "x"},
        {":id": "row-2", ":updated_at": "2026-01-02T00:00:00", "_id": "5f1b"},  # Socrata leaves out nulls
    ]
    landed = read(socrata(["_id", "_updated_at", "kind"], rows), tmp_path)
    assert [(row["_id_2"], row["_id"], row["_updated_at"], row["kind"]) for row in landed] == [
        ("row-1", "5f1a", "in May", "x"),
        ("row-2", "5f1b", None, None),
    ]


@pytest.mark.parametrize(
    "reader", [layer({0: (benches(text("Maker"), text("MAKER")), [])}), socrata(["Maker", "MAKER"], [])]
)
def test_names_that_differ_only_in_case_are_refused_by_name(reader: Any) -> None:
    with pytest.raises(NamesAlike, match="differ only in case, or in what nobody sees: Maker, MAKER"):
        reader.describe()


TWO = {
    1: (benches(text("wood")), [{"FID": 1, "wood": "oak"}]),
    3: (benches(text("metal")), [{"FID": 9, "metal": "iron"}]),
    4: ({**benches(), "name": "Lamps"}, []),
}


def test_the_address_of_the_last_capture_counts_only_where_the_source_names_its_service() -> None:
    """Another service has a layer of the same name, which was read before `fallbacks` was corrected."""
    for known in (f"{SERVICE}/1", f"{SERVICE.replace('Trees', 'Trees_2019')}/1"):
        assert layer({1: TWO[1]}, known=known).describe().url == f"{SERVICE}/1"


@pytest.mark.parametrize("known", [None, f"{SERVICE}/1", f"{SERVICE}/3"])
def test_a_layer_is_its_number_and_its_name(known: str | None, tmp_path: Path) -> None:
    assert read(layer(TWO, 1, known), tmp_path) == [{"FID": 1, "wood": "oak"}]
    assert read(layer(TWO, 3, known), tmp_path) == [{"FID": 9, "metal": "iron"}]


@pytest.mark.parametrize(
    ("number", "error", "message"),
    [
        (None, LayerAmbiguous, "has 2 layers named 'Benches': 1, 3. Choose one: add its `number`"),
        (4, SourceNotFound, r"The layer 'Benches' with the number 4 .* Benches \(1\), Benches \(3\), Lamps \(4\)"),
    ],
)
def test_a_layer_that_is_not_the_only_one_of_its_name_is_never_guessed(
    number: int | None, error: type[CivicError], message: str
) -> None:
    with pytest.raises(error, match=message):
        layer(TWO, number).describe()


def test_declared_columns_are_compared_without_case() -> None:
    published = {"name": "text", "FY24_Budget": "text", "fy25_budget": "number", "Other": "text"}
    columns = {"Name": "text", "FY*_BUDGET": "text", "Gone": "text"}
    dataset = load_datasets(CHECKOUT)["chicago/budget"].edition("2025")
    assert compare_columns(dataset.model_copy(update={"columns": columns, "earlier_shapes": ()}), published) == (
        ["Gone"],
        ["fy25_budget (text -> number)"],
        ["Other"],
    )


def test_the_warehouse_keeps_its_own_columns_beside_a_publishers(tmp_path: Path) -> None:
    landed = [LandedColumn(name=name, portal_type="text") for name in ("name", "_Edition")]
    dataset = load_datasets(CHECKOUT)["baltimore/mwbe"]
    dataset = dataset.model_copy(update={"columns": {"Name": "text"}, "earlier_shapes": (), "time_zones": {}})
    sql = ", ".join(column.sql for column in columns_of(landed, dataset))
    pq.write_table(pa.table({"name": ["Ash"], "_Edition": ["first"]}), tmp_path / "part.parquet")
    with duckdb.connect() as connection:
        rows = connection.execute(f"select {sql}, 'ours' as _edition from '{tmp_path}/part.parquet'").to_arrow_table()
    assert rows.to_pylist() == [{"Name": "Ash", "_Edition_2": "first", "_edition": "ours"}]
