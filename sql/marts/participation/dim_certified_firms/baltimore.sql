-- Each row is one certification of one minority- or women-owned firm, and when it is valid, from the City of Baltimore.
with listings as (
    select
        *,
        row_number() over (
            partition by firm_name, street_address, certification_type
            order by certification_status, first_certified_date nulls last, listing_id
        ) as certified_first
    from clean.baltimore_mwbe
)

-- The register has no expiration. What it states is valid until it states otherwise, so only a certified firm has a period.
select
    hash_id(['baltimore', firm_name, street_address, certification_type]) as certification_id,
    'baltimore' as authority,
    cast(null as varchar) as certification_number,
    certification_type,
    certification_status,
    firm_name,
    normalize_name(firm_name) as normalized_name,
    cast(null as varchar) as owner_group,
    trade_category as trades,
    cast(null as varchar) as naics_codes,
    street_address,
    city_name,
    cast(null as varchar) as county,
    zip_code,
    case when certification_status = 'CERTIFY' then first_certified_date end as valid_from,
    cast(null as date) as valid_to,
    certification_status = 'CERTIFY' and first_certified_date is not null as is_valid_period
from listings
where certified_first = 1
