"""Housing, 311 and places in the released sample: every documented case occurs, and no column is empty without a reason."""

import pytest
from terminal import Place

TABLES = (
    "fct_property_events", "fct_vacancy_changes", "fct_vacancy_lists", "fct_vacancy_spells", "mart_property_profiles",
    "mart_rent_support", "mart_vacancy_durations", "mart_vacancy_flows_monthly", "fct_service_requests",
    "mart_service_requests_on_time", "bridge_geography_weights", "dim_geographies", "fct_boundaries", "fct_geography_overlaps",
    "fct_neighborhood_counts", "mart_neighborhood_equity",
)  # fmt: skip
CASES = {
    "fct_vacancy_changes": [f"change = '{change}'" for change in ("first_listed", "entered", "returned", "left", "renoticed")],
    "fct_vacancy_spells": [
        "exit_type = 'demolished'", "exit_type = 'rehabbed'", "exit_type = 'other_or_unknown'", "is_open", "spell_number > 1",
        "start_date < first_listed_on and is_listed_from_the_start", "observed_continuity < 1", "renoticed_count > 0",
        "first_notice_date < start_date", "neighborhood is null", "longitude is null", "longitude is not null",
    ],
    "fct_vacancy_lists": ["not is_numbered", "unreadable_count > 0"],
    "mart_vacancy_flows_monthly": [
        "no_rate_reason is not null", "per_1000_parcels_shrunk <> per_1000_parcels", "own_weight > 0", "returned_count > 0",
        "demolished_count > 0", "rehabbed_count > 0", "other_or_unknown_count > 0",
    ],
    "mart_vacancy_durations": [
        "median_duration is not null", "median_duration is null and spell_count < 50", "returned_in_24_months is not null",
        "true_ten_years_count > published_ten_years_count", "breakdown = 'start_years'",
    ],
    "fct_property_events": [
        "event_type = 'citation'", "event_type = 'demolished'", "event_type = 'rehabbed'", "event_type = 'receivership_sale'",
        "event_type = 'offered_for_bids'", "event_type = 'rental_licence'", "event_type = 'rental_registration'",
        "event_type = 'returned_to_the_vacant_list'", "event_type = 'code_notice'", "not is_listed", "amount is not null",
    ],
    "mart_property_profiles": [
        "is_vacant and true_age > published_age", "parcel_count > 1", "block_vacant_share > 0.2", "is_offered_for_bids",
        "longitude is null", "not is_vacant and longitude is not null",
    ],
    "mart_rent_support": ["coverage_note is not null and household_count is not null", "household_count is null"],
    "mart_owner_portfolios": ["publication_status = 'not_published' and not_published_reason is not null and property_count is null"],
    "fct_service_requests": [
        "is_on_time", "not is_on_time", "is_on_time is null and due_at is not null", "is_duplicate", "latitude is null",
        "no_due_date_reason like 'The table%'", "no_due_date_reason like 'The request%'", "source_layer = '2004'", "source_layer = 'current'",
    ],
    "mart_service_requests_on_time": [
        "on_time_rate is not null", "no_on_time_rate_reason like 'The table%'", "no_on_time_rate_reason like 'No request%'",
        "overdue_rate is not null", "no_overdue_rate_reason like 'No open%'", "no_overdue_rate_reason like 'No request%'",
    ],
    "mart_neighborhood_equity": [
        "own_weight > 0 and own_weight < 1", "no_rate_reason is not null", "weight_name = 'area'", "event_count = 0", "unplaced_count > 0",
    ],
    "bridge_geography_weights": ["weight_name = 'area' and weight < 1", "weight_name = 'service requests'"],
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_no_column_is_empty(released: Place, table: str) -> None:
    columns = [
        name for (name,) in released.rows(f"select column_name from meta.columns where table_name = 'marts.{table}'")
    ]
    [known] = released.rows(f"select {', '.join(f'count({name})' for name in columns)} from marts.{table}")
    assert [name for name, count in zip(columns, known, strict=True) if count == 0] == []


@pytest.mark.parametrize("table", CASES)
def test_every_documented_case_occurs(released: Place, table: str) -> None:
    counted = ", ".join(f"count(*) filter ({case})" for case in CASES[table])
    [counts] = released.rows(f"select {counted} from marts.{table}")
    assert [case for case, count in zip(CASES[table], counts, strict=True) if count == 0] == []


def test_a_place_has_one_spelling_in_every_table(released: Place) -> None:
    """Names of neighborhoods in all tables, compared without case: no two spellings of one."""
    named = {
        "mart_vacancy_flows_monthly": "neighborhood", "mart_property_profiles": "neighborhood", "fct_service_requests": "neighborhood",
        "mart_neighborhood_equity": "neighborhood", "dim_geographies": "geography_name",
    }  # fmt: skip
    names = " union ".join(f"select {column} as name from marts.{table}" for table, column in named.items())
    assert released.rows(f"select upper(name), count(*) from ({names}) group by 1 having count(*) > 1") == []


def test_points_outside_the_city_are_in_quarantine_with_their_rows(released: Place) -> None:
    for table, count in (("demolitions", 1), ("rehabs", 1), ("environmental_citations", 3), ("service_requests", 2)):
        rules = "list_has_any(_rules, ['point_is_in_the_city', 'point_is_near_the_city'])"
        assert released.rows(f"select count(*) from quarantine.baltimore_{table} where {rules}") == [(count,)], table
