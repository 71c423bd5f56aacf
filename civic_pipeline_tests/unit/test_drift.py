"""Data that lie and true histories: each publication with its least verdict, and the checks that must see it.

A row names the checks that this publication is there for: without one of them its test fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from drift_tables import TABLES, Accepted, accepted_tables
from formulas import committed_models

from civic_pipeline.catalog.dataset import Drift
from civic_pipeline.errors import CatalogIncomplete
from civic_pipeline.quality.drift import Comparison, Version, rules, run_rules, watched
from civic_pipeline.quality.drift.profile import profile

NEW_ID = "'new ' || payment_split_id as payment_split_id"
# Other payments of the same agencies and payees, as a ledger goes on.
MORE = f"{NEW_ID}, 'new ' || check_number as check_number, cast(amount + 0.37 as decimal(18, 2)) as amount"
A_YEAR_LATER = "cast(payment_date + interval 1 year as date) as payment_date, fiscal_year + 1 as fiscal_year"
ALL = "from ledger"


def changed(table: str, what: str, where: str) -> str:
    """`table` with `column = expression` in the rows that `where` selects."""
    column, _, expression = what.partition(" = ")
    return f"select * replace (case when {where} then {expression} else {column} end as {column}) from {table}"


@dataclass(frozen=True)
class Lie:
    """A wrong publication of `table`. `checks` must fail, each at least as gravely as it says."""

    table: str
    sql: str
    checks: dict[str, str]
    held_back: bool = True
    options: dict[str, int] = field(default_factory=dict)


CRITICAL, WARNING = "critical", "warning"
LIES = {
    "checkbook: a fiscal year twice": Lie(
        "ledger", f"{ALL} union all select * replace ({NEW_ID}) from ledger where fiscal_year = 2025",
        {"drift__rows_twice": CRITICAL, "drift__growth": CRITICAL, "drift__rows": CRITICAL, "drift__total__amount": CRITICAL},
    ),
    "checkbook: the newest month twice": Lie(
        "ledger", f"{ALL} union all select * replace ({NEW_ID}) from ledger where payment_date >= '2026-06-01'",
        {"drift__rows_twice": CRITICAL},
    ),
    "checkbook: all amounts x 100": Lie(
        "ledger", changed("ledger", "amount = amount * 100", "true"),
        {"drift__factor__amount": CRITICAL, "drift__growth": CRITICAL, "drift__changed_rows": CRITICAL},
    ),
    "checkbook: one month x 100": Lie(
        "ledger", changed("ledger", "amount = amount * 100", "date_trunc('month', payment_date) = '2026-03-01'"),
        {"drift__factor__amount": CRITICAL, "drift__growth": CRITICAL},
    ),
    "checkbook: all amounts negative": Lie(
        "ledger", changed("ledger", "amount = -amount", "true"),
        {"drift__negative_share__amount": CRITICAL, "drift__total__amount": CRITICAL},
    ),
    "checkbook: one agency negative": Lie(
        "ledger", changed("ledger", "amount = -amount", "agency_name = 'Health'"),
        {"drift__negative_share__amount": CRITICAL, "drift__total__amount": CRITICAL},
    ),
    "checkbook: reversals lose their sign": Lie(
        "ledger", changed("ledger", "amount = abs(amount)", "true"), {"drift__negative_share__amount": CRITICAL},
    ),
    "checkbook: a month missing": Lie(
        "ledger", f"{ALL} where date_trunc('month', payment_date) <> '2026-02-01'",
        {"drift__missing_slices": CRITICAL, "drift__business_days": WARNING},
    ),
    "checkbook: half a month missing": Lie(
        "ledger", f"{ALL} where payment_date not between '2026-02-14' and '2026-02-28'",
        {"drift__business_days": WARNING, "drift__rows": CRITICAL},
    ),
    "checkbook: last year's file again": Lie(
        "ledger", f"{ALL} where fiscal_year < 2026 union all select * replace ({A_YEAR_LATER}) from ledger where fiscal_year = 2025",
        {"drift__years_alike": CRITICAL},
    ),
    "checkbook: a large agency gone": Lie(
        "ledger", f"{ALL} where agency_name <> 'Police'", {"drift__missing_slices": CRITICAL, "drift__rows": CRITICAL},
    ),
    "checkbook: a small agency gone": Lie(
        "ledger", f"{ALL} where agency_name <> 'Planning'", {"drift__missing_slices": CRITICAL},
    ),
    "checkbook: an agency's column empty": Lie(
        "ledger", changed("ledger", "agency_name = null", "agency_name = 'Health'"),
        {"drift__missing_slices": CRITICAL, "drift__blank_share": WARNING},
    ),
    "budget: a year twice, which is repaired and reported": Lie(
        "budget", "from budget", {"drift__repeated_rows": WARNING}, held_back=False, options={"repeated": 1003},
    ),
    "budget: last year's file again": Lie(
        "budget", "from budget where fiscal_year < 2026"
        " union all select * replace (2026 as fiscal_year, 'new ' || budget_line_id as budget_line_id) from budget where fiscal_year = 2025",
        {"drift__years_alike": CRITICAL},
    ),
    "budget: a year x 100": Lie(
        "budget", changed("budget", "approved_amount = approved_amount * 100", "fiscal_year = 2026"),
        {"drift__factor__approved_amount": CRITICAL, "drift__growth": CRITICAL},
    ),
    "budget: approved is what was recommended": Lie(
        "budget", changed("budget", "approved_amount = recommended_amount", "fiscal_year = 2026"),
        {"drift__equal__recommended_amount__approved_amount": WARNING}, held_back=False,
    ),
    "budget: an agency of a year gone": Lie(
        "budget", "from budget where agency_name <> 'Health' or fiscal_year < 2026", {"drift__missing_slices": CRITICAL},
    ),
    "editions: one twice": Lie(
        "budget", "from budget union all from budget where fiscal_year = 2025",
        {"drift__rows_twice": CRITICAL, "drift__growth": CRITICAL},
    ),
    "editions: a year's rows under the next year's id": Lie(
        "budget", "from budget where fiscal_year <> 2025 union all select * replace (2025 as fiscal_year) from budget where fiscal_year = 2024",
        {"drift__years_alike": CRITICAL},
    ),
    "contracts: every row twice": Lie(
        "contracts", "from contracts union all select * replace ('new ' || contract_share_id as contract_share_id) from contracts",
        {"drift__rows_twice": CRITICAL, "drift__growth": CRITICAL},
    ),
    "firms: every one expired": Lie(
        "firms", changed("firms", "certification_status = 'EXPIRED'", "true"), {"drift__missing_slices": CRITICAL},
    ),
    "firms: a third of the certified ones expired": Lie(
        "firms", changed("firms", "certification_status = 'EXPIRED'", "certification_status = 'CERTIFIED' and hash(firm_name) % 3 = 0"),
        {"drift__rows": CRITICAL},
    ),
    "firms: names of other firms": Lie(
        "firms", changed("firms", "firm_name = 'Firm ' || listing_id", "hash(firm_name) % 3 = 0"), {"drift__changed_rows": CRITICAL},
    ),
    "cases: a county blank": Lie(
        "cases", changed("cases", "cumulative_cases = null", "county = 'County 7'"), {"drift__blank_share": CRITICAL},
    ),
    "cases: a county gone": Lie(
        "cases", "from cases where county <> 'County 7'", {"drift__missing_slices": CRITICAL},
    ),
    "cases: the last week 0, which is repaired and reported": Lie(
        "cases", changed("cases", "cumulative_cases = 0", "observed_date > '2023-06-23'"),
        {"drift__zeros__cumulative_cases": WARNING}, held_back=False,
    ),
    # Beyond the 22
    "ledger: every amount blank": Lie(
        "ledger", changed("ledger", "amount = null", "true"), {"drift__emptied_columns": CRITICAL, "drift__blank_share": CRITICAL},
    ),
    "ledger: a sparse column loses most of its values": Lie(
        "ledger", changed("ledger", "contract_number = null", "hash(payment_split_id) % 3 > 0"),
        {"drift__emptied_columns": CRITICAL},
    ),
    "ledger: a sparse column loses some of its values": Lie(
        "ledger", changed("ledger", "contract_number = null", "hash(payment_split_id) % 4 = 0"),
        {"drift__emptied_columns": WARNING, "drift__blank_share": WARNING}, held_back=False,
    ),
    "ledger: every payee hidden": Lie(
        "ledger", changed("ledger", "vendor_name = 'Various'", "true"), {"drift__payees": CRITICAL},
    ),
    "ledger: thousands given as dollars": Lie(
        "ledger", changed("ledger", "amount = amount / 1000", "true"), {"drift__factor__amount": CRITICAL},
    ),
    "contracts: all amounts with a tenth added": Lie(
        "contracts", changed("contracts", "authorized_amount = authorized_amount * 1.1", "true"),
        {"drift__factor__authorized_amount": CRITICAL},
    ),
    "ledger: a past year loses a fiftieth": Lie(
        "ledger", f"{ALL} where fiscal_year <> 2024 or hash(payment_split_id) % 40 > 0", {"drift__rows": CRITICAL},
    ),
    "firms: numbers that a spreadsheet rounded": Lie(
        "firms", changed("firms", "certification_number = left(certification_number, 2)", "true"),
        {"drift__ids__certification_number": CRITICAL},
    ),
    "firms: some of another list, without numbers": Lie(
        "firms", "from firms union all select * replace ('new ' || listing_id as listing_id, null as certification_number,"
        " 'New ' || firm_name as firm_name) from (from firms limit 30)",
        {"drift__ids__certification_number": WARNING}, held_back=False,
    ),
    "budget: the amounts of one agency doubled": Lie(
        "budget", changed("budget", "approved_amount = approved_amount * 2", "agency_name = 'Health' and fiscal_year = 2026"),
        {"drift__factor__approved_amount": CRITICAL},
    ),
    "budget: an agency's name in a wrong encoding": Lie(
        "budget", changed("budget", "agency_name = 'Mayorâ€™s Office'", "agency_name = 'Law'"), {"drift__garbled_text": WARNING}, held_back=False,
    ),
    "ledger: two agencies exchanged": Lie(
        "ledger", "select * replace (case agency_name when 'Police' then 'Health' when 'Health' then 'Police' else agency_name end as agency_name)"
        " from ledger", {"drift__moved_rows__agency_name": CRITICAL},
    ),
    "cases: two counties exchanged": Lie(
        "cases", "select * replace (case county when 'County 7' then 'County 8' when 'County 8' then 'County 7' else county end as county)"
        " from cases", {"drift__moved_rows__county": CRITICAL},
    ),
    "cases: a month of one county is 0": Lie(
        "cases", changed("cases", "cumulative_cases = 0", "county = 'County 7' and observed_date between '2023-01-01' and '2023-01-31'"),
        {"drift__zeros__cumulative_cases": WARNING}, held_back=False,
    ),
    "ledger: a past year gone": Lie("ledger", f"{ALL} where fiscal_year > 2024", {"drift__missing_slices": CRITICAL}),
    "ledger: half a year of new months, one without payments": Lie(
        "ledger", f"{ALL} union all select * replace ({MORE}, {A_YEAR_LATER}) from ledger"
        " where payment_date between '2025-07-01' and '2025-09-30' and month(payment_date) <> 8",
        {"drift__business_days": WARNING}, held_back=False,
    ),
}  # fmt: skip

TRUE_HISTORIES = {
    "growth of 12%": (
        "ledger",
        f"{ALL} union all select * replace ({MORE}, {A_YEAR_LATER}) from ledger where payment_date between '2025-07-01' and '2025-11-07'",
    ),
    "roll-over in July": (
        "ledger", f"{ALL} union all select * replace ({MORE}, {A_YEAR_LATER}) from ledger where payment_date between '2025-07-01' and '2025-07-02'",
    ),
    "late corrections to 0.4% of a closed year": (
        "ledger", changed("ledger", "amount = round(amount * 1.5, 2)", "fiscal_year = 2024 and hash(payment_split_id) % 1000 < 4"),
    ),
    "0.4% of a closed year withdrawn, all of one month": (
        "ledger", (f"{ALL} where payment_split_id not in (select payment_split_id from ledger"
        " where fiscal_year = 2024 and month(payment_date) = 10 order by payment_split_id limit 10)"),
    ),
    "a new agency": (
        "ledger", (f"{ALL} union all select * replace ({MORE}, 'Cannabis Commission' as agency_name) from ledger"
        " where payment_date >= '2026-06-15' and agency_name = 'Health'"),
    ),
    "an agency renamed, in every year": ("ledger", changed("ledger", "agency_name = 'Public Safety'", "agency_name = 'Police'")),
    "an agency renamed in the course of a year": (
        "ledger", changed("ledger", "agency_name = 'Public Safety'", "agency_name = 'Police' and payment_date >= '2025-12-01'"),
    ),
    "a source re-keyed": ("ledger", f"select * replace ({NEW_ID}, 'A' || check_number as check_number) from ledger"),
    "a supplemental appropriation": (
        "budget", changed("budget", "approved_amount = approved_amount * 2", "fiscal_year = 2026 and hash(budget_line_id) % 50 = 0"),
    ),
    "one payment of 40 million": (
        "ledger", (f"{ALL} union all select * replace ({NEW_ID}, 'c' as check_number, 'a bond' as vendor_name,"
        " cast(18000000 as decimal(18, 2)) as amount) from (from ledger where payment_date = '2026-06-30' limit 1)"),
    ),
    "a month closed late": (
        "ledger", f"{ALL} union all select * replace ({MORE}) from ledger where payment_date between '2026-05-11' and '2026-05-29'",
    ),
    "next year's budget": (
        "budget", ("from budget union all select * replace (2027 as fiscal_year, 'new ' || budget_line_id as budget_line_id,"
        " recommended_amount + 1200 as recommended_amount, approved_amount + 1000 as approved_amount)"
        " from budget where fiscal_year = 2026 and hash(budget_line_id) % 4 > 1"),
    ),
    "firms come and go": (
        "firms", ("from firms where hash(listing_id) % 120 > 0 union all select * replace ('new ' || listing_id as listing_id,"
        " 'N' || certification_number as certification_number, 'New ' || firm_name as firm_name) from firms where hash(listing_id) % 60 = 7"),
    ),
    "the few contracts of a small agency end": ("contracts", "from contracts where agency_name <> 'Library'"),
    "nothing but other codes": ("contracts", "select * replace ('x' || contract_share_id as contract_share_id) from contracts"),
}  # fmt: skip


@pytest.fixture(scope="module")
def accepted() -> Iterator[Accepted]:
    yield from accepted_tables()


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_seen_by_each_check_that_is_there_for_it(accepted: Accepted, name: str) -> None:
    lie = LIES[name]
    alarms = accepted.alarms(lie.table, lie.sql, **lie.options)
    for check, least in lie.checks.items():
        assert check in alarms, f"{check} saw nothing; the others: {alarms}"
        severity, examples = alarms[check]
        assert severity in (least, CRITICAL), (check, severity, examples)
        assert examples
    assert any(severity == CRITICAL for severity, _ in alarms.values()) is lie.held_back, alarms


@pytest.mark.parametrize("name", TRUE_HISTORIES)
def test_a_true_history_raises_no_alarm(accepted: Accepted, name: str) -> None:
    assert accepted.alarms(*TRUE_HISTORIES[name]) == {}


def test_every_check_has_a_lie_that_needs_it() -> None:
    planned = {rule.name for table in TABLES.values() for rule in rules(table, Drift())}
    asserted = {check for lie in LIES.values() for check in lie.checks}
    kinds = {name.split("__")[1] for name in planned}
    assert {name.split("__")[1] for name in asserted} == kinds


# Limits: one step below, on, and above


def closed_year_moved(share: float, sign: int) -> str:
    """The ledger with every dollar of fiscal year 2024 moved by `share` of it, upwards or downwards."""
    return changed("ledger", f"amount = amount + {sign} * round({share} * abs(amount), 2)", "fiscal_year = 2024")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("share", "severity"), [(0.004, None), (0.0051, WARNING), (0.019, WARNING), (0.0201, CRITICAL)]
)
def test_a_past_fiscal_year_may_move_by_less_than_half_a_percent_either_way(
    accepted: Accepted, share: float, sign: int, severity: str | None
) -> None:
    finding = accepted.published("ledger", closed_year_moved(share, sign))["drift__total__amount"]
    assert finding.severity == severity
    if severity:
        assert "fiscal_year 2024: " in finding.examples[0]
        assert f"({sign * share:+.1%})" in finding.examples[0]


@pytest.mark.parametrize(("kept", "severity"), [(91, None), (89, WARNING), (81, WARNING), (79, CRITICAL)])
def test_an_open_slice_warns_at_a_fall_of_a_tenth_and_is_held_back_at_a_fifth(
    accepted: Accepted, kept: int, severity: str | None
) -> None:
    sql = (
        "from contracts where agency_name <> 'Public Works' or contract_share_id in (select contract_share_id from contracts"
        f" where agency_name = 'Public Works' order by hash(contract_share_id) limit"
        f" cast(ceil((select count(*) from contracts where agency_name = 'Public Works') * {kept} / 100) as bigint))"
    )
    accepted.connection.execute(
        "create or replace table contracts_small as from contracts; create or replace table contracts as"
        " select * replace ('a' || n || contract_share_id as contract_share_id, contract_number || n as contract_number)"
        " from contracts_small, range(10) as t(n)"
    )
    try:
        finding = accepted.published("contracts", sql)["drift__rows"]
    finally:
        accepted.connection.execute("create or replace table contracts as from contracts_small")
    assert finding.severity == severity


@pytest.mark.parametrize(("rows", "severity"), [(79, None), (81, CRITICAL)])
def test_growth_is_tolerated_up_to_a_quarter(accepted: Accepted, rows: int, severity: str | None) -> None:
    sql = (
        "from contracts union all select * replace ('new ' || contract_share_id as contract_share_id,"
        " 'N' || contract_number as contract_number, authorized_amount / 2 as authorized_amount)"
        f" from (from contracts order by contract_share_id limit {rows})"
    )
    assert accepted.published("contracts", sql)["drift__growth"].severity == severity


def test_limits_of_a_dataset_are_its_own(accepted: Accepted) -> None:
    wide = Drift.model_validate(
        {
            "grow_at_most": "150%",
            "open": {"warn": "100%", "hold": "100%"},
            "closed": {"warn": "90%", "hold": "100%"},
            "changed": {"warn": "50%", "hold": "100%"},
        }
    )
    sql = f"{ALL} union all select * replace ({NEW_ID}) from ledger where fiscal_year = 2025"
    assert "drift__growth" in accepted.alarms("ledger", sql)
    assert "drift__growth" not in Accepted(accepted.connection, wide).alarms("ledger", sql)
    half_gone = f"{ALL} where hash(payment_split_id) % 2 = 0 or fiscal_year < 2026"
    assert accepted.published("ledger", half_gone)["drift__rows"].severity == CRITICAL
    assert Accepted(accepted.connection, wide).published("ledger", half_gone)["drift__rows"].severity is None
    with pytest.raises(ValueError, match="it would never warn"):
        Drift.model_validate({"open": {"warn": "20%", "hold": "10%"}})


# What was accepted before


def test_slices_that_return_to_what_they_were_have_not_drifted(accepted: Accepted) -> None:
    """A year that was accepted wrongly comes back right, with news in the newest one."""
    connection = accepted.connection
    right = {name: frozenset({part.contents}) for name, part in profile(connection, "ledger", TABLES["ledger"]).items()}
    connection.execute("create or replace table ledger_right as from ledger")
    connection.execute(f"insert into ledger select * replace ({NEW_ID}) from ledger_right where fiscal_year = 2025")
    try:
        back = (
            f"from ledger_right union all select * replace ({MORE}, {A_YEAR_LATER}) from ledger_right"
            " where payment_date between '2025-07-01' and '2025-07-04'"
        )
        assert accepted.alarms("ledger", back)
        assert accepted.alarms("ledger", back, accepted_contents=right) == {}
        assert accepted.alarms("ledger", "from ledger_right", accepted_contents=right) == {}
    finally:
        connection.execute("create or replace table ledger as from ledger_right")


def test_a_gap_that_a_note_declares_is_no_alarm(accepted: Accepted) -> None:
    sql = LIES["ledger: half a year of new months, one without payments"].sql
    assert accepted.alarms("ledger", sql)
    assert accepted.alarms("ledger", sql, declared_gaps=frozenset({date(2026, 8, 1)})) == {}


# What is watched of a table


def test_what_is_watched_follows_from_the_contract() -> None:
    models = committed_models()
    spending = watched(models["clean.baltimore_spending"])
    assert (spending.amounts, spending.categories, spending.year, spending.dated_by, spending.payee) == (
        ("amount",), ("agency_name",), "fiscal_year", "payment_date", "vendor_name",
    )  # fmt: skip
    assert "payment_split_id" not in spending.columns
    assert spending.is_ledger
    assert not set(spending.lines) & {"payment_date", "fiscal_year", "fiscal_period"}
    chicago = watched(models["clean.chicago_budget"])
    assert (chicago.categories, chicago.dated_by, chicago.is_ledger) == (("department_name",), None, False)
    cases = watched(models["clean.maryland_covid_cases"])
    assert (cases.amounts, cases.measures, cases.categories) == ((), ("cumulative_cases",), ("county",))
    assert (cases.columns, cases.records) == (
        ("county", "observed_date", "cumulative_cases"),
        ("observed_date", "cumulative_cases"),
    )
    assert (cases.ids, watched(models["clean.baltimore_vacant_building_notices"]).ids) == ((), ("notice_number",))
    assert watched(models["clean.baltimore_mwbe"]).categories == ("certification_status", "certification_type")


def test_a_column_that_is_not_there_is_refused() -> None:
    model = committed_models()["clean.baltimore_mwbe"]
    assert model.dataset
    dataset = model.dataset.model_copy(update={"drift": Drift.model_validate({"slices": ["status"]})})
    with pytest.raises(CatalogIncomplete, match=r"drift names status, which clean\.baltimore_mwbe does not have"):
        watched(replace(model, dataset=dataset))


def test_a_column_that_one_version_lacks_is_not_compared(accepted: Accepted) -> None:
    narrow = TABLES["ledger"].among({"agency_name", "fiscal_year", "amount"})
    assert (narrow.columns, narrow.payee, narrow.dated_by) == (("agency_name", "fiscal_year", "amount"), None, None)
    comparison = Comparison.of(accepted.connection, narrow, Drift(), Version("ledger"), Version("ledger"))
    assert {finding.severity for finding in run_rules(comparison).values()} == {None}
