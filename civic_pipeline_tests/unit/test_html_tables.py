"""An export that is an HTML table under the name of a workbook, as Baltimore's register of certified firms gives it."""

from pathlib import Path

import pytest
from reading import here, rows

from civic_pipeline.catalog import load_datasets
from civic_pipeline.errors import FileUnreadable
from civic_pipeline.lake import Lake, attempt_capture
from civic_pipeline.portals import Access
from civic_pipeline.settings import CHECKOUT

NAME = "baltimore/mwbe_register"
HEADER = list(load_datasets(CHECKOUT)[NAME].columns)
EXPORT = f"""<html><head><title>Export</title></head><body><table border=1>
<tr><td colspan=11>Certified firms</td></tr>
<tr>{"".join(f"<th>{name}</th>" for name in HEADER)}</tr>
<tr><td>Ash &amp; Elm, <b>LLC</b></td><td>1 Elm St<br>Suite 2</td><td>Baltimore</td><td>MD</td><td>21201</td>
<td>(410) 555-0100</td><td>a@ash.example</td><td></td><td>MBE</td><td>Painting</td><td>Black American</td></tr>
<tr><td>Oak Inc.<td>2 Oak St<td>Towson<td>MD<td>21204<td><td><td>http://oak.example<td>WBE<td>Paving<td>Caucasian
</table></body></html>"""


def test_its_cells_are_the_rows_of_the_declared_columns(tmp_path: Path) -> None:
    file = here(tmp_path, EXPORT.encode(), "register.xls")
    assert [column.name for column in file.describe().columns] == HEADER
    assert [tuple(row.values()) for row in rows(file, tmp_path)] == [
        ("Ash & Elm, LLC", "1 Elm St Suite 2", "Baltimore", "MD", "21201", "(410) 555-0100", "a@ash.example", None, "MBE", "Painting", "Black American"),
        ("Oak Inc.", "2 Oak St", "Towson", "MD", "21204", None, None, "http://oak.example", "WBE", "Paving", "Caucasian"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (EXPORT, "register.csv", "an HTML page"),
        ("<html><title>Sign in</title><body>Please sign in</body></html>", "register.xls", "an HTML page"),
        (EXPORT.replace("<body>", "<body><table><tr><td>Menu</td></tr></table>"), "register.xls", "2 tables; an export has one"),
        (EXPORT.replace("<td>Towson", ""), "register.xls", "have 10 or 11 cells"),
    ],
    ids=["another name", "a page", "two tables", "a missing cell"],
)  # fmt: skip
def test_a_page_that_is_no_export_is_refused(tmp_path: Path, text: str, name: str, message: str) -> None:
    with pytest.raises(FileUnreadable, match=message):
        here(tmp_path, text.encode(), name).describe()


@pytest.mark.parametrize("part", ['<a b="', "<table a=", "<!--", "<a"])
def test_an_unclosed_tag_is_not_looked_for_again_and_again(part: str, tmp_path: Path) -> None:
    """A megabyte of it took hours."""
    text = f"<html><table><tr><td>{part * 200_000}"
    with pytest.raises(FileUnreadable, match="it ends in the middle of a tag or a comment"):
        here(tmp_path, text.encode(), "register.xls").describe()


def test_an_operator_puts_it_into_the_checkout_and_the_next_night_captures_it(tmp_path: Path) -> None:
    dataset = load_datasets(CHECKOUT)[NAME]
    lake, access = Lake(tmp_path / "lake"), Access(project=tmp_path)
    before = attempt_capture(NAME, dataset, lake, access)
    assert "there is no such file" in str(before.problem)
    file = tmp_path / dataset.source.url
    file.parent.mkdir(parents=True)
    file.write_text(EXPORT, encoding="utf-8")
    after = attempt_capture(NAME, dataset, lake, access)
    assert (after.problem, after.status) == (None, "captured")
    accepted = lake.accepted(NAME)
    assert accepted is not None
    assert accepted.parts[0].landed == 2
