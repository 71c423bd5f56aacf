-- Each row is one dated event of one property, with the captures that show it.
with vacant_notices as (
    -- Older lists have no numbers, so a notice is known by its property and day.
    select
        block_lot,
        notice_date as event_date,
        'vacant_notice' as event_type,
        coalesce('Vacant building notice ' || notice_number, 'Vacant building notice') as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_vacant_building_notices' as source_table,
        hash_id([block_lot, cast(notice_date as varchar)]) as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_vacant_building_notices
),

other_notices as (
    select
        block_lot,
        issued_date as event_date,
        'code_notice' as event_type,
        notice_type as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_code_notices' as source_table,
        notice_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_code_notices
    where notice_type <> 'Vacant'
),

demolitions as (
    select
        block_lot,
        finished_date as event_date,
        'demolished' as event_type,
        'Demolition by the City finished' as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_demolitions' as source_table,
        demolition_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_demolitions
),

rehabs as (
    select
        block_lot,
        issued_date as event_date,
        'rehabbed' as event_type,
        coalesce('Use and occupancy permit ' || permit_number, 'Use and occupancy permit') as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_rehabs' as source_table,
        rehab_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_rehabs
),

receivership_days as (
    select
        block_lot,
        filed_date as event_date,
        'receivership_filed' as event_type,
        receivership_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_receiverships
    union all
    select
        block_lot,
        appointed_date as event_date,
        'receiver_appointed' as event_type,
        receivership_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_receiverships
    union all
    select
        block_lot,
        auction_date as event_date,
        'receivership_auction' as event_type,
        receivership_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_receiverships
    union all
    select
        block_lot,
        sold_date as event_date,
        'receivership_sale' as event_type,
        receivership_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_receiverships
),

receiverships as (
    select
        block_lot,
        event_date,
        event_type,
        'Case of receivership' as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_receiverships' as source_table,
        record_id,
        _capture_id,
        _sequence
    from receivership_days
    where event_date is not null
),

settled as (
    select
        block_lot,
        appointed_date as event_date,
        'receiver_appointed' as event_type,
        coalesce('Project ' || project_name, 'Case of receivership') as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_receiverships_settled' as source_table,
        receivership_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_receiverships_settled
),

licences as (
    select
        block_lot,
        issued_date as event_date,
        'rental_' || record_kind as event_type,
        record_number as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_rental_licences' as source_table,
        licence_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_rental_licences
    where issued_date is not null
),

offers as (
    -- The list has no dates: a property is offered since the capture that first shows it.
    select
        block_lot,
        min(cast(_captured_at as date)) over (partition by bid_list_id) as event_date,
        'offered_for_bids' as event_type,
        coalesce(status, 'Open bid list') as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_open_bid_list' as source_table,
        bid_list_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_open_bid_list
),

in_history as (
    select * from vacant_notices
    union all
    select * from other_notices
    union all
    select * from demolitions
    union all
    select * from rehabs
    union all
    select * from receiverships
    union all
    select * from settled
    union all
    select * from licences
    union all
    select * from offers
),

newest_captures as (
    select
        source_table,
        max(_sequence) as newest_sequence
    from in_history
    group by source_table
),

seen as (
    -- A record is one event in however many captures it is; if its day was corrected, the day of the newest one counts.
    select
        max_by(in_history.block_lot, in_history._sequence) as block_lot,
        max_by(in_history.event_date, in_history._sequence) as event_date,
        in_history.event_type,
        max_by(in_history.detail, in_history._sequence) as detail,
        max_by(in_history.amount, in_history._sequence) as amount,
        in_history.source_table,
        in_history.record_id,
        min_by(in_history._capture_id, in_history._sequence) as capture_id,
        max_by(in_history._capture_id, in_history._sequence) as last_capture_id,
        max(in_history._sequence) = max(newest_captures.newest_sequence) as is_listed
    from in_history
    inner join newest_captures using (source_table)
    group by in_history.event_type, in_history.source_table, in_history.record_id
),

newest_permits as (
    -- Permits only grow and are many: they are read from the newest capture alone.
    select max_by(_capture_id, _captured_at) as capture_id
    from history.baltimore_building_permits
),

permits as (
    select
        permits.block_lot,
        permits.issued_date as event_date,
        case
            when permits.is_demolition then 'demolition_permit'
            when permits.is_use_permit then 'use_permit'
            else 'building_permit'
        end as event_type,
        coalesce(permits.case_number || ': ' || permits.description, permits.case_number) as detail,
        permits.plausible_cost as amount,
        'baltimore_building_permits' as source_table,
        permits.permit_id as record_id,
        newest_permits.capture_id,
        newest_permits.capture_id as last_capture_id,
        true as is_listed
    from clean.baltimore_building_permits as permits
    cross join newest_permits
),

lists as (
    select
        block_lot,
        listed_on as event_date,
        case change when 'left' then 'left_the_vacant_list' when 'entered' then 'entered_the_vacant_list' else 'returned_to_the_vacant_list' end as event_type,
        'Seen on the list of this day' as detail,
        cast(null as decimal(18, 2)) as amount,
        'baltimore_vacant_building_notices' as source_table,
        change_id as record_id,
        capture_id,
        capture_id as last_capture_id,
        true as is_listed
    from marts.fct_vacancy_changes
    where city = 'baltimore' and change in ('left', 'entered', 'returned')
),

events as (
    select * from seen
    union all
    select * from permits
    union all
    select * from lists
)

select
    hash_id(['baltimore', event_type, source_table, record_id]) as event_id,
    'baltimore' as city,
    block_lot,
    event_date,
    event_type,
    detail,
    amount,
    source_table,
    record_id,
    capture_id,
    last_capture_id,
    is_listed
from events
