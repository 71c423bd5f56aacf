-- Each row is one list of a city's open vacant building notices, and how its properties changed since the list before.
with notices as (
    select
        _capture_id as capture_id,
        _captured_at as listed_at,
        block_lot(blocklot) as block_lot,
        clean_text(noticenum) as notice_number,
        coalesce(parse_date(cast(datenotice as varchar)), mangled_date(cast(datenotice as varchar))) as notice_date
    from history.baltimore_vacant_building_notices
),

lists as (
    -- Notices are matched by number if both lists have numbers, else by day.
    select
        capture_id,
        listed_at,
        row_number() over (order by listed_at, capture_id) as position,
        count(*) as notice_count,
        count(*) filter (block_lot is null) as unreadable_count,
        count(distinct block_lot) as property_count,
        bool_and(notice_number is not null) as is_numbered
    from notices
    group by capture_id, listed_at
),

pairs as (
    select
        after.*,
        before.capture_id as previous_capture_id,
        before.listed_at as previous_listed_at,
        before.notice_count as previous_notice_count,
        before.unreadable_count as previous_unreadable_count,
        before.property_count as previous_property_count,
        before.is_numbered and after.is_numbered as is_matched_by_number
    from lists as after
    inner join lists as before on before.position = after.position - 1
),

appearances as (
    -- Each row is a property on a list, with the lists before and after on which it also is.
    select
        block_lot,
        position,
        lag(position) over (partition by block_lot order by position) as seen_before,
        lead(position) over (partition by block_lot order by position) as seen_after
    from (
        select distinct notices.block_lot, lists.position
        from notices
        inner join lists using (capture_id)
        where notices.block_lot is not null
    )
),

arrivals as (
    select
        position,
        count(*) filter (seen_before is null) as entered_count,
        count(*) filter (seen_before < position - 1) as returned_count,
        count(*) filter (seen_before = position - 1) as stayed_count
    from appearances
    group by position
),

departures as (
    select
        position + 1 as position,
        count(*) filter (seen_after is distinct from position + 1) as left_count
    from appearances
    group by position
),

kept as (
    -- Each row is a property on both lists that still has a notice of the list before.
    select distinct pairs.position, after.block_lot
    from pairs
    inner join notices as after on after.capture_id = pairs.capture_id
    inner join notices as before
        on before.capture_id = pairs.previous_capture_id and before.block_lot = after.block_lot
    where case
        when pairs.is_matched_by_number then before.notice_number = after.notice_number
        else abs(date_diff('day', before.notice_date, after.notice_date)) <= 1
    end
),

kept_counts as (
    select position, count(*) as kept_count
    from kept
    group by position
)

select
    pairs.capture_id,
    'baltimore' as city,
    pairs.listed_at,
    pairs.previous_capture_id,
    pairs.previous_listed_at,
    pairs.previous_notice_count,
    pairs.notice_count,
    pairs.previous_unreadable_count,
    pairs.unreadable_count,
    pairs.previous_property_count,
    pairs.property_count,
    arrivals.entered_count,
    arrivals.returned_count,
    departures.left_count,
    arrivals.stayed_count - coalesce(kept_counts.kept_count, 0) as renoticed_count,
    case when pairs.is_matched_by_number then 'notice number' else 'notice date' end as matched_by
from pairs
inner join arrivals using (position)
inner join departures using (position)
left join kept_counts using (position)
