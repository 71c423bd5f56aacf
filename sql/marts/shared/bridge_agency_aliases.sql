-- Each row is one agency name as one source writes it, and the agency it means.
with published as (
    select 'baltimore' as city, 'spending' as source_system, coalesce(agency_name, '(blank)') as raw_name
    from clean.baltimore_spending
    union all
    select 'baltimore' as city, 'budget' as source_system, coalesce(agency_name, '(blank)') as raw_name
    from clean.baltimore_budget
    union all
    select 'baltimore' as city, 'contracts' as source_system, coalesce(agency_name, '(blank)') as raw_name
    from clean.baltimore_contracts
),

names as (
    select city, source_system, raw_name, count(*) as row_count
    from published
    group by city, source_system, raw_name
),

known as (
    select city, name_key(raw_name) as alias_key, min(agency_code) as agency_code
    from seeds.agency_aliases
    group by city, name_key(raw_name)
),

matched as (
    select
        names.city,
        names.source_system,
        names.raw_name,
        coalesce(known.agency_code, 'unmatched') as agency_code,
        known.agency_code is not null as is_matched,
        names.row_count
    from names
    left join known on names.city = known.city and name_key(names.raw_name) = known.alias_key
),

chicago_names as (
    -- Chicago numbers its departments, so each name it has used means the number beside it.
    select
        'chicago' as city,
        'budget' as source_system,
        department_name as raw_name,
        max_by(department_number, (fiscal_year, department_number)) as agency_code,
        true as is_matched,
        count(*) as row_count
    from clean.chicago_budget
    group by department_name
),

all_names as (
    select city, source_system, raw_name, agency_code, is_matched, row_count from matched
    union all
    select city, source_system, raw_name, agency_code, is_matched, row_count from chicago_names
)

select
    all_names.city,
    all_names.source_system,
    all_names.raw_name,
    dim_agencies.agency_id,
    all_names.is_matched,
    all_names.row_count
from all_names
inner join marts.dim_agencies using (city, agency_code)
