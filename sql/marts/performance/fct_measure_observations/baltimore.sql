-- Each row is one figure that one plan year's record publishes for a measure: an actual or a target of a fiscal year or quarter. Baltimore: all figures that are not empty.
select
    figure_id as observation_id,
    'baltimore' as city,
    record_id,
    measure_id,
    plan_year,
    fiscal_year,
    period,
    figure_kind,
    published_text,
    value,
    scale_rule,
    is_sentinel,
    is_unit_error,
    explanation
from clean.baltimore_performance_measures
where published_text is not null
