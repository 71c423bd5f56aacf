-- Each row is one version of a measure: what it was called, who owned it and how it was computed, from the first to the last plan year that says so.
-- allow total_order: a measure has one record in a plan year, and one version of each number
with described as (
    -- Records whose text differs only in blanks or case describe the same measure.
    select
        *,
        hash_id([
            lower(title), owner_name, service_code, measure_type, direction, unit_kind, interval_kind, cast(is_equity as varchar),
            cast(is_deprecated as varchar), lower(formula), lower(data_source)
        ]) as definition_id
    from marts.fct_measure_records
),

changed as (
    select
        *,
        case when lag(definition_id) over (partition by measure_id order by plan_year) = definition_id then 0 else 1 end as is_new
    from described
),

numbered as (
    select *, sum(is_new) over (partition by measure_id order by plan_year) as version_number
    from changed
),

versions as (
    select
        measure_id,
        cast(version_number as integer) as version_number,
        min(plan_year) as valid_from_plan_year,
        max(plan_year) as last_plan_year,
        max(record_id) filter (where is_newest_of_version) as record_id,
        max(is_shown) as is_shown
    from (
        select *, plan_year = max(plan_year) over (partition by measure_id, version_number) as is_newest_of_version
        from numbered
    ) as records
    group by measure_id, version_number
),

following as (
    select *, lead(valid_from_plan_year) over (partition by measure_id order by version_number) as next_plan_year
    from versions
),

complete_years as (
    -- Years of the shown record with an actual and all four quarters.
    select
        figures.measure_id,
        figures.fiscal_year,
        max(cast(value as double)) filter (where period = 'year') as actual,
        max(cast(value as double)) filter (where period = 'q4') as last_quarter,
        max(cast(value as double)) filter (where period <> 'year') as largest_quarter,
        round(sum(cast(value as double)) filter (where period <> 'year'), 6) as quarter_sum
    from marts.fct_measure_observations as figures
    inner join marts.fct_measure_records as records using (record_id)
    where records.is_shown and figures.figure_kind = 'actual' and figures.value is not null
    group by figures.measure_id, figures.fiscal_year
    having count(*) = 5
),

fits as (
    -- Within half a percent, so that rounded quarters fit.
    select
        measure_id,
        count(*) filter (where abs(actual - quarter_sum) <= 0.005 * abs(quarter_sum)) as sum_fits,
        count(*) filter (where abs(actual - last_quarter) <= 0.005 * abs(last_quarter)) as last_fits,
        count(*) filter (where abs(actual - largest_quarter) <= 0.005 * abs(largest_quarter)) as max_fits,
        count(*) filter (where abs(actual - quarter_sum / 4) <= 0.005 * abs(quarter_sum / 4)) as mean_fits
    from complete_years
    group by measure_id
),

rules as (
    select
        measure_id,
        case
            when greatest(sum_fits, last_fits, max_fits, mean_fits) = 0 then 'unknown'
            when sum_fits >= greatest(last_fits, max_fits, mean_fits) then 'sum'
            when last_fits >= greatest(max_fits, mean_fits) then 'last'
            when max_fits >= mean_fits then 'max'
            else 'mean'
        end as aggregation_rule
    from fits
)

select
    hash_id([following.measure_id, cast(following.version_number as varchar)]) as measure_version_id,
    following.measure_id,
    following.version_number,
    records.city,
    following.valid_from_plan_year,
    following.last_plan_year as valid_to_plan_year,
    following.next_plan_year is null as is_newest,
    following.is_shown,
    records.agency_id,
    records.owner_name,
    records.service_code,
    records.service_name,
    records.service_id,
    records.published_measure_id,
    records.title,
    records.measure_type,
    records.direction,
    records.unit_kind,
    records.interval_kind,
    coalesce(rules.aggregation_rule, 'untested') as aggregation_rule,
    records.is_equity,
    records.is_deprecated,
    records.formula,
    records.data_source
from following
inner join marts.fct_measure_records as records using (record_id)
left join rules on rules.measure_id = following.measure_id
