-- Each row is one certification of a minority- or women-owned firm that Baltimore City lists.
with published as (
    select
        nullif(clean_text(user_company), 'NULL') as firm_name,
        upper(nullif(clean_text(user_contracttype), 'NULL')) as certification_type,
        upper(nullif(clean_text(user_contractstatus), 'NULL')) as certification_status,
        nullif(clean_text(user_streetaddress), 'NULL') as street_address,
        nullif(clean_text(user_city), 'NULL') as city_name,
        upper(nullif(clean_text(user_state), 'NULL')) as state,
        nullif(regexp_extract(user_zipcode, '\d{5}'), '') as zip_code,
        nullif(clean_text(user_website), 'NULL') as website,
        nullif(clean_text(user_category), 'NULL') as trade_category,
        -- An empty date that was read as a number of seconds became 1 January 1970.
        nullif(parse_date(user_origcert), date '1970-01-01') as first_certified_date,
        _capture_id
    from raw.baltimore_mwbe
),

numbered as (
    -- Different listings of one firm and type are numbered by their contents; equal listings get the same number.
    select
        *,
        dense_rank() over (
            partition by firm_name, street_address, certification_type
            order by certification_status, first_certified_date, city_name, state, zip_code, website, trade_category
        ) as listing_number
    from published
)

select
    hash_id(['baltimore', firm_name, street_address, certification_type, cast(listing_number as varchar)]) as listing_id,
    firm_name,
    certification_type,
    certification_status,
    street_address,
    city_name,
    state,
    zip_code,
    website,
    trade_category,
    first_certified_date,
    _capture_id
from numbered
