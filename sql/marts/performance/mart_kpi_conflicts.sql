-- Each row is one thing that two plan years state differently about the same measure: an actual, a target, a direction or a part of the definition.
with pairs as (
    select
        earlier.city,
        earlier.measure_id,
        earlier.record_id as earlier_record_id,
        later.record_id as later_record_id,
        earlier.plan_year as earlier_plan_year,
        later.plan_year as later_plan_year,
        earlier.modified_time as earlier_modified_time,
        later.modified_time as later_modified_time,
        shown.plan_year as shown_plan_year
    from marts.fct_measure_records as earlier
    inner join marts.fct_measure_records as later
        on later.measure_id = earlier.measure_id and later.plan_year > earlier.plan_year
    inner join marts.fct_measure_records as shown on shown.measure_id = earlier.measure_id and shown.is_shown
),

figures as (
    select pairs.*, one.figure_kind as field, one.fiscal_year, one.period, one.published_text as earlier_text, other.published_text as later_text,
        one.value as earlier_value, other.value as later_value
    from pairs
    inner join marts.fct_measure_observations as one on one.record_id = pairs.earlier_record_id
    inner join marts.fct_measure_observations as other
        on other.record_id = pairs.later_record_id
        and other.fiscal_year = one.fiscal_year
        and other.period = one.period
        and other.figure_kind = one.figure_kind
    where one.value <> other.value
),

differing as (
    -- By more than half a percent of the earlier plan year's figure, so that rounding is no conflict.
    select
        *,
        field || '_conflict' as conflict_type,
        round(cast(abs(earlier_value - later_value) as double) / cast(nullif(abs(earlier_value), 0) as double), 6) as relative_difference
    from figures
    where abs(earlier_value - later_value) > 0.005 * abs(earlier_value)
),

texts as (
    select record_id, 'direction' as field, direction as stated from marts.fct_measure_records
    union all
    select record_id, 'title' as field, title as stated from marts.fct_measure_records
    union all
    select record_id, 'formula' as field, formula as stated from marts.fct_measure_records
    union all
    select record_id, 'data source' as field, data_source as stated from marts.fct_measure_records
    union all
    select record_id, 'type' as field, measure_type as stated from marts.fct_measure_records
    union all
    select record_id, 'unit' as field, unit_kind as stated from marts.fct_measure_records
),

redefined as (
    select pairs.*, one.field, one.stated as earlier_text, other.stated as later_text
    from pairs
    inner join texts as one on one.record_id = pairs.earlier_record_id
    inner join texts as other on other.record_id = pairs.later_record_id and other.field = one.field
    where lower(one.stated) <> lower(other.stated)
),

conflicts as (
    select
        city, measure_id, earlier_plan_year, later_plan_year, conflict_type, field, fiscal_year, period, earlier_text, later_text, earlier_value, later_value,
        relative_difference, earlier_modified_time, later_modified_time, shown_plan_year
    from differing
    union all
    select
        city, measure_id, earlier_plan_year, later_plan_year,
        case field when 'direction' then 'direction_conflict' else 'definition_conflict' end as conflict_type,
        field,
        cast(null as integer) as fiscal_year,
        cast(null as varchar) as period,
        earlier_text, later_text,
        cast(null as decimal(24, 6)) as earlier_value,
        cast(null as decimal(24, 6)) as later_value,
        cast(null as double) as relative_difference,
        earlier_modified_time, later_modified_time, shown_plan_year
    from redefined
)

select
    hash_id([
        measure_id, cast(earlier_plan_year as varchar), cast(later_plan_year as varchar), field, cast(fiscal_year as varchar), period
    ]) as conflict_id,
    city,
    measure_id,
    conflict_type,
    field,
    fiscal_year,
    period,
    earlier_plan_year,
    later_plan_year,
    earlier_text,
    later_text,
    earlier_value,
    later_value,
    relative_difference,
    earlier_modified_time,
    later_modified_time,
    shown_plan_year,
    'last modified' as resolution
from conflicts
