-- Each row is one property of the City that anybody can bid for.
select
    hash_id(['baltimore', cast(parse_integer(cast(id_acqfirefly as varchar)) as varchar)]) as bid_list_id,
    parse_integer(cast(id_acqfirefly as varchar)) as list_number,
    block_lot(blocklot) as block_lot,
    clean_text(address) as address,
    clean_text(neighborhood) as neighborhood,
    parse_integer(cast(council_district as varchar)) as council_district,
    wkb_longitude(_geometry) as longitude,
    wkb_latitude(_geometry) as latitude,
    clean_text(status) as status,
    blocklot as _published_block_lot,
    _capture_id
from raw.baltimore_open_bid_list
