-- Each row is one open notice of code enforcement.
with listed as (
    select
        block_lot(blocklot) as block_lot,
        clean_text(notice_type) as notice_type,
        parse_date(cast(issue_date as varchar)) as issued_date,
        blocklot as published_block_lot,
        _capture_id
    from raw.baltimore_code_notices
),

numbered as (
    -- Notices have no number: two of one kind, property and day differ in nothing.
    select
        *,
        row_number() over (
            partition by block_lot, notice_type, issued_date order by published_block_lot
        ) as position
    from listed
)

select
    hash_id([
        'baltimore', block_lot, notice_type, cast(issued_date as varchar), cast(position as varchar)
    ]) as notice_id,
    block_lot,
    notice_type,
    issued_date,
    published_block_lot as _published_block_lot,
    _capture_id
from numbered
