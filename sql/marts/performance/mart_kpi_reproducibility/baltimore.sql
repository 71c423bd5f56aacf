-- Each row is one measure in one fiscal year for which a method is known to compute it from published data: what the city reports, what we compute, and the gap. Baltimore: by the reviewed list of methods.
-- allow total_order: a capture has one list of each method
with methods as (
    select records.measure_id, records.title, records.unit_kind, methods.*
    from seeds.kpi_methods as methods
    inner join marts.fct_measure_records as records
        on records.city = methods.city
        and records.owner_name = methods.owner_name
        and records.published_measure_id = methods.published_measure_id
        and records.is_shown
    where methods.city = 'baltimore'
),

year_ends as (
    -- The last day of a fiscal year is the day before the next one begins.
    select fiscal_year - 1 as fiscal_year, first_date as next_first_date
    from marts.dim_fiscal_years
    where city = 'baltimore'
),

reported as (
    select records.measure_id, figures.fiscal_year, max(figures.value) as reported_value
    from marts.fct_measure_observations as figures
    inner join marts.fct_measure_records as records using (record_id)
    where records.is_shown and figures.period = 'year' and figures.figure_kind = 'actual'
    group by records.measure_id, figures.fiscal_year
),

notice_lists as (
    select cast(_captured_at as date) as listed_date, _capture_id, count(distinct notice_number) as counted
    from clean_history.baltimore_vacant_building_notices
    group by cast(_captured_at as date), _capture_id
),

registers as (
    select cast(_captured_at as date) as listed_date, _capture_id, count(distinct normalize_name(firm_name)) as counted
    from clean_history.baltimore_mwbe
    where certification_status = 'CERTIFY'
    group by cast(_captured_at as date), _capture_id
),

lists as (
    select 'vacant_notices' as method, listed_date, _capture_id, counted
    from notice_lists
    union all
    select 'certified_firms' as method, listed_date, _capture_id, counted
    from registers
),

nearest_lists as (
    select
        lists.method,
        year_ends.fiscal_year,
        lists.listed_date,
        lists.counted,
        row_number() over (
            partition by lists.method, year_ends.fiscal_year
            order by abs(date_diff('day', lists.listed_date, year_ends.next_first_date)), lists.listed_date, lists._capture_id
        ) as position
    from lists
    inner join year_ends on abs(date_diff('day', lists.listed_date, year_ends.next_first_date)) <= 31
),

on_time as (
    -- Only years of which every month has requests that were due.
    select
        requests.group_kind,
        requests.group_name,
        fiscal.fiscal_year,
        cast(sum(requests.closed_on_time_count) as double) / cast(nullif(sum(requests.due_count), 0) as double) as on_time_share
    from marts.mart_service_requests_on_time as requests
    inner join marts.dim_fiscal_dates as fiscal on fiscal.city = requests.city and fiscal.day = requests.month
    where requests.city = 'baltimore' and requests.due_count > 0
    group by requests.group_kind, requests.group_name, fiscal.fiscal_year
    having count(*) = 12
),

participation as (
    select
        fiscal_year,
        max(expected_share) as expected_share,
        max(interval_low_share) as interval_low_share,
        max(interval_high_share) as interval_high_share
    from marts.mart_mwbe_participation
    where city = 'baltimore' and breakdown = 'city' and certified_group = 'unduplicated' and denominator = 'eligible' and fiscal_quarter is null
    group by fiscal_year
),

recomputed as (
    select
        methods.measure_id,
        lists.fiscal_year,
        cast(lists.counted as double) as value,
        cast(null as double) as low,
        cast(null as double) as high,
        lists.listed_date
    from methods
    inner join nearest_lists as lists on lists.method = methods.method and lists.position = 1
    union all
    select methods.measure_id, on_time.fiscal_year, on_time.on_time_share as value, null as low, null as high, null as listed_date
    from methods
    inner join on_time
        on methods.method = 'on_time_requests' and on_time.group_kind = methods.group_kind and on_time.group_name = methods.group_name
    union all
    select
        methods.measure_id,
        participation.fiscal_year,
        participation.expected_share as value,
        participation.interval_low_share as low,
        participation.interval_high_share as high,
        null as listed_date
    from methods
    inner join participation on methods.method = 'participation_share'
),

years as (
    select measure_id, fiscal_year from reported where reported_value is not null
    union
    select measure_id, fiscal_year from recomputed where value is not null
),

compared as (
    select
        methods.city,
        years.measure_id,
        years.fiscal_year,
        methods.title,
        methods.unit_kind,
        methods.method,
        methods.description,
        reported.reported_value,
        round(recomputed.value, 6) as recomputed_value,
        round(recomputed.low, 6) as recomputed_low,
        round(recomputed.high, 6) as recomputed_high,
        recomputed.listed_date,
        round(cast(reported.reported_value as double) - recomputed.value, 6) as gap,
        -- One percent of what was reported, or one unit: a percentage point of a percent, else 1.
        greatest(0.01 * abs(cast(reported.reported_value as double)), case methods.unit_kind when 'percent' then 0.01 else 1.0 end) as tolerance,
        methods.not_published
    from methods
    inner join years using (measure_id)
    left join reported using (measure_id, fiscal_year)
    left join recomputed using (measure_id, fiscal_year)
)

select
    city,
    measure_id,
    fiscal_year,
    title,
    unit_kind,
    method,
    description,
    reported_value,
    recomputed_value,
    recomputed_low,
    recomputed_high,
    listed_date,
    gap,
    tolerance,
    abs(gap) <= tolerance as is_reproduced,
    case
        when not_published is not null then not_published
        when reported_value is null then 'The city reports no actual of this year.'
        when recomputed_value is null and method in ('vacant_notices', 'certified_firms')
            then 'We have no copy of the list within 31 days of the end of the fiscal year.'
        when recomputed_value is null then 'The data that we have does not cover the whole fiscal year.'
    end as not_comparable_because
from compared
