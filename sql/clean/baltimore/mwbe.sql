-- Each row is one trade for which Baltimore City lists a minority- or women-owned firm as certified.
with published as (
    select
        clean_text(certno) as certification_number,
        upper(clean_text(contracttype)) as certification_type,
        upper(clean_text(contractstatus)) as certification_status,
        clean_text(company) as firm_name,
        clean_text(county) as county,
        nullif(regexp_extract(zipcode, '\d{5}'), '') as zip_code,
        clean_text(race) as owner_group,
        clean_text(avgcontractsize) as contract_size,
        clean_text(code) as trade_code,
        clean_text(cetegory) as trade_category,
        clean_text(description) as trade_name,
        clean_text(servicedescription) as services,
        cast(origcert as date) as first_certified_date,
        cast(certdate at time zone 'America/New_York' as date) as certified_date,
        cast(expirationdate as date) as expiration_date,
        cast(extensiondate as date) as extension_date,
        _capture_id
    from raw.baltimore_mwbe
),

numbered as (
    -- Different listings of one certification and trade are numbered by their contents; equal listings get the same number.
    select
        *,
        dense_rank() over (
            partition by certification_number, certification_type, trade_code
            order by
                firm_name, certification_status, certified_date, first_certified_date, expiration_date, extension_date,
                county, zip_code, owner_group, contract_size, trade_category, trade_name, services
        ) as listing_number
    from published
)

select
    hash_id(['baltimore', certification_number, certification_type, trade_code, cast(listing_number as varchar)]) as listing_id,
    certification_number,
    certification_type,
    certification_status,
    firm_name,
    county,
    zip_code,
    owner_group,
    contract_size,
    trade_code,
    trade_category,
    trade_name,
    services,
    first_certified_date,
    certified_date,
    expiration_date,
    extension_date,
    _capture_id
from numbered
