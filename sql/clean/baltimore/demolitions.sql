-- Each row is one building that the City has demolished.
select
    hash_id([
        'baltimore', block_lot(blocklot), cast(parse_integer(cast(id_demo_rfa as varchar)) as varchar),
        cast(parse_date(cast(datedemofinished as varchar)) as varchar), clean_text(address)
    ]) as demolition_id,
    block_lot(blocklot) as block_lot,
    clean_text(address) as address,
    clean_text(neighborhood) as neighborhood,
    parse_integer(cast(council_district as varchar)) as council_district,
    wkb_longitude(_geometry) as longitude,
    wkb_latitude(_geometry) as latitude,
    parse_date(cast(datestarted as varchar)) as started_date,
    parse_date(cast(datedemofinished as varchar)) as finished_date,
    parse_integer(cast(id_demo_rfa as varchar)) as request_number,
    parse_flag(deconstruction) as is_deconstruction,
    blocklot as _published_block_lot,
    _capture_id
from raw.baltimore_demolitions
