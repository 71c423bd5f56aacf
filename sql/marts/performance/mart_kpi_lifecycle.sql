-- Each row is one measure: since and until when it is reported, whether it was retired or fell silent, and how often its records conflict or were revised.
with measures as (
    select *
    from marts.fct_measure_records
    where is_shown
),

spans as (
    select
        records.measure_id,
        min(figures.fiscal_year) filter (where figures.figure_kind = 'actual') as first_actual_year,
        max(figures.fiscal_year) filter (where figures.figure_kind = 'actual') as last_actual_year,
        max(figures.fiscal_year) filter (where figures.figure_kind = 'target') as last_target_year
    from marts.fct_measure_observations as figures
    inner join measures as records using (record_id)
    where figures.period = 'year' and figures.value is not null
    group by records.measure_id
),

closed as (
    select city, max(fiscal_year) as fiscal_year
    from marts.mart_kpi_scorecard
    where is_closed_year
    group by city
),

standings as (
    select scorecard.measure_id, scorecard.target_value, scorecard.actual_value
    from marts.mart_kpi_scorecard as scorecard
    inner join closed using (city, fiscal_year)
),

mentions as (
    -- Ids of other measures of the owner in the notes of a measure that is retired.
    select retired.measure_id, min(successors.measure_id) as successor_measure_id
    from measures as retired
    inner join measures as successors
        on successors.city = retired.city
        and successors.owner_name = retired.owner_name
        and successors.measure_id <> retired.measure_id
        and not successors.is_deprecated
        and length(successors.published_measure_id) >= 4
        and contains(
            ' ' || regexp_replace(retired.request_notes, '[^A-Za-z0-9-]+', ' ', 'g') || ' ',
            ' ' || successors.published_measure_id || ' '
        )
    where retired.is_deprecated
    group by retired.measure_id
),

conflicts as (
    select
        measure_id,
        count(*) filter (where conflict_type = 'actual_conflict') as actual_conflicts,
        count(*) filter (where conflict_type = 'target_conflict') as target_conflicts,
        count(*) filter (where conflict_type = 'direction_conflict') as direction_conflicts,
        count(*) filter (where conflict_type = 'definition_conflict') as definition_conflicts
    from marts.mart_kpi_conflicts
    group by measure_id
),

revisions as (
    select
        measure_id,
        count(*) filter (where revision_type = 'filled') as figures_filled,
        count(*) filter (where revision_type = 'value_changed') as actuals_changed,
        count(*) filter (where revision_type = 'target_moved') as targets_moved,
        count(*) filter (where revision_type in ('direction_flipped', 'definition_changed')) as definitions_changed
    from marts.fct_measure_revisions
    group by measure_id
)

select
    measures.measure_id,
    measures.city,
    measures.agency_id,
    measures.owner_name,
    measures.published_measure_id,
    measures.title,
    spans.first_actual_year,
    spans.last_actual_year,
    spans.last_target_year,
    case
        when measures.is_deprecated and mentions.successor_measure_id is not null then 'retired_with_successor'
        when measures.is_deprecated then 'retired_no_successor'
        when standings.target_value is not null and standings.actual_value is null then 'silent'
        else 'active'
    end as lifecycle_state,
    mentions.successor_measure_id,
    successors.title as successor_title,
    measures.measure_request,
    measures.request_notes,
    coalesce(conflicts.actual_conflicts, 0) as actual_conflicts,
    coalesce(conflicts.target_conflicts, 0) as target_conflicts,
    coalesce(conflicts.direction_conflicts, 0) as direction_conflicts,
    coalesce(conflicts.definition_conflicts, 0) as definition_conflicts,
    coalesce(revisions.figures_filled, 0) as figures_filled,
    coalesce(revisions.actuals_changed, 0) as actuals_changed,
    coalesce(revisions.targets_moved, 0) as targets_moved,
    coalesce(revisions.definitions_changed, 0) as definitions_changed
from measures
left join spans using (measure_id)
left join standings using (measure_id)
left join mentions using (measure_id)
left join measures as successors on successors.measure_id = mentions.successor_measure_id
left join conflicts on conflicts.measure_id = measures.measure_id
left join revisions on revisions.measure_id = measures.measure_id
