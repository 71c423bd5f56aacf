-- Each row is one dated event of one property, with the captures that show it.
with receivership_days as (
    select block_lot, filed_date as event_date, 'receivership_filed' as event_type, receivership_id, _capture_id, _sequence
    from clean_history.baltimore_receiverships
    union all
    select block_lot, appointed_date as event_date, 'receiver_appointed' as event_type, receivership_id, _capture_id, _sequence
    from clean_history.baltimore_receiverships
    union all
    select block_lot, auction_date as event_date, 'receivership_auction' as event_type, receivership_id, _capture_id, _sequence
    from clean_history.baltimore_receiverships
    union all
    select block_lot, sold_date as event_date, 'receivership_sale' as event_type, receivership_id, _capture_id, _sequence
    from clean_history.baltimore_receiverships
),

addresses as (
    -- A citation has no block and lot: it belongs to a property if its address is that of one property only.
    select
        upper(address) as address,
        min(block_lot) as block_lot
    from clean.baltimore_real_property
    where address is not null
    group by upper(address)
    having count(distinct block_lot) = 1
),

records as (
    -- Every record in every capture that shows it. Older lists of vacant buildings have no numbers, so a notice is known by its property and day.
    select
        block_lot,
        notice_date as event_date,
        'vacant_notice' as event_type,
        concat_ws(' ', 'Vacant building notice', notice_number) as detail,
        'baltimore_vacant_building_notices' as source_table,
        hash_id([block_lot, cast(notice_date as varchar)]) as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_vacant_building_notices
    union all
    select
        block_lot,
        issued_date as event_date,
        'code_notice' as event_type,
        notice_type as detail,
        'baltimore_code_notices' as source_table,
        notice_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_code_notices
    where notice_type <> 'Vacant'
    union all
    select
        addresses.block_lot,
        citations.violation_date as event_date,
        'citation' as event_type,
        concat_ws(', ', citations.description, 'found by its address') as detail,
        'baltimore_environmental_citations' as source_table,
        citations.citation_id as record_id,
        citations._capture_id,
        citations._sequence
    from clean_history.baltimore_environmental_citations as citations
    inner join addresses on addresses.address = upper(citations.violation_address)
    union all
    select
        block_lot,
        finished_date as event_date,
        'demolished' as event_type,
        'Demolition by the City finished' as detail,
        'baltimore_demolitions' as source_table,
        demolition_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_demolitions
    union all
    select
        block_lot,
        issued_date as event_date,
        'rehabbed' as event_type,
        concat_ws(' ', 'Use and occupancy permit', permit_number) as detail,
        'baltimore_rehabs' as source_table,
        rehab_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_rehabs
    union all
    select
        block_lot,
        event_date,
        event_type,
        'Case of receivership' as detail,
        'baltimore_receiverships' as source_table,
        receivership_id as record_id,
        _capture_id,
        _sequence
    from receivership_days
    where event_date is not null
    union all
    select
        block_lot,
        appointed_date as event_date,
        'receiver_appointed' as event_type,
        coalesce('Project ' || project_name, 'Case of receivership') as detail,
        'baltimore_receiverships_settled' as source_table,
        receivership_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_receiverships_settled
    union all
    select
        block_lot,
        issued_date as event_date,
        'rental_' || record_kind as event_type,
        record_number as detail,
        'baltimore_rental_licences' as source_table,
        licence_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_rental_licences
    where issued_date is not null
    union all
    -- The list has no dates: a property is offered since the capture that first shows it.
    select
        block_lot,
        min(cast(_captured_at as date)) over (partition by bid_list_id) as event_date,
        'offered_for_bids' as event_type,
        coalesce(status, 'Open bid list') as detail,
        'baltimore_open_bid_list' as source_table,
        bid_list_id as record_id,
        _capture_id,
        _sequence
    from clean_history.baltimore_open_bid_list
),

newest_captures as (
    select
        source_table,
        max(_sequence) as newest_sequence
    from records
    group by source_table
),

seen as (
    -- A record is one event in however many captures it is; if its day was corrected, the day of the newest one counts.
    select
        max_by(records.block_lot, records._sequence) as block_lot,
        max_by(records.event_date, records._sequence) as event_date,
        records.event_type,
        max_by(records.detail, records._sequence) as detail,
        cast(null as decimal(18, 2)) as amount,
        records.source_table,
        records.record_id,
        min_by(records._capture_id, records._sequence) as capture_id,
        max_by(records._capture_id, records._sequence) as last_capture_id,
        max(records._sequence) = max(newest_captures.newest_sequence) as is_listed
    from records
    inner join newest_captures using (source_table)
    group by records.event_type, records.source_table, records.record_id
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
        concat_ws(': ', permits.case_number, permits.description) as detail,
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
        change || case when change = 'returned' then '_to' else '' end || '_the_vacant_list' as event_type,
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
