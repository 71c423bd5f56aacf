-- Each row is one open case in which the City asks for a receiver of a vacant building.
select
    hash_id(['baltimore', cast(parse_integer(cast(id_rs_web as varchar)) as varchar)]) as receivership_id,
    parse_integer(cast(id_rs_web as varchar)) as case_number,
    block_lot(blocklot) as block_lot,
    clean_text(address) as address,
    clean_text(neighborhood) as neighborhood,
    parse_integer(cast(council_district as varchar)) as council_district,
    wkb_longitude(_geometry) as longitude,
    wkb_latitude(_geometry) as latitude,
    parse_date(cast(datefiled as varchar)) as filed_date,
    parse_date(cast(receiverappointed as varchar)) as appointed_date,
    parse_date(cast(dateauction as varchar)) as auction_date,
    parse_date(cast(soldatauction as varchar)) as sold_date,
    blocklot as _published_block_lot,
    _capture_id
from raw.baltimore_receiverships
