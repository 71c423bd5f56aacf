"""CSV files of all kinds, also damaged ones: each row once and complete, or an error that says what is wrong."""

import csv
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reading import broken, here, read, rows

from civic_pipeline.catalog import columns
from civic_pipeline.errors import AnswerUnreadable, FileUnreadable, PagingBroken
from civic_pipeline.portals import csv_file, table

TEXT = 'name;amount;note\r\nJosé "Pepe", Ltd;1,50;"two\r\nlines"\r\n;;"a ""b"" ;c"\r\nŽ–x;;\r\n'
EXPECTED = [
    {"name": 'José "Pepe", Ltd', "amount": "1,50", "note": "two\r\nlines"},
    {"name": None, "amount": None, "note": 'a "b" ;c'},
    {"name": "Ž–x", "amount": None, "note": None},
]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252 (assumed)")],
)
def test_the_encoding_of_a_csv_file_is_detected(tmp_path: Path, encoding: str, name: str) -> None:
    file = here(tmp_path, TEXT.encode(encoding))
    assert rows(file, tmp_path) == EXPECTED
    assert file.describe().about.description == f"CSV, {name}, separator: semicolons"


def test_big_endian_utf_16_is_detected(tmp_path: Path) -> None:
    assert rows(here(tmp_path, b"\xfe\xff" + TEXT.encode("utf-16-be")), tmp_path) == EXPECTED


def test_an_encoding_that_cannot_be_detected_is_set_in_the_source(tmp_path: Path) -> None:
    text = "name\nJosé\n".encode("mac_roman")
    assert rows(here(tmp_path, text), tmp_path) == [{"name": "JosŽ"}]
    assert rows(here(tmp_path, text, encoding="mac_roman"), tmp_path) == [{"name": "José"}]
    assert rows(here(tmp_path, "a,b\n1,é\n".encode("utf-16-le"), encoding="utf-16-le"), tmp_path) == [
        {"a": "1", "b": "é"}
    ]
    assert "its text is not ascii" in broken(tmp_path, text, encoding="ascii")


def test_undecodable_text_is_an_error(tmp_path: Path) -> None:
    assert "neither UTF-8 nor Windows-1252; set `encoding`" in broken(tmp_path, b"name\nJos\x81\n")
    assert "if it is UTF-16 without a byte order mark" in broken(tmp_path, "a,b\n1,2\n".encode("utf-16-le"))
    late = b"name\n" + b"x\n" * 700_000 + "é".encode()[:1]
    assert read(here(tmp_path, late), tmp_path)["name"][-1].as_py() == "Ã"
    assert "its text is not utf8 " in broken(tmp_path, late, encoding="utf8")
    for damaged in ("é\n".encode() + late, "name\né\n".encode() + b"\xff"):
        assert "it begins as UTF-8, but a later part is not UTF-8" in broken(tmp_path, damaged)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_detected_among_other_candidates(tmp_path: Path, delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(
        [["id", "text", "more"], ["1", "a,b;c\td|e", "x"], ["2", "1,5", "y;z"], ["3", "Smith, John", ""]]
    )
    actual = rows(here(tmp_path, out.getvalue().encode()), tmp_path)
    assert [row["text"] for row in actual] == ["a,b;c\td|e", "1,5", "Smith, John"]


def test_a_comma_in_every_value_is_not_the_delimiter(tmp_path: Path) -> None:
    actual = rows(here(tmp_path, b"name;amount\nSmith, John;1,5\nDoe, Jane;2,5\n"), tmp_path)
    assert actual == [{"name": "Smith, John", "amount": "1,5"}, {"name": "Doe, Jane", "amount": "2,5"}]


def test_a_comma_only_in_the_header_is_not_the_delimiter(tmp_path: Path) -> None:
    assert rows(here(tmp_path, b"name, first;amount\nSmith;1\n"), tmp_path) == [{"name, first": "Smith", "amount": "1"}]


def test_one_column_needs_no_delimiter_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    assert rows(here(tmp_path, b'\nname\n\na b\n\r\n""\n c \n\n'), tmp_path) == [
        {"name": "a b"},
        {"name": None},
        {"name": " c "},
    ]


def test_column_names_become_unique_and_values_are_unchanged(tmp_path: Path) -> None:
    content = b',amount,Amount, amount ,"two\nlines",_row,,\n1,2,3,4,5,6,,\n7,8,9,10,11,12,,\n'
    file = here(tmp_path, content)
    assert rows(file, tmp_path)[1] == {
        "column_1": "7", "amount": "8", "Amount_2": "9", "amount_3": "10", "two lines": "11", "_row_2": "12",
    }  # fmt: skip
    assert {column.portal_type for column in file.describe().columns} == {"text"}
    assert file.describe().row_id == file.describe().landed[0]


def test_thousands_of_columns_of_one_name_are_compared_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def counted(name: str) -> str:
        compared.append(name)
        return name.lower()

    monkeypatch.setattr(table, "comparable", counted)
    names = table.column_names(["a", "A_2", *["A"] * 1_000])
    assert names[:4] == ["a", "A_2", "A_3", "A_4"]
    assert len(compared) < 5_000  # a million, if each begins again at 2


def test_thousands_of_declared_columns_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def members(pattern: str, listed: list[str]) -> list[str]:
        searched.append(pattern)
        return listed[-1:]

    monkeypatch.setattr(columns, "members", members)
    find = columns.finder(["Amount", "amount", "fy15_paid"])
    assert (find("AMOUNT"), find("gone"), find("fy*_paid")) == (["Amount", "amount"], [], ["fy15_paid"])
    assert searched == ["fy*_paid"]


def test_what_nobody_sees_is_no_part_of_a_name(tmp_path: Path) -> None:
    """Byte order marks of joined files, blanks of word processors, marks of right-to-left text, letters that a Mac takes apart."""
    content = "\ufeff\ufeffa,\ufeffb\u00a0,c\u200bd,\u200ee,an\u0303o,AÑO,\u200b\n1,2,3,4,5,6,7\n".encode()
    assert rows(here(tmp_path, content), tmp_path) == [
        {"a": "1", "b": "2", "cd": "3", "e": "4", "año": "5", "AÑO_2": "6", "column_7": "7"}
    ]


def test_a_note_for_excel_above_the_names_is_refused_in_words(tmp_path: Path) -> None:
    assert "its first line is a note for Excel" in broken(tmp_path, b"sep=;\na;b\n1;2\n")
    assert "remove the first" in broken(tmp_path, b"\xef\xbb\xbfsep=,\na,b\n1,2\n")


def test_an_unnamed_column_with_a_single_value_is_kept(tmp_path: Path) -> None:
    content = b"a,,\n" + b"1,,\n" * 3000 + b"1,,x\n"
    assert rows(here(tmp_path, content), tmp_path)[-1] == {"a": "1", "column_3": "x"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n3\n4,5\n", "line 3 has 1 value, the header has 2 names (separator: commas)"),
        (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 values, the header has 2 names"),
        (
            b"City of Town\na,b\n1,2\n",
            "the header has 1 name: if the first line is a title, remove it (separator: commas)",
        ),
        (b'a,b\n1,"x\ny"\n3,4,\n', "line 4 has 3 values"),
        (b'a,b\n1,2\n3,"never closed\n4,5\n', "line 4: unexpected end of data"),
        (b'a,b\n1,"x"y\n', "line 2: ',' expected after '\"'"),
        (b"a,b\n1,2", None),
        (b",,\n1,2,3\n", "its first line has no column names"),
    ],
)
def test_the_error_names_the_line_with_too_few_or_too_many_values(
    tmp_path: Path, content: bytes, message: str | None
) -> None:
    if message is None:
        assert rows(here(tmp_path, content), tmp_path) == [{"a": "1", "b": "2"}]
    else:
        assert message in broken(tmp_path, content)


def test_an_unclosed_quote_does_not_fill_the_memory(tmp_path: Path) -> None:
    assert "field larger than field limit" in broken(tmp_path, b'a,b\n1,"' + b"x,y\n" * 5_000_000)


def test_a_row_that_is_too_long_for_arrow_is_read_with_python(tmp_path: Path) -> None:
    shape = "POLYGON" * 1_500_000
    file = here(tmp_path, f"id,shape\n1,x\n2,{shape}\n".encode())
    with pytest.raises(PagingBroken):
        read(file, tmp_path)
    assert read(file, tmp_path, sequential=True)["shape"].to_pylist() == ["x", shape]


def test_many_rows_are_read_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_any_bytes_give_the_same_rows_by_both_readers_or_an_error(tmp_path: Path, content: bytes) -> None:
    file = here(tmp_path, content)
    with suppress(FileUnreadable, AnswerUnreadable):
        assert read(file, tmp_path).equals(read(file, tmp_path, sequential=True))


VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(
    table=st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(VALUE, min_size=width, max_size=width), min_size=1, max_size=12)),
    delimiter=st.sampled_from(",;\t|"), end=st.sampled_from(["\n", "\r\n"]), encoding=st.sampled_from(["utf-8-sig", "utf-16"]),
)  # fmt: skip
def test_any_table_written_as_csv_is_read_back(
    tmp_path: Path, table: list[list[str]], delimiter: str, end: str, encoding: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([[f"name {place}" for place in range(len(table[0]))], *table])
    actual = rows(here(tmp_path, out.getvalue().encode(encoding)), tmp_path)
    assert [list(row.values()) for row in actual] == [[value or None for value in row] for row in table]


def test_a_table_wider_than_any_table_is_refused(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(5_001))
    with pytest.raises(FileUnreadable, match="it has 5,001 columns, and more than 5,000 are no table"):
        here(tmp_path, f"{names}\n".encode()).describe()
