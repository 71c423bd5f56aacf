-- Each row is one agency name as one source writes it, and its agency. Baltimore: by the reviewed list of names.
with published as (
    select 'spending' as source_system, coalesce(agency_name, '(blank)') as raw_name
    from clean.baltimore_spending
    union all
    select 'budget' as source_system, coalesce(agency_name, '(blank)') as raw_name
    from clean.baltimore_budget
    union all
    select 'contracts' as source_system, coalesce(agency_name, '(blank)') as raw_name
    from clean.baltimore_contracts
),

names as (
    select source_system, raw_name, count(*) as row_count
    from published
    group by source_system, raw_name
),

known as (
    select name_key(raw_name) as alias_key, min(agency_code) as agency_code
    from seeds.agency_aliases
    where city = 'baltimore'
    group by name_key(raw_name)
),

matched as (
    select
        names.source_system,
        names.raw_name,
        coalesce(known.agency_code, 'unmatched') as agency_code,
        known.agency_code is not null as is_matched,
        names.row_count
    from names
    left join known on name_key(names.raw_name) = known.alias_key
)

select
    agencies.city,
    matched.source_system,
    matched.raw_name,
    agencies.agency_id,
    matched.is_matched,
    matched.row_count
from matched
inner join marts.dim_agencies as agencies
    on agencies.city = 'baltimore' and agencies.agency_code = matched.agency_code
