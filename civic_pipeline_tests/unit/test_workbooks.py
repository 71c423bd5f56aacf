"""Excel workbooks, cell by cell, and damaged ones."""

from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import broken, here, read, rows

from civic_pipeline.errors import FileUnreadable
from civic_pipeline.portals.workbook import open_sheet


def workbook(path: Path, *sheets: tuple[str, str]) -> bytes:
    """A minimal workbook that Excel can open. `sheets`: pairs of a name and rows in SpreadsheetML."""
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
    """A row of cells: text, `=number`, `=number:style`, `!error` or `?1` (a boolean); empty text gives no cell."""
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


def test_a_sheet_is_selected_by_its_name(tmp_path: Path) -> None:
    content = workbook(tmp_path / "w", ("Cover", cells(1, "Budget 2026")), ("Data", cells(1, "n") + cells(2, "=1")))
    assert rows(here(tmp_path, content, sheet="Data"), tmp_path) == [{"n": "1"}]
    assert "it has no sheet 'data'; its sheets: Cover, Data" in broken(tmp_path, content, sheet="data")
    assert "it is not an Excel workbook" in broken(tmp_path, b"a,b\n", sheet="Data")
    for blank in ("", cells(3, "", "!#DIV/0!")):
        assert "its sheet 'Data' is empty" in broken(tmp_path, workbook(tmp_path / "w", ("Data", blank)))
    unnamed = workbook(tmp_path / "w", ("Data", cells(1, "", "n", "") + cells(2, "x", "=1", "", "")))
    assert rows(here(tmp_path, unnamed), tmp_path) == [{"column_1": "x", "n": "1"}]


def test_a_stray_cell_far_away_is_an_error_and_not_a_crash(tmp_path: Path) -> None:
    stray = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    content = workbook(tmp_path / "w", ("Budget", FIRST + stray))
    assert "its cells are so far apart" in broken(tmp_path, content)


def test_many_rows_are_read_in_pages(tmp_path: Path) -> None:
    lines = "".join(cells(row, f"={row}", "x") for row in range(2, 180_002))
    file = here(tmp_path, workbook(tmp_path / "w", ("Budget", cells(1, "n", "text", "") + lines)))
    pages = list(file.read(file.describe(), file.count(), tmp_path, False))
    assert len(pages) == 2
    assert [value for page in pages for value in page["n"].to_pylist()] == [str(row) for row in range(2, 180_002)]


def test_a_full_disk_is_not_reported_as_a_damaged_workbook(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(workbook(tmp_path / "w", ("Budget", FIRST)))
    with pytest.raises(OSError, match="No space left"):
        open_sheet("url", tmp_path / "w", None, Path("/dev/full"))


# Each example starts a process.
@pytest.mark.slow
@settings(max_examples=8)
@given(at=st.floats(0, 1), change=st.binary(min_size=1, max_size=4), cut=st.booleans())
def test_a_damaged_workbook_is_an_error_or_has_all_its_rows(
    tmp_path: Path, at: float, change: bytes, cut: bool
) -> None:
    content = workbook(tmp_path / "w", ("Budget", FIRST))
    place = max(4, int(at * len(content)))
    file = here(tmp_path, content[:place] + (b"" if cut else change + content[place + len(change) :]))
    with suppress(FileUnreadable):
        assert read(file, tmp_path).num_rows == 2


def test_a_workbook_that_is_never_read_to_its_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "endless.py").write_text("while True: pass")
    monkeypatch.setattr("civic_pipeline.portals.workbook._PROGRAM", tmp_path / "endless.py")
    monkeypatch.setenv("CIVIC_PROCESS_SECONDS", "1")
    with pytest.raises(FileUnreadable, match="its sheet was not read within 1 seconds"):
        open_sheet("https://data.town.gov/x.xlsx", tmp_path / "x.xlsx", None, tmp_path / "rows")
