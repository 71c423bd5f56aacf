-- Each row is one certification of a firm in Baltimore City's current register.
with published as (
    select
        clean_text("Company Name") as firm_name,
        upper(clean_text("Certification Type")) as certification_type,
        clean_text("Physical Address") as street_address,
        clean_text(city) as city_name,
        upper(clean_text(state)) as state,
        nullif(regexp_extract(zip, '\d{5}'), '') as zip_code,
        clean_text(website) as website,
        clean_text(capability) as services,
        clean_text(ethnicity) as owner_group,
        _capture_id
    from raw.baltimore_mwbe_register
),

numbered as (
    -- Different listings of one firm and type are numbered by their contents; equal listings get the same number.
    select
        *,
        dense_rank() over (
            partition by firm_name, street_address, certification_type
            order by city_name, state, zip_code, website, services, owner_group
        ) as listing_number
    from published
)

select
    hash_id(['baltimore', firm_name, street_address, certification_type, cast(listing_number as varchar)]) as listing_id,
    firm_name,
    certification_type,
    street_address,
    city_name,
    state,
    zip_code,
    website,
    services,
    owner_group,
    _capture_id
from numbered
