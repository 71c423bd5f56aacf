-- Each row is one month of one group of a city's service requests: all, of an agency, a type, a neighborhood or a council district.
with requests as (
    select
        request_id,
        city,
        agency_name,
        request_type,
        coalesce(neighborhood, 'Without a neighborhood') as neighborhood,
        coalesce('District ' || cast(council_district as varchar), 'Without a district') as council_district,
        created_at,
        status_at,
        due_at,
        is_open,
        is_duplicate,
        is_on_time,
        starts_with(no_due_date_reason, 'The table') as is_of_a_layer_without_due_dates,
        data_ends_at
    from marts.fct_service_requests
),

months as (
    select
        cities.city,
        days.month_start_date as month,
        -- The City looks at the start of a day: that after the month, or after the newest day of the data.
        least(max(cast(days.day as timestamp)) + interval 1 day, cities.data_ends_at) as as_of
    from (
        select city, date_trunc('month', min(created_at)) as first_month, max(data_ends_at) as data_ends_at
        from requests
        group by city
    ) as cities
    inner join marts.dim_dates as days
        on days.day >= cities.first_month and days.day < cities.data_ends_at
    group by cities.city, days.month_start_date, cities.data_ends_at
),

created as (
    select
        city, cast(date_trunc('month', created_at) as date) as month, agency_name, request_type, neighborhood, council_district,
        count(request_id) as created_count,
        count(*) filter (is_duplicate) as duplicate_count,
        count(*) filter (is_of_a_layer_without_due_dates) as without_due_dates_count,
        0 as due_count,
        0 as closed_on_time_count,
        0 as open_count,
        0 as open_with_due_date_count,
        0 as overdue_count
    from requests
    group by all
),

due as (
    select
        city, cast(date_trunc('month', due_at) as date) as month, agency_name, request_type, neighborhood, council_district,
        0 as created_count,
        0 as duplicate_count,
        0 as without_due_dates_count,
        count(request_id) as due_count,
        count(*) filter (is_on_time) as closed_on_time_count,
        0 as open_count,
        0 as open_with_due_date_count,
        0 as overdue_count
    from requests
    where due_at < data_ends_at
    group by all
),

standing as (
    -- Open at a moment: created before it, and open still or closed after it. Overdue: due before it, too.
    select
        months.city, months.month, requests.agency_name, requests.request_type, requests.neighborhood, requests.council_district,
        0 as created_count,
        0 as duplicate_count,
        0 as without_due_dates_count,
        0 as due_count,
        0 as closed_on_time_count,
        count(requests.request_id) as open_count,
        count(requests.due_at) as open_with_due_date_count,
        count(*) filter (requests.due_at < months.as_of) as overdue_count
    from months
    inner join requests
        on requests.city = months.city
        and requests.created_at < months.as_of
        and (requests.is_open or requests.status_at > months.as_of)
    group by all
),

counts as (
    from created
    union all
    from due
    union all
    from standing
),

groups as (
    select
        counts.city,
        counts.month,
        kinds.group_kind,
        case kinds.group_kind
            when 'agency' then coalesce(counts.agency_name, 'Without an agency')
            when 'request type' then coalesce(counts.request_type, 'Without a type')
            when 'neighborhood' then counts.neighborhood
            when 'council district' then counts.council_district
            else 'All requests'
        end as group_name,
        sum(counts.created_count) as created_count,
        sum(counts.duplicate_count) as duplicate_count,
        sum(counts.without_due_dates_count) as without_due_dates_count,
        sum(counts.due_count) as due_count,
        sum(counts.closed_on_time_count) as closed_on_time_count,
        sum(counts.open_count) as open_count,
        sum(counts.open_with_due_date_count) as open_with_due_date_count,
        sum(counts.overdue_count) as overdue_count
    from counts
    cross join (
        values ('all'), ('agency'), ('request type'), ('neighborhood'), ('council district')
    ) as kinds (group_kind)
    group by all
)

select
    groups.city,
    groups.month,
    groups.group_kind,
    groups.group_name,
    cast(groups.created_count as bigint) as created_count,
    cast(groups.duplicate_count as bigint) as duplicate_count,
    cast(groups.due_count as bigint) as due_count,
    cast(groups.closed_on_time_count as bigint) as closed_on_time_count,
    round(cast(groups.closed_on_time_count as double) / nullif(groups.due_count, 0), 6) as on_time_rate,
    wilson_low(groups.closed_on_time_count, nullif(groups.due_count, 0)) as on_time_rate_low,
    wilson_high(groups.closed_on_time_count, nullif(groups.due_count, 0)) as on_time_rate_high,
    case
        when groups.due_count > 0 then null
        when groups.without_due_dates_count > 0 then 'The table of these requests publishes no due dates.'
        else 'No request of the group was due in the month.'
    end as no_on_time_rate_reason,
    months.as_of,
    cast(groups.open_count as bigint) as open_count,
    cast(groups.open_with_due_date_count as bigint) as open_with_due_date_count,
    cast(groups.overdue_count as bigint) as overdue_count,
    case
        when groups.open_with_due_date_count > 0
            then round(cast(groups.overdue_count as double) / groups.open_count, 6)
    end as overdue_rate,
    case when groups.open_with_due_date_count > 0 then wilson_low(groups.overdue_count, groups.open_count) end as overdue_rate_low,
    case when groups.open_with_due_date_count > 0 then wilson_high(groups.overdue_count, groups.open_count) end as overdue_rate_high,
    case
        when groups.open_with_due_date_count > 0 then null
        when groups.open_count > 0 then 'No open request of the group has a due date.'
        else 'No request of the group was open.'
    end as no_overdue_rate_reason,
    'Wilson 95%' as interval_method
from groups
inner join months using (city, month)
