-- Each row is one request for service to 311, with its newest status.
with published as (
    select
        clean_text(srrecordid) as record_number,
        clean_text(servicerequestnum) as request_number,
        clean_text(srtype) as request_type,
        clean_text(methodreceived) as received_by,
        parse_moment(cast(createddate as varchar)) as created_at,
        clean_text(srstatus) as status,
        parse_moment(cast(statusdate as varchar)) as status_at,
        parse_moment(cast(duedate as varchar)) as due_at,
        parse_moment(cast(closedate as varchar)) as closed_at,
        clean_text(agency) as agency_name,
        nullif(clean_text(outcome), 'NA') as outcome,
        clean_text(address) as address,
        nullif(regexp_extract(trim(zipcode), '^\d{5}'), '') as zip_code,
        clean_text(neighborhood) as neighborhood,
        parse_integer(cast(councildistrict as varchar)) as council_district,
        clean_text(policedistrict) as police_district,
        parse_degrees(cast(latitude as varchar)) as latitude,
        parse_degrees(cast(longitude as varchar)) as longitude,
        coalesce(_edition, 'current') as source_layer,
        cast(createddate as varchar) as published_created,
        cast(latitude as varchar) || ', ' || cast(longitude as varchar) as published_point,
        _capture_id
    from raw.baltimore_service_requests
),

newest as (
    -- In January a request may be in the table of its year and still in the current one: its newest status counts.
    -- allow total_order: rows that tie are one request with one status in two tables, and the year's is before 'current'
    select
        *,
        row_number() over (partition by record_number order by status_at desc nulls last, source_layer) as place
    from published
)

select
    hash_id(['baltimore', record_number]) as request_id,
    record_number,
    request_number,
    request_type,
    received_by,
    created_at,
    cast(created_at as date) as created_date,
    status,
    status_at,
    due_at,
    closed_at,
    agency_name,
    outcome,
    address,
    zip_code,
    neighborhood,
    council_district,
    police_district,
    latitude,
    longitude,
    source_layer,
    published_created as _published_created,
    published_point as _published_point,
    _capture_id
from newest
where place = 1 or record_number is null
