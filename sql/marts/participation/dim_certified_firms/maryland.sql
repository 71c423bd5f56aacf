-- Each row is one certification of one minority- or women-owned firm, and when it is valid, from the State of Maryland.
with listings as (
    select
        *,
        row_number() over (
            partition by certification_number order by certified_date desc nulls last, listing_id
        ) as newest_first
    from clean.maryland_mbe_directory
)

-- The State publishes no end date: a firm is certified as long as the directory lists it.
select
    hash_id(['maryland', certification_number, 'MBE']) as certification_id,
    'maryland' as authority,
    'maryland/mbe_directory' as register,
    certification_number,
    'MBE' as certification_type,
    'LISTED' as certification_status,
    firm_name,
    normalize_name(firm_name) as normalized_name,
    owner_group,
    services as trades,
    naics_codes,
    street_address,
    city_name,
    county,
    zip_code,
    certified_date as valid_from,
    cast(null as date) as valid_to,
    certified_date is not null as is_valid_period
from listings
where newest_first = 1
