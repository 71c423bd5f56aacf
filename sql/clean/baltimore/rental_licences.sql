-- Each row is one rental licence or registration of a property.
select
    hash_id(['baltimore', clean_text(recordnumber)]) as licence_id,
    clean_text(recordnumber) as record_number,
    block_lot(blocklot) as block_lot,
    clean_text(address) as address,
    case parse_flag(licenceorregistration) when true then 'licence' when false then 'registration' end as record_kind,
    parse_date(cast(licenseissueddate as varchar)) as issued_date,
    parse_date(cast(licenseexpirationdate as varchar)) as expires_date,
    parse_integer(cast(cast(dwellingcount as integer) as varchar)) as dwelling_count,
    blocklot as _published_block_lot,
    licenceorregistration as _published_kind,
    _capture_id
from raw.baltimore_rental_licences
