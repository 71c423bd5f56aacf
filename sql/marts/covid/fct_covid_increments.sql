-- Each row is one cumulative count of one place on one day, and what was new since the last usable day.
with compared as (
    select
        place,
        geography_kind,
        geography,
        metric,
        observed_date,
        value as cumulative_reported,
        is_suppressed,
        value = 0 and coalesce(max(value) over earlier, 0) > 0 as falls_to_zero
    from marts.fct_covid_observations
    window earlier as (
        partition by place, geography_kind, geography, metric order by observed_date
        rows between unbounded preceding and 1 preceding
    )
),

missing_days as (
    -- If the totals of nine of ten places fall to zero on one day, the day was not published.
    select compared.place, compared.geography_kind, compared.metric, compared.observed_date
    from compared
    inner join (
        select place, geography_kind, metric, count(distinct geography) as geography_count
        from compared
        group by place, geography_kind, metric
    ) as counted using (place, geography_kind, metric)
    group by
        compared.place, compared.geography_kind, compared.metric, compared.observed_date, counted.geography_count
    having 10 * count(*) filter (where compared.falls_to_zero) >= 9 * counted.geography_count
),

usable as (
    -- ZIP codes below 8 are hidden, so a zero after a count is no count either.
    select
        compared.place,
        compared.geography_kind,
        compared.geography,
        compared.metric,
        compared.observed_date,
        compared.cumulative_reported,
        compared.is_suppressed,
        missing_days.observed_date is not null or (compared.geography_kind = 'zip' and compared.falls_to_zero)
            as is_missing_as_zero,
        case
            when missing_days.observed_date is null and not (compared.geography_kind = 'zip' and compared.falls_to_zero)
                then compared.cumulative_reported
        end as cumulative
    from compared
    left join missing_days
        on
            missing_days.place = compared.place
            and missing_days.geography_kind = compared.geography_kind
            and missing_days.metric = compared.metric
            and missing_days.observed_date = compared.observed_date
),

since_last_usable as (
    -- allow total_order: place, geography, metric and day identify a row of the observations, and the join above adds no rows
    select
        *,
        cumulative - last_value(cumulative ignore nulls) over earlier as increment,
        max(case when cumulative is not null then observed_date end) over earlier as last_usable_date
    from usable
    window earlier as (
        partition by place, geography_kind, geography, metric order by observed_date
        rows between unbounded preceding and 1 preceding
    )
)

select
    place,
    geography_kind,
    geography,
    metric,
    observed_date,
    cumulative_reported,
    is_suppressed,
    coalesce(is_missing_as_zero, false) as is_missing_as_zero,
    increment,
    case when last_usable_date = observed_date - 1 then increment end as reported_daily,
    case when last_usable_date < observed_date - 1 then increment end as gap_increment,
    coalesce(increment < 0, false) as is_correction
from since_last_usable
