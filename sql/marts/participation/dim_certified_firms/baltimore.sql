-- Each row is one certification of one minority- or women-owned firm, and when it is valid, from the City of Baltimore.
with layer as (
    select
        *,
        normalize_name(firm_name) as normalized_name,
        row_number() over (
            partition by firm_name, street_address, certification_type
            order by certification_status, first_certified_date nulls last, listing_id
        ) as certified_first
    from clean.baltimore_mwbe
),

types as (
    select certification_type
    from (values ('MBE'), ('WBE')) as t(certification_type)
),

listed as (
    -- The current register on each day on which it was exported. Several types of a firm may stand in one cell.
    select
        register.firm_name,
        register.street_address,
        types.certification_type,
        normalize_name(register.firm_name) as normalized_name,
        cast(register._captured_at as date) as exported_on,
        register.city_name,
        register.zip_code,
        register.services,
        register.owner_group
    from clean_history.baltimore_mwbe_register as register
    inner join types on contains(register.certification_type, types.certification_type)
),

exports as (
    select min(exported_on) as first_export, max(exported_on) as last_export
    from listed
),

registered as (
    select
        listed.firm_name,
        listed.street_address,
        listed.certification_type,
        listed.normalized_name,
        min(listed.exported_on) as first_listed,
        max(listed.exported_on) as last_listed,
        max(listed.city_name) as city_name,
        max(listed.zip_code) as zip_code,
        max(listed.services) as services,
        max(listed.owner_group) as owner_group
    from listed
    group by listed.firm_name, listed.street_address, listed.certification_type, listed.normalized_name
),

still_listed as (
    select distinct listed.normalized_name, listed.certification_type
    from listed
    inner join exports on exports.last_export = listed.exported_on
)

-- The layer has no expiration. What it states is valid until the register states otherwise: a firm that the register does not list has lost
-- its certification by the first export at the latest.
select
    hash_id(['baltimore', layer.firm_name, layer.street_address, layer.certification_type]) as certification_id,
    'baltimore' as authority,
    'baltimore/mwbe' as register,
    cast(null as varchar) as certification_number,
    layer.certification_type,
    layer.certification_status,
    layer.firm_name,
    layer.normalized_name,
    cast(null as varchar) as owner_group,
    layer.trade_category as trades,
    cast(null as varchar) as naics_codes,
    layer.street_address,
    layer.city_name,
    cast(null as varchar) as county,
    layer.zip_code,
    case when layer.certification_status = 'CERTIFY' then layer.first_certified_date end as valid_from,
    case when layer.certification_status = 'CERTIFY' and still_listed.normalized_name is null then exports.first_export end as valid_to,
    layer.certification_status = 'CERTIFY' and layer.first_certified_date is not null as is_valid_period
from layer
cross join exports
left join still_listed
    on still_listed.normalized_name = layer.normalized_name and still_listed.certification_type = layer.certification_type
where layer.certified_first = 1
union all
-- The register says who is certified on the day of the export, and nothing of the days before the first.
select
    hash_id(['baltimore', 'register', registered.firm_name, registered.street_address, registered.certification_type]) as certification_id,
    'baltimore' as authority,
    'baltimore/mwbe_register' as register,
    cast(null as varchar) as certification_number,
    registered.certification_type,
    case when registered.last_listed = exports.last_export then 'LISTED' else 'NOT LISTED' end as certification_status,
    registered.firm_name,
    registered.normalized_name,
    registered.owner_group,
    registered.services as trades,
    cast(null as varchar) as naics_codes,
    registered.street_address,
    registered.city_name,
    cast(null as varchar) as county,
    registered.zip_code,
    registered.first_listed as valid_from,
    case when registered.last_listed < exports.last_export then registered.last_listed end as valid_to,
    true as is_valid_period
from registered
cross join exports
