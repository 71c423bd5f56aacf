-- Each row is one use-and-occupancy permit of a building that had a vacant building notice.
select
    hash_id([
        'baltimore', clean_text(permitnum), block_lot(blocklot), cast(parse_date(cast(dateissue as varchar)) as varchar)
    ]) as rehab_id,
    clean_text(permitnum) as permit_number,
    block_lot(blocklot) as block_lot,
    clean_text(address) as address,
    clean_text(neighborhood) as neighborhood,
    parse_integer(cast(council_district as varchar)) as council_district,
    wkb_longitude(_geometry) as longitude,
    wkb_latitude(_geometry) as latitude,
    parse_date(cast(dateissue as varchar)) as issued_date,
    clean_text(existinguse) as existing_use,
    clean_text(proposeduse) as proposed_use,
    blocklot as _published_block_lot,
    _capture_id
from raw.baltimore_rehabs
