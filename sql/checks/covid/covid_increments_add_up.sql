-- A returned row is a county whose first count and increments do not add up to its last count.
-- severity: critical
-- subject: covid
-- holds back: marts.mart_covid_daily
with series as (
    select
        county,
        metric,
        min_by(cumulative_reported, observed_date) filter (where not is_missing_as_zero) as first_count,
        max_by(cumulative_reported, observed_date) filter (where not is_missing_as_zero) as last_count,
        coalesce(sum(daily_increment), 0) + coalesce(sum(gap_increment), 0) as total_increment
    from marts.mart_covid_daily
    group by county, metric
)

select county, metric, first_count, total_increment, last_count
from series
where first_count + total_increment <> last_count
