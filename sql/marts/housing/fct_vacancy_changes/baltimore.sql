-- Each row is one change of one property between a list of vacant building notices and the list before.
with lists as (
    -- allow total_order: a city has one list of each number
    select
        list_number,
        capture_id,
        listed_on,
        is_numbered,
        lag(capture_id) over (order by list_number) as previous_capture_id,
        lag(listed_on) over (order by list_number) as previous_listed_on,
        lag(is_numbered) over (order by list_number) as is_previous_numbered
    from marts.fct_vacancy_lists
    where city = 'baltimore'
),

appearances as (
    select
        block_lot,
        _sequence as list_number,
        max(notice_date) as notice_date
    from clean_history.baltimore_vacant_building_notices
    group by block_lot, _sequence
),

neighbors as (
    -- Each row is a property on a list, with the lists before and after on which it also is.
    select
        block_lot,
        list_number,
        notice_date,
        lag(list_number) over (partition by block_lot order by list_number) as seen_before,
        lead(list_number) over (partition by block_lot order by list_number) as seen_after
    from appearances
),

kept as (
    -- Each row is a property that still has a notice of the list before: the same number if both lists have numbers, else the same
    -- day, give or take one, because one copy has 171 of 8,031 notices a day early.
    select distinct
        after.block_lot,
        after._sequence as list_number
    from clean_history.baltimore_vacant_building_notices as after
    inner join lists on lists.list_number = after._sequence
    inner join clean_history.baltimore_vacant_building_notices as before
        on before.block_lot = after.block_lot and before._sequence = after._sequence - 1
    where case
        when lists.is_numbered and lists.is_previous_numbered then before.notice_number = after.notice_number
        else abs(date_diff('day', before.notice_date, after.notice_date)) <= 1
    end
),

changes as (
    select
        block_lot,
        list_number,
        notice_date,
        case when list_number = 1 then 'first_listed' when seen_before is null then 'entered' else 'returned' end as change
    from neighbors
    where seen_before is distinct from list_number - 1
    union all
    select
        block_lot,
        list_number + 1 as list_number,
        notice_date,
        'left' as change
    from neighbors
    where seen_after is distinct from list_number + 1 and list_number < (select max(list_number) from lists)
    union all
    select
        neighbors.block_lot,
        neighbors.list_number,
        neighbors.notice_date,
        'renoticed' as change
    from neighbors
    left join kept on kept.block_lot = neighbors.block_lot and kept.list_number = neighbors.list_number
    where neighbors.seen_before = neighbors.list_number - 1 and kept.block_lot is null
)

select
    hash_id(['baltimore', changes.block_lot, lists.capture_id, changes.change]) as change_id,
    'baltimore' as city,
    changes.block_lot,
    changes.change,
    changes.list_number,
    lists.listed_on,
    lists.previous_listed_on,
    changes.notice_date,
    case when lists.is_numbered and lists.is_previous_numbered then 'notice number' else 'notice date' end as matched_by,
    lists.capture_id,
    lists.previous_capture_id
from changes
inner join lists using (list_number)
