"""The pages about the Action Plan, built from a release with a handful of measures."""

import csv
import re
from html import unescape
from pathlib import Path

import pytest
from formulas import build
from measure_records import records, score
from small_release import HOSTILE, small_release

from civic_pipeline.publish.site.build import build_site

TABLES = (
    "dim_pillars_goals", "bridge_plan_services", "dim_measures", "mart_kpi_scorecard", "mart_goal_scorecard", "mart_kpi_conflicts", "mart_kpi_lifecycle",
    "mart_kpi_reproducibility", "fct_action_statuses",
)  # fmt: skip


def measure(number: int, title: str, actual: str | None, **columns: str) -> dict[str, str | None]:
    named = {name.replace("_", " "): value for name, value in columns.items()}
    return {
        "Measure ID": str(number), "Performance Measure": title, "FY 24 Target": "90%", "FY 24 Actual": "95%", "FY 25 Target": "90%",
        "FY 25 Actual": actual, "Percent or Count": "percent", "Service ID": "SRV0303 Clinics", **named,
    }  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Under the pillar Health two measures, one of which is silent; one under no pillar; a conflict; a figure that we compute; an action."""
    warehouse = records(
        measure(1, "% on time", "0.84", Measure_Formula="On time / all", Data_Source="Clinic system"),
        measure(
            1, "% on time", "94%", Measure_Formula="On time / all", Fiscal_Year="FY27", Modified="2026-01-01 00:00:00"
        ),
        measure(2, HOSTILE, None),
        measure(3, "% elsewhere", "91%", Service_ID="SRV0999 Elsewhere"),
        measure(4, "% retired", "91%", Deprecated="Yes"),
    )
    warehouse.execute(
        "create table clean_history.baltimore_performance_measures as select *, timestamp '2026-07-01' as _captured_at from clean.baltimore_performance_measures"
    )
    score(warehouse)
    warehouse.execute("""
        create table marts.dim_pillars_goals as select *, true as is_current_plan from (values
            ('p', 'baltimore', '2026 Plan', 'pillar', '../1', null, 'Health', null), ('g', 'baltimore', '2026 Plan', 'goal', '../1', '1.1', 'Healthier', 'Commissioner')
        ) as t(pillar_goal_id, city, plan, plan_level, pillar_code, goal_code, title, lead_office);
        create table marts.bridge_plan_services as select 'baltimore' as city, '2026 Plan' as plan, 'p' as pillar_goal_id, 'SRV0303' as service_code;
        create table marts.fct_action_statuses as select 'baltimore' as city, *, true as is_newest from (values
            ('2026 Plan', 'g', '1.1-1', 'Open a clinic', date '2026-08-08', null, 'No statuses'), ('100 Days', 'p', '1', 'Hire', date '2021-03-30', 'completed', null)
        ) as t(plan, pillar_goal_id, action_code, title, as_of_date, status, not_published);
        create table marts.mart_kpi_reproducibility as select 'baltimore' as city, '% on time' as title, 2025 as fiscal_year, 'percent' as unit_kind,
            0.84 as reported_value, 0.8::double as recomputed_value, 0.04 as gap, false as is_reproduced, null as not_comparable_because, 'From requests' as description
    """)
    build(
        warehouse,
        "marts.mart_goal_scorecard",
        "marts.mart_kpi_conflicts",
        "marts.fct_measure_revisions",
        "marts.mart_kpi_lifecycle",
    )
    folder = tmp_path_factory.mktemp("action_plan")
    for name in TABLES:
        warehouse.execute(f"copy (select * replace ('town' as city) from marts.{name}) to '{folder / name}.parquet'")
    queries = {f"marts.{name}": f"select * from '{folder / name}.parquet'" for name in TABLES}
    return build_site(small_release(folder / "release.duckdb", queries), folder / "site").folder


def rows(page: Path, table: str) -> list[list[str]]:
    """The texts of the cells of a table."""
    text = page.read_text(encoding="utf-8")
    body = re.search(rf'data-table="{table}">.*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    assert body, table
    return [
        [
            unescape(re.sub(r"<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        ]
        for row in re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)
    ]


def test_the_city_page_says_how_many_were_met_and_how_many_can_be_scored(site: Path) -> None:
    page = site / "action-plan" / "town" / "index.html"
    assert "<b>1 of 2</b> measures met their target in fiscal year 2025; 66.7% of all can be scored" in page.read_text(
        encoding="utf-8"
    )
    assert [row[:5] for row in rows(page, "years")] == [
        ["2025", "3", "2", "1", "50.0%"],
        ["2024", "3", "3", "3", "100.0%"],
    ]
    assert [row[:5] for row in rows(page, "pillars")] == [
        ["Health", "2", "1", "0", "0.0%"],
        ["Measures under no pillar", "1", "1", "1", "100.0%"],
    ]
    assert "cannot be distinguished from none" in page.read_text(encoding="utf-8")


def test_the_chart_has_the_numbers_of_its_table(site: Path) -> None:
    image = (site / "action-plan" / "town" / "years.svg").read_text(encoding="utf-8")
    assert image.count("<path") >= 3
    assert "Measures that met their target" in image


def test_a_pillar_lists_each_measure_with_its_target_owner_method_and_source(site: Path) -> None:
    page = site / "action-plan" / "town" / "pillar-1" / "index.html"
    assert rows(page, "measures") == [
        [
            "% on time",
            "Off",
            "90.0%",
            "84.0%",
            "increase",
            "Health",
            "On time / all",
            "Clinic system",
            "Active; 1 conflict between plan years",
        ],
        [HOSTILE, "Stale", "90.0%", "not published", "increase", "Health", "not published", "not published", "Silent"],
    ]
    assert HOSTILE not in page.read_text(encoding="utf-8")
    assert rows(page, "goals") == [["1.1 Healthier", "Commissioner", "Open a clinic", "not published"]]
    without = site / "action-plan" / "town" / "no-pillar" / "index.html"
    assert [row[0] for row in rows(without, "measures")] == ["% elsewhere"]


def test_conflicts_retired_measures_and_what_we_compute_are_shown_beside(site: Path) -> None:
    page = site / "action-plan" / "town" / "index.html"
    assert rows(page, "conflicts") == [["% on time", "Health", "Actual", "FY 2025", "2026: 0.84", "2027: 94%", "2026"]]
    assert [row[:3] for row in rows(page, "lifecycle")] == [
        ["% retired", "Health", "Retired, no successor named"], [HOSTILE, "Health", "Silent"],
    ]  # fmt: skip
    assert rows(page, "reproducibility") == [["% on time", "2025", "84.0%", "80.0%", "4.0%", "No", "From requests"]]
    assert rows(page, "actions") == [["Health", "100 Days", "Mar 30, 2021", "Completed", "1"]]


def test_the_file_of_a_table_has_its_rows_and_what_the_owners_write(site: Path) -> None:
    (file,) = (site / "files" / "action-plan" / "town").glob("measures-1.*.csv")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        written = list(csv.DictReader(opened))
    assert [(row["title"], row["target_value"], row["status"]) for row in written] == [
        ("% on time", "0.900000", "off"),
        (HOSTILE, "0.900000", "stale"),
    ]
    assert "actual_explanation" in written[0]
