-- Each row is one property of a city, by block and lot, with what all sources know of it.
with parcels as (
    -- Block and lot is not unique among parcels: one row each, and the number of parcels beside it.
    select
        parcels.block_lot,
        count(*) as parcel_count,
        min(parcels.address) as address,
        min(parcels.zip_code) as zip_code,
        min(coalesce(geographies.geography_name, upper(parcels.neighborhood))) as neighborhood,
        min(parcels.year_built) as year_built,
        min(parcels.use_group) as use_group,
        sum(parcels.dwelling_count) as dwelling_count
    from clean.baltimore_real_property as parcels
    left join marts.dim_geographies as geographies
        on geographies.city = 'baltimore'
        and geographies.kind = 'neighborhood'
        and geographies.geography_key = name_key(parcels.neighborhood)
    group by parcels.block_lot
),

newest_list as (
    select max(listed_on) as listed_on
    from marts.fct_vacancy_lists
    where city = 'baltimore'
),

vacancies as (
    select
        block_lot,
        count(*) as spell_count,
        bool_or(is_open) as is_vacant,
        min(first_notice_date) as first_notice_date,
        max(start_date) filter (is_open) as spell_start_date,
        max(newest_notice_date) filter (is_open) as newest_notice_date,
        max(observed_continuity) filter (is_open) as observed_continuity,
        sum(renoticed_count) as renoticed_count,
        max_by(address, spell_number) as address,
        max_by(neighborhood, spell_number) as neighborhood,
        max_by(public_owner, spell_number) as public_owner,
        max_by(longitude, spell_number) as longitude,
        max_by(latitude, spell_number) as latitude
    from marts.fct_vacancy_spells
    where city = 'baltimore'
    group by block_lot
),

events as (
    select
        block_lot,
        count(*) as event_count,
        max(event_date) as newest_event_date,
        count(*) filter (event_type = 'code_notice' and is_listed) as open_code_notice_count,
        count(*) filter (source_table = 'baltimore_building_permits') as permit_count,
        max(event_date) filter (source_table = 'baltimore_building_permits') as newest_permit_date,
        max(event_date) filter (event_type = 'demolished') as demolished_date,
        max(event_date) filter (event_type = 'rehabbed') as rehabbed_date,
        max(event_date) filter (event_type = 'receivership_filed') as receivership_filed_date,
        coalesce(bool_or(event_type = 'offered_for_bids' and is_listed), false) as is_offered_for_bids
    from marts.fct_property_events
    where city = 'baltimore'
    group by block_lot
),

licences as (
    select
        block_lot,
        max(expires_date) filter (record_kind = 'licence') as licensed_until,
        max(expires_date) filter (record_kind = 'registration') as registered_until
    from clean.baltimore_rental_licences
    group by block_lot
),

points as (
    -- Of properties that no list of vacant buildings has: any one of their records, always the same.
    select
        block_lot,
        max_by(longitude, record_id) as longitude,
        max_by(latitude, record_id) as latitude
    from (
        select block_lot, longitude, latitude, demolition_id as record_id
        from clean.baltimore_demolitions
        union all
        select block_lot, longitude, latitude, rehab_id as record_id
        from clean.baltimore_rehabs
        union all
        select block_lot, longitude, latitude, receivership_id as record_id
        from clean.baltimore_receiverships
        union all
        select block_lot, longitude, latitude, bid_list_id as record_id
        from clean.baltimore_open_bid_list
    ) as records
    group by block_lot
),

properties as (
    select block_lot from parcels
    union
    select block_lot from vacancies
    union
    select block_lot from events
),

described as (
    select
        properties.block_lot,
        regexp_extract(properties.block_lot, '^[^|]+') as block,
        coalesce(parcels.address, vacancies.address) as address,
        parcels.zip_code,
        coalesce(parcels.neighborhood, vacancies.neighborhood) as neighborhood,
        coalesce(parcels.parcel_count, 0) as parcel_count,
        parcels.year_built,
        parcels.use_group,
        parcels.dwelling_count,
        coalesce(vacancies.is_vacant, false) as is_vacant,
        vacancies.spell_count,
        vacancies.newest_notice_date,
        vacancies.spell_start_date,
        vacancies.first_notice_date,
        vacancies.observed_continuity,
        vacancies.renoticed_count,
        vacancies.public_owner,
        coalesce(vacancies.longitude, points.longitude) as longitude,
        coalesce(vacancies.latitude, points.latitude) as latitude
    from properties
    left join parcels using (block_lot)
    left join vacancies using (block_lot)
    left join points using (block_lot)
),

blocks as (
    select
        block,
        count(*) filter (parcel_count > 0) as property_count,
        count(*) filter (is_vacant) as vacant_count
    from described
    group by block
)

select
    'baltimore' as city,
    described.block_lot,
    described.block,
    described.address,
    described.zip_code,
    described.neighborhood,
    described.longitude,
    described.latitude,
    described.parcel_count,
    described.year_built,
    described.use_group,
    cast(described.dwelling_count as bigint) as dwelling_count,
    newest_list.listed_on as as_of_date,
    described.is_vacant,
    described.newest_notice_date,
    described.spell_start_date,
    described.first_notice_date,
    round(date_diff('day', described.newest_notice_date, newest_list.listed_on) / cast(365.25 as double), 4) as published_age,
    round(case
        when described.is_vacant then date_diff('day', described.first_notice_date, newest_list.listed_on)
    end / cast(365.25 as double), 4) as true_age,
    described.observed_continuity,
    coalesce(described.spell_count, 0) as spell_count,
    cast(coalesce(described.renoticed_count, 0) as bigint) as renoticed_count,
    described.public_owner,
    coalesce(events.open_code_notice_count, 0) as open_code_notice_count,
    coalesce(events.permit_count, 0) as permit_count,
    events.newest_permit_date,
    events.demolished_date,
    events.rehabbed_date,
    events.receivership_filed_date,
    coalesce(events.is_offered_for_bids, false) as is_offered_for_bids,
    licences.licensed_until,
    licences.registered_until,
    coalesce(events.event_count, 0) as event_count,
    events.newest_event_date,
    blocks.property_count as block_property_count,
    blocks.vacant_count as block_vacant_count,
    case
        when blocks.property_count > 0 then round(blocks.vacant_count / cast(blocks.property_count as double), 4)
    end as block_vacant_share
from described
inner join blocks using (block)
left join newest_list on true
left join events using (block_lot)
left join licences using (block_lot)
