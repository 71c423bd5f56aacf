-- Each row is one list of a city's open vacant building notices.
with published as (
    select
        _capture_id as capture_id,
        count(*) as row_count
    from history.baltimore_vacant_building_notices
    group by _capture_id
),

listed as (
    select
        _capture_id as capture_id,
        _captured_at as listed_at,
        _sequence as list_number,
        count(*) as notice_count,
        count(distinct block_lot) as property_count,
        bool_and(notice_number is not null) as is_numbered
    from clean_history.baltimore_vacant_building_notices
    group by _capture_id, _captured_at, _sequence
)

select
    listed.capture_id,
    'baltimore' as city,
    listed.list_number,
    listed.listed_at,
    cast(listed.listed_at as date) as listed_on,
    published.row_count,
    published.row_count - listed.notice_count as unreadable_count,
    listed.property_count,
    listed.is_numbered
from listed
inner join published using (capture_id)
