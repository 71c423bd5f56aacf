-- Each row is one permit for building, use or demolition, or one amendment of it.
with published as (
    select
        clean_text(casenumber) as case_number,
        upper(clean_text(casenumber)) as case_key,
        block_lot(blocklot) as block_lot,
        clean_text(address) as address,
        clean_text(neighborhood) as neighborhood,
        parse_integer(cast(council_district as varchar)) as council_district,
        parse_date(cast(issueddate as varchar)) as issued_date,
        parse_date(cast(expirationdate as varchar)) as expires_date,
        clean_text(description) as description,
        clean_text(existinguse) as existing_use,
        clean_text(proposeduse) as proposed_use,
        cast(cost as decimal(18, 2)) as stated_cost,
        blocklot as published_block_lot,
        cast(issueddate as varchar) as published_date,
        _capture_id
    from raw.baltimore_building_permits
),

numbered as (
    -- Amendments repeat the number of their case, and object ids are given anew when the layer is made again: the order of the day counts.
    select
        *,
        row_number() over (
            partition by case_key, block_lot, issued_date
            order by
                published_date, published_block_lot, description, stated_cost, expires_date, existing_use, proposed_use, address, neighborhood, council_district,
                case_number
        ) as position
    from published
)

select
    hash_id([
        'baltimore', case_key, block_lot, cast(issued_date as varchar), cast(position as varchar)
    ]) as permit_id,
    case_number,
    regexp_extract(case_key, '^[A-Z]+') as case_prefix,
    block_lot,
    address,
    neighborhood,
    council_district,
    issued_date,
    expires_date,
    coalesce(regexp_matches(case_key, '^B?DEM'), false) as is_demolition,
    coalesce(regexp_matches(case_key, '^B?USE'), false) as is_use_permit,
    description,
    existing_use,
    proposed_use,
    stated_cost,
    case when stated_cost > 0 and stated_cost <= 100000000 then stated_cost end as plausible_cost,
    published_block_lot as _published_block_lot,
    published_date as _published_date,
    _capture_id
from numbered
