-- Each row is one request for service of one city, with what is known of its due date.
with layers as (
    select source_layer, count(due_at) as due_date_count
    from clean.baltimore_service_requests
    group by source_layer
),

data_end as (
    select cast(max(created_date) + 1 as timestamp) as data_ends_at
    from clean.baltimore_service_requests
),

requests as (
    select
        requests.*,
        not starts_with(upper(requests.status), 'CLOSED') as is_open,
        -- The portal of 2019 gave the time of a closed status, not of the closing.
        case
            when starts_with(upper(requests.status), 'CLOSED') then coalesce(requests.closed_at, requests.status_at)
        end as ended_at,
        layers.due_date_count > 0 as layer_has_due_dates,
        coalesce(geographies.geography_name, upper(requests.neighborhood)) as neighborhood_label,
        data_end.data_ends_at
    from clean.baltimore_service_requests as requests
    inner join layers using (source_layer)
    cross join data_end
    left join marts.dim_geographies as geographies
        on geographies.city = 'baltimore'
        and geographies.kind = 'neighborhood'
        and geographies.geography_key = name_key(requests.neighborhood)
)

select
    request_id,
    'baltimore' as city,
    request_number,
    request_type,
    agency_name,
    received_by,
    status,
    is_open,
    upper(status) like '%(DUPLICATE)' as is_duplicate,
    created_at,
    created_date,
    status_at,
    due_at,
    ended_at as closed_at,
    case
        when ended_at <= due_at then true
        when ended_at > due_at then false
        when is_open and due_at < data_ends_at then false
    end as is_on_time,
    case
        when due_at is not null then null
        when layer_has_due_dates then 'The request has no due date.'
        else 'The table of its year publishes no due dates.'
    end as no_due_date_reason,
    zip_code,
    neighborhood_label as neighborhood,
    council_district,
    latitude,
    longitude,
    source_layer,
    data_ends_at
from requests
