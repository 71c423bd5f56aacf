-- Each row is one county's count of one metric on one day: as published, as a daily increment, and as 7-day rates.
with counts as (
    select geography as county, metric, observed_date, value as cumulative_reported
    from marts.fct_covid_observations
    where geography_kind = 'county'
),

compared as (
    select
        *,
        cumulative_reported - lag(cumulative_reported) over series as reported_increment,
        cumulative_reported = 0 and coalesce(max(cumulative_reported) over earlier, 0) > 0 as falls_to_zero
    from counts
    window
        series as (partition by county, metric order by observed_date),
        earlier as (
            partition by county, metric order by observed_date rows between unbounded preceding and 1 preceding
        )
),

county_counts as (
    select metric, count(distinct county) as county_count
    from counts
    group by metric
),

missing_days as (
    -- If the totals of nine of ten counties fall to zero on one day, the day was not published.
    select compared.metric, compared.observed_date
    from compared
    inner join county_counts using (metric)
    group by compared.metric, compared.observed_date, county_counts.county_count
    having count(*) filter (where compared.falls_to_zero) >= 0.9 * county_counts.county_count
),

usable as (
    select
        compared.county,
        compared.metric,
        compared.observed_date,
        compared.cumulative_reported,
        compared.reported_increment,
        missing_days.observed_date is not null as is_missing_as_zero,
        case when missing_days.observed_date is null then compared.cumulative_reported end as cumulative
    from compared
    left join missing_days
        on missing_days.metric = compared.metric and missing_days.observed_date = compared.observed_date
),

since_last_usable as (
    -- allow total_order: county, metric and day identify a row of the counts, and the joins above add no rows
    select
        *,
        cumulative - last_value(cumulative ignore nulls) over earlier as increment,
        max(case when cumulative is not null then observed_date end) over earlier as last_usable_date
    from usable
    window earlier as (
        partition by county, metric order by observed_date rows between unbounded preceding and 1 preceding
    )
),

increments as (
    select
        *,
        case when last_usable_date = observed_date - 1 then increment end as daily_increment,
        case when last_usable_date < observed_date - 1 then increment end as gap_increment
    from since_last_usable
),

weeks as (
    select
        *,
        case
            when count(daily_increment) over seven_days = 7 then sum(daily_increment) over seven_days
        end as increment_7d
    from increments
    window seven_days as (
        partition by county, metric order by observed_date range between interval 6 days preceding and current row
    )
)

select
    weeks.county,
    weeks.metric,
    weeks.observed_date,
    weeks.cumulative_reported,
    weeks.reported_increment,
    weeks.is_missing_as_zero,
    weeks.daily_increment,
    weeks.gap_increment,
    coalesce(weeks.increment < 0, false) as is_correction,
    cast(weeks.increment_7d as bigint) as increment_7d,
    cast(parse_integer(populations.population) as bigint) as population,
    weeks.increment_7d / 7 / parse_integer(populations.population) * 100000 as rate_bchd_7d,
    weeks.increment_7d / parse_integer(populations.population) * 100000 as rate_cdc_7d
from weeks
left join seeds.county_populations as populations using (county)
