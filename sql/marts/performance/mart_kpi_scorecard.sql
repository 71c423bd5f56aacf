-- Each row is one measure in one fiscal year: its target, its actual, and whether it met the target.
with figures as (
    -- Of the record that was modified last.
    select
        records.city,
        records.measure_id,
        records.record_id,
        figures.fiscal_year,
        max(figures.value) filter (where figures.figure_kind = 'target') as target_value,
        max(figures.value) filter (where figures.figure_kind = 'actual') as actual_value,
        max(figures.explanation) filter (where figures.figure_kind = 'target') as target_explanation,
        max(figures.explanation) filter (where figures.figure_kind = 'actual') as actual_explanation
    from marts.fct_measure_records as records
    inner join marts.fct_measure_observations as figures using (record_id)
    where records.is_shown and figures.period = 'year'
    group by records.city, records.measure_id, records.record_id, figures.fiscal_year
),

spans as (
    select city, min(fiscal_year) filter (where target_value is not null) as first_target_year, max(fiscal_year) as last_year
    from figures
    group by city
),

measure_years as (
    -- Every measure has a row for every year for which its city publishes targets.
    select records.*, years.fiscal_year
    from marts.fct_measure_records as records
    inner join spans using (city)
    inner join marts.dim_fiscal_years as years
        on years.city = records.city and years.fiscal_year between spans.first_target_year and spans.last_year
    where records.is_shown
),

edits as (
    select city, cast(max(modified_time) as date) as edited_date
    from marts.fct_measure_records
    group by city
),

actuals as (
    select measure_id, fiscal_year, actual_value
    from figures
    where actual_value is not null
),

histories as (
    -- Actuals until the year, and those before it.
    select
        measure_years.measure_id,
        measure_years.fiscal_year,
        max(actuals.fiscal_year) as latest_actual_year,
        min(actuals.fiscal_year) filter (where actuals.fiscal_year < measure_years.fiscal_year) as baseline_fiscal_year,
        min_by(actuals.actual_value, actuals.fiscal_year) filter (where actuals.fiscal_year < measure_years.fiscal_year) as baseline_value,
        case
            when count(*) >= 3
                then round(regr_slope(cast(actuals.actual_value as double), cast(actuals.fiscal_year as double)), 6)
        end as trend_slope
    from measure_years
    inner join actuals on actuals.measure_id = measure_years.measure_id and actuals.fiscal_year <= measure_years.fiscal_year
    group by measure_years.measure_id, measure_years.fiscal_year
),

scored as (
    select
        measure_years.*,
        figures.target_value,
        figures.actual_value,
        figures.target_explanation,
        figures.actual_explanation,
        histories.latest_actual_year,
        histories.baseline_fiscal_year,
        histories.baseline_value,
        histories.trend_slope,
        -- A year is closed when 90 days of the next are over, by the date of the newest edit of the list.
        coalesce(date_diff('day', next_years.first_date, edits.edited_date) >= 90, false) as is_closed_year,
        attainment(measure_years.direction, figures.actual_value, figures.target_value) as attainment
    from measure_years
    inner join edits using (city)
    left join figures
        on figures.measure_id = measure_years.measure_id and figures.fiscal_year = measure_years.fiscal_year
    left join histories
        on histories.measure_id = measure_years.measure_id and histories.fiscal_year = measure_years.fiscal_year
    left join marts.dim_fiscal_years as next_years
        on next_years.city = measure_years.city and next_years.fiscal_year = measure_years.fiscal_year + 1
)

select
    measure_id,
    fiscal_year,
    city,
    record_id,
    plan_year,
    agency_id,
    owner_name,
    service_code,
    service_name,
    service_id,
    published_measure_id,
    title,
    measure_type,
    direction,
    unit_kind,
    is_equity,
    not is_deprecated as is_active,
    is_closed_year,
    target_value,
    actual_value,
    target_explanation,
    actual_explanation,
    attainment,
    cityscore_compatible(direction, actual_value, target_value) as cityscore_compatible,
    baseline_fiscal_year,
    baseline_value,
    round(
        cast(actual_value - baseline_value as double) / cast(nullif(target_value - baseline_value, 0) as double), 12
    ) as progress_from_baseline,
    trend_slope,
    case
        when direction is null or direction not in ('increase', 'decrease', 'maintain') then 'unscorable'
        when target_value is null then 'no_target'
        when actual_value is null and (latest_actual_year is null or not is_closed_year) then 'no_actual'
        when actual_value is null then 'stale'
        when attainment >= 1 then 'met'
        when attainment >= 0.95 then 'near'
        else 'off'
    end as status,
    attainment is not null as is_scorable,
    case when attainment is not null then attainment >= 1 end as is_met,
    is_mixed_scale
from scored
