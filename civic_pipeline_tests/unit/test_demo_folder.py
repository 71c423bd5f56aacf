"""How the demo portals read a folder: types, ids, and errors that name the file and the fix."""

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from civic_pipeline.catalog import Dataset
from civic_pipeline.demo import DemoFolderError, Faults, ServedFile
from civic_pipeline.demo.folder import read_folder
from civic_pipeline.demo.portal_file import FileEntry, as_in_catalog
from civic_pipeline.settings import CHECKOUT


def serve(folder: Path) -> tuple[tuple[ServedFile, ...], duckdb.DuckDBPyConnection]:
    con = duckdb.connect()
    return read_folder(folder, con, CHECKOUT), con


def read_one(
    folder: Path, name: str, text: str | bytes, portal_yml: str | None = None
) -> tuple[ServedFile, list[tuple[Any, ...]]]:
    """Write one file into a folder; return it as served, with its rows."""
    content = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    if portal_yml:
        (folder / "portal.yml").write_text(portal_yml)
    (file,), con = serve(folder)
    columns = ", ".join(column.sql for column in file.columns)
    return file, con.execute(f"select {columns} from {file.table} order by number").fetchall()


def kinds(file: ServedFile) -> dict[str, str]:
    return {column.name: column.kind for column in file.columns}


def test_a_type_is_inferred_only_if_it_fits_every_value(tmp_path: Path) -> None:
    file, _ = read_one(
        tmp_path,
        "a.csv",
        "whole,fraction,zip,mixed,day,instant,slashed,american,empty\n"
        "1,1.5,02108,1,2024-01-02,2020/03/15 10:00:00+00,2020/03/15,01/02/2024,\n"
        "-2,,21201,x,2024-01-03 10:00:00,2020-03-16T10:00:00Z,2020/03/16,01/03/2024,\n",
    )
    assert kinds(file) == {
        "whole": "number",
        "fraction": "number",
        "zip": "text",
        "mixed": "text",
        "day": "calendar_date",
        "instant": "date",
        "slashed": "calendar_date",
        "american": "text",
        "empty": "text",
    }


def test_a_late_value_of_another_type_is_noticed(tmp_path: Path) -> None:
    file, rows = read_one(tmp_path, "a.csv", "n\n" + "1\n" * 5000 + "n/a\n")
    assert kinds(file) == {"n": "text"}
    assert rows[-1] == ("n/a",)


def test_declared_types_override_inferred_types(tmp_path: Path) -> None:
    file, rows = read_one(
        tmp_path,
        "a.csv",
        'code,born,paid,done\n1001,1290412800,"$1,234.50",true\n',
        "files: [{file: a.csv, types: {code: text, born: date, paid: money, done: checkbox}}]",
    )
    assert kinds(file) == {"code": "text", "born": "date", "paid": "money", "done": "checkbox"}
    (code, born, paid, done) = rows[0]
    assert (code, f"{born}", f"{paid}", done) == ("1001", "2010-11-22 08:00:00", "1234.50", True)


def test_a_value_that_is_not_of_its_declared_type_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DemoFolderError, match=r"a\.csv: 'soon' in column due is not a calendar_date.*portal\.yml"):
        read_one(tmp_path, "a.csv", "due\n2024-01-01\nsoon\n", "files: [{file: a.csv, types: {due: calendar_date}}]")


def test_csv_may_have_a_byte_order_mark_any_line_ends_and_quoted_newlines(tmp_path: Path) -> None:
    text = '\ufeffName,Note\r\n"Smith, ""J""","two\r\nlines"\r\nplain,""\r\n'
    file, rows = read_one(tmp_path, "a.csv.gz", text)
    assert [column.name for column in file.columns] == ["Name", "Note"]
    assert rows == [('Smith, "J"', "two\r\nlines"), ("plain", None)]


def test_four_hundred_columns_keep_their_order(tmp_path: Path) -> None:
    names = [f"total{number:03d}" for number in range(400)]
    file, rows = read_one(tmp_path, "a.csv", ",".join(names) + "\n" + ",".join(str(n) for n in range(400)) + "\n")
    assert [column.name for column in file.columns] == names
    assert rows == [tuple(range(400))]


def test_a_file_without_rows_is_served_as_an_empty_table(tmp_path: Path) -> None:
    file, rows = read_one(tmp_path, "a.csv", "a,b\n")
    assert (file.rows, rows) == (0, [])


def test_field_names_are_those_of_socrata(tmp_path: Path) -> None:
    file, _ = read_one(tmp_path, "a.csv", "Zip Code,zip_code,_ordinance_amount_,% owned\n1,2,3,4\n")
    assert [column.field_name for column in file.columns] == ["zip_code", "zip_code_1", "_ordinance_amount_", "__owned"]


def test_parquet_keeps_the_types_it_declares(tmp_path: Path) -> None:
    duckdb.sql("select '0042' as code, '7' as digits, 1 as n, date '2024-01-02' as day, true as done").write_parquet(
        str(tmp_path / "a.parquet")
    )
    (file,), _ = serve(tmp_path)
    assert kinds(file) == {"code": "text", "digits": "text", "n": "number", "day": "calendar_date", "done": "checkbox"}


def test_geojson_is_a_layer_with_both_geometries(tmp_path: Path) -> None:
    ring = [[[0, 0], [0, 1], [1, 1], [0, 0]]]
    features = [
        {"type": "Feature", "properties": {"name": "A", "n": 1}, "geometry": {"type": "Polygon", "coordinates": ring}},
        {"type": "Feature", "properties": {"name": "B"}, "geometry": None},
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    (file,), con = serve(tmp_path)
    assert (file.is_layer, file.geometry_type, kinds(file)) == (True, "Polygon", {"name": "text", "n": "number"})
    shapes = con.execute(f"select geometry, esri from {file.table} order by number").fetchall()
    assert json.loads(shapes[0][1]) == {"rings": ring}
    assert shapes[1] == (None, None)


def test_two_columns_are_served_as_the_point_of_a_row(tmp_path: Path) -> None:
    points = "files: [{file: a.csv, points: [east, north]}]"
    (tmp_path / "a.csv").write_text("name,east,north\nA,-76.5,39.25\nB,,\n")
    (tmp_path / "portal.yml").write_text(points)
    (file,), con = serve(tmp_path)
    assert (file.is_layer, file.geometry_type, kinds(file)) == (True, "Point", {"name": "text"})
    shapes = con.execute(f"select geometry, esri from {file.table} order by number").fetchall()
    assert [json.loads(shape) for shape in shapes[0]] == [
        {"type": "Point", "coordinates": [-76.5, 39.25]}, {"x": -76.5, "y": 39.25},
    ]  # fmt: skip
    assert shapes[1] == (None, None)


def test_defaults_depend_on_the_name_and_the_token_on_the_content(tmp_path: Path) -> None:
    def served(folder: str, text: str) -> ServedFile:
        (tmp_path / folder).mkdir()
        return read_one(tmp_path / folder, "a.csv", text)[0]

    first, same, changed = served("1", "n\n1\n"), served("2", "n\n1\n"), served("3", "n\n2\n")
    assert (first.layer, first.title, len(first.item_id), first.socrata_id[4]) == ("a", "a", 32, "-")
    assert (first.socrata_id, first.item_id, first.updated_at) == (same.socrata_id, same.item_id, same.updated_at)
    assert changed.socrata_id == first.socrata_id
    assert changed.updated_at != first.updated_at


@pytest.mark.parametrize(
    ("portal_yml", "complaint"),
    [
        ("files: [{file: b.csv}]", r"lists b\.csv, which is not in"),
        ("files: [{file: a.csv, colour: red}]", "'colour' is not a valid key"),
        ("files: [{file: a.csv, socrata: abc}]", "'abc' is not allowed"),
        ("files: [{file: a.csv, types: {x: text}}]", r"gives a type to x, which a\.csv does not have"),
        ("files: [{file: a.csv, types: {n: colour}}]", "'colour' is not allowed"),
        ("files: [{file: a.csv}, {file: a.csv}]", r"lists a\.csv twice"),
        ("files: [{file: a.csv, socrata: aaaa-bbbb}, {file: c.csv, socrata: aaaa-bbbb}]", "aaaa-bbbb is given to two"),
        ("files: [{file: a.csv, layer: L}, {file: c.csv, layer: l}]", "layer l is given to two"),
        ("files: [{file: portal.yml}]", "not one of .csv"),
        ("files: [", "not YAML"),
    ],
)
def test_an_invalid_portal_yml_is_rejected(tmp_path: Path, portal_yml: str, complaint: str) -> None:
    for name in ("a.csv", "c.csv"):
        (tmp_path / name).write_text("n\n1\n")
    (tmp_path / "portal.yml").write_text(portal_yml)
    with pytest.raises(DemoFolderError, match=complaint):
        serve(tmp_path)


def test_a_missing_or_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DemoFolderError, match="is not a folder"):
        serve(tmp_path / "nowhere")
    with pytest.raises(DemoFolderError, match="holds no file that can be served"):
        serve(tmp_path)


def test_a_file_of_another_format_than_its_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text("<html>moved</html>")
    with pytest.raises(DemoFolderError, match=r"a\.geojson cannot be read"):
        serve(tmp_path)


def test_faults_are_validated(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n")
    for faults, complaint in {
        "{latency: 5}": "'latency' is not a valid key",
        "{burst_status: 418}": "418 is not allowed",
    }.items():
        (tmp_path / "portal.yml").write_text(f"files: [{{file: a.csv, faults: {faults}}}]\n")
        with pytest.raises(DemoFolderError, match=complaint):
            serve(tmp_path)


def test_no_fault_is_on_by_default() -> None:
    harmless = Faults().model_dump()
    settings = {
        "burst_status",
        "error_code",
        "error_message",
        "error_details",
        "heavy_code",
        "flagged_empty_times",
        "freshness",
        "edit",
        "edit_rows",
    }
    assert {name for name, value in harmless.items() if value not in (0, None, False, (), {})} == settings


def test_wide_decimals_are_kept_as_written(tmp_path: Path) -> None:
    file, rows = read_one(tmp_path, "a.csv", "short,long\n1.50,28571.5\n-2,0.0285714285714286\n")
    assert [column.stored for column in file.columns] == ["DECIMAL(18,2)", "DOUBLE"]
    assert [f"{row[1]}" for row in rows] == ["28571.5", "0.0285714285714286"]


def test_a_file_takes_the_id_and_types_of_an_opendatasoft_dataset() -> None:
    dataset = Dataset.model_validate({
        "title": "Stops", "publisher": "The town", "subject": "shared", "licence": "not stated", "description": "Stops.", "cadence": "irregular", "key": [],
        "columns": {"n": "int", "day": "date", "at": "datetime", "other": "geo_point_2d"}, "volume": {"shrink_at_most": "0%"},
        "source": {"portal": "opendatasoft", "domain": "data.town.gov", "id": "many-stops", "recorded": "2026-01-01"},
        "time_zones": {"at": "utc", "day": "date_only"},
    })  # fmt: skip
    entry, types = as_in_catalog(
        FileEntry(file="a.csv", dataset="town/stops"), {"N": "n", "Day": "day", "At": "at"}, {"town/stops": dataset}
    )
    assert (entry.opendatasoft, entry.title) == ("many-stops", "Stops")
    assert types == {"N": "integer", "Day": "date_only", "At": "date"}
