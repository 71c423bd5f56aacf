"""What `civic check` finds in SQL without a run: wrong columns, and what a second engine would not take."""

import pytest
from tiny_project import TinyProject

from civic_pipeline.lint import Mistake, check, mistakes
from civic_pipeline.settings import CHECKOUT

CLEAN, MART = "sql/clean/town/payments.sql", "sql/marts/spending/mart_months.sql"

HEADER = "-- A row.\n-- severity: warning\n-- subject: spending\n-- holds back: clean.town_payments\n"
SOURCE = "from raw.town_payments\nwhere exists (select payment_id from clean.town_payments)"


def found(tiny: TinyProject) -> list[str]:
    """The mistakes of the tiny project, as `file:line: message` below its root."""
    return [
        str(Mistake(m.path.relative_to(tiny.settings.root), m.line, m.message))
        for m in mistakes(tiny.settings.root, {tiny.name: tiny.dataset}, tiny.models())
    ]


def only(tiny: TinyProject) -> str:
    [one] = found(tiny)
    return one


@pytest.mark.slow
def test_the_checkout_has_no_mistake() -> None:
    assert check(CHECKOUT) == []


def test_the_tiny_project_has_no_mistake(tiny: TinyProject) -> None:
    assert found(tiny) == []


def test_nobody_changes_a_syntax_tree_which_every_load_shares(tiny: TinyProject) -> None:
    models = tiny.models()
    texts = {name: model.query.sql(dialect="duckdb") for name, model in models.items()}
    assert found(tiny) == []
    again = tiny.models()
    assert all(again[name].parts[0].query is model.parts[0].query for name, model in models.items())
    assert {name: model.query.sql(dialect="duckdb") for name, model in again.items()} == texts


# Wrong columns


def test_a_column_that_the_portal_does_not_declare(tiny: TinyProject) -> None:
    tiny.edit(CLEAN, "parse_date(Paid_On)", "parse_date(Paid_When)")
    one = only(tiny)
    assert one.startswith(f"{CLEAN}:4: Binder Error: ")
    assert "Paid_When" in one
    assert "Paid_On" in one, "DuckDB's suggestion is kept"


def test_a_column_that_the_contract_of_the_table_read_lacks(tiny: TinyProject) -> None:
    tiny.edit(MART, "sum(amount)", "sum(dollars)")
    assert only(tiny).startswith(f"{MART}:4: Binder Error: ")


def test_a_type_that_is_not_the_contracts(tiny: TinyProject) -> None:
    tiny.edit(MART, "cast(date_trunc('month', paid_on) as date)", "date_trunc('month', paid_on)")
    tiny.edit("sql/marts/spending/mart_months.yml", "type: DATE", "type: TIMESTAMP")
    assert found(tiny) == []
    tiny.edit("sql/marts/spending/mart_months.yml", "type: TIMESTAMP", "type: VARCHAR")
    assert (
        only(tiny)
        == "sql/marts/spending/mart_months.yml:6: month is TIMESTAMP in the select of mart_months.sql, not VARCHAR"
    )


def test_a_wrong_column_in_a_row_rule(tiny: TinyProject) -> None:
    tiny.edit("sql/clean/town/payments.yml", "keep_if: amount is not null", "keep_if: amuont is not null")
    assert only(tiny).startswith("sql/clean/town/payments.yml:7: Binder Error: ")


def test_a_wrong_column_in_a_query_of_unexpected_rows(tiny: TinyProject) -> None:
    query = '{unexpected_rows_query: "select * from {batch} where amuont < 0"}'
    expectations = (
        f"expectations:\n  - name: nothing_is_owed\n    unexpected_rows_expectation: {query}\n    severity: warning\n"
    )
    tiny.edit("sql/marts/spending/mart_months.yml", "columns:", f"{expectations}columns:")
    assert only(tiny).startswith("sql/marts/spending/mart_months.yml:6: Binder Error: ")


def test_a_wrong_column_in_a_rule_across_tables(tiny: TinyProject) -> None:
    tiny.write(
        "sql/checks/spending/months.sql",
        HEADER.replace("clean.town_payments", "marts.mart_months")
        + "select month\nfrom marts.mart_months\nwhere dollars < 0\n",
    )
    assert only(tiny).startswith("sql/checks/spending/months.sql:7: Binder Error: ")


def test_the_history_of_a_dataset_has_its_columns(tiny: TinyProject) -> None:
    tiny.edit(
        MART,
        "from clean.town_payments\n",
        "from clean.town_payments\nwhere paid_on < (select max(_captured_at) from history.town_payments)\n",
    )
    assert found(tiny) == []


# The ten rules: a select that breaks one on its last line but one, and one like it that does not


BREAKS = {
    "patterns with flags": ("patterns", r"select regexp_extract(Payment_No, '(?i)x') as text", r"select regexp_extract(Payment_No, '\d(?:x)') as text"),
    "patterns unknown class": ("patterns", r"select regexp_matches(Payment_No, '\bx') as bool", r"select regexp_matches(Payment_No, '\w\.x') as bool"),
    "patterns first match": ("patterns", "select regexp_replace(Payment_No, 'x', 'y') as text", "select regexp_replace(Payment_No, 'x', 'y', 'g') as text"),
    "patterns of a column": ("patterns", "select regexp_matches(Payment_No, Amount) as bool", "select regexp_matches(Payment_No, '^x') as bool"),
    "parsing numbers": ("parsing", "select try_cast(Amount as integer) as whole", "select parse_integer(Amount) as whole"),
    "parsing dates": ("parsing", "select cast(Paid_On as date) as day", "select parse_date(Paid_On) as day"),
    "parsing formats": ("parsing", "select cast(try_strptime(Paid_On, '%d.%m.%Y') as date) as day", "select date '2024-01-01' as day"),
    "doubles as text": ("doubles_as_text", "select cast(parse_share(Amount) as varchar) as text", "select cast(parse_money(Amount) as varchar) as text"),
    "doubles as text in a macro": ("doubles_as_text", "select parse_money(parse_share(Amount)) as money", "select parse_money(Amount) as money"),
    "date_diff": ("date_diff", "select date_diff('month', parse_date(Paid_On), date '2024-01-01') as n", "select date_diff('day', parse_date(Paid_On), date '2024-01-01') as n"),
    "division": ("division", "select cast(ceil(parse_integer(Amount) / 3) as integer) as whole", "select (parse_integer(Amount) + 2) // 3 as whole"),
    "division of money": ("division", "select round(parse_money(Amount) / 3, 2) as part", "select cast(parse_money(Amount) / 3 as double) as part"),
    "total_order": ("total_order", "select Payment_No, Amount, row_number() over (order by Amount) as n", "select Payment_No, Amount, row_number() over (order by Amount, Payment_No) as n"),
    "total_order of lag": ("total_order", "select Amount, lag(Amount) over w as n, Paid_On", "select Amount, lag(Amount) over (partition by Paid_On order by Amount) as n, Paid_On"),
    "total_order of texts": ("total_order", "select string_agg(distinct Amount, ', ') as text", "select string_agg(distinct Amount, ', ' order by Amount) as text"),
    "total_order of modes": ("total_order", "select mode(Amount order by Paid_On) as text", "select mode(Amount order by Amount) as text"),
    "columns_by_name": ("columns_by_name", "select * replace ('' as Amount)", "select * exclude (Amount)"),
    "functions": ("functions", "select jaro_winkler_similarity(Amount, Paid_On) as n", "select length(Amount) as n"),
    "functions random": ("functions", "select random() as n", "select abs(-1) as n"),
    "functions structs": ("functions", "select {'a': Amount} as s", "select Amount as s"),
    "functions places": ("functions", "select string_split(Amount, '.')[1] as text", "select string_split(Amount, '.') as texts"),
    "ids": ("ids", "select md5(Amount) as id", "select hash_id([Amount]) as id"),
    "rounded_doubles": ("rounded_doubles", "select avg(parse_share(Amount)) as n", "select round(avg(parse_share(Amount)), 2) as n"),
    "rounded_doubles of sums": ("rounded_doubles", "select sum(parse_share(Amount)) as n", "select sum(parse_money(Amount)) as n"),
}  # fmt: skip


@pytest.mark.parametrize("case", BREAKS)
def test_a_rule_that_a_query_breaks(case: str, tiny: TinyProject) -> None:
    name, bad, good = BREAKS[case]
    end = f"\n{SOURCE}" + ("\nwindow w as (partition by Paid_On order by Payment_No)" if " over w" in bad else "")
    tiny.write("sql/checks/spending/rule.sql", f"{HEADER}{good}\n{SOURCE}\n")
    assert found(tiny) == []
    tiny.write("sql/checks/spending/rule.sql", f"{HEADER}{bad}{end}\n")
    names = {(one.split(":")[0], one.split(":")[1], one.split(": ")[1]) for one in found(tiny)}
    assert names == {("sql/checks/spending/rule.sql", "5", name)}


def test_tables_united_by_name(tiny: TinyProject) -> None:
    tiny.write(
        "sql/checks/spending/rule.sql",
        f"{HEADER}select Amount {SOURCE}\nunion all by name\nselect Amount from raw.town_payments\n",
    )
    assert "columns_by_name" in only(tiny)


@pytest.mark.parametrize(
    ("source", "order"),
    [
        ("marts.mart_months", "month"),  # the key
        ("(select month, amount from marts.mart_months where amount > 0)", "month"),  # the key below a filter
        ("(select month, sum(amount) as amount from marts.mart_months group by month)", "month"),
        ("(select distinct amount from marts.mart_months)", "amount"),
    ],
)
def test_an_order_by_what_names_a_row_is_total(source: str, order: str, tiny: TinyProject) -> None:
    tiny.write(
        "sql/checks/spending/rule.sql",
        HEADER.replace("clean.town_payments", "marts.mart_months")
        + f"select amount, row_number() over (order by {order}) as n\nfrom {source} as rows_of\n",
    )
    assert found(tiny) == []


def test_a_join_may_repeat_a_key(tiny: TinyProject) -> None:
    tiny.write(
        "sql/checks/spending/rule.sql",
        HEADER.replace("clean.town_payments", "marts.mart_months")
        + "select m.month, p.amount, row_number() over (order by m.month) as n\n"
        "from marts.mart_months as m\ninner join clean.town_payments as p on p.amount = m.amount\n",
    )
    assert "total_order: rows may tie: the order does not include m.amount, p.amount" in only(tiny)


def test_a_contract_may_say_that_a_quotient_is_a_double(tiny: TinyProject) -> None:
    tiny.edit(MART, "group by 1", "group by paid_on")
    tiny.edit(MART, "cast(sum(amount) as decimal(18, 2)) as amount", "sum(amount) / 2 as amount")
    tiny.edit("sql/marts/spending/mart_months.yml", '"DECIMAL(18,2)"', "DOUBLE")
    assert found(tiny) == []


def test_a_macro_may_parse_text_but_not_look_ahead(tiny: TinyProject) -> None:
    tiny.write(
        "sql/functions/dates.sql",
        (CHECKOUT / "sql/functions/dates.sql").read_text()
        + "create or replace macro a_digit(text) as (\n    try_cast(regexp_extract(text, '\\d(?!x)') as integer)\n);\n",
    )
    assert ": patterns: the pattern '\\\\d(?!x)' has (?!;" in only(tiny)


# Allowances


def test_a_file_may_say_why_it_breaks_a_rule(tiny: TinyProject) -> None:
    sql = f"{HEADER}-- allow ids: the publisher's own digest\nselect md5(Amount) as id\n{SOURCE}\n"
    tiny.write("sql/checks/spending/rule.sql", sql)
    assert found(tiny) == []
    tiny.write("sql/checks/spending/rule.sql", sql.replace(" the publisher's own digest", ""))
    assert only(tiny) == "sql/checks/spending/rule.sql:5: give a reason why ids may be broken here"
    tiny.write("sql/checks/spending/rule.sql", sql.replace("md5(Amount)", "Amount"))
    assert only(tiny) == "sql/checks/spending/rule.sql:5: nothing here breaks the rule 'ids': remove the allowance"


# Spark


def test_a_function_that_nobody_knows_on_spark(tiny: TinyProject) -> None:
    tiny.write("sql/checks/spending/rule.sql", f"{HEADER}select bar(1, 0, 10) as bar\n{SOURCE}\n")
    assert "bar(…) has no known translation to Spark" in only(tiny)


def test_a_construct_that_cannot_be_written_for_spark(tiny: TinyProject) -> None:
    tiny.write(
        "sql/checks/spending/rule.sql",
        f"{HEADER}select max_by(Amount, Paid_On, 3) as amounts\n{SOURCE}\n",
    )
    assert "this SQL cannot be written for Spark: Argument 'count' is not supported" in only(tiny)
