-- Each row is one time during which one property was on the lists of vacant building notices without a gap of more than 45 days.
with lists as (
    select
        list_number,
        listed_on
    from marts.fct_vacancy_lists
    where city = 'baltimore'
),

last_list as (
    select max(list_number) as list_number
    from lists
),

appearances as (
    select
        notices.block_lot,
        notices._sequence as list_number,
        lists.listed_on,
        min(notices.notice_date) as first_notice_date,
        max(notices.notice_date) as newest_notice_date,
        max_by(notices.address, notices.notice_id) as address,
        max_by(coalesce(geographies.geography_name, upper(notices.neighborhood)), notices.notice_id) as neighborhood,
        max_by(notices.council_district, notices.notice_id) as council_district,
        max_by(notices.market_typology, notices.notice_id) as market_typology,
        max_by(notices.public_owner, notices.notice_id) as public_owner,
        max_by(notices.longitude, notices.notice_id) as longitude,
        max_by(notices.latitude, notices.notice_id) as latitude
    from clean_history.baltimore_vacant_building_notices as notices
    inner join lists on lists.list_number = notices._sequence
    left join marts.dim_geographies as geographies
        on geographies.city = 'baltimore'
        and geographies.kind = 'neighborhood'
        and geographies.geography_key = name_key(notices.neighborhood)
    group by notices.block_lot, notices._sequence, lists.listed_on
),

after_gaps as (
    -- allow total_order: a property is on a list once here, and has one spell of each number
    select
        *,
        lag(list_number) over (partition by block_lot order by list_number) as seen_before,
        lag(listed_on) over (partition by block_lot order by list_number) as seen_on_before
    from appearances
),

numbered as (
    -- A property that was off a list begins a new spell if its next notice is of more than 45 days after it was last seen.
    select
        *,
        sum(case
            when seen_before is null then 1
            when seen_before < list_number - 1 and first_notice_date > seen_on_before + 45 then 1
            else 0
        end) over (partition by block_lot order by list_number) as spell_number
    from after_gaps
),

spells as (
    select
        block_lot,
        cast(spell_number as integer) as spell_number,
        min(first_notice_date) as start_date,
        max(newest_notice_date) as newest_notice_date,
        min(listed_on) as first_listed_on,
        max(listed_on) as last_listed_on,
        min(list_number) as first_list_number,
        max(list_number) as last_list_number,
        count(*) as list_count,
        max_by(address, list_number) as address,
        max_by(council_district, list_number) as council_district,
        max_by(market_typology, list_number) as market_typology,
        max_by(public_owner, list_number) as public_owner,
        max_by(longitude, list_number) as longitude,
        max_by(latitude, list_number) as latitude
    from numbered
    group by block_lot, spell_number
),

renotices as (
    select
        spells.block_lot,
        spells.spell_number,
        count(*) as renoticed_count
    from spells
    inner join marts.fct_vacancy_changes as changes
        on changes.city = 'baltimore'
        and changes.block_lot = spells.block_lot
        and changes.list_number between spells.first_list_number and spells.last_list_number
    where changes.change = 'renoticed'
    group by spells.block_lot, spells.spell_number
),

neighborhoods as (
    -- One for each property, so that counts by neighborhood add up from list to list.
    select
        block_lot,
        max_by(neighborhood, list_number) as neighborhood
    from appearances
    group by block_lot
),

demolished as (
    select
        spells.block_lot,
        spells.spell_number,
        min(demolitions.finished_date) as finished_date
    from spells
    inner join lists as absent on absent.list_number = spells.last_list_number + 1
    inner join clean.baltimore_demolitions as demolitions
        on demolitions.block_lot = spells.block_lot
        and demolitions.finished_date between spells.last_listed_on - 180 and absent.listed_on + 180
    group by spells.block_lot, spells.spell_number
),

rehabbed as (
    select
        spells.block_lot,
        spells.spell_number,
        min(rehabs.issued_date) as issued_date
    from spells
    inner join lists as absent on absent.list_number = spells.last_list_number + 1
    inner join clean.baltimore_rehabs as rehabs
        on rehabs.block_lot = spells.block_lot
        and rehabs.issued_date between spells.last_listed_on - 180 and absent.listed_on + 180
    group by spells.block_lot, spells.spell_number
)

select
    hash_id(['baltimore', spells.block_lot, cast(spells.spell_number as varchar)]) as spell_id,
    'baltimore' as city,
    spells.block_lot,
    spells.spell_number,
    spells.start_date,
    min(spells.start_date) over (
        partition by spells.block_lot order by spells.spell_number
    ) as first_notice_date,
    spells.newest_notice_date,
    spells.first_listed_on,
    spells.last_listed_on,
    absent.listed_on as absent_on,
    lead(spells.start_date) over (partition by spells.block_lot order by spells.spell_number) as next_start_date,
    spells.last_list_number = last_list.list_number as is_open,
    spells.first_list_number = 1 as is_listed_from_the_start,
    case
        when absent.listed_on is null then null
        when demolished.finished_date is not null then 'demolished'
        when rehabbed.issued_date is not null then 'rehabbed'
        else 'other_or_unknown'
    end as exit_type,
    coalesce(demolished.finished_date, rehabbed.issued_date) as exit_evidence_date,
    coalesce(renotices.renoticed_count, 0) as renoticed_count,
    spells.list_count,
    round(spells.list_count / cast(spells.last_list_number - spells.first_list_number + 1 as double), 4) as observed_continuity,
    spells.address,
    neighborhoods.neighborhood,
    spells.council_district,
    spells.market_typology,
    spells.public_owner,
    spells.longitude,
    spells.latitude
from spells
cross join last_list
inner join neighborhoods using (block_lot)
left join lists as absent on absent.list_number = spells.last_list_number + 1
left join demolished on demolished.block_lot = spells.block_lot and demolished.spell_number = spells.spell_number
left join rehabbed on rehabbed.block_lot = spells.block_lot and rehabbed.spell_number = spells.spell_number
left join renotices on renotices.block_lot = spells.block_lot and renotices.spell_number = spells.spell_number
