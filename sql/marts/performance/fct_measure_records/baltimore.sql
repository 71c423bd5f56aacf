-- Each row is what one plan year says a measure is: its title, owner, direction and formula. Baltimore: the records of its list of performance measures.
-- allow total_order: the id of the record is the last of the order
with records as (
    select distinct
        record_id,
        measure_id,
        plan_year,
        agency_code,
        agency_name,
        service_code,
        service_name,
        published_measure_id,
        title,
        measure_type,
        direction,
        unit_kind,
        interval_kind,
        is_equity,
        is_deprecated,
        record_status,
        formula,
        data_source,
        measure_request,
        request_notes,
        modified_time,
        is_mixed_scale
    from clean.baltimore_performance_measures
)

select
    records.record_id,
    'baltimore' as city,
    records.measure_id,
    records.plan_year,
    coalesce(agencies.agency_id, hash_id(['baltimore', 'unmatched'])) as agency_id,
    records.agency_name as owner_name,
    records.service_code,
    records.service_name,
    services.service_id,
    records.published_measure_id,
    records.title,
    records.measure_type,
    records.direction,
    records.unit_kind,
    records.interval_kind,
    records.is_equity,
    records.is_deprecated,
    records.record_status,
    records.formula,
    records.data_source,
    records.measure_request,
    records.request_notes,
    records.modified_time,
    records.is_mixed_scale,
    row_number() over (partition by records.measure_id order by records.modified_time desc, records.plan_year desc, records.record_id) = 1 as is_shown
from records
left join marts.dim_agencies as agencies
    on agencies.city = 'baltimore' and agencies.agency_code = records.agency_code
-- The number of a service is the same before Workday and in it: 661 is SRV0661.
left join marts.dim_services as services
    on services.city = 'baltimore' and services.service_code = clean_code(substr(records.service_code, 4))
