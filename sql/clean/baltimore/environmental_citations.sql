-- Each row is one citation for a violation of sanitation or health.
with published as (
    select
        regexp_replace(clean_text(violationlocation), '^0+(\d)', '\1') as violation_address,
        clean_text(description) as description,
        parse_date(cast(violationdate as varchar)) as violation_date,
        clean_text(neighborhood) as neighborhood,
        parse_integer(clean_text(cast(councildistrict as varchar))) as council_district,
        clean_text(policedistrict) as police_district,
        parse_degrees(regexp_extract(location, '\(\s*(-?[\d.]+)', 1)) as latitude,
        parse_degrees(regexp_extract(location, ',\s*(-?[\d.]+)\s*\)', 1)) as longitude,
        location as published_location,
        cast(violationdate as varchar) as published_date,
        _capture_id
    from raw.baltimore_environmental_citations
),

numbered as (
    -- allow total_order: rows that tie are equal in every column that is used
    select
        *,
        row_number() over (
            partition by violation_address, description, violation_date
            order by neighborhood, council_district, police_district, published_location, published_date
        ) as position
    from published
)

select
    hash_id([
        'baltimore', violation_address, description, cast(violation_date as varchar), cast(position as varchar)
    ]) as citation_id,
    violation_address,
    description,
    violation_date,
    neighborhood,
    council_district,
    police_district,
    latitude,
    longitude,
    published_location as _published_location,
    published_date as _published_date,
    _capture_id
from numbered
