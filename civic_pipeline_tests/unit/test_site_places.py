"""The pages of 311, neighborhoods and council districts, and the map: what is a gap stays a gap, and the table has the map's numbers."""

import re
from pathlib import Path

import pytest
import shapely
from small_release import HOSTILE, small_release
from test_site_subjects import rows

from civic_pipeline.publish.site import build_site
from civic_pipeline.publish.site.maps import Area, Map
from civic_pipeline.publish.site.neighborhoods import in_order


def wkb(west: float, east: float) -> str:
    return f"unhex('{shapely.box(west, 39.0, east, 39.1).wkb.hex()}')"


SCARE = HOSTILE.replace("'", "''")
TABLES = {
    "marts.dim_geographies": f"""
        select 'town' as city, * from (values
            ('n1', 'neighborhood', 'Upper Town', 'UPPER TOWN', 1000, 500, 2589988.11::double, {wkb(-76.7, -76.6)}),
            ('n2', 'neighborhood', '{SCARE}', 'SONS', 0, 0, 2589988.11, {wkb(-76.6, -76.5)}),
            ('d1', 'council district', 'District 7', '7', null, null, 5179976.22, {wkb(-76.7, -76.5)}),
            ('z1', 'zip code', '21201', '21201', null, null, 1.0, {wkb(-76.7, -76.5)})
        ) as t(geography_id, kind, geography_name, geography_key, residents, housing_units, square_meters, geometry)""",
    "marts.mart_neighborhood_equity": f"""
        select 'town' as city, 'vacant buildings' as measure, 2026 as fiscal_year, 'housing units of the 2020 Census' as denominator_name,
            'none' as weight_name, * from (values
            ('n1', 'Upper Town', 20.0, 40.0, 38.0, 25.0, 52.5, 30.0), ('n2', '{SCARE}', 3.0, null, null, null, null, null)
        ) as t(geography_id, neighborhood, event_count, raw_rate, shrunk_rate, shrunk_rate_low, shrunk_rate_high, city_rate)""",
    "marts.bridge_geography_weights": """
        select 'town' as city, 'area' as weight_name, * from (values ('n1', 'd1', 'council district', 1.0), ('n1', 'z1', 'zip code', 1.0),
            ('d1', 'n1', 'neighborhood', 0.5)) as t(from_geography_id, to_geography_id, to_kind, weight)""",
    "marts.fct_geography_overlaps": """
        select 'town' as city, 'zip code' as from_kind, * from (values ('z1', 'n1', 0.25), ('z1', 'd1', 0.5))
            as t(from_geography_id, to_geography_id, area_share)""",
    "marts.mart_service_requests_on_time": """
        select 'town' as city, month, kind as group_kind, name as group_name, 10 as created_count, due as due_count, closed as closed_on_time_count,
            closed / nullif(due, 0) as on_time_rate, 0.1 as on_time_rate_low, 0.9 as on_time_rate_high,
            if(due = 0, 'The table of these requests publishes no due dates.', null) as no_on_time_rate_reason, 4 as open_count,
            1 as overdue_count, 0.25::double as overdue_rate, timestamp '2026-03-01' as as_of
        from (values (date '2026-01-01', 0, 0), (date '2026-02-01', 8, 6)) as months(month, due, closed),
            (values ('all', 'All requests'), ('agency', 'Solid Waste'), ('neighborhood', 'Upper Town'), ('council district', 'District 7'))
            as kinds(kind, name)""",
    "marts.fct_covid_observations": """
        select 'zip' as geography_kind, '21201' as geography, 'cases' as metric, day as observed_date, value
        from (values (date '2021-01-01', 100), (date '2021-01-02', 400), (date '2021-01-03', null)) as t(day, value)""",
    "clean.town_building_permits": """
        select * from (values (date '2025-05-01', 'UPPER  TOWN', 7), (date '2026-05-01', 'Upper Town', 7), (date '2026-06-01', null, 7))
        as t(issued_date, neighborhood, council_district)""",
    "clean.town_vacant_building_notices": """
        select * from (values (date '2020-01-01', 'Upper Town', 7, '1|1'), (date '2021-01-01', 'Upper Town', 7, '1|1'))
        as t(notice_date, neighborhood, council_district, block_lot)""",
    "marts.mart_vacancy_flows_monthly": "select 1 as closing_count limit 0",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places")
    return build_site(small_release(folder / "r.duckdb", TABLES), folder / "site").folder


def test_a_month_without_due_dates_is_a_gap_with_its_reason(site: Path) -> None:
    page = site / "311" / "town" / "index.html"
    months = {row[0]: row[1:] for row in rows(page)}
    assert months["February 2026"] == ["10", "8", "6", "75.0%", "4", "1"]
    assert months["January 2026"] == [
        "10",
        "0",
        "0",
        "The table of these requests publishes no due dates.",
        "4",
        "1",
    ]
    assert months["Solid Waste"] == months["Upper Town"] == ["20", "8", "75.0%", "1"]
    assert '<p class="total"><b>75.0%</b>' in page.read_text(encoding="utf-8")


def test_the_table_has_the_numbers_of_the_map(site: Path) -> None:
    page = site / "places" / "town" / "index.html"
    text = page.read_text(encoding="utf-8")
    drawn = re.findall(r'<path class="area shade(\w+)"[^>]*><title>(.*?): (.*?)</title>', text)
    assert [(shade, value) for shade, _, value in drawn] == [("0", "38.0"), ("none", "not known")]
    table = {row[0]: row[1:] for row in rows(page)}
    assert table["Upper Town"] == ["20", "40.0", "38.0", "25.0", "52.5", "30.0"]
    assert [cells[1] for name, cells in table.items() if "Sons" in name] == ["no residents or homes"]
    assert "<script>alert" not in text


def test_a_neighborhood_gathers_what_names_it_in_any_spelling(site: Path) -> None:
    page = site / "places" / "town" / "upper-town" / "index.html"
    table = rows(page)
    assert ["February 2026", "10", "8", "75.0%", "4", "1"] in table
    assert "Of 8 requests due in the last 12 months, 75.0% were closed on time." in page.read_text(encoding="utf-8")
    assert ["Properties with an open vacant building notice", "now", "1"] in table
    assert ["Building permits", "2025", "1"] in table
    assert ["Building permits", "2026", "1"] in table
    assert ["21201", "25.0%", "400", "100"] in table
    assert ["District 7", "council district", "100.0%"] in table
    assert '<a href="../../../places/town/district-7/index.html">District 7</a>' in page.read_text(encoding="utf-8")


def test_a_district_has_its_own_counts_and_says_what_is_missing(site: Path) -> None:
    district = rows(site / "places" / "town" / "district-7" / "index.html")
    assert ["Building permits", "2026", "2"] in district
    assert ["21201", "50.0%", "400", "200"] in district
    (hostile,) = [page for page in (site / "places" / "town").iterdir() if "alert" in page.name]
    text = (hostile / "index.html").read_text(encoding="utf-8")
    assert "No 311 request names this place." in text
    assert "No vacant building notice or permit names this place." in text


def test_classes_of_a_map_hold_about_as_many_areas_each_and_a_hole_stays_open() -> None:
    shape = shapely.box(0, 0, 1, 1).difference(shapely.box(0.4, 0.4, 0.6, 0.6)).wkb
    areas = [Area(str(value), shape, value, str(value)) for value in (1.0, 2.0, 2.0, 3.0, 10.0)]
    drawn = Map("A map", "per 1,000", areas)
    assert [shade for _, shade, *_ in drawn.shapes] == [0, 1, 1, 3, 4]  # from the lightest to the darkest
    assert drawn.legend == [(0, "1.0"), (1, "2.0"), (3, "3.0"), (4, "10.0")]
    path, *_ = next(drawn.shapes)
    assert path.count("M") == 2


def test_two_classes_of_a_map_never_show_one_number() -> None:
    shape = shapely.box(0, 0, 1, 1).wkb
    areas = [Area(str(value), shape, value, str(value)) for value in (0.01, 0.06, 0.08, 0.11, 6.44, 9.6, 9.9)]
    drawn = Map("A map", "per 1,000", areas)
    assert drawn.legend == [(0, "0.0"), (1, "0.1"), (3, "6.4"), (4, "9.6 to 9.9")]
    assert [drawn.class_of(area.value) for area in areas] == [0, 1, 1, 1, 2, 3, 3]


def test_none_is_another_class_than_few_and_two_classes_differ_as_much_as_five() -> None:
    shape = shapely.box(0, 0, 1, 1).wkb
    drawn = Map("A map", "notices", [Area(str(i), shape, i, str(i)) for i in (0, 0, 0, 0, 0, 0, 3)], decimals=0)
    assert drawn.legend == [(0, "0"), (4, "3")]


def test_without_boundaries_and_requests_the_pages_say_so(tmp_path: Path) -> None:
    built = build_site(small_release(tmp_path / "r.duckdb"), tmp_path / "site").folder
    for part in ("311", "places"):
        assert "No release has this table yet." in (built / part / "index.html").read_text(encoding="utf-8")


def test_districts_are_in_the_order_of_their_numbers_whatever_else_a_city_calls_them() -> None:
    keys = ["10", "2", "007", "9" * 5_000, "7a", "\u00b3", "", "-1", "1e3"]
    areas = [{"geography_key": key, "geography_name": f"District {key}"} for key in keys]
    others = sorted(key for key in keys if not key.isdecimal())
    assert [area["geography_key"] for area in sorted(areas, key=in_order)] == [*others, "2", "007", "10", "9" * 5_000]
