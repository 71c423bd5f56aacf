-- Each row is one pair of areas of different kinds and one weight by which counts of the first are split over the second.
with areas as (
    select
        city,
        from_geography_id,
        to_geography_id,
        from_kind,
        to_kind,
        'area' as weight_name,
        overlap_square_meters as amount
    from marts.fct_geography_overlaps
),

named as (
    -- A request names its neighborhood, council district and ZIP code itself.
    select
        geographies.city,
        requests.request_id,
        geographies.kind,
        geographies.geography_id
    from marts.fct_service_requests as requests
    inner join marts.dim_geographies as geographies
        on geographies.city = requests.city
        and geographies.geography_key = case geographies.kind
            when 'neighborhood' then name_key(requests.neighborhood)
            when 'council district' then cast(requests.council_district as varchar)
            when 'zip code' then requests.zip_code
        end
),

requests as (
    select
        first.city,
        first.geography_id as from_geography_id,
        second.geography_id as to_geography_id,
        first.kind as from_kind,
        second.kind as to_kind,
        'service requests' as weight_name,
        cast(count(first.request_id) as double) as amount
    from named as first
    inner join named as second on second.request_id = first.request_id and second.kind <> first.kind
    group by first.city, first.geography_id, second.geography_id, first.kind, second.kind
),

amounts as (
    select city, from_geography_id, to_geography_id, from_kind, to_kind, weight_name, amount
    from areas
    union all
    select city, from_geography_id, to_geography_id, from_kind, to_kind, weight_name, amount
    from requests
)

select
    city,
    from_geography_id,
    to_geography_id,
    from_kind,
    to_kind,
    weight_name,
    amount,
    round(amount / sum(amount) over (partition by from_geography_id, to_kind, weight_name), 9) as weight
from amounts
