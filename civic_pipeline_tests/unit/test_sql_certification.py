"""Scores of datasets and the scorecard of criteria: every formula recomputed by hand, and the real catalog of a portal."""

import ast
import csv
import gzip
import json
import math
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from statistics import median
from typing import Any

import duckdb
import pytest
from formulas import build, committed_models, empty_warehouse
from reading import here, read
from real_files import REAL, needs_real_files

from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import meta
from civic_pipeline.warehouse.seeds import create_seeds

CATALOG = REAL / "baltimore" / "catalog" / "ob_inventory_entire_2024-03.csv.gz"
SCORED_ON = date(2026, 3, 31)
PARTS, SCORES = "marts.fct_dataset_quality_parts", "marts.mart_dataset_quality_scores"
MARTS = (
    "marts.fct_portal_items", PARTS, SCORES, "marts.fct_criterion_evidence", "marts.mart_wwc_scorecard", "marts.mart_wwc_totals",
    "marts.mart_wwc_claims", "marts.mart_publication_catalog",
)  # fmt: skip


def put(warehouse: duckdb.DuckDBPyConnection, table: str, **row: Any) -> None:
    names = ", ".join(row)
    warehouse.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(row))})", list(row.values()))


def base() -> duckdb.DuckDBPyConnection:
    """Seeds, empty tables of `meta`, and the tables of other subjects that the scorecard reads, empty."""
    warehouse = empty_warehouse()
    meta.create(warehouse)
    create_seeds(warehouse, CHECKOUT)
    build(warehouse, "marts.dim_cities")
    warehouse.execute("""
        create table marts.dim_agencies (agency_id varchar, city varchar, agency_code varchar, agency_name varchar);
        create table marts.mart_dollars_to_outcomes
            (city varchar, fiscal_year integer, phase varchar, is_linked boolean, service_id varchar, appropriated_amount decimal(38, 2));
        create table marts.dim_measures
            (city varchar, service_id varchar, measure_type varchar, is_equity boolean, is_shown boolean, is_deprecated boolean);
        create table marts.dim_pillars_goals (city varchar, pillar_goal_id varchar, plan_level varchar, is_current_plan boolean);
        create table marts.bridge_plan_services (city varchar, pillar_goal_id varchar, service_code varchar);
        create table marts.fct_action_statuses (city varchar, pillar_goal_id varchar, status varchar, as_of_date date, is_newest boolean);
        create table marts.mart_kpi_scorecard
            (city varchar, service_code varchar, measure_id varchar, is_active boolean, target_value decimal(24, 6), direction varchar);
        create table marts.dim_contracts
            (city varchar, contract_number varchar, vendor_name varchar, ceiling_amount decimal(18, 2), begin_date date,
             end_date date, agency_count bigint);
        create table clean.baltimore_portal_inventory as select
            null::varchar as landing_page, null::varchar as title, null::varchar as description, null::boolean as is_description_unfilled,
            null::varchar as publisher_name, null::date as issued_on, null::date as modified_on, null::boolean as has_contact,
            null::varchar as formats, null::boolean as has_download, null::boolean as has_api, null::varchar as api_url
        where false;
    """)
    return warehouse


def dataset(warehouse: duckdb.DuckDBPyConnection, name: str, cadence: str, newest: date | None, **row: Any) -> str:
    """A captured dataset of ten rows, without columns, checks and comparisons; returns the name of its table."""
    table = f"clean.{name.replace('/', '_')}"
    declared = {
        "dataset": name, "table_name": table, "title": name, "subject": "spending", "licence": "not stated", "cadence": cadence,
        "description": "Payments of the city to its vendors, one row a payment.", "portal": "arcgis", "has_stable_id": True,
        "owners": ["team:x"],
    }  # fmt: skip
    put(warehouse, "meta.datasets", **(declared | row))
    put(warehouse, "meta.captures", dataset=name, capture_id=f"{name}/1", captured_at=SCORED_ON)
    put(
        warehouse, "meta.tables", table_name=table, subject="spending", row_count=10, data_date=newest, cannot_say="Much.",
        each_row_is="one payment", content_hash="h",
    )  # fmt: skip
    return table


def score(warehouse: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    result = warehouse.execute(f"select * from {SCORES} where dataset = ?", [name])
    names = [column for column, *_ in result.description]
    [row] = result.fetchall()
    return dict(zip(names, row, strict=True))


def sigmoid(age: float, period: float) -> float:
    """domain note 9.4: 1 / (1 + exp(4 (days / declared period - 2)))."""
    return 1 / (1 + math.exp(4 * (age / period - 2)))


@pytest.fixture(scope="module")
def scored() -> duckdb.DuckDBPyConnection:
    warehouse = base()
    table = dataset(warehouse, "baltimore/spending", "quarterly", SCORED_ON - timedelta(days=89))
    for name, is_required, nulls, text in (
        ("payment_id", True, 0, "Number."), ("amount", False, 2, "Dollars."), ("note", False, 9, "A note; null if there is none."),
    ):  # fmt: skip
        put(
            warehouse, "meta.columns", table_name=table, column_name=name, is_required=is_required, null_count=nulls,
            description=text,
        )  # fmt: skip
    for layer, severity, passed in (
        ("table", "critical", True), ("row", "critical", False), ("table", "warning", True), ("across", "warning", True),
        ("table", "info", False), ("drift", "critical", False), ("time", "warning", False), ("table", "critical", None),
    ):  # fmt: skip
        put(
            warehouse, "meta.checks", table_name=table, check_name=f"{layer} {severity} {passed}", layer=layer,
            severity=severity, is_passed=passed,
        )  # fmt: skip
    for days, comparable, changed in ((10, True, 1), (89, True, 1), (90, True, 5), (20, False, 7)):
        at = SCORED_ON - timedelta(days=days)
        put(
            warehouse, "meta.comparisons", dataset="baltimore/spending", capture_id=str(at), captured_at=at,
            is_comparable=comparable, added=3, removed=0, changed=changed, rekeyed=0,
        )  # fmt: skip
    dataset(warehouse, "baltimore/late", "quarterly", SCORED_ON - timedelta(days=91))
    dataset(warehouse, "baltimore/edge", "quarterly", SCORED_ON - timedelta(days=90))
    dataset(warehouse, "baltimore/future", "quarterly", SCORED_ON + timedelta(days=1))
    dataset(warehouse, "baltimore/irregular", "irregular", SCORED_ON - timedelta(days=400))
    dataset(warehouse, "chicago/undated", "daily", None)
    put(
        warehouse, "meta.datasets", dataset="chicago/absent", table_name="clean.chicago_absent", title="a", licence="MIT",
        cadence="daily", description="x", portal="file", has_stable_id=False, owners=["team:x"],
    )  # fmt: skip
    put(warehouse, "meta.captures", dataset="chicago/absent")
    item = {
        "title": "Parks", "is_description_unfilled": False, "publisher_name": "Baltimore City", "has_contact": True,
        "has_download": True, "has_api": True, "api_url": "https://x", "formats": "Web Page | CSV | ArcGIS GeoServices REST API",
    }  # fmt: skip
    long = "Parks and their fields, one row a park, as kept by the department."
    inventory = "clean.baltimore_portal_inventory"
    put(warehouse, inventory, **item, landing_page="good", description=long, modified_on=SCORED_ON - timedelta(days=30))
    put(
        warehouse, inventory, **item, landing_page="future", description=long, modified_on=SCORED_ON + timedelta(days=1)
    )
    poor = {"has_contact": False, "has_download": False, "has_api": False, "formats": "Web Page", "api_url": None}
    put(warehouse, inventory, **(item | poor), landing_page="poor", description=None, modified_on=None)
    put(
        warehouse, inventory, **(item | {"publisher_name": "Fire"}), landing_page="other", description="Short.",
        modified_on=SCORED_ON - timedelta(days=400),
    )  # fmt: skip
    for city, code, name in (
        ("baltimore", "1", "Fire"), ("baltimore", "2", "Police"), ("baltimore", "unmatched", "Unmatched"), ("chicago", "1", "Fire"),
    ):  # fmt: skip
        put(warehouse, "marts.dim_agencies", agency_id=city + code, city=city, agency_code=code, agency_name=name)
    for year, phase, linked, service, amount in (
        (2024, "adopted", True, "s1", 90), (2025, "adopted", True, "s1", 30), (2025, "adopted", True, "s2", 50),
        (2025, "adopted", False, None, 70), (2026, "recommended", True, "s1", 1),
    ):  # fmt: skip
        put(
            warehouse, "marts.mart_dollars_to_outcomes", city="baltimore", fiscal_year=year, phase=phase, is_linked=linked,
            service_id=service, appropriated_amount=amount,
        )  # fmt: skip
    for service, kind, equity, shown, deprecated in (
        ("s1", "outcome", True, True, None), ("s1", "outcome", False, True, False), ("s1", "outcome", None, True, False),
        ("s1", "output", True, True, False), ("s2", "outcome", True, True, True), ("s2", "outcome", True, False, False),
    ):  # fmt: skip
        put(
            warehouse, "marts.dim_measures", city="baltimore", service_id=service, measure_type=kind, is_equity=equity,
            is_shown=shown, is_deprecated=deprecated,
        )  # fmt: skip
    for pillar, level, current in (
        ("p1", "pillar", True),
        ("p2", "pillar", True),
        ("p3", "pillar", False),
        ("g1", "goal", True),
        ("g2", "goal", True),
        ("g3", "goal", True),
        ("g4", "goal", True),
        ("g0", "goal", False),
    ):
        put(
            warehouse, "marts.dim_pillars_goals", city="baltimore", pillar_goal_id=pillar, plan_level=level, is_current_plan=current
        )  # fmt: skip
        put(
            warehouse, "marts.bridge_plan_services", city="baltimore", pillar_goal_id=pillar, service_code=f"S-{pillar}"
        )
    for goal, status, days, newest in (
        ("g1", "completed", 92, True), ("g1", "in_progress", 1, True), ("g2", "completed", 93, True), ("g3", None, 1, True),
        ("g4", "completed", 1, False), ("g0", "completed", 1, True),
    ):  # fmt: skip
        put(
            warehouse, "marts.fct_action_statuses", city="baltimore", pillar_goal_id=goal, status=status, is_newest=newest,
            as_of_date=SCORED_ON - timedelta(days=days),
        )  # fmt: skip
    for service, target, direction, active in (
        ("S-p1", 5, "increase", True), ("S-p1", None, None, True), ("S-p2", 5, None, True), ("S-p2", 5, "increase", False),
    ):  # fmt: skip
        put(
            warehouse, "marts.mart_kpi_scorecard", city="baltimore", service_code=service, measure_id="m", is_active=active,
            target_value=target, direction=direction,
        )  # fmt: skip
    put(warehouse, "marts.dim_contracts", city="baltimore", contract_number="P1", vendor_name="A", agency_count=1)
    put(warehouse, "marts.dim_contracts", city="baltimore", contract_number="P2", begin_date=SCORED_ON, agency_count=0)
    build(warehouse, *MARTS)
    return warehouse


def test_a_score_is_the_weighted_sum_of_six_components(scored: duckdb.DuckDBPyConnection) -> None:
    row = score(scored, "baltimore/spending")
    expected = {
        "completeness": 1 - (3 * 0 + 1 * 2) / (3 * 10 + 1 * 10),  # the nulls of `note` are documented
        "validity": (3 + 1 + 1) / (3 + 3 + 1 + 1),  # neither info, drift and age, nor what did not run
        "freshness": sigmoid(89, 90),
        "documentation": (1 + 1 + 0 + 1 + 1 + 1) / 6,  # no licence
        "accessibility": 1,
        "stability": 1 - (1 + 1) / 10,  # of 90 days, and comparable; rows that were added are no revision
    }
    weights = {"completeness": 0.25, "validity": 0.25, "freshness": 0.2, "documentation": 0.15, "accessibility": 0.1, "stability": 0.05}  # fmt: skip
    for component, value in expected.items():
        assert row[component] == pytest.approx(value, abs=1e-6), component
    total = sum(weights[component] * value for component, value in expected.items())
    assert (row["score"], row["score_low"], row["score_high"]) == pytest.approx((total, total, total), abs=1e-5)
    assert (row["score_version"], row["measured_weight"], row["not_measured"]) == ("1", 1, None)
    assert row["scored_on"] == SCORED_ON


def test_what_cannot_be_measured_widens_the_bounds_and_is_named(scored: duckdb.DuckDBPyConnection) -> None:
    row = score(scored, "baltimore/late")
    assert row["score"] is None
    assert row["not_measured"] == "columns, filled_values, passed_checks, unrevised_rows"
    assert row["score_high"] - row["score_low"] == pytest.approx(1 - row["measured_weight"], abs=1e-6)
    good = score(scored, "good")
    # freshness 0.5 without a period; of six parts of documentation four are known, of four of accessibility two
    low = 0.2 * 0.5 + 0.15 * (1 + 1 + 1 + 0) / 6 + 0.1 * (1 + 1) / 4
    assert (good["score_low"], good["measured_weight"]) == pytest.approx(
        (low, 0.2 + 0.15 * 4 / 6 + 0.1 * 2 / 4), abs=1e-6
    )
    assert good["not_measured"] == "columns, filled_values, licence, page, passed_checks, stable_id, unrevised_rows"
    assert score(scored, "poor")["documentation"] == 0
    assert score(scored, "poor")["freshness"] is None
    absent = score(scored, "chicago/absent")
    assert (absent["accessibility"], absent["completeness"], absent["validity"]) == (0, None, None)


def test_data_are_fresh_up_to_their_period_and_not_beyond_it(scored: duckdb.DuckDBPyConnection) -> None:
    """The city's own health check called data fresh when it was older than 90 days (domain note K10). This must never return."""
    fresh = {
        name: score(scored, f"baltimore/{name}")["is_fresh"]
        for name in ("spending", "edge", "late", "future", "irregular")
    }
    assert fresh == {"spending": True, "edge": True, "late": False, "future": False, "irregular": None}
    freshness = {
        name: score(scored, f"baltimore/{name}")["freshness"]
        for name in ("spending", "edge", "late", "future", "irregular")
    }
    assert freshness["spending"] > freshness["edge"] > freshness["late"] > freshness["future"] == 0
    assert freshness["late"] == pytest.approx(sigmoid(91, 90), abs=1e-6)
    assert freshness["irregular"] == 0.5
    assert score(scored, "chicago/undated")["freshness"] is None
    assert (score(scored, "future")["freshness"], score(scored, "future")["is_dated_in_future"]) == (0, True)
    assert not score(scored, "baltimore/late")["is_dated_in_future"]


@pytest.mark.parametrize(("days", "period", "fresh"), [(0, 90, True), (89, 90, True), (90, 90, True), (91, 90, False), (-1, 90, False), (5, None, None), (None, 90, None)])  # fmt: skip
def test_the_boundary_of_freshness(days: int | None, period: int | None, fresh: bool | None) -> None:
    row = empty_warehouse().execute("select is_fresh(?, ?)", [days, period]).fetchone()
    assert row == (fresh,)


def test_freshness_of_very_old_data_is_a_number() -> None:
    assert empty_warehouse().execute("select freshness(100000, 1), freshness(180, 90)").fetchone() == (0, 0.5)


def evidence(warehouse: duckdb.DuckDBPyConnection, city: str) -> dict[str, tuple[Any, Any]]:
    rows = warehouse.execute("select test, value, is_met from marts.fct_criterion_evidence where city = ?", [city])
    return {test: (value, is_met) for test, value, is_met in rows.fetchall()}


def test_each_test_of_a_criterion_has_a_value_or_a_reason(scored: duckdb.DuckDBPyConnection) -> None:
    city = evidence(scored, "baltimore")
    assert city["inventory_exists"] == (1, True)
    assert city["inventory_updated"] == (30, True)  # the date in the future does not count
    assert city["departments_covered"] == (
        0.5,
        False,
    )  # Fire of Fire and Police; a group of unmatched names is no agency
    assert city["columns_described"] == (pytest.approx(2 / 3, abs=1e-6), False)  # of the city's own three items
    assert city["items_with_api"] == (pytest.approx(2 / 3, abs=1e-6), True)
    assert city["scores_published"] == (0.2, False)
    assert city["datasets_fresh"] == (0.5, True)  # spending and edge, not late and future
    assert city["licence_stated"] == (0, False)
    assert city["failures_published"] == (7, True)
    assert city["revisions_logged"] == (3, True)
    assert city["outcomes_flagged_for_equity"] == (pytest.approx(1 / 3, abs=1e-6), False)  # active and shown outcomes
    assert city["measures_disaggregated"] == (None, None)
    assert city["dollars_linked_to_outcomes"] == (
        pytest.approx(80 / 150, abs=1e-6),
        False,
    )  # of the newest adopted budget
    assert city["dollars_linked_to_measures"] == (
        0.2,
        False,
    )  # a deprecated measure is none, nor is one that is not shown
    assert city["goals_reported"] == (
        0.25,
        False,
    )  # g1; the others are too old, have no status, are not the newest or of an older plan
    assert city["pillars_measured"] == (
        0.5,
        False,
    )  # of two pillars of the newest plan one has a measure with target and direction
    assert city["contracts_published"] == (2, True)
    assert city["ocds_fields_present"] == (pytest.approx(4 / 9, abs=1e-6), False)
    other = evidence(scored, "chicago")
    assert other["inventory_exists"] == other["departments_covered"] == other["contracts_published"] == (None, None)
    why = scored.execute("select distinct not_measured_because from marts.fct_criterion_evidence where city = 'chicago' and criterion = 'DM2'").fetchall()  # fmt: skip
    assert why == [("The catalog of the city's portal is not captured.",)]


def test_the_standard_has_43_criteria_in_eight_practices() -> None:
    with (CHECKOUT / "data" / "seeds" / "wwc_criteria.csv").open() as file:
        criteria = list(csv.DictReader(file))
    sizes = Counter(row["practice"] for row in criteria)
    assert [sizes[name] for name in dict.fromkeys(row["practice"] for row in criteria)] == [9, 7, 4, 5, 3, 8, 3, 4]
    assert Counter(row["measurability"] for row in criteria) == {
        "measured": 9,
        "partly_measured": 16,
        "not_measurable": 18,
    }


def test_the_scorecard_gives_points_to_what_is_known_and_never_a_level(scored: duckdb.DuckDBPyConnection) -> None:
    rows = scored.execute("select criterion, classification, points, met_test_count, test_count from marts.mart_wwc_scorecard where city = 'baltimore'").fetchall()  # fmt: skip
    points = {criterion: number for criterion, _, number, _, _ in rows}
    assert len(points) == 43
    known = evidence(scored, "baltimore")
    with (CHECKOUT / "data" / "seeds" / "wwc_tests.csv").open() as file:
        tests = list(csv.DictReader(file))
    for criterion in {row["criterion"] for row in tests}:
        met = [known[row["test"]][1] for row in tests if row["criterion"] == criterion]
        assert points[criterion] == (0 if False in met else None if None in met else 1), criterion
    elsewhere = dict(scored.execute("select criterion, points from marts.mart_wwc_scorecard where city = 'chicago'").fetchall())  # fmt: skip
    assert (elsewhere["DM2"], elsewhere["RDC7"]) == (None, None), "no test has a value, so none failed and none is met"
    assert points["DM1"] == 1, "a document is recorded"
    assert points["DM3"] is None, "no document is recorded, which does not say that there is none"
    assert all(number is None for _, kind, number, _, _ in rows if kind in ("attested", "not_measurable"))
    totals = scored.execute("select criterion_count, points, unknown_count from marts.mart_wwc_totals where city = 'baltimore' order by position").fetchall()  # fmt: skip
    measured = sum(number or 0 for _, kind, number, _, _ in rows if kind == "measured")
    partly = sum(number or 0 for _, kind, number, _, _ in rows if kind == "partly_measured")
    unknown = [
        sum(n is None for _, k, n, _, _ in rows if k in kinds)
        for kinds in (("measured",), ("measured", "partly_measured"))
    ]
    assert totals == [
        (9, measured, unknown[0]), (25, measured + partly, unknown[1]), (43, measured + partly + 18, unknown[1]),
    ]  # fmt: skip
    published = json.dumps(scored.execute("select * from marts.mart_wwc_scorecard").fetchall(), default=str).lower()
    assert not {"silver", "gold", "platinum"} & set(published.replace('"', " ").replace(",", " ").split())


def test_an_attestation_is_shown_and_gives_no_point(scored: duckdb.DuckDBPyConnection) -> None:
    cursor = scored.cursor()
    cursor.execute("begin")
    put(
        cursor, "seeds.wwc_attestations", city="baltimore", standard="wwc_2022", criterion="EVAL1", statement="There is one.",
        attested_by="The Office", attested_on="2026-01-05", source="letter",
    )  # fmt: skip
    build(cursor, "marts.mart_wwc_scorecard", "marts.mart_wwc_totals")
    shown = cursor.execute("select classification, points, evidence, attested_by, attested_on from marts.mart_wwc_scorecard where city = 'baltimore' and criterion = 'EVAL1'").fetchone()  # fmt: skip
    limit = cursor.execute("select max(points) from marts.mart_wwc_totals where city = 'baltimore' and position = 3")
    attested = limit.fetchone()
    cursor.execute("rollback")
    assert shown == ("attested", None, "There is one.", "The Office", date(2026, 1, 5))
    assert attested == scored.execute("select max(points) from marts.mart_wwc_totals where city = 'baltimore' and position = 3").fetchone()  # fmt: skip


def test_the_five_claims_are_mapped_to_criteria(scored: duckdb.DuckDBPyConnection) -> None:
    claims = scored.execute("select criteria, criterion_count, measured_count, partly_measured_count, not_measured_count from marts.mart_wwc_claims where city = 'baltimore' order by position").fetchall()  # fmt: skip
    assert claims == [
        ("LC4, PA1, PA2, PA3", 4, 2, 2, 0),
        ("BF1, BF2, BF3", 3, 1, 1, 1),
        ("EVAL1, EVAL2, EVAL3, EVAL4", 4, 0, 0, 4),
        ("RDC1, RDC2, RDC3, RDC4, RDC5, RDC6, RDC7, RDC8", 8, 1, 4, 3),
        ("DM2, DM3, DM4, LC2, OD1, OD2, OD3, OD4, PA3", 9, 5, 4, 0),
    ]


def test_the_catalog_lists_every_form_once(scored: duckdb.DuckDBPyConnection) -> None:
    offered = scored.execute("select format, address, is_machine_readable from marts.mart_publication_catalog where dataset = 'good' order by format").fetchall()  # fmt: skip
    assert offered == [
        ("ArcGIS GeoServices REST API", "https://x", True),
        ("CSV", "good", True),
        ("Web Page", "good", False),
    ]
    own = scored.execute("select format, address, row_count, passed_checks, failed_checks, licence from marts.mart_publication_catalog where dataset = 'clean.baltimore_spending' order by format").fetchall()  # fmt: skip
    assert own == [(form, "data/clean.baltimore_spending/", 10, 3, 4, "not stated") for form in ("CSV", "Parquet")]


def test_the_contracts_hold_on_these_rows(scored: duckdb.DuckDBPyConnection) -> None:
    for table in MARTS:
        for expected in committed_models()[table].contract.expectations:
            if query := expected.arguments.get("unexpected_rows_query"):
                assert scored.execute(query.replace("{batch}", table)).fetchall() == [], (table, query)


# The real catalog


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The copy of the catalog, put back into the JSON that the portal publishes, and read by the reader of files."""
    folder = tmp_path_factory.mktemp("catalog")
    with gzip.open(CATALOG, "rt", encoding="utf-8") as file:
        entries = [
            {
                **{name: row[name] for name in ("landingPage", "title", "description", "issued", "modified", "spatial")},
                **{name: ast.literal_eval(row[name]) for name in ("keyword", "distribution", "theme")},
                "publisher": {"name": row["publisher.name"]}, "contactPoint": {"fn": row["contactPoint.fn"]},
            }
            for row in csv.DictReader(file)
        ]  # fmt: skip
    rows = read(
        here(folder, json.dumps({"@type": "dcat:Catalog", "dataset": entries}).encode(), member="dataset"), folder
    )
    warehouse = base()
    warehouse.register("captured", rows)
    warehouse.execute(
        "create table raw.baltimore_portal_inventory as select *, 'c' as _capture_id, null as _edition from captured"
    )
    put(warehouse, "meta.captures", dataset="baltimore/portal_inventory", capture_id="c", captured_at=date(2024, 3, 8))
    build(warehouse, "clean.baltimore_portal_inventory", *MARTS)
    yield warehouse
    warehouse.close()


@needs_real_files
def test_the_real_catalog_has_804_items_of_which_309_are_the_citys(real: duckdb.DuckDBPyConnection) -> None:
    counted = (
        "select count(*), count(distinct landing_page), count(*) filter (where is_of_city) from marts.fct_portal_items"
    )
    assert real.execute(counted).fetchone() == (804, 804, 309)
    unfilled = "select count(*) filter (where is_description_unfilled), count(*) filter (where description is null) from marts.fct_portal_items"
    assert real.execute(unfilled).fetchone() == (108, 108), "8 empty ones and 100 templates that nobody filled"
    assert real.execute("select count(*) filter (where has_api), count(*) filter (where has_download) from marts.fct_portal_items").fetchone() == (615, 458)  # fmt: skip
    assert real.execute("select count(*) from marts.fct_portal_items where title ilike '%retired%' or title ilike '%retiring%'").fetchone() == (3,)  # fmt: skip


@needs_real_files
def test_the_age_of_the_real_items_is_as_an_independent_reading_says(real: duckdb.DuckDBPyConnection) -> None:
    """The note on the domain (9.4): of 140 city datasets with layers 44 were edited within 90 days and 134 within 365, median 256.

    Counted to 2024-03-08, the newest edit, the median is 256.5: the note cuts it. All three counts agree.
    """
    query = (
        "select scores.age_days from marts.mart_dataset_quality_scores as scores"
        " inner join marts.fct_portal_items as items on scores.dataset = items.landing_page"
        " where items.is_of_city and items.has_download and scores.dataset_kind = 'portal item'"
    )
    ages = [age for (age,) in real.execute(query).fetchall()]
    assert (len(ages), sum(age <= 90 for age in ages), sum(age <= 365 for age in ages), median(ages)) == (
        140,
        44,
        134,
        256.5,
    )


@needs_real_files
def test_the_real_catalog_states_no_licence_no_period_and_few_dictionaries(real: duckdb.DuckDBPyConnection) -> None:
    """The note counts 22 of the 140 that mention a dictionary or field; without markup and by these two words it is 20."""
    words = "select count(*) from marts.fct_portal_items where is_of_city and has_download and regexp_matches(lower(description), 'dictionary|field')"
    assert real.execute(words).fetchone() == (20,)
    known = "select distinct score is null, measured_weight, freshness from marts.mart_dataset_quality_scores where dataset_kind = 'portal item'"
    assert real.execute(known).fetchall() == [(True, pytest.approx(0.35), 0.5)]
    city = evidence(real, "baltimore")
    assert city["inventory_exists"] == (1, True)
    assert city["inventory_updated"] == (0, True)
    assert city["columns_described"][1] is False
