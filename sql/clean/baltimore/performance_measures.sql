-- Each row is one figure that one plan year's record has for one measure: the actual or the target of one fiscal year, or the actual of one of its quarters.
with published as (
    select
        "Fiscal Year" as published_plan_year,
        cast(2000 + parse_integer(regexp_extract("Fiscal Year", '\d+')) as integer) as plan_year,
        nullif(regexp_extract("Agency ID", '^AGC\d+'), '') as agency_code,
        clean_text("Agency") as agency_name,
        nullif(regexp_extract("Service ID", '^SRV\d+'), '') as service_code,
        clean_text("Service") as service_name,
        clean_text("Measure ID") as published_measure_id,
        clean_text("Performance Measure") as title,
        lower(clean_text("Performance Measure Type")) as measure_type,
        lower(clean_text("Desired Outcome")) as direction,
        lower(clean_text("Percent or Count")) as unit_kind,
        lower(clean_text("Interval")) as interval_kind,
        parse_flag("Equity Measure") as is_equity,
        case when clean_text("Deprecated") is null then false else parse_flag("Deprecated") end as is_deprecated,
        clean_text("Status") as record_status,
        clean_text("Measure Formula") as formula,
        clean_text("Data Source") as data_source,
        clean_text("Measure Request") as measure_request,
        clean_text("Measure Request Notes") as request_notes,
        parse_moment("Modified") as modified_time,
        clean_text("Notes: FY25 Target Explanation") as target_2025_explanation,
        clean_text("FY 26 Target Explanation") as target_2026_explanation,
        clean_text("FY 27 Target Explanation") as target_2027_explanation,
        clean_text("FY 24 Actual Explanation") as actual_2024_explanation,
        clean_text("FY 25 Actual Explanation") as actual_2025_explanation,
        clean_text("FY 25 Quarterly Context") as quarters_2025_explanation,
        clean_text("FY 26 Quarterly Context") as quarters_2026_explanation,
        "FY 21 Actual",
        "FY 22 Actual",
        "FY 23 Actual",
        "FY 24 Target",
        "FY 24 Actual",
        "FY 25 Target",
        "FY 25 Q1",
        "FY 25 Q2",
        "FY 25 Q3",
        "FY 25 Q4",
        "FY 25 Actual",
        "FY 26 Target",
        "FY 26 Q1",
        "FY 26 Q2",
        "FY 26 Q3",
        "FY 27 Target",
        _capture_id
    from raw.baltimore_performance_measures
),

records as (
    select
        *,
        min(lower(title)) over (partition by plan_year, agency_name, published_measure_id)
        <> max(lower(title)) over (partition by plan_year, agency_name, published_measure_id) as is_reused_in_plan
    from published
),

keyed as (
    -- A measure is its agency and id. Where the agency has no id for it, or gave one id to two measures of a plan, the title is a part, too.
    select
        *,
        case
            when published_measure_id is null or max(is_reused_in_plan) over (partition by agency_name, published_measure_id) then lower(title)
        end as title_key
    from records
),

published_columns (figure_column, fiscal_year, period, figure_kind) as (
    values
        ('FY 21 Actual', 2021, 'year', 'actual'),
        ('FY 22 Actual', 2022, 'year', 'actual'),
        ('FY 23 Actual', 2023, 'year', 'actual'),
        ('FY 24 Target', 2024, 'year', 'target'),
        ('FY 24 Actual', 2024, 'year', 'actual'),
        ('FY 25 Target', 2025, 'year', 'target'),
        ('FY 25 Q1', 2025, 'q1', 'actual'),
        ('FY 25 Q2', 2025, 'q2', 'actual'),
        ('FY 25 Q3', 2025, 'q3', 'actual'),
        ('FY 25 Q4', 2025, 'q4', 'actual'),
        ('FY 25 Actual', 2025, 'year', 'actual'),
        ('FY 26 Target', 2026, 'year', 'target'),
        ('FY 26 Q1', 2026, 'q1', 'actual'),
        ('FY 26 Q2', 2026, 'q2', 'actual'),
        ('FY 26 Q3', 2026, 'q3', 'actual'),
        ('FY 27 Target', 2027, 'year', 'target')
),

figures as (
    select
        keyed.*,
        cast(published_columns.fiscal_year as integer) as fiscal_year,
        published_columns.period,
        published_columns.figure_kind,
        clean_text(case published_columns.figure_column
            when 'FY 21 Actual' then "FY 21 Actual"
            when 'FY 22 Actual' then "FY 22 Actual"
            when 'FY 23 Actual' then "FY 23 Actual"
            when 'FY 24 Target' then "FY 24 Target"
            when 'FY 24 Actual' then "FY 24 Actual"
            when 'FY 25 Target' then "FY 25 Target"
            when 'FY 25 Q1' then "FY 25 Q1"
            when 'FY 25 Q2' then "FY 25 Q2"
            when 'FY 25 Q3' then "FY 25 Q3"
            when 'FY 25 Q4' then "FY 25 Q4"
            when 'FY 25 Actual' then "FY 25 Actual"
            when 'FY 26 Target' then "FY 26 Target"
            when 'FY 26 Q1' then "FY 26 Q1"
            when 'FY 26 Q2' then "FY 26 Q2"
            when 'FY 26 Q3' then "FY 26 Q3"
            when 'FY 27 Target' then "FY 27 Target"
        end) as published_text
    from keyed
    cross join published_columns
),

identified as (
    select
        *,
        hash_id(['baltimore', agency_name, published_measure_id, title_key]) as measure_id,
        hash_id(['baltimore', cast(plan_year as varchar), agency_name, published_measure_id, lower(title)]) as record_id,
        case
            when figure_kind = 'target' and fiscal_year = 2025 then target_2025_explanation
            when figure_kind = 'target' and fiscal_year = 2026 then target_2026_explanation
            when figure_kind = 'target' and fiscal_year = 2027 then target_2027_explanation
            when period = 'year' and fiscal_year = 2024 then actual_2024_explanation
            when period = 'year' and fiscal_year = 2025 then actual_2025_explanation
            when period <> 'year' and fiscal_year = 2025 then quarters_2025_explanation
            when period <> 'year' and fiscal_year = 2026 then quarters_2026_explanation
        end as explanation,
        parse_figure(published_text) as figure,
        coalesce(contains(published_text, '%'), false) as has_sign,
        coalesce(parse_figure(published_text) = 9999 or upper(published_text) in ('N/A', 'N\A', 'NA', 'TBD', 'NO DATA', 'NEW', '-'), false) as is_sentinel
    from figures
),

scaled as (
    select
        *,
        unit_kind = 'percent' and abs(figure) > 1000 and not has_sign and not is_sentinel as is_unit_error,
        case when unit_kind = 'percent' and not is_sentinel and (has_sign or abs(figure) > 1.5) and abs(figure) <= 1000 then cast(figure as double) / 100 end as plain_share
    from identified
),

anchored as (
    select
        *,
        median(plain_share) over (partition by record_id) as anchor
    from scaled
),

ruled as (
    select
        *,
        case when unit_kind = 'percent' and not is_sentinel and not is_unit_error then percent_scale(figure, has_sign, anchor) end as scale_rule
    from anchored
)

select
    hash_id([record_id, cast(fiscal_year as varchar), period, figure_kind]) as figure_id,
    record_id,
    measure_id,
    plan_year,
    agency_code,
    agency_name,
    service_code,
    service_name,
    published_measure_id,
    title,
    case measure_type when 'ouput' then 'output' else measure_type end as measure_type,
    direction,
    unit_kind,
    case interval_kind when 'cumalitve' then 'cumulative' else interval_kind end as interval_kind,
    is_equity,
    is_deprecated,
    record_status,
    formula,
    data_source,
    measure_request,
    request_notes,
    modified_time,
    fiscal_year,
    period,
    figure_kind,
    published_text,
    case
        when is_sentinel or coalesce(is_unit_error, false) then null
        when scale_rule is null or scale_rule = 'as_is' then figure
        else cast(cast(figure as double) / 100 as decimal(24, 6))
    end as value,
    scale_rule,
    is_sentinel,
    coalesce(is_unit_error, false) as is_unit_error,
    coalesce(min(scale_rule) over (partition by record_id) <> max(scale_rule) over (partition by record_id), false) as is_mixed_scale,
    explanation,
    published_plan_year as _published_plan_year,
    _capture_id
from ruled
