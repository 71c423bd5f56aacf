-- Each row is one notice that a building is vacant, open on the day of the capture.
with listed as (
    select
        clean_text(noticenum) as notice_number,
        coalesce(parse_date(cast(datenotice as varchar)), mangled_date(cast(datenotice as varchar))) as notice_date,
        block_lot(blocklot) as block_lot,
        clean_text(address) as address,
        clean_text(neighborhood) as neighborhood,
        parse_integer(cast(council_district as varchar)) as council_district,
        clean_text(owner_abbr) as public_owner,
        clean_text(housingmarkettypology2023) as market_typology,
        wkb_longitude(_geometry) as longitude,
        wkb_latitude(_geometry) as latitude,
        cast(datenotice as varchar) as published_date,
        blocklot as published_block_lot,
        _capture_id
    from raw.baltimore_vacant_building_notices
),

numbered as (
    -- Copies without notice numbers sometimes list a property twice on one day; the address distinguishes the notices.
    select
        *,
        coalesce(notice_number, block_lot || ' ' || notice_date) as known_as,
        row_number() over (
            partition by coalesce(notice_number, block_lot || ' ' || notice_date)
            order by
                address, neighborhood, council_district, notice_number, notice_date, block_lot, public_owner, market_typology,
                published_date, published_block_lot, longitude, latitude
        ) as position
    from listed
)

select
    hash_id(['baltimore', known_as, cast(position as varchar)]) as notice_id,
    notice_number,
    notice_date,
    block_lot,
    address,
    neighborhood,
    council_district,
    public_owner,
    market_typology,
    longitude,
    latitude,
    published_date as _published_date,
    published_block_lot as _published_block_lot,
    _capture_id
from numbered
