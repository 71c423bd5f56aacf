-- Each row is one firm the State of Maryland certifies as a minority or disadvantaged business enterprise.
with published as (
    select
        clean_text(certification_number) as certification_number,
        clean_text(name) as firm_name,
        clean_text(minority_group) as owner_group,
        clean_text(address) as street_address,
        clean_text(city) as city_name,
        clean_text(county) as county,
        clean_text(state) as state,
        nullif(regexp_extract(zip, '\d{5}'), '') as zip_code,
        clean_text(naics_code) as naics_codes,
        clean_text(products_services) as services,
        cast(certification_date as date) as certified_date,
        _capture_id
    from raw.maryland_mbe_directory
),

numbered as (
    -- Different listings of one certification are numbered by their contents; equal listings get the same number.
    select
        *,
        dense_rank() over (
            partition by certification_number
            order by
                firm_name, certified_date, owner_group, street_address, city_name, county, state, zip_code, naics_codes, services
        ) as listing_number
    from published
)

select
    hash_id(['maryland', certification_number, cast(listing_number as varchar)]) as listing_id,
    certification_number,
    firm_name,
    owner_group,
    street_address,
    city_name,
    county,
    state,
    zip_code,
    naics_codes,
    services,
    certified_date,
    _capture_id
from numbered
