-- Each row is one form in which one dataset is published, by a city's portal or by this warehouse.
with checked as (
    select
        table_name,
        count(*) filter (where is_passed) as passed_checks,
        count(*) filter (where not is_passed) as failed_checks
    from meta.checks
    group by table_name
),

offered as (
    select distinct
        city,
        landing_page,
        title,
        modified_on,
        api_url,
        unnest(string_split(formats, ' | ')) as format
    from marts.fct_portal_items
    where formats is not null
),

formats as (
    select 'CSV' as format
    union all
    select 'Parquet' as format
),

published as (
    select
        'portal' as published_by,
        city as place,
        landing_page as dataset,
        title,
        format,
        case when format = 'ArcGIS GeoServices REST API' then api_url else landing_page end as address,
        format <> 'Web Page' as is_machine_readable,
        cast(null as varchar) as licence,
        modified_on as dated_on,
        cast(null as bigint) as row_count,
        cast(null as varchar) as content_hash,
        cast(null as bigint) as passed_checks,
        cast(null as bigint) as failed_checks
    from offered
    union all
    select
        'warehouse' as published_by,
        split_part(datasets.dataset, '/', 1) as place,
        accepted.table_name as dataset,
        accepted.each_row_is as title,
        formats.format,
        'data/' || accepted.table_name || '/' as address,
        true as is_machine_readable,
        datasets.licence,
        accepted.data_date as dated_on,
        accepted.row_count,
        accepted.content_hash,
        coalesce(checked.passed_checks, 0) as passed_checks,
        coalesce(checked.failed_checks, 0) as failed_checks
    from meta.tables as accepted
    cross join formats
    left join meta.datasets as datasets using (table_name)
    left join checked using (table_name)
    where
        accepted.row_count > 0
        and (starts_with(accepted.table_name, 'clean.') or accepted.subject <> 'certification')
)

select
    hash_id([published_by, dataset, format]) as publication_id,
    published_by,
    place,
    dataset,
    title,
    format,
    address,
    is_machine_readable,
    licence,
    dated_on,
    row_count,
    content_hash,
    passed_checks,
    failed_checks
from published
