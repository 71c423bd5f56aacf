-- Each row is one permit for building, use or demolition, or one amendment of it.
select
    hash_id(['baltimore', clean_text(casenumber), cast(objectid as varchar)]) as permit_id,
    clean_text(casenumber) as case_number,
    regexp_extract(upper(clean_text(casenumber)), '^[A-Z]+') as case_prefix,
    block_lot(blocklot) as block_lot,
    clean_text(address) as address,
    clean_text(neighborhood) as neighborhood,
    parse_integer(cast(council_district as varchar)) as council_district,
    parse_date(cast(issueddate as varchar)) as issued_date,
    parse_date(cast(expirationdate as varchar)) as expires_date,
    coalesce(regexp_matches(upper(clean_text(casenumber)), '^B?DEM'), false) as is_demolition,
    coalesce(regexp_matches(upper(clean_text(casenumber)), '^B?USE'), false) as is_use_permit,
    clean_text(description) as description,
    clean_text(existinguse) as existing_use,
    clean_text(proposeduse) as proposed_use,
    cast(cost as decimal(18, 2)) as stated_cost,
    case when cost > 0 and cost <= 100000000 then cast(cost as decimal(18, 2)) end as plausible_cost,
    blocklot as _published_block_lot,
    cast(issueddate as varchar) as _published_date,
    _capture_id
from raw.baltimore_building_permits
