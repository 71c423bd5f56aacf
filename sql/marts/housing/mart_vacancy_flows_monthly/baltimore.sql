-- Each row is one neighborhood and one month with a list of vacant building notices: how its properties changed.
with lists as (
    select
        list_number,
        listed_on,
        cast(date_trunc('month', listed_on) as date) as month
    from marts.fct_vacancy_lists
    where city = 'baltimore'
),

months as (
    select
        month,
        min(list_number) as first_list_number,
        max(list_number) as last_list_number,
        count(*) as list_count,
        max(listed_on) as closed_on
    from lists
    group by month
),

properties as (
    select distinct
        block_lot,
        coalesce(neighborhood, 'NOT STATED') as neighborhood
    from marts.fct_vacancy_spells
    where city = 'baltimore'
),

listed as (
    -- Counted from the lists, not from the changes: that the two agree is checked.
    select
        notices._sequence as list_number,
        properties.neighborhood,
        count(distinct notices.block_lot) as property_count
    from clean_history.baltimore_vacant_building_notices as notices
    inner join properties using (block_lot)
    where notices._sequence in (select first_list_number from months union all select last_list_number from months)
    group by notices._sequence, properties.neighborhood
),

changes as (
    select
        lists.month,
        properties.neighborhood,
        count(*) filter (changes.change = 'entered') as entered_count,
        count(*) filter (changes.change = 'returned') as returned_count,
        count(*) filter (changes.change = 'left') as left_count,
        count(*) filter (changes.change = 'left' and spells.exit_type = 'demolished') as demolished_count,
        count(*) filter (changes.change = 'left' and spells.exit_type = 'rehabbed') as rehabbed_count,
        count(*) filter (changes.change = 'renoticed') as renoticed_count
    from marts.fct_vacancy_changes as changes
    inner join lists using (list_number)
    inner join properties using (block_lot)
    left join marts.fct_vacancy_spells as spells
        on spells.city = changes.city and spells.block_lot = changes.block_lot and spells.absent_on = changes.listed_on
    where changes.city = 'baltimore'
    group by lists.month, properties.neighborhood
),

every_month as (
    -- allow total_order: a neighborhood has one row a month
    select
        months.*,
        neighborhoods.neighborhood,
        coalesce(at_end.property_count, 0) as closing_count,
        coalesce(at_start.property_count, 0) as first_count
    from months
    cross join (select distinct neighborhood from properties) as neighborhoods
    left join listed as at_end
        on at_end.list_number = months.last_list_number and at_end.neighborhood = neighborhoods.neighborhood
    left join listed as at_start
        on at_start.list_number = months.first_list_number and at_start.neighborhood = neighborhoods.neighborhood
)

select
    'baltimore' as city,
    every_month.neighborhood,
    every_month.month,
    every_month.list_count,
    coalesce(previous.closed_on, first_list.listed_on) as opened_on,
    every_month.closed_on,
    coalesce(
        lag(every_month.closing_count) over (partition by every_month.neighborhood order by every_month.month),
        every_month.first_count
    ) as opening_count,
    coalesce(changes.entered_count, 0) as entered_count,
    coalesce(changes.returned_count, 0) as returned_count,
    coalesce(changes.left_count, 0) as left_count,
    every_month.closing_count,
    coalesce(changes.renoticed_count, 0) as renoticed_count,
    coalesce(changes.demolished_count, 0) as demolished_count,
    coalesce(changes.rehabbed_count, 0) as rehabbed_count,
    coalesce(changes.left_count - changes.demolished_count - changes.rehabbed_count, 0) as other_or_unknown_count
from every_month
inner join lists as first_list on first_list.list_number = every_month.first_list_number
left join months as previous on previous.last_list_number = every_month.first_list_number - 1
left join changes on changes.month = every_month.month and changes.neighborhood = every_month.neighborhood
