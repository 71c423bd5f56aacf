"""Files of every format and kind of damage: each row once and whole, or an error that says what is wrong. No sockets."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyarrow as pa
import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from requests.adapters import BaseAdapter

from civic_pipeline.catalog import FileHere, FileSource
from civic_pipeline.errors import (
    AnswerUnreadable,
    CivicError,
    FileUnreadable,
    PagingBroken,
    PortalUnreachable,
    SourceNotFound,
    ValueUnreadable,
)
from civic_pipeline.portals import Access, csv_file, files, geojson, http
from civic_pipeline.portals.files import FileDataset
from civic_pipeline.portals.http import TRIES

URL = "https://data.town.gov/files/payments.csv"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _: None)


def here(folder: Path, content: bytes, name: str = "a file", **source: Any) -> FileDataset:
    path = folder / name
    path.write_bytes(content)
    return FileDataset(
        FileHere.model_validate({"portal": "file", "url": str(path), "recorded": "2026-01-01", **source}), Access()
    )


def read(file: FileDataset, spool: Path, careful: bool = False) -> pa.Table:
    """All of a file, with as many rows as it counts."""
    description = file.describe()
    pages = list(file.read(description, file.count(), spool, careful))
    table = pa.concat_tables([description.schema.empty_table(), *pages])
    assert table.num_rows == file.count()
    assert table["_row"].to_pylist() == list(range(1, table.num_rows + 1))
    return table


def rows(file: FileDataset, spool: Path) -> list[dict[str, Any]]:
    """The rows, the same by both ways to read them."""
    table = read(file, spool)
    assert table.equals(read(file, spool, careful=True))
    return [{name: value for name, value in row.items() if name != "_row"} for row in table.to_pylist()]


def broken(folder: Path, content: bytes, error: type[CivicError] = FileUnreadable, **source: Any) -> str:
    """How reading it fails, by both ways."""
    with pytest.raises(error) as raised:
        read(here(folder, content, **source), folder)
    assert "a file" in str(raised.value)
    return str(raised.value)


# CSV

TEXT = 'name;amount;note\r\nJosé "Pepe", Ltd;1,50;"two\r\nlines"\r\n;;"a ""b"" ;c"\r\nŽ–x;;\r\n'
EXPECTED = [
    {"name": 'José "Pepe", Ltd', "amount": "1,50", "note": "two\r\nlines"},
    {"name": None, "amount": None, "note": 'a "b" ;c'},
    {"name": "Ž–x", "amount": None, "note": None},
]


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252 (not marked, so taken for it)"),
    ],
)  # fmt: skip
def test_a_csv_file_is_read_in_whatever_encoding_it_is(tmp_path: Path, encoding: str, told: str) -> None:
    file = here(tmp_path, TEXT.encode(encoding))
    assert rows(file, tmp_path) == EXPECTED
    assert file.describe().about.description == f"CSV, {told}, values between semicolons"


def test_big_endian_is_unicode_too(tmp_path: Path) -> None:
    assert rows(here(tmp_path, b"\xfe\xff" + TEXT.encode("utf-16-be")), tmp_path) == EXPECTED


def test_an_encoding_nobody_can_tell_is_told_by_the_source(tmp_path: Path) -> None:
    text = "name\nJosé\n".encode("mac_roman")
    assert rows(here(tmp_path, text), tmp_path) == [{"name": "JosŽ"}]
    assert rows(here(tmp_path, text, encoding="mac_roman"), tmp_path) == [{"name": "José"}]
    assert rows(here(tmp_path, "a,b\n1,é\n".encode("utf-16-le"), encoding="utf-16-le"), tmp_path) == [
        {"a": "1", "b": "é"}
    ]
    assert "its text is not ascii" in broken(tmp_path, text, encoding="ascii")


def test_text_is_never_replaced_by_question_marks(tmp_path: Path) -> None:
    assert "neither UTF-8 nor Windows-1252; give its `encoding`" in broken(tmp_path, b"name\nJos\x81\n")
    assert "if it is UTF-16 without a mark" in broken(tmp_path, "a,b\n1,2\n".encode("utf-16-le"))
    late = b"name\n" + b"x\n" * 700_000 + "é".encode()[:1]
    assert read(here(tmp_path, late), tmp_path)["name"][-1].as_py() == "Ã"
    assert "its text is not utf8 " in broken(tmp_path, late, encoding="utf8")
    for damaged in ("é\n".encode() + late, "name\né\n".encode() + b"\xff"):
        assert "its text is UTF-8 at first and later is not" in broken(tmp_path, damaged)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_among_the_others(tmp_path: Path, delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(
        [["id", "text", "more"], ["1", "a,b;c\td|e", "x"], ["2", "1,5", "y;z"], ["3", "Smith, John", ""]]
    )
    found = rows(here(tmp_path, out.getvalue().encode()), tmp_path)
    assert [row["text"] for row in found] == ["a,b;c\td|e", "1,5", "Smith, John"]


def test_a_comma_in_every_value_is_no_delimiter(tmp_path: Path) -> None:
    found = rows(here(tmp_path, b"name;amount\nSmith, John;1,5\nDoe, Jane;2,5\n"), tmp_path)
    assert found == [{"name": "Smith, John", "amount": "1,5"}, {"name": "Doe, Jane", "amount": "2,5"}]


def test_a_comma_in_the_header_is_no_delimiter_where_the_rows_have_none(tmp_path: Path) -> None:
    assert rows(here(tmp_path, b"name, first;amount\nSmith;1\n"), tmp_path) == [{"name, first": "Smith", "amount": "1"}]


def test_one_column_needs_no_delimiter_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    assert rows(here(tmp_path, b'\nname\n\na b\n\r\n""\n c \n\n'), tmp_path) == [
        {"name": "a b"},
        {"name": None},
        {"name": " c "},
    ]


def test_names_are_made_unique_and_the_rest_of_the_file_is_left_alone(tmp_path: Path) -> None:
    content = b',amount,Amount, amount ,"two\nlines",_row,,\n1,2,3,4,5,6,,\n7,8,9,10,11,12,,\n'
    file = here(tmp_path, content)
    assert rows(file, tmp_path)[1] == {
        "column_1": "7", "amount": "8", "Amount_2": "9", "amount_3": "10", "two lines": "11", "_row_2": "12",
    }  # fmt: skip
    assert {column.portal_type for column in file.describe().columns} == {"text"}
    assert file.describe().row_id == file.describe().landed[0]


def test_a_nameless_column_with_a_single_value_is_kept(tmp_path: Path) -> None:
    content = b"a,,\n" + b"1,,\n" * 3000 + b"1,,x\n"
    assert rows(here(tmp_path, content), tmp_path)[-1] == {"a": "1", "column_3": "x"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n1,2\n3\n4,5\n", "line 3 has 1 value where the header has 2 names, between commas"),
        (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 values where the header has 2 names"),
        (b'a,b\n1,"x\ny"\n3,4,\n', "line 4 has 3 values"),
        (b'a,b\n1,2\n3,"never closed\n4,5\n', "line 4: unexpected end of data"),
        (b'a,b\n1,"x"y\n', "line 2: ',' expected after '\"'"),
        (b"a,b\n1,2", None),
        (b",,\n1,2,3\n", "its first line names no column"),
    ],
)
def test_a_ragged_file_is_named_with_its_line(tmp_path: Path, content: bytes, told: str | None) -> None:
    if told is None:
        assert rows(here(tmp_path, content), tmp_path) == [{"a": "1", "b": "2"}]
    else:
        assert told in broken(tmp_path, content)


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(tmp_path: Path) -> None:
    assert "field larger than field limit" in broken(tmp_path, b'a,b\n1,"' + b"x,y\n" * 5_000_000)


def test_a_row_too_long_for_one_reader_is_read_by_the_other(tmp_path: Path) -> None:
    shape = "POLYGON" * 1_500_000
    file = here(tmp_path, f"id,shape\n1,x\n2,{shape}\n".encode())
    with pytest.raises(PagingBroken):
        read(file, tmp_path)
    assert read(file, tmp_path, careful=True)["shape"].to_pylist() == ["x", shape]


def test_many_rows_come_by_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "_BLOCK_BYTES", 1000)
    content = b"id,text\n" + b"".join(b'%d,"a\n%d"\n' % (n, n) for n in range(5000))
    file = here(tmp_path, content)
    assert len(list(file.read(file.describe(), file.count(), tmp_path, False))) > 20
    assert [row["id"] for row in rows(file, tmp_path)] == [str(n) for n in range(5000)]


AWKWARD = st.text(st.sampled_from('a,;"\n\r\t| 0é\x00'), max_size=60).map(str.encode)


@given(content=AWKWARD | st.binary(max_size=80) | AWKWARD.map(lambda b: b"a,b\n" + b))
@example(content=b'a\n"')
@example(content=b"\xef\xbb\xbf")
@example(content=b"\xff\xfe")
@example(content=b"\x1f\x8b")
@example(content=b"PK\x03\x04")
@example(content=b"\xd0\xcf\x11\xe0")
@example(content=b'a,b\n1,2"x"\n')
@example(content=b"a\rb\rc")
@example(content=b"a\n \n")
def test_whatever_bytes_a_file_has_every_row_lands_or_an_error_of_ours_does(tmp_path: Path, content: bytes) -> None:
    file = here(tmp_path, content)
    with suppress(FileUnreadable, AnswerUnreadable):
        assert read(file, tmp_path).equals(read(file, tmp_path, careful=True))


VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(
    table=st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(VALUE, min_size=width, max_size=width), min_size=1, max_size=12)),
    delimiter=st.sampled_from(",;\t|"), end=st.sampled_from(["\n", "\r\n"]), encoding=st.sampled_from(["utf-8-sig", "utf-16"]),
)  # fmt: skip
def test_whatever_is_written_as_csv_is_read_back(
    tmp_path: Path, table: list[list[str]], delimiter: str, end: str, encoding: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([[f"name {place}" for place in range(len(table[0]))], *table])
    found = rows(here(tmp_path, out.getvalue().encode(encoding)), tmp_path)
    assert [list(row.values()) for row in found] == [[value or None for value in row] for row in table]


# gzip


def test_a_file_in_gzip_is_told_by_its_bytes(tmp_path: Path) -> None:
    assert rows(here(tmp_path, gzip.compress(TEXT.encode()), "payments.csv"), tmp_path) == EXPECTED
    assert rows(here(tmp_path, gzip.compress(json.dumps(COLLECTION).encode())), tmp_path) == FEATURES


def test_a_damaged_gzip_is_no_file(tmp_path: Path) -> None:
    packed = gzip.compress(TEXT.encode() * 100)
    for content in (packed[: len(packed) // 2], packed[:-1], packed[:100] + b"\0\0\0" + packed[103:]):
        assert "a damaged one" in broken(tmp_path, content, AnswerUnreadable)


# Excel


def workbook(path: Path, *sheets: tuple[str, str]) -> bytes:
    """A workbook with sheets of given names and rows of SpreadsheetML, as small as Excel would open."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packages = "http://schemas.openxmlformats.org/package/2006/relationships"
    listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, (name, _) in enumerate(sheets, 1))
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    formats = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 22, 20, 46))
    with ZipFile(path, "w") as file:
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{packages}"><Relationship Id="r" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>'
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{packages}">{related}<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        )
        file.writestr("xl/styles.xml", f'<styleSheet xmlns="{main}"><cellXfs>{formats}</cellXfs></styleSheet>')
        for number, (_, content) in enumerate(sheets, 1):
            file.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{content}</sheetData></worksheet>',
            )
    return path.read_bytes()


def cells(row: int, *values: str) -> str:
    """A row of cells: text, `=number`, `=number:style`, `!error`, `?1`; nothing for an empty text."""
    written = []
    for column, value in zip("ABCDEFGHIJ", values, strict=False):
        number, _, style = value[1:].partition(":")
        match value[:1]:
            case "":
                continue
            case "=":
                written.append(f'<c r="{column}{row}" s="{style or 0}"><v>{number}</v></c>')
            case "!" | "?":
                kind = {"!": "e", "?": "b"}[value[0]]
                written.append(f'<c r="{column}{row}" t="{kind}"><v>{value[1:]}</v></c>')
            case _:
                written.append(f'<c r="{column}{row}" t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>')
    return f'<row r="{row}">{"".join(written)}</row>'


FIRST = (
    cells(2, "id", "amount", "day", "at", "clock", "span", "paid", "fault", "amount")
    + cells(3, "007", "=0.1", "=45322:1", "=45322.4375:2", "=0.385416666666667:3", "=1.25347222222222:4", "?1", "!#DIV/0!", "=2138")
    + cells(6, " x ", "=1E+21", "=45322.5:1", "", "", "", "?0", "", "=0.30000000000000004")
)  # fmt: skip


def test_a_workbook_is_read_cell_by_cell_as_text(tmp_path: Path) -> None:
    file = here(tmp_path, workbook(tmp_path / "w", ("Budget", FIRST), ("Notes", cells(1, "n"))))
    assert rows(file, tmp_path) == [
        {"id": "007", "amount": "0.1", "day": "2024-01-31", "at": "2024-01-31T10:30:00", "clock": "09:15:00", "span": "30:05:00",
         "paid": "true", "fault": None, "amount_2": "2138"},
        {"id": " x ", "amount": "1000000000000000000000", "day": "2024-01-31T12:00:00", "at": None, "clock": None, "span": None,
         "paid": "false", "fault": None, "amount_2": "0.30000000000000004"},
    ]  # fmt: skip
    assert file.describe().about.description == "Excel, sheet Budget"


def test_a_sheet_is_found_by_its_name(tmp_path: Path) -> None:
    content = workbook(tmp_path / "w", ("Cover", cells(1, "Budget 2026")), ("Data", cells(1, "n") + cells(2, "=1")))
    assert rows(here(tmp_path, content, sheet="Data"), tmp_path) == [{"n": "1"}]
    assert "it has no sheet 'data', only Cover, Data" in broken(tmp_path, content, sheet="data")
    assert "it is no Excel workbook" in broken(tmp_path, b"a,b\n", sheet="Data")
    assert "is empty" in broken(tmp_path, workbook(tmp_path / "w", ("Data", "")))


@given(at=st.floats(0, 1), change=st.binary(min_size=1, max_size=4), cut=st.booleans())
def test_a_damaged_workbook_is_an_error_of_ours_or_still_has_its_rows(
    tmp_path: Path, at: float, change: bytes, cut: bool
) -> None:
    content = workbook(tmp_path / "w", ("Budget", FIRST))
    place = max(4, int(at * len(content)))
    file = here(tmp_path, content[:place] + (b"" if cut else change + content[place + len(change) :]))
    with suppress(FileUnreadable):
        assert read(file, tmp_path).num_rows == 2


# GeoJSON


def feature(properties: Any, geometry: Any = None) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


POINT = {"type": "Point", "coordinates": [-76.61, 39.29]}
COLLECTION = {
    "type": "FeatureCollection", "name": "wards", "crs": {"type": "name"},
    "features": [
        feature({"id": 1, "name": "é\n}", "share": 0.1, "open": True, "tags": ["a", {"b": None}], "mixed": 1}, POINT),
        feature({"id": -(2**62), "name": "", "share": 5, "open": None, "mixed": "x", "late": 2**63}),
        feature(None, POINT),
    ],
    "bbox": [0, 0, 1, 1],
}  # fmt: skip
WRITTEN = '{"type":"Point","coordinates":[-76.61,39.29]}'
FEATURES = [
    {"id": 1, "name": "é\n}", "share": Decimal("0.1"), "open": True, "tags": '["a",{"b":null}]', "mixed": "1", "late": None, "_geometry": WRITTEN},
    {"id": -(2**62), "name": "", "share": 5, "open": None, "tags": None, "mixed": "x", "late": 2**63, "_geometry": None},
    {"id": None, "name": None, "share": None, "open": None, "tags": None, "mixed": None, "late": None, "_geometry": WRITTEN},
]  # fmt: skip


@pytest.mark.parametrize("indent", [None, 2])
def test_features_are_read_with_the_types_that_json_gives_them(tmp_path: Path, indent: int | None) -> None:
    file = here(tmp_path, json.dumps(COLLECTION, indent=indent, ensure_ascii=False).encode())
    assert rows(file, tmp_path) == FEATURES
    assert {column.name: column.portal_type for column in file.describe().columns} == {
        "id": "integer", "name": "text", "share": "number", "open": "boolean", "tags": "json", "mixed": "text", "late": "number",
        "_geometry": "Geometry",
    }  # fmt: skip
    assert "_geometry" not in file.describe().published


def test_a_collection_is_read_through_a_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson, "_CHUNK_CHARACTERS", 7)
    assert rows(here(tmp_path, json.dumps(COLLECTION).encode()), tmp_path) == FEATURES


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"type":"FeatureCollection","features":[{"properties":{"a":1},"geometry":null},{"prop', "no whole GeoJSON"),
        ('{"type":"FeatureCollection","features":[{"properties":{"a":1},"geometry":null}', "it breaks off"),
        ('{"type":"FeatureCollection","features":[]}{', "text follows its end"),
        ('{"type":"FeatureCollection","features":[]', "it breaks off"),
        ('{"error":{"code":500,"message":"failed"}}', "it is an object of error, without features"),
        ('{"type":"FeatureCollection","features":[],"exceededTransferLimit":true}', "says itself that features are missing"),
        ('{"features":[],"properties":{"exceededTransferLimit":true}}', "says itself that features are missing"),
        ('{"features":[{"properties":{"a":NaN}}]}', "NaN is no number of JSON"),
        ('{"features":[{"properties":[1]}]}', "feature 1 has no properties"),
        ('{"features":[1]}', "a feature is '1'"),
        ('{"features":[{"properties":{"a":1,"A":2}}]}', "differ in nothing but case"),
        ('{"features":[{"properties":{"\\ud800":1}}]}', "whose names no table can have"),
        ('[{"a":1}]', "'[' is where '{' is due"),
        ('{"features":' + "[" * 5000, "no whole GeoJSON"),
    ],
)  # fmt: skip
def test_what_is_no_whole_collection_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in broken(tmp_path, text.encode())


def test_a_number_beyond_our_decimals_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueUnreadable, match="big"):
        read(here(tmp_path, b'{"features":[{"properties":{"big":1e300}},{"properties":{"big":0.5}}]}'), tmp_path)


def test_geojson_in_another_encoding_is_refused(tmp_path: Path) -> None:
    assert "its text is not UTF-8" in broken(tmp_path, '{"features":[{"properties":{"a":"é"}}]}'.encode("latin-1"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats(-1e6, 1e6).map(lambda f: round(f, 6)) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2), max_leaves=4,
)  # fmt: skip


@given(made=st.lists(st.dictionaries(st.sampled_from(["a", "b", 'q"x', "é", "_row"]), JSON, max_size=4), max_size=5))
def test_whatever_properties_features_have_every_feature_lands(tmp_path: Path, made: list[dict[str, Any]]) -> None:
    content = json.dumps(
        {"type": "FeatureCollection", "features": [feature(properties) for properties in made]}
    ).encode()
    with suppress(FileUnreadable, AnswerUnreadable):
        assert read(here(tmp_path, content), tmp_path).num_rows == len(made)


@given(content=st.text(st.sampled_from('{}[]":,\\ae1.- \n'), max_size=40).map(lambda t: ('{"features":' + t).encode()))
def test_whatever_json_a_file_has_its_features_land_or_an_error_of_ours_does(tmp_path: Path, content: bytes) -> None:
    with suppress(FileUnreadable, AnswerUnreadable):
        assert read(here(tmp_path, content), tmp_path).num_rows == len(json.loads(content)["features"])


# What is no data at all


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<!DOCTYPE html><html><title>Sign in</title></html>", "an HTML page"),
        (b"\n <html>", "an HTML page"),
        (b"<?xml version='1.0'?><rss/>", "a document of markup"),
        (b"", "nothing, not a byte"),
        (b"\n \n", "nothing, not a byte"),
    ],
)
def test_a_page_where_a_file_was_due_is_no_table(tmp_path: Path, content: bytes, told: str) -> None:
    assert told in broken(tmp_path, content, AnswerUnreadable)


# Where files may be


@pytest.mark.parametrize("url", ["https://data.town.gov/a%20b.csv?x=1", "data/files/wards.csv", "wards.csv"])
def test_a_dataset_names_a_file_of_the_web_or_of_the_project(url: str) -> None:
    assert FileSource(portal="file", url=url, recorded="2026-01-01").url == url  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "/etc/passwd", "../other/x.csv", "data/../../x.csv", "~/x.csv", "file:///etc/passwd", "http://data.town.gov/x.csv",
        "C:\\x.csv", "\\\\host\\x.csv", "data\\..\\x.csv", "./x.csv", "data//x.csv", "", "https://user:word@host/x.csv", "https://host",
    ],
)  # fmt: skip
def test_no_dataset_leads_out_of_the_project(url: str) -> None:
    with pytest.raises(ValidationError):
        FileSource(portal="file", url=url, recorded="2026-01-01")  # type: ignore[arg-type]


def test_a_link_does_not_lead_out_of_the_project_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setattr(files, "CHECKOUT", project)
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (project / "inside.csv").write_text("a\n1\n")
    (project / "out.csv").symlink_to(tmp_path / "secret.csv")

    def source(url: str) -> FileDataset:
        return FileDataset(FileSource(portal="file", url=url, recorded="2026-01-01"), Access())  # type: ignore[arg-type]

    assert source("inside.csv").count() == 1
    assert source("inside.csv").describe().url == "inside.csv"
    with pytest.raises(SourceNotFound, match="leads out of the project"):
        source("out.csv").describe()
    with pytest.raises(SourceNotFound, match="there is no such file"):
        source("missing.csv").describe()


def test_an_encoding_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ValidationError):
        FileSource(portal="file", url="x.csv", encoding="latin-one", recorded="2026-01-01")  # type: ignore[arg-type]


# Freshness


def test_a_file_on_disk_is_known_by_its_bytes(tmp_path: Path) -> None:
    file = here(tmp_path, b"a\n1\n")
    first = file.describe()
    (tmp_path / "a file").touch()
    assert file.describe() == first
    assert here(tmp_path, b"a\n1\n").describe().freshness == first.freshness
    (tmp_path / "a file").write_bytes(b"a\n1\n2\n")
    assert file.describe().freshness != first.freshness
    assert file.count() == 2


Served = tuple[int, bytes, dict[str, str]]


class Web(BaseAdapter):
    """A web server in memory: what `answer` gives to a request's headers."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], Served]) -> None:
        super().__init__()
        self.answer, self.asked = answer, list[requests.PreparedRequest]()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.asked.append(request)
        response = requests.Response()
        response.status_code, body, headers = self.answer(request)
        response.raw, response.url = io.BytesIO(body), str(request.url)
        response.headers.update(headers)
        return response

    def close(self) -> None: ...


def on_web(answer: Callable[[requests.PreparedRequest], Served]) -> tuple[FileDataset, Web]:
    file, web = FileDataset(FileSource(portal="file", url=URL, recorded="2026-01-01"), Access()), Web(answer)  # type: ignore[arg-type]
    file._session.mount("https://", web)
    return file, web


@pytest.mark.parametrize(("name", "asks"), [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")])
def test_what_a_server_says_of_a_file_saves_the_second_download(tmp_path: Path, name: str, asks: str) -> None:
    def answer(request: requests.PreparedRequest) -> Served:
        return (304, b"", {}) if request.headers.get(asks) == "mark" else (200, b"a\n1\n", {name: "mark"})

    file, web = on_web(answer)
    first = file.describe()
    assert read(file, tmp_path).num_rows == 1
    assert file.describe() == first
    assert file.traffic.bytes == 4
    assert len(web.asked) == 3


def test_a_server_that_says_nothing_is_asked_for_the_file_again(tmp_path: Path) -> None:
    contents = [b"a\n1\n", b"a\n1\n", b"a\n1\n2\n"]
    file, _ = on_web(lambda _: (200, contents.pop(0), {}))
    first = file.describe()
    assert file.describe() == first
    assert file.describe().freshness != first.freshness
    assert read_without_asking(file, tmp_path) == 2


def read_without_asking(file: FileDataset, spool: Path) -> int:
    assert file._held is not None
    return sum(page.num_rows for page in file._held.table.read(spool, False))


def test_a_mark_that_changes_without_the_bytes_is_no_change() -> None:
    marks = iter("abc")
    file, _ = on_web(lambda _: (200, b"a\n1\n", {"ETag": next(marks)}))
    assert file.describe() == file.describe()


@pytest.mark.parametrize("damaged", [b"", b"<html>", gzip.compress(TEXT.encode() * 50)[:-9]])
def test_what_may_pass_is_asked_for_again(tmp_path: Path, damaged: bytes) -> None:
    contents = [damaged, damaged, TEXT.encode()]
    file, web = on_web(lambda _: (200, contents.pop(0), {"ETag": "x"} if not contents else {}))
    file.describe()
    assert file.count() == 3
    assert (len(web.asked), file.traffic.retries) == (3, 2)


@pytest.mark.parametrize(
    ("served", "error"),
    [
        ((200, b"<html>", {}), AnswerUnreadable),
        ((404, b"", {}), SourceNotFound),
        ((503, b"", {}), PortalUnreachable),
    ],
)
def test_what_does_not_pass_is_said_at_last(served: Served, error: type[CivicError]) -> None:
    file, web = on_web(lambda _: served)
    with pytest.raises(error, match=URL):
        file.describe()
    assert len(web.asked) == (1 if error is SourceNotFound else TRIES)


def test_a_broken_file_is_not_asked_for_again() -> None:
    file, web = on_web(lambda _: (200, b"a,b\n1\n", {}))
    with pytest.raises(FileUnreadable):
        file.describe()
    assert len(web.asked) == 1


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    file, _ = on_web(lambda _: (200, gzip.compress(TEXT.encode()), {}))
    read(file, tmp_path)
    folder = file._folder
    assert folder is not None
    assert folder.is_dir()
    del file
    assert not folder.exists()
