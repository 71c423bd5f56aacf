"""The released sample has a row for every case that the contracts of these subjects document, and no column without a value."""

from collections import defaultdict

import pytest
from terminal import Place

from civic_pipeline.catalog import load_datasets
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import Model, load_models

CLOSED_LISTS = (
    "expect_column_values_to_be_in_set",
    "expect_column_distinct_values_to_equal_set",
    "expect_column_distinct_values_to_contain_set",
)
SUBJECTS = ("covid", "housing", "places", "service_requests", "performance", "certification")
# No column of owners was seen, so there is no row; the marts are tested on invented owners.
EMPTY = {"marts.fct_owner_parcels": "Empty until a column of owners was seen"}
NO_VALUE = {
    "marts.mart_dataset_quality_scores": {"validity", "score"},  # the shared release is made without checks
    "marts.mart_vacancy_flows_monthly": {
        "no_rate_reason"
    },  # every neighborhood of the sample with a notice has parcels
}
# Documented cases that the sample cannot have.
ABSENT = {
    ("marts.fct_action_statuses", "status", "planned"): "the tracker of 2021 has three statuses",
    ("marts.fct_action_statuses", "status", "on_hold"): "the tracker of 2021 has three statuses",
    ("marts.mart_covid_indicators_daily", "is_deaths_probable_missing_as_zero", "True"): "the newest copy of the sample is repaired",
    ("marts.mart_dataset_quality_scores", "is_fresh", "True"): "the days of the sample are fixed, today is not",
    ("marts.mart_dollars_to_outcomes", "measures_status", "not_published"): "every city of the sample with outcomes has measures",
    ("marts.mart_owner_portfolios", "publication_status", "published"): "no column of owners was seen",
}  # fmt: skip


@pytest.fixture(scope="module")
def marts() -> dict[str, Model]:
    models = load_models(CHECKOUT, load_datasets(CHECKOUT))
    return {name: model for name, model in models.items() if name.startswith("marts.") and model.subject in SUBJECTS}


def test_no_column_is_all_null_unless_the_contract_gives_the_reason(released: Place, marts: dict[str, Model]) -> None:
    without_value, with_reason = defaultdict(set), defaultdict(set)
    for name, model in marts.items():
        columns = [column.name for column in model.contract.columns]
        (counts,) = released.rows(f"select {', '.join(f'count({column})' for column in columns)} from {name}")
        without_value[name] = {column for column, count in zip(columns, counts, strict=True) if count == 0}
        without_value[name] -= NO_VALUE.get(name, set())
        if name in EMPTY:
            assert EMPTY[name] in (model.contract.about or "")
            with_reason[name] = set(columns)
        elif "publication_status" in columns and released.rows(f"select distinct publication_status from {name}") == [
            ("not_published",)
        ]:
            with_reason[name] = without_value[
                name
            ]  # its contract: then all numbers are null, and not_published_reason is not
        else:
            with_reason[name] = {c.name for c in model.contract.columns if "not_published: " in c.description}
    assert len(marts) > 40
    assert without_value == with_reason


def test_every_value_that_a_contract_lists_occurs(released: Place, marts: dict[str, Model]) -> None:
    """The values of a closed list, and both values of a boolean; rules of the form "is almost never true" list no cases."""
    absent = set()
    for name, model in marts.items():
        listed = {c.name: ["True", "False"] for c in model.contract.columns if c.type == "BOOLEAN"}
        for expectation in model.contract.expectations:
            if expectation.kind in CLOSED_LISTS and "mostly" not in expectation.arguments:
                listed[expectation.arguments["column"]] = [str(value) for value in expectation.arguments["value_set"]]
        for column, values in listed.items():
            present = {str(value) for (value,) in released.rows(f"select distinct {column} from {name}")}
            absent |= {(name, column, value) for value in values if value not in present}
    absent = {case for case in absent if case[0] not in EMPTY}
    assert absent == set(ABSENT)


CASES = {
    "mart_covid_indicators_daily": (
        "is_deaths_confirmed_missing_as_zero and deaths_confirmed_cumulative_reported = 0",
        "deaths_confirmed_gap_increment > 0",
        "is_cases_correction and cases_reported_daily < 0 and cases_adjusted_daily >= 0",
        "geography_kind = 'zip' and is_suppressed and cases_cumulative_high = 7",
        "geography_kind = 'zip' and is_cases_missing_as_zero",
        "geography_kind = 'zip' and cases_cumulative_reported between 1 and 7",
        "is_unstable and case_rate_cdc_7d is not null",
        "vax_series_share_65plus > 1",
    ),
    "mart_covid_revision_triangle": ("revision < 0 or revision > 0", "completeness < 1", "completeness = 1 and not is_first"),
    "fct_measure_observations": (
        "scale_rule = 'percent_sign'", "scale_rule = 'over_1_5'", "scale_rule = 'as_is'", "scale_rule = 'row_context'", "published_text = '9999'",
        "published_text = '6500-7000' and value is null and not is_sentinel", "value < 0", "explanation is not null",
    ),
    "fct_measure_records": ("published_measure_id is null", "service_id is null", "direction is null"),
    "fct_measure_revisions": tuple(
        f"revision_type = '{kind}'" for kind in ("filled", "value_changed", "target_moved", "direction_flipped", "definition_changed")
    ),
    "mart_kpi_scorecard": ("attainment = 1 and actual_value = 0", "attainment > 1", "cityscore_compatible = 0 and is_met", "target_value < 0"),
    "mart_goal_scorecard": ("coverage_share < 1", "is_change_distinguishable"),
    "mart_kpi_conflicts": ("earlier_value <> 0 and relative_difference > 0.005", "later_value = 0 or relative_difference is null"),
    "mart_kpi_lifecycle": ("last_actual_year = 2023 and lifecycle_state = 'retired_no_successor'", "targets_moved > 0", "definition_conflicts > 0"),
    "mart_kpi_reproducibility": ("is_reproduced", "not is_reproduced", "not_comparable_because like 'The checkbook has%'", "recomputed_low < recomputed_high"),
    "mart_dollars_to_outcomes": ("not is_linked", "dollars_per_unit_of_change is not null", "measure_count > 1"),
    "fct_action_statuses": ("days_in_status > 0", "not_published is not null"),
    "mart_dataset_quality_scores": ("score is null and score_low < score_high", "is_dated_in_future and freshness = 0", "freshness = 0.5", "stability < 1"),
    "fct_criterion_evidence": ("is_met", "not is_met", "not_measured_because is not null"),
    "mart_wwc_scorecard": ("points = 1", "points = 0", "points is null and classification = 'measured'", "attested_on is not null and points is null"),
    "mart_publication_catalog": ("published_by = 'portal' and is_machine_readable", "published_by = 'warehouse' and failed_checks = 0"),
}  # fmt: skip


@pytest.mark.parametrize("table", CASES)
def test_every_documented_case_occurs(released: Place, table: str) -> None:
    conditions = CASES[table]
    counts = ", ".join(f"count(*) filter (where {condition})" for condition in conditions)
    ((*occurrences,),) = released.rows(f"select {counts} from marts.{table}")
    assert [condition for condition, count in zip(conditions, occurrences, strict=True) if count == 0] == []
