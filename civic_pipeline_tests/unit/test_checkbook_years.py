"""The three layouts of the checkbook as editions of one table, and what is not tested where numbers were not published."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from checkbook import Paid, build_payments, put_checkbook
from formulas import build, committed_models, empty_warehouse

from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake import Lake, backfill
from civic_pipeline.quality import planned_checks
from civic_pipeline.quality.control_totals import column_total
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import Staged
from civic_pipeline.warehouse.captured import capture_sql
from tools.sample import spending

# As of live-schemas: of fiscal years 2020 and 2021, the fund is a name; today it is a code beside its name.
FY2020 = """OBJECTID,Date,Agency,Service,Spending_Category,Spending_Description,Fund,Amount,Vendor_Name
1,2019-07-05,Public Works,Solid Waste,Contractual Services,Hauling,General,100.25,Ace LLC
2,07/08/2019,Public Works,Solid Waste,,Fuel,General,50,Ace LLC
"""
FY2021 = """OBJECTID,OBJECTID_1,Date,Agency,Service,Spending_Category,Spending_Description,Fund,Amount,Vendor_Name,Date_Accuracy,GlobalID,name
1,1,2020-12-05,Public Works,Water,Contractual Services,Pipes,Water Utility,7.75,Bee Inc,approximate,{A},
2,2,2021-03-31,Public Works,Water,Contractual Services,Pipes,Water Utility,,Bee Inc,approximate,{B},
"""


def today(**values: str) -> str:
    row = {"Payment_Date": "2021-07-01", "Agency": "Public Works", "Supplier_Name": "Ace LLC", "Check_Number": "9",
           "Supplier_Invoice_Number": "i-1", "Payment_Amount_split": "1000", "Fund": "1001", "Fund_Description": "General",
           "Cost_Center": "CC1", "Cost_Center_Description": "Solid Waste", "Spend_Category": "SC1",
           "Spend_Category_Description": "Hauling", "Unique_ID": "u1"} | values  # fmt: skip
    return ",".join(spending.HEADER) + "\n" + ",".join(row.get(name, "") for name in spending.HEADER) + "\n"


@pytest.fixture
def warehouse(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """With `raw` and `clean.baltimore_spending` of a capture of all three editions."""
    name = "baltimore/spending"
    datasets = load_datasets(CHECKOUT)
    lake = Lake(tmp_path / "lake", datasets)
    for day, (edition, text) in enumerate({"fy2020": FY2020, "fy2021": FY2021, "fy2022-": today()}.items(), start=1):
        file = tmp_path / f"{edition}.csv"
        file.write_text(text, encoding="utf-8")
        captured = backfill(
            name, datasets[name], lake, file, datetime(2026, 1, day, tzinfo=UTC), "demo", edition=edition
        )
    warehouse = empty_warehouse()
    warehouse.execute(f"create table raw.baltimore_spending as {capture_sql(lake, datasets[name], captured)}")
    build(warehouse, "clean.baltimore_spending")
    return warehouse


def test_each_layout_gives_names_days_and_amounts_of_one_table(warehouse: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select fiscal_year, payment_date::varchar, fund_name, cost_center, spend_category, vendor_name, check_number, amount"
        " from clean.baltimore_spending order by payment_date"
    )
    assert warehouse.execute(query).fetchall() == [
        (2020, "2019-07-05", "General", "Solid Waste", "Contractual Services", "Ace LLC", None, Decimal("100.25")),
        (2020, "2019-07-08", "General", "Solid Waste", "Fuel", "Ace LLC", None, Decimal("50.00")),
        (2021, "2020-12-05", "Water Utility", "Water", "Contractual Services", "Bee Inc", None, Decimal("7.75")),
        (2021, "2021-03-31", "Water Utility", "Water", "Contractual Services", "Bee Inc", None, None),
        (2022, "2021-07-01", "General", "Solid Waste", "Hauling", "Ace LLC", "9", Decimal("1000.00")),
    ]
    ids = warehouse.execute("select count(distinct payment_split_id) from clean.baltimore_spending").fetchone()
    assert ids == (5,)


def test_the_control_total_counts_the_amounts_of_all_layouts(warehouse: duckdb.DuckDBPyConnection) -> None:
    model = committed_models()["clean.baltimore_spending"]
    staged = Staged(
        model, model.name, everything=model.name, quarantine=None, rows=5, quarantined_rows=0, repeated_rows=0
    )
    result = column_total(warehouse, staged, "amount", planned_checks(model)["control_total__amount"])
    assert (result.passed, result.examples) == (True, ("1,158.00 sent, 1,158.00 accounted for",))


def test_coverage_declares_the_hole_of_2021(warehouse: duckdb.DuckDBPyConnection) -> None:
    """The notes of the City, once the layers that they speak of are captured."""
    seed = CHECKOUT / "data" / "seeds" / "coverage_notes" / "baltimore.csv"
    warehouse.execute(f"create table seeds.coverage_notes as from read_csv('{seed}', all_varchar = true)")
    build(
        warehouse,
        "marts.dim_cities",
        "marts.dim_dates",
        "marts.dim_fiscal_dates",
        "marts.fct_source_days",
        "marts.dim_coverage",
    )
    query = "select strftime(month_start_date, '%Y-%m'), status from marts.dim_coverage where month_start_date >= '2020-12-01' order by 1"
    assert warehouse.execute(query).fetchall() == [
        *((month, "known_date_error") for month in ("2020-12", "2021-01", "2021-02", "2021-03")),
        *((month, "missing") for month in ("2021-04", "2021-05", "2021-06")),
        ("2021-07", "partial"),
    ]


def test_splits_without_numbers_are_no_payments_to_be_tested() -> None:
    """Two equal splits of one payment of fiscal year 2020 are no duplicate and no split purchase, and nothing was tested."""
    warehouse = empty_warehouse()
    warehouse.execute(
        "create table seeds.procurement_thresholds as select * from (values"
        " ('baltimore', '5000', '2010-01-01', '2030-12-31', 'true')) as t(city, threshold_amount, valid_from, valid_to, is_verified)"
    )
    numberless = [Paid("DPW", "Ace LLC", None, "2019-07-05", 3000, None) for _ in range(2)]
    numbered = [Paid("DPW", "Ace LLC", str(n), "2021-07-05", 3000, f"i-{n}x{n}") for n in range(2)]
    put_checkbook(warehouse, [*numberless, *numbered])
    build_payments(warehouse)
    build(
        warehouse,
        "marts.fct_invoices",
        "marts.fct_duplicate_payments",
        "marts.fct_split_purchases",
        "marts.fct_payment_sizes",
    )
    for table in ("fct_duplicate_payments", "fct_split_purchases", "fct_payment_sizes"):
        years = warehouse.execute(f"select distinct fiscal_year from marts.{table}").fetchall()
        assert years == [(2022,)], table
    build_contracts = "create table marts.dim_contracts (city varchar, contract_number varchar, contract_id varchar)"
    warehouse.execute(build_contracts)
    warehouse.execute("update marts.fct_payments set contract_number = 'P1' where check_number = '1'")
    build(warehouse, "marts.mart_contract_coverage")
    links = warehouse.execute(
        "select fiscal_year, contract_link, split_count from marts.mart_contract_coverage order by all"
    )
    assert links.fetchall() == [
        (2020, "no contract numbers published", 2), (2022, "no contract cited", 1), (2022, "not in the list of contracts", 1),
    ]  # fmt: skip
