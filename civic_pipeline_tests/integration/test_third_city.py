"""A third city is new files alone: an invented one is added to a copy of the checkout and appears in every conformed mart."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake import Lake, attempt_capture
from civic_pipeline.lint import check
from civic_pipeline.nightly import failed_sources
from civic_pipeline.portals import Access
from civic_pipeline.publish.dictionary import write_dictionary
from civic_pipeline.quality import Suites, build_table
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import load_models, open_build, release

pytestmark = pytest.mark.slow  # every check of every table

RIVERTON = Path(__file__).parents[1] / "fixtures" / "riverton"
# Tables of what only another city publishes.
NOT_RIVERTONS = {
    "marts.fct_vendor_certification_matches",
    "marts.mart_budget_credibility",
    # Indicators and their labels: Riverton has four payments, no thresholds and no audit.
    "marts.fct_duplicate_payments",
    "marts.fct_split_purchases",
    "marts.fct_vendor_breadth",
    "marts.fct_spend_statistics",
    "marts.fct_spend_flags",
    "marts.fct_labelled_cases",
    "marts.mart_integrity_test_quality",
    "marts.mart_contract_drawdown",
    "marts.mart_mwbe_reported",
    "marts.mart_reconciliations",
    # What only the seeds of a city or its plan say.
    "marts.dim_pillars_goals",
    "marts.mart_kpi_reproducibility",
    "marts.mart_rent_support",
}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of the checkout with the files of Riverton, none of which was there."""
    root = tmp_path_factory.mktemp("three_cities") / "checkout"
    for part in ("sql", "data/seeds", "civic_pipeline/defs"):
        shutil.copytree(CHECKOUT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in sorted(path for path in RIVERTON.rglob("*") if path.is_file()):
        copy = root / file.relative_to(RIVERTON)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with copy.open("xb") as new:  # refuses a file that is there
            new.write(file.read_bytes())
    return Settings(root=root, data=root / "data")


@pytest.fixture(scope="module")
def problems(checkout: Settings) -> dict[str, str]:
    """One night on which only Riverton was captured: table -> why it is held back."""
    datasets = load_datasets(checkout.root)
    lake, access = Lake(checkout.lake, datasets), Access(project=checkout.root)
    for name in ("riverton/budget", "riverton/payments"):
        assert attempt_capture(name, datasets[name], lake, access).problem is None
    with open_build(checkout, datasets, "a run") as build:
        suites = Suites(build)
        held = failed_sources(build)
        for model in load_models(checkout.root, datasets).values():
            outcome = build_table(build, suites, model, held)
            if outcome.problem:
                held[model.name] = outcome.problem
        release(build)
    return held


@pytest.fixture(scope="module")
def warehouse(checkout: Settings, problems: dict[str, str]) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(checkout.warehouse), read_only=True)


def rows(warehouse: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return warehouse.execute(query).fetchall()


def test_nothing_is_wrong_with_the_sql_of_three_cities(checkout: Settings) -> None:
    assert check(checkout.root) == []


def test_the_third_city_is_in_every_conformed_mart(
    checkout: Settings, warehouse: duckdb.DuckDBPyConnection, problems: dict[str, str]
) -> None:
    models = load_models(checkout.root, load_datasets(checkout.root))
    never = {name for (name,) in rows(warehouse, "select table_name from meta.tables where status = 'never_captured'")}
    conformed = [
        model.name for model in models.values()
        if model.schema == "marts" and any(column.name == "city" for column in model.contract.columns) and model.name not in never
    ]  # fmt: skip
    assert len(conformed) >= 12
    assert problems == {}
    without = [
        name for name in conformed
        if not rows(warehouse, f"select 1 from {name} where city = 'riverton' limit 1")
    ]  # fmt: skip
    assert set(without) == NOT_RIVERTONS


def test_its_fiscal_year_begins_in_october(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = "select check_number, fiscal_year, fiscal_period from marts.fct_payments where city = 'riverton' order by 1"
    assert rows(warehouse, query) == [("P1", 2023, 12), ("P2", 2024, 1), ("P3", 2024, 1), ("P4", 2024, 2)]
    months = "select month_start_date, fiscal_year, fiscal_period, status from marts.dim_coverage where city = 'riverton' order by 1"
    assert rows(warehouse, months) == [
        (date(2023, 9, 1), 2023, 12, "partial"),
        (date(2023, 10, 1), 2024, 1, "complete"),
        (date(2023, 11, 1), 2024, 2, "complete"),
    ]


def test_its_payments_resolve_to_its_own_agencies_funds_and_vendors(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select agencies.city, funds.city, vendors.city, agency_name, fund_name, vendors.name_count, sum(payments.paid_amount)"
        " from marts.fct_payments as payments join marts.dim_agencies as agencies using (agency_id)"
        " join marts.dim_funds as funds using (fund_id) join marts.dim_vendors as vendors using (vendor_id)"
        " where payments.city = 'riverton' group by all order by all"
    )
    assert rows(warehouse, query) == [
        ("riverton", "riverton", "riverton", "Parks", "General Fund", 2, Decimal("350.50")),
        ("riverton", "riverton", "riverton", "Streets", "Gas Tax", 1, Decimal("3960.00")),
    ]


def test_its_budget_is_compared_with_its_own_year_before(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select agency_name, appropriated_amount, not_counted_amount, previous_amount, change_rate from marts.mart_budget_by_agency"
        " where city = 'riverton' and fiscal_year = 2024 order by 1"
    )
    assert rows(warehouse, query) == [
        ("Parks", 1_000_000, 0, 900_000, pytest.approx(1 / 9)),
        ("Streets", 500_000, 50_000, 400_000, 0.25),
    ]


def test_cities_that_were_never_captured_are_absent_and_named(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert rows(warehouse, "select distinct city from marts.fct_budget_lines") == [("riverton",)]
    query = "select missing_parts from meta.tables where table_name = 'marts.fct_budget_lines'"
    assert rows(warehouse, query) == [(["baltimore", "chicago"],)]
    assert rows(warehouse, "select kind, fiscal_year_first_month from meta.places where place = 'riverton'") == [
        ("city", 10)
    ]


def test_the_dictionary_has_the_third_city(checkout: Settings, tmp_path: Path) -> None:
    write_dictionary(checkout.root, tmp_path, check=False)
    assert "| [riverton](../../civic_pipeline/defs/riverton/place.yaml) | city | MD |" in (
        tmp_path / "README.md"
    ).read_text(encoding="utf-8")
