-- Each row is what one capture has of one county on one day, if it is the first to have the day or differs from the capture before.
with issues as (
    select 'cases' as metric, county, observed_date, cumulative_cases as value, _capture_id, _captured_at, _sequence
    from clean_history.maryland_covid_cases
    union all
    select 'deaths_confirmed' as metric, county, observed_date, cumulative_deaths as value, _capture_id, _captured_at, _sequence
    from clean_history.maryland_covid_deaths
    union all
    select
        'deaths_probable' as metric, county, observed_date, cumulative_probable_deaths as value,
        _capture_id, _captured_at, _sequence
    from clean_history.maryland_covid_probable_deaths
),

compared as (
    select
        *,
        value = 0 and coalesce(max(value) over earlier, 0) > 0 as falls_to_zero
    from issues
    window earlier as (
        partition by metric, county, _sequence order by observed_date rows between unbounded preceding and 1 preceding
    )
),

missing_days as (
    -- As in marts.fct_covid_increments, but within each capture: an outage may be repaired in a later one.
    select metric, _sequence, observed_date
    from compared
    group by metric, _sequence, observed_date
    having 10 * count(*) filter (where falls_to_zero) >= 9 * count(*)
),

usable as (
    select
        compared.metric,
        compared.county,
        compared.observed_date,
        compared.value,
        compared._capture_id,
        compared._captured_at,
        compared._sequence,
        missing_days.observed_date is not null as is_missing_as_zero,
        case when missing_days.observed_date is null then compared.value end as cumulative
    from compared
    left join missing_days
        on
            missing_days.metric = compared.metric
            and missing_days._sequence = compared._sequence
            and missing_days.observed_date = compared.observed_date
),

increments as (
    -- allow total_order: metric, county, capture and day identify a row, because a day is the key of each clean table
    select
        *,
        case
            when lag(observed_date) over within_capture = observed_date - 1
                then cumulative - lag(cumulative) over within_capture
        end as daily
    from usable
    window within_capture as (partition by metric, county, _sequence order by observed_date)
),

placed as (
    -- allow total_order: metric, county, day and capture identify a row
    select
        *,
        date_diff('day', observed_date, cast(_captured_at as date)) as lag_days,
        lag(value) over across_captures as value_before,
        lag(cumulative) over across_captures as cumulative_before,
        row_number() over across_captures = 1 as is_first,
        last_value(cumulative) over all_captures as latest_cumulative,
        last_value(daily) over all_captures as latest_daily
    from increments
    window
        across_captures as (partition by metric, county, observed_date order by _sequence),
        all_captures as (
            partition by metric, county, observed_date order by _sequence
            rows between unbounded preceding and unbounded following
        )
),

revised as (
    select
        *,
        coalesce(bool_or(not is_first and value is distinct from value_before) over (
            partition by metric, county, observed_date
        ), false) as is_revised
    from placed
)

select
    'maryland' as place,
    'county' as geography_kind,
    county as geography,
    metric,
    observed_date,
    _capture_id as capture_id,
    _captured_at as captured_at,
    cast(lag_days as integer) as lag_days,
    is_first,
    is_missing_as_zero,
    value as cumulative_reported,
    cumulative - cumulative_before as revision,
    daily as daily_increment,
    latest_cumulative as latest_cumulative_reported,
    latest_daily as latest_daily_increment,
    cast(daily as double) / nullif(greatest(latest_daily, 0), 0) as completeness
from revised
where
    (is_first and (lag_days <= 28 or is_revised))
    or (not is_first and value is distinct from value_before)
