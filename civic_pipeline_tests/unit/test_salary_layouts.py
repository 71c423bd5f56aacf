"""Salaries in the layout of April 2022 and in today's: the same people give the same rows but for the ids that the former had not."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from formulas import build, committed_models, empty_warehouse

from civic_pipeline.catalog import load_datasets
from civic_pipeline.errors import ShapeUnknown
from civic_pipeline.lake import Lake, backfill
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.captured import capture_sql

NAME = "baltimore/salaries"
FORMER = """firstName,middleInitial,lastName,jobClass,agencyID,agencyName,hireDate,annualSalary,grossPay,fiscalYear
Ann,B,Alpha,Police Officer,A99,Police Department (045),2010-01-04,61000,64210.5,FY2021
Cy,,Beta,Police Officer,A99,Police Department (045),2012-02-06,61000,61000,FY2021
Di,E,Gamma,Police Department (045),A99,Police Department (045),2015-03-09,0,50000,FY2021
"""
TODAY = """ID,Name,JobTitle,AgencyID,AgencyName,HireDate,AnnualSalary,GrossPay,FiscalYear
1,"Alpha,Ann B",Police Officer,A99,Police Department (045),2010-01-04,61000,64210.5,FY2021
2,"Beta,Cy",Police Officer,A99,Police Department (045),2012-02-06,61000,61000,FY2021
3,"Gamma,Di E",Police Department (045),A99,Police Department (045),2015-03-09,0,50000,FY2021
"""
COLUMNS = "fiscal_year, employee_name, job_title, payroll_code, agency_name, hire_date, annual_salary, gross_pay"


def clean(folder: Path, text: str) -> duckdb.DuckDBPyConnection:
    datasets = load_datasets(CHECKOUT)
    lake = Lake(folder / "lake", datasets)
    file = folder / "salaries.csv"
    file.write_text(text, encoding="utf-8")
    captured = backfill(NAME, datasets[NAME], lake, file, datetime(2022, 4, 20, tzinfo=UTC), "demo")
    warehouse = empty_warehouse()
    warehouse.execute(f"create table raw.baltimore_salaries as {capture_sql(lake, datasets[NAME], captured)}")
    build(warehouse, "clean.baltimore_salaries")
    return warehouse


def test_both_layouts_give_the_same_people(tmp_path: Path) -> None:
    (tmp_path / "former").mkdir()
    (tmp_path / "today").mkdir()
    query = f"select {COLUMNS} from clean.baltimore_salaries order by employee_name"
    former, today = clean(tmp_path / "former", FORMER), clean(tmp_path / "today", TODAY)
    rows = former.execute(query).fetchall()
    assert rows == today.execute(query).fetchall()
    assert [row[:3] for row in rows] == [
        (2021, "Alpha,Ann B", "Police Officer"), (2021, "Beta,Cy", "Police Officer"), (2021, "Gamma,Di E", None),
    ]  # fmt: skip
    assert {row[4] for row in rows} == {"Police Department"}
    assert former.execute("select count(distinct salary_id) from clean.baltimore_salaries").fetchone() == (3,)


def test_names_of_the_former_layout_are_as_personal_as_todays() -> None:
    model = committed_models()["clean.baltimore_salaries"]
    assert "employee_name" in model.contract.personal
    shape = load_datasets(CHECKOUT)[NAME].earlier_shapes[0]
    assert {"lastname", "firstname", "middleinitial"} <= shape.reads
    assert [name for name, sql in shape.columns.items() if "lastName" in sql] == ["Name"]


def test_a_layout_without_one_of_the_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeUnknown):
        clean(tmp_path, FORMER.replace("jobClass", "class"))
