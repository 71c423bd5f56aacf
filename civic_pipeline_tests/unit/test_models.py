"""A model is two files that fit together; order and lineage are read from its SQL."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from tiny_project import TinyProject

from civic_pipeline.catalog import load_datasets, table_name
from civic_pipeline.errors import CatalogIncomplete, FileInvalid
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import Model, load_models
from civic_pipeline.warehouse.cleaned import ADDED_TO_CLEAN
from civic_pipeline.warehouse.lineage import Schema, column_lineage
from civic_pipeline.warehouse.macros import macro_files, read_macros
from civic_pipeline.warehouse.meta import recorded_tables
from civic_pipeline.warehouse.outside import refuse_outside
from civic_pipeline.warehouse.seeds import seed_columns
from civic_pipeline.warehouse.selects import parse_select

CLEAN, CONTRACT = "sql/clean/town/payments.sql", "sql/clean/town/payments.yml"


@pytest.fixture(scope="module")
def committed() -> dict[str, Model]:
    return load_models(CHECKOUT, load_datasets(CHECKOUT))


@pytest.fixture(scope="module")
def schema(committed: dict[str, Model]) -> Schema:
    """Columns of every table, from the catalog, the seeds and the contracts."""
    known: Schema = {"raw": {}, "history": {}, "seeds": {}, "clean": {}, "clean_history": {}, "marts": {}}
    for name, table in recorded_tables().items():
        namespace, _, table_ = name.partition(".")
        known.setdefault(namespace, {})[table_] = {column.name: column.type for column in table.columns}
    for name, dataset in load_datasets(CHECKOUT).items():
        # A family of columns stands for itself.
        known["raw"][table_name(name)] = dict.fromkeys([*dataset.columns, "_capture_id", "_edition"], "VARCHAR")
        known["history"][table_name(name)] = known["raw"][table_name(name)] | {"_captured_at": "TIMESTAMP"}
    for seed, columns in seed_columns(CHECKOUT).items():
        known["seeds"][seed] = dict.fromkeys(columns, "VARCHAR")
    for model in committed.values():
        known[model.schema][model.table] = {column.name: column.type for column in model.contract.columns}
    known["clean_history"] = {table: columns | ADDED_TO_CLEAN for table, columns in known["clean"].items()}
    return known


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        (CLEAN, "as amount,", "as dollars,", 16, "the column 'amount' is not in the final select of payments.sql; it has payment_id, paid_on, dollars"),
        (CLEAN, "    _capture_id\n", "    _capture_id,\n    Zone as zone\n", 14, "columns does not describe zone, which payments.sql selects"),
        (CLEAN, "    parse_date(Paid_On) as paid_on,\n    parse_money(Amount) as amount,\n", "    parse_money(Amount) as amount,\n    parse_date(Paid_On) as paid_on,\n", 14, "columns must be in the order of the select: payment_id, amount, paid_on"),
        (CLEAN, "from raw.town_payments", "from town_payments", 8, "town_payments needs its schema, such as clean.town_payments"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments; select 1", 1, "a model is exactly one select"),
        (CLEAN, "select\n", "create table x as select\n", 1, "a model is exactly one select"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments\nwhere (1 = 1", 9, "this SQL does not parse"),
        (CLEAN, "select\n", "select\n    *,\n", 1, "the final select must list its columns, without *"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments, read_text('/etc/passwd') as t", 8, "read_text() reads something that is not a table"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments\nwhere exists (from read_csv('x.csv'))", 9, "read_csv() reads something that is not a table"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments\ncross join query('select 1') as q", 9, "query() reads something"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments\nwhere Zone <> getenv('HOME')", 9, "getenv() reads something"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments\njoin lateral read_text('x') as t on true", 9, "read_text() reads something"),
        (CLEAN, "from raw.town_payments", 'from raw.town_payments\nwhere exists (with "x.csv" as (from "x.csv") from "x.csv")', 9, "x.csv() reads something"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments\nwhere exists (select * from (summarize 'x.csv'))", 9, "summarize() reads something"),
        (CLEAN, "from raw.town_payments", "from raw.town_payments\nwhere Zone < now()", 9, "now() reads something"),
        (CONTRACT, "keep_if: amount is not null", "keep_if: amount < (select count(*) from read_csv('x.csv'))", 7, "read_csv() reads something"),
        (CONTRACT, "row_rules:", "source_rows: select count(*) from glob('/etc/*')\nrow_rules:", 6, "glob() reads something"),
        (CONTRACT, "source: Paid_On,", "source: Paid_On, references: marts.dim_days,", 15, "paid_on references marts.dim_days, which is no model"),
        (CONTRACT, "source: Paid_On,", "source: Paid_On, references: marts.mart_months,", 15, "paid_on references marts.mart_months, which has no column paid_on"),
    ],
    ids=["not selected", "not described", "other order", "no schema", "two statements", "no select", "no SQL", "star", "a file", "a file in a condition", "SQL in a text", "the environment", "a file in a lateral join", "a file named as a CTE", "a file summarized", "the clock", "a file in a row rule", "files in source_rows", "reference", "reference to no column"],
)  # fmt: skip
def test_a_model_that_breaks_the_rules_is_named_with_its_line(
    tiny: TinyProject, file: str, old: str, new: str, line: int, message: str
) -> None:
    tiny.edit(file, old, new)
    with pytest.raises(FileInvalid) as invalid:
        tiny.models()
    ((at, what),) = invalid.value.violations
    assert message in what
    assert at == line
    assert invalid.value.path.is_file()


def test_an_input_that_nothing_provides_is_named(tiny: TinyProject) -> None:
    tiny.edit(CLEAN, "from raw.town_payments", "from raw.town_payment")
    with pytest.raises(
        CatalogIncomplete, match=r"town/payments\.sql reads raw\.town_payment, which no model, dataset or seed provides"
    ):
        tiny.models()


def test_a_model_with_one_file_is_named(tiny: TinyProject) -> None:
    tiny.write("sql/marts/spending/mart_years.sql", "select 1 as year")
    with pytest.raises(CatalogIncomplete, match=r"sql/marts/spending/mart_years: a model needs both \.sql and \.yml"):
        tiny.models()


@pytest.mark.parametrize("way", ["input", "reference"])
def test_models_in_a_circle_are_named(tiny: TinyProject, way: str) -> None:
    if way == "input":
        tiny.edit(CLEAN, "from raw.town_payments", "from raw.town_payments where exists (from marts.mart_months)")
    else:
        tiny.edit(CONTRACT, "source: Amount,", "source: Amount, references: marts.mart_months,")
    with pytest.raises(
        CatalogIncomplete,
        match=r"circle: .*(marts\.mart_months -> clean\.town_payments|clean\.town_payments -> marts\.mart_months)",
    ):
        tiny.models()


def test_inputs_are_read_from_the_sql_and_not_from_comments_or_ctes(tiny: TinyProject) -> None:
    tiny.write(
        "sql/marts/spending/mart_months.sql",
        "-- from clean.nothing\nwith months as (select paid_on as month, amount from clean.town_payments), named as (select * from months)\n"
        "select month, amount from named where 'from clean.other' <> '' and exists (select 1 from seeds.agencies)",
    )
    assert tiny.models()["marts.mart_months"].inputs == {"clean.town_payments", "seeds.agencies"}


def test_the_code_version_changes_with_the_sql_and_with_the_contract(tiny: TinyProject) -> None:
    before = tiny.models()["clean.town_payments"].code_version
    assert tiny.models()["clean.town_payments"].code_version == before
    tiny.edit(CONTRACT, "Number of the payment.", "The payment's number.")
    described = tiny.models()["clean.town_payments"].code_version
    tiny.edit(CLEAN, "parse_money(Amount)", "parse_money(trim(Amount))")
    assert len({before, described, tiny.models()["clean.town_payments"].code_version}) == 3


def test_every_committed_model_comes_after_what_it_reads_and_references(committed: dict[str, Model]) -> None:
    built: set[str] = set()
    for name, model in committed.items():
        needed = model.inputs | {column.references for column in model.contract.columns if column.references}
        assert {table for table in needed if table in committed and table != name} <= built, name
        built.add(name)


def test_a_mistake_in_a_checkout_is_found_where_it_was_made(project: Settings) -> None:
    file = project.root / "sql" / "marts" / "spending" / "fct_payments" / "baltimore.sql"
    file.write_text(
        file.read_text(encoding="utf-8").replace("clean.baltimore_spending", "clean.baltimore_spendings"),
        encoding="utf-8",
    )
    with pytest.raises(CatalogIncomplete, match=r"fct_payments/baltimore\.sql reads clean\.baltimore_spendings"):
        load_models(project.root, load_datasets(project.root))


# Lineage


def origins(committed: dict[str, Model], schema: Schema, column: str) -> list[str]:
    table, _, name = column.rpartition(".")
    return column_lineage(committed[table], schema)[name]


@pytest.mark.parametrize(
    ("column", "made_from"),
    [
        ("marts.fct_payments.paid_amount", ["clean.baltimore_spending.amount"]),
        ("clean.baltimore_spending.amount", ["raw.baltimore_spending.Payment_Amount_split"]),
        ("clean.baltimore_spending.fiscal_year", ["raw.baltimore_spending.Payment_Date"]),
        ("clean.chicago_budget.fiscal_year", ["raw.chicago_budget._edition"]),
        ("clean.baltimore_contracts.vendor_name", ["raw.baltimore_contracts.Vendor_Name"]),
    ],
)
def test_a_column_is_traced_to_those_it_is_computed_from_in_their_own_spelling(
    committed: dict[str, Model], schema: Schema, column: str, made_from: list[str]
) -> None:
    assert origins(committed, schema, column) == made_from


def test_every_column_that_a_contract_gives_a_source_has_it_among_its_origins(
    committed: dict[str, Model], schema: Schema
) -> None:
    for model in committed.values():
        if model.schema == "clean":
            lineage = column_lineage(model, schema)
            for column in model.contract.columns:
                if column.source:
                    assert f"raw.{model.table}.{column.source}" in lineage[column.name], f"{model.name}.{column.name}"


def test_every_origin_exists_and_only_generated_columns_have_none(committed: dict[str, Model], schema: Schema) -> None:
    rootless = set()
    for model in committed.values():
        for column, made_from in column_lineage(model, schema).items():
            for origin in made_from:
                namespace, table, name = origin.split(".", 2)
                assert name in schema[namespace][table] or "*" in name, origin  # a family of columns
            if not made_from:
                rootless.add(f"{model.name}.{column}")
    assert {name for name in rootless if not name.startswith(GENERATED)} == set()


# Literals, counts of rows, a generated calendar.
GENERATED = (
    "marts.fct_portal_items.city", "marts.fct_dataset_quality_parts.dataset_kind", "marts.mart_wwc_totals.", "marts.mart_wwc_scorecard.test_count", "marts.mart_wwc_claims.criterion_count",
    "marts.mart_publication_catalog.published_by", "marts.mart_publication_catalog.is_machine_readable",
    "marts.dim_agencies.city", "marts.fct_source_days.city", "marts.fct_source_days.row_count", "marts.fct_source_days.source",
    "marts.bridge_agency_aliases.city", "marts.bridge_agency_aliases.row_count",
    "marts.bridge_agency_aliases.source_system", "marts.dim_certified_firms.", "marts.mart_match_quality.", "marts.mart_mwbe_reported.why_ours_may_be_", "marts.dim_coverage.row_count",
    "marts.dim_dates.", "marts.dim_funds.city", "marts.dim_contracts.city", "marts.dim_contracts.contract_register",
    "marts.fct_payee_names.city", "marts.fct_payee_names.split_count",
    "marts.fct_invoices.split_count", "marts.fct_duplicate_payments.tier", "marts.fct_payment_sizes.size_kind",
    "marts.fct_payment_sizes.payment_count", "marts.fct_split_purchases.payment_count", "marts.fct_split_purchases.largest_window_count", "marts.mart_contract_coverage.split_count", "marts.fct_budget_lines.city",
    "marts.fct_budget_lines.phase", "marts.fct_revenue_lines.city", "marts.fct_revenue_lines.phase",
    "marts.mart_budget_credibility.head_count", "marts.mart_reconciliations.our_table",
    "marts.mart_revenue_by_source.publication_status", "marts.mart_dollars_to_outcomes.measures_", "marts.fct_covid_observations.geography_kind", "marts.fct_covid_observations.metric", "marts.fct_covid_observations.place", "marts.mart_covid_indicators_daily.positivity_mean_of_daily",
    "marts.mart_covid_indicators_daily.positivity_people", "marts.mart_covid_revision_triangle.place", "marts.mart_covid_revision_triangle.geography_kind",
    "marts.mart_covid_revision_triangle.metric", "marts.mart_covid_revision_triangle.is_first",
    "marts.fct_covid_observations.source", "marts.fct_payments.city",
    "marts.fct_vacancy_lists.city", "marts.fct_vacancy_lists.row_count", "marts.fct_vacancy_lists.unreadable_count", "marts.fct_vacancy_changes.city",
    "marts.fct_vacancy_spells.city", "marts.fct_vacancy_spells.list_count", "marts.fct_vacancy_spells.renoticed_count",
    "marts.mart_vacancy_flows_monthly.city", "marts.mart_vacancy_flows_monthly.list_count", "marts.mart_vacancy_durations.", "marts.fct_property_events.city",
    "marts.fct_property_events.source_table", "marts.mart_property_profiles.city", "marts.mart_property_profiles.parcel_count",
    "marts.mart_property_profiles.event_count", "marts.mart_property_profiles.spell_count", "marts.mart_property_profiles.block_property_count",
    "clean.baltimore_performance_measures.figure_kind", "clean.baltimore_performance_measures.fiscal_year", "clean.baltimore_performance_measures.period",
    "marts.fct_measure_records.city", "marts.fct_measure_observations.city", "marts.dim_pillars_goals.city", "marts.dim_pillars_goals.plan_level",
    "marts.mart_goal_scorecard.level", "marts.mart_goal_scorecard.measures", "marts.fct_measure_revisions.city", "marts.fct_action_statuses.city",
    "marts.fct_action_statuses.plan", "marts.mart_kpi_conflicts.resolution", "marts.mart_dollars_to_outcomes.measure_count",
    "marts.mart_dollars_to_outcomes.reported_count",
    "marts.fct_service_requests.city", "marts.mart_service_requests_on_time.group_kind", "marts.mart_service_requests_on_time.interval_method",
    "marts.fct_boundaries.city", "marts.fct_boundaries.kind", "marts.bridge_geography_weights.weight_name", "marts.fct_owner_parcels.", "marts.mart_rent_support.not_published_reason",
    "marts.fct_neighborhood_counts.city", "marts.fct_neighborhood_counts.measure",
    "marts.fct_neighborhood_counts.denominator_name", "marts.fct_neighborhood_counts.weight_name",
    # The geometry is added by the reader of the portal, as are the ids of captures.
    "clean.baltimore_neighborhoods.geometry", "clean.baltimore_statistical_areas.geometry",
    "clean.baltimore_council_districts.geometry", "clean.baltimore_zip_codes.geometry",
    *(f"clean.baltimore_{name}.l" for name in ("vacant_building_notices", "demolitions", "rehabs", "receiverships", "open_bid_list")),
)  # fmt: skip


def test_a_literal_has_no_origin_and_a_join_has_both(tiny: TinyProject) -> None:
    tiny.edit(
        "sql/marts/spending/mart_months.sql",
        "cast(sum(amount) as decimal(18, 2)) as amount\nfrom clean.town_payments",
        "cast(sum(amount) + max(len(city)) as decimal(18, 2)) as amount,\n    'x' as town\nfrom clean.town_payments cross join seeds.agencies",
    )
    tiny.edit(
        "sql/marts/spending/mart_months.yml",
        "  - {name: amount",
        '  - {name: amount, type: "DECIMAL(18,2)", description: x}\n  - {name: town, type: VARCHAR, description: x}\n  # - {name: amount',
    )
    model = tiny.models()["marts.mart_months"]
    known: Schema = {
        "clean": {"town_payments": {"payment_id": "VARCHAR", "paid_on": "DATE", "amount": "DECIMAL(18,2)"}},
        "seeds": {"agencies": {"agency": "VARCHAR", "city": "VARCHAR"}},
    }
    assert column_lineage(model, known) == {
        "month": ["clean.town_payments.paid_on"], "amount": ["clean.town_payments.amount", "seeds.agencies.city"], "town": [],
    }  # fmt: skip


def test_a_parse_error_names_the_file_and_line(tiny: TinyProject) -> None:
    file = tiny.write(
        CLEAN, "-- Each row is one payment.\nselect\n    Payment_No as as payment_id\nfrom raw.town_payments\n"
    )
    with pytest.raises(FileInvalid) as invalid:
        tiny.models()
    assert invalid.value.path == Path(file)
    assert invalid.value.violations[0][0] == 3


def test_a_macro_that_reads_a_file_is_named_with_its_line(tiny: TinyProject) -> None:
    tiny.write(
        "sql/functions/zz.sql",
        "create macro kept(x) as x;\ncreate macro leak() as (select content from read_text('/etc/hosts'));\n",
    )
    with pytest.raises(FileInvalid, match=r"zz\.sql:2: read_text\(\) reads something that is not a table"):
        read_macros(macro_files(tiny.settings.root))


@pytest.mark.parametrize(
    "statement",
    ["copy (select 1) to '{file}'", "create function leak() as (select content from read_text('/etc/hosts'))"],
)
def test_a_file_of_macros_does_nothing_but_define_macros(tiny: TinyProject, statement: str, tmp_path: Path) -> None:
    file = tmp_path / "written.csv"
    tiny.write("sql/functions/zz.sql", f"create macro kept(x) as x;\n{statement.format(file=file)};\n")
    with (
        pytest.raises(FileInvalid, match=r"zz\.sql:2: only `create macro` belongs here, not: (COPY|CREATE FUNCTION)"),
        tiny.build(),
    ):
        pass
    assert not file.exists()


def test_every_function_that_depends_on_the_moment_or_the_session_is_refused() -> None:
    with duckdb.connect() as connection:
        names = connection.execute(
            "select distinct function_name from duckdb_functions() where function_type = 'scalar' and stability <> 'CONSISTENT'"
        ).fetchall()
    # Those of civic check, and those that say nothing about the moment.
    others = {"random", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "setseed", "error", "stats"}
    path = Path("x.sql")
    for name in {name for (name,) in names} - others:
        sql = f"select {name}() as x"
        with pytest.raises(FileInvalid, match="reads something"):
            refuse_outside(path, sql, parse_select(path, sql))


def test_tables_are_built_in_the_same_order_by_every_process() -> None:
    script = """
from civic_pipeline.catalog import load_datasets
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import load_models
print(*load_models(CHECKOUT, load_datasets(CHECKOUT)))
"""
    orders = {
        subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "4")
    }
    assert len(orders) == 1  # a graph of sets has two orders under these seeds
