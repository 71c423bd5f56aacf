"""The pages docs/analysts/<subject>.md: answers and charts from a release, invented here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from civic_pipeline.errors import FileInvalid
from civic_pipeline.publish.answers import write_answers
from civic_pipeline.settings import CHECKOUT

PAGE = """# salaries

How to read it.

## 1. Who is paid <most>?

A reporter asks.

```sql
select city, paid, day, fiscal_year, share from marts.pay order by city desc
```

<!-- chart
mark: bar
encoding:
  y: {field: city, title: City}
  x: {field: paid, title: "Paid (USD a year)"}
-->
an old answer

## 2. When?

```sql
select day, paid from marts.pay order by day
```

<!-- chart
mark: line
encoding:
  x: {field: day, title: Day}
  y: {field: paid, title: "Paid (USD)"}
-->
"""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("release") / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.pay as select * from (values ('Anywhere', 1234567.50::decimal(18,2), date '2026-01-01', 2026, 0.1 + 0.2::double),"
            " ('Zed | Co', 10, date '2026-02-01', 2025, null)) as t(city, paid, day, fiscal_year, share)"
        )
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "salaries.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def test_rows_are_written_below_the_chart_in_the_order_of_the_query(folder: Path, warehouse: Path) -> None:
    write_answers(folder, warehouse, check=False)
    text = (folder / "salaries.md").read_text(encoding="utf-8")
    assert (
        "-->\n\n"
        "| city | paid | day | fiscal_year | share |\n"
        "| --- | ---: | --- | ---: | ---: |\n"
        "| Zed \\| Co | 10.00 | 2026-02-01 | 2025 |  |\n"
        "| Anywhere | 1,234,567.50 | 2026-01-01 | 2026 | 0.3 |\n"
        "\n![Chart: Who is paid <most>?](charts/salaries_01.svg)\n\n"
        "## 2. When?"
    ) in text
    assert "an old answer" not in text
    assert text.startswith("# salaries\n\nHow to read it.\n")


def test_a_written_page_is_up_to_date_and_a_changed_answer_is_not(folder: Path, warehouse: Path) -> None:
    assert set(write_answers(folder, warehouse, check=True)) == {
        "salaries.md", "charts/salaries_01.svg", "charts/salaries_02.svg",
    }  # fmt: skip
    assert not (folder / "charts").exists()
    write_answers(folder, warehouse, check=False)
    assert write_answers(folder, warehouse, check=True) == []
    page, chart = folder / "salaries.md", folder / "charts" / "salaries_01.svg"
    page.write_text(page.read_text(encoding="utf-8").replace("1,234,567.50", "1,234,567.51"), encoding="utf-8")
    chart.write_text(chart.read_text(encoding="utf-8").replace("Anywhere", "Nowhere"), encoding="utf-8")
    (folder / "charts" / "salaries_09.svg").touch()
    assert set(write_answers(folder, warehouse, check=True)) == {
        "salaries.md", "charts/salaries_01.svg", "charts/salaries_09.svg",
    }  # fmt: skip


def test_a_chart_is_small_and_says_what_it_shows(folder: Path, warehouse: Path) -> None:
    write_answers(folder, warehouse, check=False)
    chart = (folder / "charts" / "salaries_01.svg").read_text(encoding="utf-8")
    assert len(chart) < 6_000
    assert "<title>Who is paid &lt;most&gt;?</title><desc>y: City; x: Paid (USD a year)</desc>" in chart
    assert chart.index(">Zed | Co<") < chart.index(">Anywhere<")
    assert ">Paid (USD a year)</text>" in chart
    assert ">1M</text>" in chart


def test_days_are_the_same_in_every_time_zone(folder: Path, warehouse: Path) -> None:
    write_answers(folder, warehouse, check=False)
    script = (
        "import sys; from pathlib import Path; from civic_pipeline.publish.answers import write_answers;"
        "sys.exit(str(write_answers(Path(sys.argv[1]), Path(sys.argv[2]), check=True)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, folder, warehouse], env=os.environ | {"TZ": "Pacific/Honolulu"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("paid, day, fiscal_year", "payd, day", 10, "payd"),
        ("from marts.pay order by city", "from marts.pay where city is null order by city", 10, "no rows"),
        ("{field: city, title: City}", "{field: town, title: City}", 14, "no column 'town'; it has city, paid"),
        ("{field: city, title: City}", "{field: city}", 14, "add a title"),
        ("mark: bar", "mark: barr", 14, "barr"),
        ("mark: bar", "mark: [", 14, "not a Vega-Lite view in YAML"),
        ("<!-- chart\nmark: line", "<!-- note\nmark: line", 23, "add a chart"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    folder: Path, warehouse: Path, old: str, new: str, line: int, message: str
) -> None:
    page = folder / "salaries.md"
    page.write_text(PAGE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileInvalid, match=message) as raised:
        write_answers(folder, warehouse, check=False)
    assert f"salaries.md:{line}:" in str(raised.value)
    assert not (folder / "charts").exists()


@pytest.mark.parametrize("page", sorted((CHECKOUT / "docs" / "analysts").glob("*.md")), ids=lambda page: page.stem)
def test_questions_are_numbered_and_a_page_about_money_has_ten(page: Path) -> None:
    numbers = [int(number) for number in re.findall(r"^## (\d+)\. ", page.read_text(encoding="utf-8"), re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    if numbers and page.stem in {"budget", "spending", "salaries", "participation"}:
        assert len(numbers) == 10
