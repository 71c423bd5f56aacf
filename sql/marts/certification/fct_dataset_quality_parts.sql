-- Each row is one part of one component of the quality of one dataset.
with today as (
    select cast(max(captured_at) as date) as scored_on
    from meta.captures
),

captured as (
    select distinct dataset
    from meta.captures
    where capture_id is not null
),

weighted_nulls as (
    select
        described.table_name,
        sum(case when described.is_required then 3 else 1 end * described.null_count) as nulls,
        sum(case when described.is_required then 3 else 1 end * accepted.row_count) as total
    from meta.columns as described
    inner join meta.tables as accepted using (table_name)
    where described.is_required or not regexp_matches(lower(described.description), 'null')
    group by described.table_name
),

weighted_checks as (
    select
        table_name,
        sum(case when severity = 'critical' then 3 else 1 end) filter (where is_passed) as passed,
        sum(case when severity = 'critical' then 3 else 1 end) as total
    from meta.checks
    where layer in ('row', 'table', 'across') and severity in ('critical', 'warning') and is_passed is not null
    group by table_name
),

described as (
    select
        table_name,
        count(*) filter (where length(description) > 0) as described_count,
        count(*) as column_count
    from meta.columns
    group by table_name
),

revised as (
    select
        comparisons.dataset,
        sum(case
            when date_diff('day', cast(comparisons.captured_at as date), today.scored_on) < 90
                then comparisons.removed + comparisons.changed + comparisons.rekeyed
            else 0
        end) as revised_rows
    from meta.comparisons as comparisons
    cross join today
    where comparisons.is_comparable
    group by comparisons.dataset
),

known as (
    select
        'dataset' as dataset_kind,
        datasets.dataset,
        split_part(datasets.dataset, '/', 1) as place,
        datasets.title,
        today.scored_on,
        date_diff('day', accepted.data_date, today.scored_on) as age_days,
        parse_integer(periods.days) as period_days,
        cast(1 - weighted_nulls.nulls / nullif(weighted_nulls.total, 0) as double) as filled_values,
        case when accepted.row_count > 0 then cast(coalesce(weighted_checks.passed, 0) / weighted_checks.total as double) end as passed_checks,
        length(datasets.description) >= 50 as has_description,
        cast(described.described_count / described.column_count as double) as columns_described,
        datasets.licence <> 'not stated' as has_licence,
        len(datasets.owners) > 0 as has_contact,
        accepted.cannot_say is not null as has_method,
        captured.dataset is not null as has_download,
        datasets.portal in ('socrata', 'arcgis', 'opendatasoft') as has_api,
        datasets.has_stable_id,
        captured.dataset is not null as has_page,
        case
            when revised.revised_rows <= accepted.row_count and accepted.row_count > 0
                then 1 - cast(revised.revised_rows as double) / accepted.row_count
            when revised.revised_rows > accepted.row_count then 0.0
        end as unrevised_rows
    from meta.datasets as datasets
    cross join today
    left join meta.tables as accepted using (table_name)
    left join captured using (dataset)
    left join weighted_nulls using (table_name)
    left join weighted_checks using (table_name)
    left join described using (table_name)
    left join revised using (dataset)
    left join seeds.update_periods as periods using (cadence)
    union all
    select
        'portal item' as dataset_kind,
        items.landing_page as dataset,
        items.city as place,
        items.title,
        today.scored_on,
        date_diff('day', items.modified_on, today.scored_on) as age_days,
        cast(null as integer) as period_days,
        cast(null as double) as filled_values,
        cast(null as double) as passed_checks,
        coalesce(length(items.description) >= 50, false) as has_description,
        cast(null as double) as columns_described,
        cast(null as boolean) as has_licence,
        items.has_contact,
        coalesce(regexp_matches(lower(items.description), 'dictionary|method|field'), false) as has_method,
        items.has_download,
        items.has_api,
        cast(null as boolean) as has_stable_id,
        cast(null as boolean) as has_page,
        cast(null as double) as unrevised_rows
    from marts.fct_portal_items as items
    cross join today
),

valued as (
    select
        known.dataset_kind,
        known.dataset,
        known.place,
        known.title,
        known.scored_on,
        known.age_days,
        known.period_days,
        parts.component,
        parts.part,
        parts.meaning,
        case known.dataset_kind when 'dataset' then parts.reason_of_dataset else parts.reason_of_item end as reason,
        case parts.part
            when 'filled_values' then known.filled_values
            when 'passed_checks' then known.passed_checks
            when 'age' then freshness(known.age_days, known.period_days)
            when 'description' then cast(known.has_description as integer)
            when 'columns' then known.columns_described
            when 'licence' then cast(known.has_licence as integer)
            when 'contact' then cast(known.has_contact as integer)
            when 'method' then cast(known.has_method as integer)
            when 'period' then cast(known.period_days is not null as integer)
            when 'download' then cast(known.has_download as integer)
            when 'api' then cast(known.has_api as integer)
            when 'stable_id' then cast(known.has_stable_id as integer)
            when 'page' then cast(known.has_page as integer)
            when 'unrevised_rows' then known.unrevised_rows
        end as value
    from known
    cross join seeds.quality_parts as parts
)

select
    hash_id([dataset_kind, dataset, part]) as quality_part_id,
    dataset_kind,
    dataset,
    place,
    title,
    scored_on,
    age_days,
    period_days,
    component,
    part,
    meaning,
    round(cast(value as double), 6) as value,
    value is not null as is_measured,
    case when value is null then reason end as not_measured_because
from valued
