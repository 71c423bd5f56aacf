"""A release made by hand: the tables that a test names, their entries in meta, and one capture behind each."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from civic_pipeline.releases.contents import content_hash
from civic_pipeline.warehouse import meta

MOMENT = datetime(2026, 1, 2, 3, 4, 5)
SHA256 = "ab" * 32
HOSTILE = "<script>alert('x')</script> & Sons"

# Two agencies in two years: 300.25 + 100.00 after 200.00 + 0.
BUDGET = {
    "marts.dim_agencies": "select * from (values ('a1', 'town', 'Fire'), ('a2', 'town', 'Parks & Trees')) as t(agency_id, city, agency_name)",
    "marts.dim_objects": "select * from (values ('o1', 'Salaries', 'Pay of staff.'), ('o2', 'Supplies', null)) as t(object_id, object_name, plain_sentence)",
    "marts.dim_services": "select 's1' as service_id, 'Puts out fires.' as plain_sentence",
    "marts.dim_funds": "select 'f1' as fund_id, 'town' as city, 'General' as fund_name, 'For anything.' as plain_sentence",
    "marts.fct_budget_lines": f"""
        select * from (values
            ('l1', 'town', 2026, 'adopted', 'a1', 'f1', 's1', '10', 'Engines', 'o1', 'Overtime', 300.25::decimal(18, 2)),
            ('l2', 'town', 2026, 'adopted', 'a2', 'f1', 's2', '20', {HOSTILE.replace("'", "''")!r}, 'o2', '=1+1', 100.00),
            ('l3', 'town', 2025, 'adopted', 'a1', 'f1', 's1', '10', 'Engines', 'o1', 'Overtime', 200.00)
        ) as t(budget_line_id, city, fiscal_year, phase, agency_id, fund_id, service_id, service_code, service_name, object_id, line_name,
            appropriated_amount)""".replace('"', "'"),
}


def small_release(file: Path, tables: Mapping[str, str] = BUDGET, **entries: Mapping[str, Any]) -> Path:
    """A release at `file` with the queries as tables. `entries` change what meta.tables says: fct_budget_lines={...}."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema clean; create schema marts")
        meta.create(connection)
        meta.put(
            connection,
            "meta.releases",
            "release_id",
            "r1",
            [{"release_id": "r1", "released_at": MOMENT, "pipeline_version": "1"}],
        )
        meta.put(
            connection,
            "meta.places",
            "place",
            "town",
            [{"place": "town", "kind": "city", "title": "Town", "owners": ["team:data"]}],
        )
        capture = {
            "capture_id": "town/source/1", "dataset": "town/source", "captured_at": MOMENT, "attempted_at": MOMENT,
            "status": "captured", "title": "Source", "publisher": "Town Hall", "licence": "CC0", "profile": "live",
            "counted_rows": 3, "landed_rows": 3, "bytes": 9, "sha256": SHA256,
        }  # fmt: skip
        meta.put(connection, "meta.captures", "capture_id", "town/source/1", [capture])
        for name, query in tables.items():
            connection.execute(f"create table {name} as {query}")
            (rows,) = connection.execute(f"select count(*) from {name}").fetchone() or (0,)
            entry = {
                "table_name": name, "each_row_is": "one row", "cannot_say": "Nothing else.", "status": "current",
                "built_at": MOMENT, "row_count": rows, "data_date": date(2026, 1, 1), "key_columns": [], "inputs": ["raw.town_source"],
                "content_hash": content_hash(connection, name),
            }  # fmt: skip
            meta.put(
                connection, "meta.tables", "table_name", name, [entry | dict(entries.get(name.partition(".")[2], {}))]
            )
            columns = connection.execute(f"describe {name}").fetchall()
            meta.put(connection, "meta.columns", "table_name", name, [
                {"table_name": name, "position": i, "column_name": column, "column_type": kind, "description": "It."}
                for i, (column, kind, *_) in enumerate(columns, 1)
            ])  # fmt: skip
            check = {
                "table_name": name, "check_name": "a_check", "layer": "table", "severity": "critical", "is_passed": True,
                "description": "a rule", "run_id": "run", "checked_at": MOMENT,
            }  # fmt: skip
            meta.put(connection, "meta.checks", "table_name", name, [check])
    return file


# Two vendors of one name and a hostile one. Month 1 is complete, 2 is missing, of 3 a part is published.
SPENDING = {
    "marts.dim_agencies": BUDGET["marts.dim_agencies"],
    "marts.dim_vendors": f"""
        select * from (values
            ('v1aaaaaaa', 'town', 'Same Co'), ('v2bbbbbbb', 'town', 'Same Co'),
            ('v3ccccccc', 'town', {HOSTILE.replace("'", "''")!r})
        ) as t(vendor_id, city, vendor_name)""".replace('"', "'"),
    "marts.bridge_vendor_names": """
        select * from (values ('SAME CO', 'v2bbbbbbb', 'same letters'), ('Same Co', 'v2bbbbbbb', 'same name'))
        as t(raw_name, vendor_id, merge_reason)""",
    "marts.dim_coverage": """
        select * from (values
            ('town', 'town/spending', 2026, 1, 'complete', null), ('town', 'town/spending', 2026, 2, 'missing', 'Nothing was published.'),
            ('town', 'town/spending', 2026, 3, 'partial', null)
        ) as t(city, source, fiscal_year, fiscal_period, status, note)""",
    "marts.fct_payments": """
        select * from (values
            ('p1', 'town', date '2025-07-02', 2026, 1, 'a1', 'v1aaaaaaa', 'Hoses', 'C1', 1000.10::decimal(18, 2)),
            ('p2', 'town', date '2025-07-03', 2026, 1, 'a1', 'v1aaaaaaa', 'Hoses', null, 2000.20),
            ('p3', 'town', date '2025-07-04', 2026, 1, 'a2', 'v2bbbbbbb', 'Trees', null, -500.05),
            ('p4', 'town', date '2025-09-05', 2026, 3, 'a2', 'v3ccccccc', 'Trees', null, 7000.00)
        ) as t(payment_split_id, city, payment_date, fiscal_year, fiscal_period, agency_id, vendor_id, spend_category, contract_number, paid_amount)""",
}

# One flag of each kind: about the second vendor named Same Co, and about an agency.
FLAGS = SPENDING | {
    "marts.fct_spend_flags": """
        select 'town' as city, *, null as p_value from (values
            ('g1', 2026, 'duplicate_payment', 'D1', 'a1', 'v1aaaaaaa', date '2025-07-02', date '2025-07-03', 1000.10, 900.00, false, 0.0002,
                'Paid <twice>.', 'Two instalments.'),
            ('g2', 2026, 'year_end_share', null, 'a2', null, null, null, null, null, null, 0.05, 'Much in June.', 'Invoices of the year.')
        ) as t(flag_id, fiscal_year, test, tier, agency_id, vendor_id, first_date, last_date, flagged_amount, amount_at_risk, is_recovered,
            base_rate, plain_explanation, innocent_explanations)""",
    "marts.mart_integrity_test_quality": """
        select 'town' as city, 'duplicate_payment D1' as test, 'planted' as origin, 1.0 as recall, 0.8 as labelled_precision,
            0.37 as precision_low, 0.96 as precision_high""",
}

OTHERS = {
    "marts.mart_mwbe_finder": f"""
        select * from (values
            ('f1', 'Able Paving', 'town', 'MBE | WBE', true, date '2020-01-01', 'Hispanic American', 'PAVING', '21201', 'ABLE PAVING', 0.91, 1234.56,
                'Fire'),
            ('f2', {HOSTILE.replace("'", "''")!r}, 'town', 'MBE', false, null, null, null, null, null, null, 0.00, null)
        ) as t(firm_id, firm_name, authority, certification_types, is_certified, valid_from, owner_groups, trades, zip_code, vendor_names,
            match_probability, paid_amount, paying_agencies), (select null::date as valid_to, 'town/source: expiration' as not_published, 'TOWSON' as city_name, null as county)""".replace(
        '"', "'"
    ),
    # Two counties and two ZIP codes: week 2 is an outage, in week 4 a count fell.
    "marts.mart_covid_indicators_daily": """
        select 'county' as geography_kind, county as geography, date '2021-12-01' + 7 * week::integer as observed_date, 1000 as population,
            if(week = 2, null, 100 + week)::bigint as cases_cumulative_reported, null::bigint as cases_cumulative_low,
            null::bigint as cases_cumulative_high, if(week = 4, -3, 1)::bigint as cases_reported_daily, null::bigint as cases_gap_increment,
            if(week = 4, 0, 1)::bigint as cases_adjusted_daily, week = 4 as is_cases_correction,
            if(week in (2, 3), null, 7.0 * week)::double as case_rate_cdc_7d, if(week in (2, 3), null, 1.0 * week)::double as case_rate_bchd_7d,
            if(week in (2, 3), null, 1.0 * week)::double as case_rate_maryland_7d, if(week = 5, 34.5, null)::double as case_rate_cdc_7d_published,
            if(county = 'Allegany', if(week = 2, 0, 10 + week), null)::bigint as deaths_confirmed_cumulative_reported,
            week = 2 as is_deaths_confirmed_missing_as_zero, if(week in (2, 3), null, 0.7)::double as death_rate_cdc_7d,
            if(week in (2, 3), null, 0.1)::double as death_rate_bchd_7d, null::bigint as deaths_confirmed_reported_daily,
            null::bigint as deaths_confirmed_gap_increment, null::bigint as deaths_confirmed_adjusted_daily,
            false as is_deaths_confirmed_correction, null::bigint as deaths_probable_cumulative_reported,
            null::bigint as deaths_probable_reported_daily, null::bigint as deaths_probable_gap_increment,
            null::bigint as deaths_probable_adjusted_daily, false as is_deaths_probable_correction,
            if(county = 'Allegany', 0.125, null)::double as positivity_pooled,
            if(county = 'Allegany', 1.02, null)::double as vax_series_share_total, false as is_suppressed
        from range(6) as weeks(week), (values ('Allegany'), ('Kent')) as counties(county)
        union all by name
        select 'zip' as geography_kind, zip_code as geography, date '2021-12-01' as observed_date, cases as cases_cumulative_reported,
            coalesce(cases, 0) as cases_cumulative_low, coalesce(cases, 7) as cases_cumulative_high, cases is null as is_suppressed
        from (values ('21201', 40), ('21202', null)) as t(zip_code, cases)""",
    "marts.mart_covid_revision_triangle": """
        select 'Allegany' as geography, 'cases' as metric, * from (values
            (date '2021-12-08', timestamp '2021-12-09', 90, false, true), (date '2021-12-08', timestamp '2022-02-01', 101, false, false),
            (date '2021-12-15', timestamp '2021-12-16', 0, true, true), (date '2021-12-15', timestamp '2022-02-01', 102, false, false),
            (date '2021-12-22', timestamp '2022-01-01', 103, false, true)
        ) as t(observed_date, captured_at, cumulative_reported, is_missing_as_zero, is_first)""",
    "clean.town_vacant_building_notices": """
        select * from (values (date '2020-01-01', 'Oliver', 7), (date '2021-01-01', 'Oliver', 7), (date '2022-01-01', null, 8))
        as t(notice_date, neighborhood, council_district)""",
    "marts.mart_vacancy_flows_monthly": "select 1 as closing_count limit 0",
    "marts.mart_vacancy_durations": """
        select 'town' as city, * from (values ('city', 'all', 3, 5.14, 9.64, 0, 2), ('neighborhood', 'OLIVER', 2, 4.0, 8.0, 0, 1))
        as t(breakdown, group_name, open_count, median_published_age, median_true_age, published_ten_years_count, true_ten_years_count)""",
    "marts.mart_property_profiles": """
        select 'town' as city, * from (values
            ('0001|001', '0001', '1 MILL AVE', 'OLIVER', true, 2, 4, 1, 0.25, 1, 4.0, 8.0),
            ('0001|002', '0001', '3 MILL AVE', 'OLIVER', false, 0, 4, 1, 0.25, 0, null, null),
            ('0009|001', '0009', null, null, true, 1, 0, 1, null, 1, 1.0, 1.0),
            ('0011|001', '0011', '9 HILL ST', 'OLIVER', false, 0, 1, 0, 0.0, 0, null, null)
        ) as t(block_lot, block, address, neighborhood, is_vacant, event_count, block_property_count, block_vacant_count, block_vacant_share,
            spell_count, published_age, true_age)""",
    "marts.fct_property_events": """
        select 'town' as city, * from (values
            ('e1', '0001|001', date '2020-01-01', 'vacant_notice', 'Notice 7A', 'town_notices', 'town/notices/2024-04-27T000000.000000Z', false),
            ('e2', '0001|001', date '2021-02-03', 'building_permit', null, 'town_permits', 'town/permits/2025-05-12T000000.000000Z', true)
        ) as t(event_id, block_lot, event_date, event_type, detail, source_table, capture_id, is_listed)""",
    "marts.mart_salaries_by_agency": """
        select 'town' as city, 2025 as fiscal_year, * from (values
            ('Fire', 100, 60000.00, 50000.00, 70000.00, 6100000.50, 1.02), ('Clerk', null, null, null, null, null, null)
        ) as t(agency_name, headcount, median_salary, salary_p10, salary_p90, gross_pay_amount, gross_to_salary_rate)""",
}
