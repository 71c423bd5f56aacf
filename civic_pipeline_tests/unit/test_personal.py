"""Columns about persons: where they are declared, where they may not be, and that nothing which leaves the build has them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tiny_project import DATASET, TinyProject, write_tiny_project

from civic_pipeline.catalog import Dataset, read_yaml
from civic_pipeline.errors import CatalogIncomplete, FileInvalid, ModelFailed, ValueUnreadable
from civic_pipeline.lint import mistakes
from civic_pipeline.portals import PortalColumn
from civic_pipeline.quality import Suites, audit, build_table, write_report
from civic_pipeline.quality.drift.watched import watched
from civic_pipeline.quality.trial import try_table
from civic_pipeline.scaffold.persons import is_about_persons
from civic_pipeline.warehouse import Build, Model, as_of, record_history, release

CLEAN, CONTRACT = "sql/clean/town/payments.sql", "sql/clean/town/payments.yml"
MART, MART_YML = "sql/marts/spending/mart_months.sql", "sql/marts/spending/mart_months.yml"
NAME = "Planted Person"
ROWS = [
    ("1", "2024-01-05", "10.00", NAME),
    ("2", "2024-02-06", "1234.50", f"{NAME} Two"),
    ("3", "2024-02-07", "n/a", f"{NAME} Three"),
]
PAYER = '  - {name: payer, type: VARCHAR, source: Payer, personal: true, description: "Who was paid."}\n'
COLUMNS = "columns: {Payment_No: text, Paid_On: text, Amount: text, Payer: {type: text, personal: true}}"


@pytest.fixture
def town(tmp_path: Path) -> TinyProject:
    """The tiny project with a column about persons, which its clean table keeps, as a column and as a helper."""
    tiny = write_tiny_project(tmp_path / "tiny")
    text = DATASET.replace("columns: {Payment_No: text, Paid_On: text, Amount: text}", COLUMNS)
    town = TinyProject(tiny.settings, read_yaml(tiny.write("payments.yaml", text), Dataset))
    town.edit(
        CLEAN,
        "    Amount as _published_amount,",
        "    clean_text(Payer) as payer,\n    Amount as _published_amount,\n    Payer as _published_payer,",
    )
    town.write(CONTRACT, (town.settings.root / CONTRACT).read_text() + PAYER)
    return town


def expect(town: TinyProject, expectation: str, severity: str = "warning") -> None:
    town.edit(CONTRACT, "\ncolumns:", f"\nexpectations:\n  - {expectation}\n    severity: {severity}\ncolumns:")


def refusal(load: Callable[[], object]) -> str:
    with pytest.raises(FileInvalid) as refused:
        load()
    [(line, message)] = refused.value.violations
    return f"{refused.value.path.name}:{line}: {message}"


def night(town: TinyProject, build: Build) -> None:
    """Every table, the history, the release."""
    suites, results, models = Suites(build), {}, town.models()
    for model in models.values():
        outcome = build_table(build, suites, model, {})
        assert outcome.problem is None
        assert NAME not in str(outcome)
        results[model.name] = outcome.results
    assert record_history(build, models) == {}
    subjects = {name: model.subject for name, model in models.items()}
    write_report(town.settings.reports, build.run_id, subjects, results)
    release(build)


def in_release(file: Path) -> list[str]:
    """The tables of a DuckDB file, as text of all rows, and its columns."""
    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        columns = connection.execute(
            "select schema_name, table_name, column_name, comment from duckdb_columns()"
        ).fetchall()
        return [str(connection.execute(f"from {name}").fetchall()) for (name,) in names] + [str(columns)]


def leaks(folder: Path, besides: set[str], text: str = NAME) -> list[str]:
    """The files below `folder` that hold the planted name or another text, but for folders that never leave."""
    files = []
    for file in sorted(
        path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] not in besides
    ):
        texts = in_release(file) if file.suffix == ".duckdb" else [file.read_bytes().decode(errors="replace")]
        if file.suffix == ".parquet":
            texts = [str(duckdb.read_parquet(str(file)).fetchall())]
        if any(text in held for held in texts):
            files.append(str(file.relative_to(folder)))
    return files


# Declared


def test_a_column_about_persons_is_declared_with_its_type(town: TinyProject) -> None:
    assert town.dataset.columns == {"Payment_No": "text", "Paid_On": "text", "Amount": "text", "Payer": "text"}
    assert town.dataset.personal == {"Payer"}
    models = town.models()
    assert models["clean.town_payments"].personal == {"payer", "_published_payer"}
    assert models["marts.mart_months"].personal == set()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("{Payment_No: text, Paid_On: text, Amount: text, Payer: {type: text}}", r"payments.yaml:11: columns.Payer: write the column's type, or"),
        ("{Payment_No: text, Paid_On: text, Amount: text, Payer: {type: text, personal: no}}", "columns.Payer: write the column's type"),
        ("{Payment_No: {type: text, personal: true}, Paid_On: text, Amount: text}", "key names Payment_No, which is about persons"),
        ("{Payment_No: text, Paid_On: text, Amount: text, 'Payer*': {type: text, personal: true}}", "a family of columns cannot be personal"),
        ("{Payment_No: text, Paid_On: text, Amount: {type: text, personal: true}}\npersonal: [Paid_On]", "write personal: true beside"),
    ],
)  # fmt: skip
def test_what_cannot_be_declared(columns: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "payments.yaml"
    file.write_text(DATASET.replace("{Payment_No: text, Paid_On: text, Amount: text}", columns))
    with pytest.raises(FileInvalid, match=message):
        read_yaml(file, Dataset)


def test_a_contract_shows_no_person(town: TinyProject) -> None:
    town.edit(CONTRACT, "key: [payment_id]", "key: [payment_id, payer]")
    assert refusal(town.models) == "payments.yml:2: key.1: 'payer' is about persons, and this setting would show it"
    town.edit(CONTRACT, "key: [payment_id, payer]", "key: [payment_id]")
    expect(town, "expect_column_distinct_values_to_be_in_set: {column: payer, value_set: [x]}")
    assert "its result shows values of a column about persons" in refusal(town.models)
    town.edit(CONTRACT, "expect_column_distinct_values_to_be_in_set: {column: payer, value_set: [x]}",
              "name: x\n    unexpected_rows_expectation: {unexpected_rows_query: 'select * from {batch} where amount < 0'}")  # fmt: skip
    assert "its rows could show a column about persons" in refusal(town.models)


# Followed


def test_what_is_made_of_a_person_must_say_so(town: TinyProject) -> None:
    town.edit(CONTRACT, "personal: true, ", "")
    assert refusal(town.models) == (
        "payments.yml:17: payer is made of raw.town_payments.payer, which is about persons: add personal: true, or leave it out"
    )


SHOWN_BY_MARTS = {
    "plainly": "max(payer) as payer",
    "within a text": "min(coalesce('paid to ' || payer, 'nobody')) as payer",
    "by its hash": "min(hash_id(json_array('town', payer))) as payer",
    "of another name": "(select max(p.payer) from clean.town_payments as p) as payer",
}


@pytest.mark.parametrize("way", SHOWN_BY_MARTS)
def test_no_mart_shows_a_person(way: str, town: TinyProject) -> None:
    town.edit(MART, "    cast(sum(amount)", f"    {SHOWN_BY_MARTS[way]},\n    cast(sum(amount)")
    town.edit(
        MART_YML,
        "  - {name: amount",
        '  - {name: payer, type: VARCHAR, description: "Who was paid."}\n  - {name: amount',
    )
    assert "payer, made of clean.town_payments.payer, is about persons: a mart may match on it, not show it" in refusal(
        town.models
    )


@pytest.mark.parametrize("query", ["columns('p.*')", "payments", "to_json(payments)"])
def test_no_person_hides_in_a_whole_row_or_a_pattern(query: str, town: TinyProject) -> None:
    town.write(
        MART,
        f"-- Each row is one month.\nselect paid_on as month, amount\nfrom (select paid_on, amount, {query} as x from clean.town_payments as payments)\n",
    )
    assert "has columns about persons" in refusal(town.models)


def test_a_mart_may_match_on_a_person_count_them_and_ask_whether_there_is_one(town: TinyProject) -> None:
    town.write(
        MART,
        "-- Each row is one month.\nselect\n    date_trunc('month', p.paid_on) as month,\n    count(distinct p.payer) as amount,\n"
        "    bool_and(p.payer is not null) as has_payers\nfrom clean.town_payments as p\ninner join clean.town_payments as q"
        " on q.payer = p.payer\nwhere p.payer <> 'x'\ngroup by 1\n",
    )
    town.edit(
        MART_YML,
        'description: "Dollars paid in the month."}',
        'description: "Payees."}\n  - {name: has_payers, type: BOOLEAN, description: "Each has one."}',
    )
    assert town.models()["marts.mart_months"].personal == set()


def test_no_rule_across_tables_shows_a_person(town: TinyProject) -> None:
    header = "-- A payment.\n-- severity: critical\n-- subject: spending\n-- holds back: marts.mart_months\n"
    query = "select p.payment_id{} from clean.town_payments as p, marts.mart_months as m where p.payer is null and m.amount < 0\n"
    town.write("sql/checks/spending/rule.sql", header + query.format(""))
    assert len(town.models()["marts.mart_months"].rules) == 1
    town.write("sql/checks/spending/rule.sql", header + query.format(", upper(p.payer) as who"))
    assert "its rows would show who (made of clean.town_payments.payer), which is about persons" in refusal(town.models)


def test_the_date_of_the_data_is_no_persons(town: TinyProject) -> None:
    town.edit(CONTRACT, "{name: paid_on, type: DATE,", "{name: paid_on, type: DATE, personal: true,")
    assert "cannot be dated_by" in refusal(town.models)


def test_its_columns_are_checked_as_any(town: TinyProject) -> None:
    assert mistakes(town.settings.root, {town.name: town.dataset}, town.models()) == []


# Kept in


def test_nothing_that_leaves_the_build_names_a_person(town: TinyProject) -> None:
    expect(town, "expect_column_values_to_match_regex: {column: payer, regex: '^[a-z]+$'}")
    town.edit(CONTRACT, "tolerate_quarantined: 50%", "tolerate_quarantined: 100%")
    town.edit(
        CONTRACT,
        "row_rules:",
        "row_rules:\n  - name: payer_is_new\n    keep_if: payer not like '%Two%'\n    reason: Known.",
    )
    town.capture(ROWS)
    with town.build() as build:
        night(town, build)
    town.capture([(*row[:3], f"{row[3]} again") for row in ROWS], at="2026-01-03T030405.000000Z")
    with town.build() as build:
        night(town, build)
        # It is there, where it is needed.
        assert build.connection.execute("select payer from clean.town_payments").fetchall() == [(f"{NAME} again",)]
        assert NAME in str(build.connection.execute("from quarantine.town_payments").fetchall())
        checks = {r.name: r for r in build.ledger.recorded_checks("clean.town_payments")}
    failed = checks["payer__match_regex"]
    assert (failed.passed, failed.unexpected, failed.examples) == (False, 1, ())
    assert failed.failed_rows is not None
    assert duckdb.read_parquet(str(failed.failed_rows)).fetchall() == [("1",)]
    assert leaks(town.settings.data, besides={"lake", "build"}) == []
    assert leaks(town.settings.data, besides={"lake"}) != [], "the search finds what is there"
    with duckdb.connect(str(town.settings.warehouse), read_only=True) as release:
        columns = {
            row[0]
            for row in release.execute(
                "select column_name from duckdb_columns() where schema_name in ('clean', 'quarantine')"
            ).fetchall()
        }
        assert {"payment_id", "_published_amount"} <= columns
        assert not columns & {"payer", "_published_payer"}
        assert release.execute(
            "select personal_columns from meta.tables where table_name = 'clean.town_payments'"
        ).fetchall() == [(["_published_payer", "payer"],)]
        assert release.execute("select count(*) from meta.columns where column_name like '%payer'").fetchall() == [(0,)]


def test_what_is_held_back_names_no_person_either(town: TinyProject) -> None:
    expect(town, "expect_column_values_to_match_regex: {column: payer, regex: '^[a-z]+$'}", "critical")
    town.edit(CONTRACT, "tolerate_quarantined: 50%", "tolerate_quarantined: 0%")
    town.capture(ROWS)
    with town.build() as build:
        outcome = build_table(build, Suites(build), town.models()["clean.town_payments"], {})
    assert outcome.problem is not None
    assert NAME not in outcome.problem
    assert {r.name for r in outcome.results if r.failed_rows} == {
        "quarantine_tolerated",
        "payer__match_regex",
    }
    assert leaks(town.settings.data, besides={"lake", "build"}) == []


def test_an_error_of_the_database_quotes_no_person(town: TinyProject) -> None:
    town.edit(CLEAN, "clean_text(Payer) as payer", "cast(cast(Payer as integer) as varchar) as payer")
    town.capture(ROWS)
    with town.build() as build, pytest.raises(ModelFailed, match=r"Could not convert string '...' to INT32") as failed:
        build.stage(town.models()["clean.town_payments"])
    assert NAME not in str(failed.value)


def test_a_mart_that_matches_on_a_person_is_made_anew_when_only_that_changed(town: TinyProject) -> None:
    town.edit(MART, "from clean.town_payments\n", "from clean.town_payments\nwhere payer not like '%again'\n")
    town.capture(ROWS)
    with town.build() as build:
        night(town, build)
        assert build.is_current(town.models()["marts.mart_months"])
    town.capture([(*row[:3], f"{row[3]} again") for row in ROWS], at="2026-01-03T030405.000000Z")
    with town.build() as build:
        build_table(build, Suites(build), town.models()["clean.town_payments"], {})
        assert not build.is_current(town.models()["marts.mart_months"])


def test_neither_a_trial_nor_the_past_shows_a_person(town: TinyProject) -> None:
    expect(town, "expect_column_values_to_match_regex: {column: payer, regex: '^[a-z]+$'}")
    town.capture(ROWS)
    datasets: dict[str, Dataset] = {town.name: town.dataset}
    models: dict[str, Model] = town.models()
    with try_table(town.settings, datasets, models["clean.town_payments"]) as trial:
        queries = [result.failed_rows_sql for result in trial.results if result.failed_rows_sql]
        shown: list[Any] = [sorted(trial.connection.execute(query).fetchall()) for query in queries]
    assert shown == [[("1",), ("2",)]]
    with as_of(
        town.settings,
        datasets,
        models,
        datetime(2026, 6, 1, tzinfo=UTC),
        "from clean.town_payments, quarantine.town_payments",
    ) as past:
        for table in ("clean.town_payments", "quarantine.town_payments"):
            answer = past.execute(f"from {table}")
            assert not {column[0] for column in answer.description} & {"payer", "_published_payer"}
            assert NAME not in str(answer.fetchall())


def test_results_of_other_columns_keep_their_examples(town: TinyProject) -> None:
    expect(town, "expect_column_values_to_be_between: {column: amount, max_value: 100}")
    town.capture(ROWS)
    with town.build() as build:
        model = town.models()["clean.town_payments"]
        checks = {r.name: r for r in audit(build, build.stage(model), Suites(build))}
    assert checks["amount__between"].examples == ("1234.50",)


def test_what_holds_persons_is_for_its_owner_alone(town: TinyProject) -> None:
    town.capture(ROWS)
    with town.build():
        pass
    assert town.settings.build.parent.stat().st_mode & 0o077 == 0


# Rows about persons


@pytest.fixture
def staff(tmp_path: Path) -> TinyProject:
    """The tiny project, whose rows are persons and what they are paid."""
    tiny = write_tiny_project(tmp_path / "tiny")
    text = DATASET.replace("dated_by: paid_on\n", "")
    staff = TinyProject(tiny.settings, read_yaml(tiny.write("payments.yaml", text), Dataset))
    staff.edit(CONTRACT, "key: [payment_id]", "key: [payment_id]\nrows_are_persons: true")
    return staff


def test_of_a_table_whose_rows_are_persons_only_the_key_leaves_the_build(staff: TinyProject) -> None:
    expect(staff, "expect_column_values_to_be_between: {column: amount, max_value: 100}")
    others = [("2", "2024-02-06", "10.00"), ("3", "unknown", "5432.10")]
    staff.capture([("1", "2024-02-05", "4321.09"), *others, ("4", "2024-02-07", "0.50")])
    with staff.build() as build:
        night(staff, build)
    staff.capture([("1", "2024-02-05", "4321.11"), *others], at="2026-01-03T030405.000000Z")
    with staff.build() as build:
        night(staff, build)
        assert "4321.11" in str(build.connection.execute("from clean.town_payments").fetchall())
    for pay in ("4321.", "5432.1"):
        assert leaks(staff.settings.data, besides={"lake", "build"}, text=pay) == []
        assert leaks(staff.settings.data, besides={"lake"}, text=pay) != [], "the search finds what is there"
    with duckdb.connect(str(staff.settings.warehouse), read_only=True) as release:
        assert release.execute("from clean.town_payments order by all").fetchall() == [("1",), ("2",)]
        assert release.execute("select amount from marts.mart_months").fetchall() == [(Decimal("4331.11"),)]
        kinds = "select record_key, kind, before, after from meta.revisions"
        assert release.execute(kinds).fetchall() == [('["4"]', "removed", "{}", None)]


@pytest.mark.parametrize(
    ("query", "is_refused"),
    [
        ("select month, sum(amount) as amount from clean.town_payments group by month", False),
        ("select max(paid_on) as month, sum(amount) as amount from clean.town_payments", False),
        ("select paid_on as month, amount from clean.town_payments", True),
        ("select m.month, p.amount from (select date '2024-01-01' as month) as m cross join clean.town_payments as p", True),
        ("with p as (select * from clean.town_payments) select paid_on as month, sum(amount) as amount from p group by 1", True),
    ],
)  # fmt: skip
def test_a_mart_shows_groups_of_persons_only(query: str, is_refused: bool, staff: TinyProject) -> None:
    staff.write(MART, f"-- Each row is one month.\n{query}\n")
    if is_refused:
        assert "each row of clean.town_payments is a person: add `group by`" in refusal(staff.models)
    else:
        assert staff.models()["marts.mart_months"].reads_personal


def test_a_rule_shows_groups_of_persons_only(staff: TinyProject) -> None:
    header = "-- A payment.\n-- severity: critical\n-- subject: spending\n-- holds back: marts.mart_months\n"
    joined = "from clean.town_payments as p inner join marts.mart_months as m on m.month = p.paid_on"
    staff.write("sql/checks/spending/rule.sql", f"{header}select p.amount {joined}\n")
    assert "is a person" in refusal(staff.models)
    staff.write(
        "sql/checks/spending/rule.sql", f"{header}select m.month, sum(p.amount) as amount {joined} group by m.month\n"
    )
    assert len(staff.models()["marts.mart_months"].rules) == 1


def test_no_check_shows_a_value_of_a_person(staff: TinyProject) -> None:
    contract = (staff.settings.root / CONTRACT).read_text(encoding="utf-8")
    expect(staff, "expect_column_max_to_be_between: {column: amount, max_value: 9}")
    assert "its result shows values of a column about persons" in refusal(staff.models)
    staff.write(CONTRACT, contract)
    expect(staff, "name: x\n    unexpected_rows_expectation: {unexpected_rows_query: 'select amount from {batch}'}")
    assert "its rows could show a column about persons" in refusal(staff.models)


def test_drift_compares_no_groups_of_persons(staff: TinyProject) -> None:
    model = staff.models()["clean.town_payments"]
    assert watched(model).categories == ()
    assert model.dataset is not None
    sliced = model.dataset.model_copy(update={"drift": model.dataset.drift.model_copy(update={"slices": ("amount",)})})
    with pytest.raises(CatalogIncomplete, match="a column about persons"):
        watched(replace(model, dataset=sliced))


# Proposed


@pytest.mark.parametrize(
    "name",
    ["First_Name", "LASTNAME", "Owner", "OWNER_NAME1", "ownerName", "Applicant", "Contact", "contact_email_address", "Phone", "CellPhone",
     "phone_number", "Fax", "EMail", "E-mail", "last_edited_user", "modified_by", "CreatedBy", "Creator", "date_of_birth", "BirthDate", "DOB",
     "Officer Name", "Mobile", "taxpayer_name"],
)  # fmt: skip
def test_a_column_is_proposed_as_one_about_persons(name: str) -> None:
    assert is_about_persons(PortalColumn(name, "text", pa.string(), name))


@pytest.mark.parametrize(
    "name",
    ["Name", "company", "ownership_type", "contract_number", "created_date", "Agency", "neighborhood", "editions", "contactless",
     "vendor_name", "street_name", "council_member_district", "hotel", "birds", "telemetry", "department_description"],
)  # fmt: skip
def test_a_column_about_other_things_is_not(name: str) -> None:
    assert not is_about_persons(PortalColumn(name, "text", pa.string(), name))


def test_a_title_counts_as_a_name_does() -> None:
    assert is_about_persons(PortalColumn("fld_7", "text", pa.string(), "Owner's Phone"))


def test_a_birthday_that_cannot_be_read_is_not_quoted() -> None:
    error = ValueUnreadable("born", "date", f"{NAME!r} is no date").without_value()
    assert NAME not in str(error)
    assert error.column == "born"
