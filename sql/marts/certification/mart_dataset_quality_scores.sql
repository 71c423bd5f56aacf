-- Each row is the quality of one dataset by one version of the formula on one day.
with components as (
    select
        dataset_kind,
        dataset,
        max(place) as place,
        max(title) as title,
        scored_on,
        max(age_days) as age_days,
        max(period_days) as period_days,
        component,
        round(avg(value), 6) as value,
        cast(count(value) / count(*) as double) as measured_share
    from marts.fct_dataset_quality_parts
    group by dataset_kind, dataset, scored_on, component
),

weighted as (
    select
        components.*,
        weights.score_version,
        cast(parse_decimal(weights.weight) as double) as weight
    from components
    inner join seeds.quality_score_weights as weights using (component)
),

scored as (
    select
        dataset_kind,
        dataset,
        score_version,
        scored_on,
        max(place) as place,
        max(title) as title,
        max(age_days) as age_days,
        max(period_days) as period_days,
        max(value) filter (where component = 'completeness') as completeness,
        max(value) filter (where component = 'validity') as validity,
        max(value) filter (where component = 'freshness') as freshness,
        max(value) filter (where component = 'documentation') as documentation,
        max(value) filter (where component = 'accessibility') as accessibility,
        max(value) filter (where component = 'stability') as stability,
        round(sum(weight * measured_share), 6) as measured_weight,
        round(sum(weight * measured_share * coalesce(value, 0)), 6) as score_low,
        count(*) filter (where measured_share < 1) as incomplete_components
    from weighted
    group by dataset_kind, dataset, score_version, scored_on
),

unmeasured as (
    select
        dataset_kind,
        dataset,
        string_agg(part, ', ' order by part) as not_measured
    from marts.fct_dataset_quality_parts
    where not is_measured
    group by dataset_kind, dataset
)

select
    hash_id([dataset_kind, dataset, score_version, cast(scored_on as varchar)]) as quality_score_id,
    dataset_kind,
    dataset,
    score_version,
    scored_on,
    place,
    title,
    completeness,
    validity,
    freshness,
    documentation,
    accessibility,
    stability,
    case when incomplete_components = 0 then score_low end as score,
    score_low,
    round(least(1.0, score_low + 1 - measured_weight), 6) as score_high,
    measured_weight,
    age_days,
    period_days,
    is_fresh(age_days, period_days) as is_fresh,
    coalesce(age_days < 0, false) as is_dated_in_future,
    unmeasured.not_measured
from scored
left join unmeasured using (dataset_kind, dataset)
