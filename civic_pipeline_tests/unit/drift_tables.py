"""Clean tables of an invented city, made by SQL: a ledger, a budget, contracts, firms and a series of cases.

They have the proportions of real ones: an agency with a tenth of the rows, some with a hundredth, reversals, blanks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import duckdb

from civic_pipeline.catalog import Contract
from civic_pipeline.catalog.dataset import Drift
from civic_pipeline.quality.drift import Comparison, Version, Watched, run_rules
from civic_pipeline.quality.drift.rules import Finding

_AGENCIES = {
    "Police": 20, "Public Works": 34, "Health": 50, "Fire": 62, "Transportation": 76, "Housing": 84, "Finance": 90,
    "Recreation": 95, "Law": 97, "Planning": 99, "Library": 100,
}  # fmt: skip
_AGENCY = "case " + " ".join(f"when a < {upto} then '{name}'" for name, upto in _AGENCIES.items()) + " end"

# Three fiscal years, July to June; some ten payments on every business day.
_LEDGER = f"""
    create table ledger as
    with days as (
        select day::date as day, row_number() over (order by day) as n
        from generate_series(date '2023-07-03', date '2026-06-30', interval 1 day) as days(day) where isodow(day) < 6
    ),
    payments as (select day, n * 100 + i as id, hash(n, i) as h from days, range(10) as numbers(i))
    select
        'id ' || id as payment_split_id,
        {_AGENCY.replace("a <", "h % 100 <")} as agency_name,
        'Vendor ' || (h // 100 % 300) as vendor_name,
        'check ' || id as check_number,
        case when h // 7 % 10 < 4 then 'P' || (h // 11 % 500) end as contract_number,
        day as payment_date,
        (year(day) + (month(day) >= 7)::int)::int as fiscal_year,
        cast(case when h // 13 % 100 = 0 then -1 else 1 end * (100 + h // 17 % 3000000 / 100) as decimal(18, 2)) as amount
    from payments
"""
# Three fiscal years of 1,000 lines; what is approved is often what was recommended.
_BUDGET = f"""
    create table budget as
    with lines as (select y, i, hash(y, i) as h, hash(i) as a from range(2024, 2027) as years(y), range(1000) as numbers(i))
    select
        y || '-' || i as budget_line_id,
        y::int as fiscal_year,
        {_AGENCY.replace("a <", "a % 100 <")} as agency_name,
        'program ' || (i // 3) as program_code,
        'service ' || (i // 3) as service_name,
        cast(1000 + h % 1000000 as decimal(18, 2)) as recommended_amount,
        cast((1000 + h % 1000000) * (case when h // 3 % 10 < 6 then 100 else 97 end) / 100 as decimal(18, 2)) as approved_amount
    from lines
"""
_CONTRACTS = f"""
    create table contracts as
    select
        'share ' || i as contract_share_id,
        'P' || (500000 + i // 2) as contract_number,
        'Vendor ' || (hash(i) % 90) as vendor_name,
        {_AGENCY.replace("a <", "hash(i) // 5 % 100 <")} as agency_name,
        date '2020-01-01' + (hash(i) % 1500)::int as begin_date,
        cast(10000 + hash(i) // 3 % 2000000 as decimal(18, 2)) as authorized_amount
    from range(320) as numbers(i)
"""
_FIRMS = """
    create table firms as
    select
        'listing ' || i as listing_id,
        'C' || i as certification_number,
        'Firm ' || i as firm_name,
        case when hash(i) % 10 < 8 then 'CERTIFIED' else 'EXPIRED' end as certification_status,
        date '2015-01-01' + (hash(i) % 3000)::int as certified_date
    from range(900) as numbers(i)
"""
_CASES = """
    create table cases as
    select 'County ' || county as county, day::date as observed_date, (county * 100 + row_number() over (partition by county order by day))::bigint as cumulative_cases
    from range(1, 25) as counties(county), generate_series(date '2022-01-01', date '2023-06-30', interval 1 day) as days(day)
"""  # fmt: skip

LEDGER = Watched(
    columns=("agency_name", "vendor_name", "check_number", "contract_number", "payment_date", "fiscal_year", "amount"),
    records=("vendor_name", "contract_number", "payment_date", "fiscal_year", "amount"),
    lines=("agency_name", "vendor_name", "check_number", "contract_number", "amount"),
    amounts=("amount",), measures=(), categories=("agency_name",), year="fiscal_year", dated_by="payment_date",
    payee="vendor_name",
)  # fmt: skip
_BOTH = ("recommended_amount", "approved_amount")
BUDGET = Watched(
    columns=("fiscal_year", "agency_name", "program_code", "service_name", *_BOTH),
    records=("fiscal_year", "service_name", *_BOTH),
    lines=("agency_name", "program_code", "service_name", *_BOTH),
    amounts=_BOTH, measures=(), categories=("agency_name",), year="fiscal_year", dated_by=None, payee=None,
)  # fmt: skip
_SHARE = ("contract_number", "vendor_name", "agency_name", "begin_date", "authorized_amount")
CONTRACTS = Watched(
    columns=_SHARE, records=("vendor_name", "begin_date", "authorized_amount"), lines=_SHARE,
    amounts=("authorized_amount",), measures=(), categories=("agency_name",), year=None, dated_by=None,
    payee="vendor_name",
)  # fmt: skip
_FIRM = ("certification_number", "firm_name", "certification_status", "certified_date")
FIRMS = Watched(
    columns=_FIRM[1:], records=("firm_name", "certified_date"), lines=_FIRM[1:], amounts=(), measures=(),
    categories=("certification_status",), year=None, dated_by=None, payee=None, ids=("certification_number",),
)  # fmt: skip
_CASE = ("county", "observed_date", "cumulative_cases")
CASES = Watched(
    columns=_CASE, records=_CASE[1:], lines=_CASE, amounts=(), measures=("cumulative_cases",), categories=("county",), year=None,
    dated_by="observed_date", payee=None,
)  # fmt: skip
TABLES = {"ledger": LEDGER, "budget": BUDGET, "contracts": CONTRACTS, "firms": FIRMS, "cases": CASES}


@dataclass(frozen=True)
class Accepted:
    """The accepted tables, and the comparison of a publication with one of them."""

    connection: duckdb.DuckDBPyConnection
    drift: Drift = field(default_factory=Drift)

    def published(self, table: str, sql: str, *, repeated: int = 0, **comparison: object) -> dict[str, Finding]:
        """What is found when `sql` (a query over the accepted tables) is published as the next version of `table`."""
        staged = f"staged_{table}"
        self.connection.execute(f"create or replace table {staged} as from {table} limit 0")
        self.connection.execute(f"insert into {staged} {sql}")
        versions = Version(table, repeated_rows=3), Version(staged, repeated_rows=repeated or 3)
        comparison_of_versions = Comparison.of(self.connection, TABLES[table], self.drift, *versions, **comparison)
        return run_rules(comparison_of_versions)

    def alarms(self, table: str, sql: str, **options: object) -> dict[str, tuple[str, tuple[str, ...]]]:
        """Check -> severity and examples, of the checks that failed."""
        findings = self.published(table, sql, **options)
        return {name: (f.severity, f.examples) for name, f in findings.items() if f.severity}


def accepted_tables() -> Iterator[Accepted]:
    with duckdb.connect(config={"threads": 1}) as connection:
        for sql in (_LEDGER, _BUDGET, _CONTRACTS, _FIRMS, _CASES):
            connection.execute(sql)
        yield Accepted(connection)


def contract(**columns: str) -> Contract:
    """A contract with these columns and their types; the first one is the key."""
    listed = [{"name": name, "type": kind, "description": "x", "source": name} for name, kind in columns.items()]
    return Contract.model_validate({"each_row_is": "a row", "key": [next(iter(columns))], "columns": listed})


def month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")
