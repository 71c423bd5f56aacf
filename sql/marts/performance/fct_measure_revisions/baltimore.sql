-- Each row is one change of a plan year's record of a measure between two captures: of a figure, a direction or the definition. Baltimore: between consecutive captures of its list.
with captures as (
    select _capture_id, _captured_at, row_number() over (order by _captured_at, _capture_id) as position
    from (select distinct _capture_id, _captured_at from clean_history.baltimore_performance_measures)
),

figures as (
    select captures.position, captures._captured_at, history.*
    from clean_history.baltimore_performance_measures as history
    inner join captures using (_capture_id)
),

pairs as (
    select
        after.measure_id,
        after.plan_year,
        after.title,
        after.fiscal_year,
        after.period,
        after.figure_kind,
        after._capture_id as capture_id,
        before._captured_at as previous_captured_at,
        after._captured_at as captured_at,
        before.published_text as previous_text,
        after.published_text as current_text,
        before.value as previous_value,
        after.value as current_value,
        before.direction as previous_direction,
        after.direction as current_direction,
        before.formula as previous_formula,
        after.formula as current_formula,
        before.title as previous_title
    from figures as after
    inner join figures as before
        on before.position = after.position - 1
        and before.measure_id = after.measure_id
        and before.plan_year = after.plan_year
        and before.fiscal_year = after.fiscal_year
        and before.period = after.period
        and before.figure_kind = after.figure_kind
),

revisions as (
    select
        measure_id,
        plan_year,
        case
            when previous_value is null then 'filled'
            when figure_kind = 'target' then 'target_moved'
            else 'value_changed'
        end as revision_type,
        fiscal_year,
        period,
        figure_kind,
        capture_id,
        previous_captured_at,
        captured_at,
        previous_text,
        current_text,
        previous_value,
        current_value
    from pairs
    -- A figure can be read in another scale because another one of its record changed: its text must have changed, too.
    where previous_value is distinct from current_value and previous_text is distinct from current_text
    union all
    -- What belongs to the record is on each of its figures.
    select distinct
        measure_id, plan_year, 'direction_flipped' as revision_type, null as fiscal_year, null as period, null as figure_kind, capture_id, previous_captured_at,
        captured_at, previous_direction as previous_text, current_direction as current_text, null as previous_value, null as current_value
    from pairs
    where previous_direction is distinct from current_direction
    union all
    select distinct
        measure_id, plan_year, 'definition_changed' as revision_type, null as fiscal_year, null as period, null as figure_kind, capture_id, previous_captured_at, captured_at,
        concat_ws('; ', previous_title, previous_formula) as previous_text, concat_ws('; ', title, current_formula) as current_text,
        null as previous_value, null as current_value
    from pairs
    where lower(previous_title) <> lower(title) or lower(previous_formula) is distinct from lower(current_formula)
)

select
    hash_id([
        measure_id, cast(plan_year as varchar), revision_type, cast(fiscal_year as varchar), period, figure_kind, capture_id
    ]) as revision_id,
    'baltimore' as city,
    measure_id,
    plan_year,
    revision_type,
    fiscal_year,
    period,
    figure_kind,
    cast(previous_captured_at as date) as previous_captured_date,
    cast(captured_at as date) as captured_date,
    previous_text,
    current_text,
    previous_value,
    current_value
from revisions
