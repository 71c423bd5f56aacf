-- A returned row is a series whose first count and increments, as reported or after corrections were distributed, do not add up to its last count.
-- severity: critical
-- subject: covid
-- holds back: marts.mart_covid_indicators_daily
with counted as (
    select
        place,
        geography_kind,
        geography,
        metric,
        min_by(cumulative_reported, observed_date) filter (where not is_missing_as_zero) as first_count,
        max_by(cumulative_reported, observed_date) filter (where not is_missing_as_zero) as last_count
    from marts.fct_covid_increments
    group by place, geography_kind, geography, metric
),

days as (
    select
        place, geography_kind, geography, 'cases' as metric,
        coalesce(cases_reported_daily, cases_gap_increment) as reported,
        cases_adjusted_daily as adjusted
    from marts.mart_covid_indicators_daily
    union all
    select
        place, geography_kind, geography, 'deaths_confirmed' as metric,
        coalesce(deaths_confirmed_reported_daily, deaths_confirmed_gap_increment) as reported,
        deaths_confirmed_adjusted_daily as adjusted
    from marts.mart_covid_indicators_daily
    union all
    select
        place, geography_kind, geography, 'deaths_probable' as metric,
        coalesce(deaths_probable_reported_daily, deaths_probable_gap_increment) as reported,
        deaths_probable_adjusted_daily as adjusted
    from marts.mart_covid_indicators_daily
),

summed as (
    select
        place, geography_kind, geography, metric,
        coalesce(sum(reported), 0) as total_reported,
        coalesce(sum(adjusted), 0) as total_adjusted
    from days
    group by place, geography_kind, geography, metric
)

select
    counted.place,
    counted.geography,
    counted.metric,
    counted.first_count,
    summed.total_reported,
    summed.total_adjusted,
    counted.last_count
from counted
inner join summed using (place, geography_kind, geography, metric)
where
    counted.first_count + summed.total_reported <> counted.last_count
    or counted.first_count + summed.total_adjusted <> counted.last_count
