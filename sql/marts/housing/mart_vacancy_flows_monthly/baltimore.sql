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
        coalesce(neighborhood, 'Without a neighborhood') as neighborhood
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

parcels as (
    select
        name_key(neighborhood) as neighborhood_key,
        count(distinct block_lot) as parcel_count
    from clean.baltimore_real_property
    where neighborhood is not null
    group by name_key(neighborhood)
),

all_parcels as (
    select
        sum(parcel_count) as parcel_count,
        count(*) as neighborhood_count
    from parcels
),

every_month as (
    -- allow total_order: a neighborhood has one row a month
    select
        months.*,
        neighborhoods.neighborhood,
        parcels.parcel_count,
        coalesce(at_end.property_count, 0) as closing_count,
        coalesce(at_start.property_count, 0) as first_count
    from months
    cross join (select distinct neighborhood from properties) as neighborhoods
    left join listed as at_end
        on at_end.list_number = months.last_list_number and at_end.neighborhood = neighborhoods.neighborhood
    left join listed as at_start
        on at_start.list_number = months.first_list_number and at_start.neighborhood = neighborhoods.neighborhood
    left join parcels on parcels.neighborhood_key = name_key(neighborhoods.neighborhood)
),

sums as (
    -- A neighborhood that no list has counts with 0.
    select
        every_month.month,
        cast(sum(every_month.closing_count) as double) / max(all_parcels.parcel_count) as mean,
        cast(sum(
            cast(cast(every_month.closing_count * every_month.closing_count as double) / every_month.parcel_count as decimal(38, 12))
        ) as double) / max(all_parcels.parcel_count) as mean_square,
        cast(max(all_parcels.neighborhood_count) as double) / max(all_parcels.parcel_count) as neighborhoods_per_parcel
    from every_month
    cross join all_parcels
    where every_month.parcel_count > 0
    group by every_month.month
),

city_rates as (
    -- Moments of Marshall (1991): the mean rate, and how much rates differ beyond chance.
    select
        month,
        mean,
        greatest(mean_square - mean * mean - mean * neighborhoods_per_parcel, 0) as variance
    from sums
),

rated as (
    -- (alpha + x) / (beta + n) with alpha = mean^2 / variance and beta = mean / variance: x / n, moved toward the mean by beta / (beta + n).
    select
        every_month.*,
        cast(every_month.closing_count as double) / every_month.parcel_count as raw_rate,
        city_rates.mean,
        case
            when city_rates.variance > 0
                then every_month.parcel_count * city_rates.variance / (city_rates.mean + every_month.parcel_count * city_rates.variance)
            when every_month.parcel_count > 0 then 0
        end as own_weight
    from every_month
    left join city_rates using (month)
)

select
    'baltimore' as city,
    rated.neighborhood,
    rated.month,
    rated.list_count,
    coalesce(previous.closed_on, first_list.listed_on) as opened_on,
    rated.closed_on,
    coalesce(
        lag(rated.closing_count) over (partition by rated.neighborhood order by rated.month),
        rated.first_count
    ) as opening_count,
    coalesce(changes.entered_count, 0) as entered_count,
    coalesce(changes.returned_count, 0) as returned_count,
    coalesce(changes.left_count, 0) as left_count,
    rated.closing_count,
    coalesce(changes.renoticed_count, 0) as renoticed_count,
    coalesce(changes.demolished_count, 0) as demolished_count,
    coalesce(changes.rehabbed_count, 0) as rehabbed_count,
    coalesce(changes.left_count - changes.demolished_count - changes.rehabbed_count, 0) as other_or_unknown_count,
    rated.parcel_count,
    round(1000 * rated.raw_rate, 6) as per_1000_parcels,
    round(1000 * (rated.mean + rated.own_weight * (rated.raw_rate - rated.mean)), 6) as per_1000_parcels_shrunk,
    round(rated.own_weight, 6) as own_weight,
    case when rated.parcel_count is null then 'Not published: the City''s list of real property has no parcel there.' end as no_rate_reason
from rated
inner join lists as first_list on first_list.list_number = rated.first_list_number
left join months as previous on previous.last_list_number = rated.first_list_number - 1
left join changes on changes.month = rated.month and changes.neighborhood = rated.neighborhood
