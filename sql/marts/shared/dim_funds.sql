-- Each row is one fund of one city.
with baltimore_names as (
    select fund_name from clean.baltimore_budget
    union all
    select fund_name from clean.baltimore_spending
),

baltimore_funds as (
    select
        'baltimore' as city,
        fund_key(fund_name) as fund_key,
        coalesce(mode(fund_name order by fund_name), 'Unnamed fund') as fund_name
    from baltimore_names
    group by fund_key(fund_name)
),

baltimore_groups as (
    select city, fund_key(fund_name) as fund_key, min(fund_group) as fund_group
    from seeds.fund_groups
    group by city, fund_key(fund_name)
),

chicago_funds as (
    select
        'chicago' as city,
        coalesce(fund_code, '(BLANK)') as fund_key,
        coalesce(max_by(fund_name, (fiscal_year, fund_name)), 'Unnamed fund') as fund_name,
        case max_by(fund_type, (fiscal_year, fund_type))
            when 'LOCAL' then 'Local'
            when 'GRANTS' then 'Grant'
            when 'CDBG' then 'Grant'
            else 'Unmatched'
        end as fund_group
    from clean.chicago_budget
    group by coalesce(fund_code, '(BLANK)')
),

all_funds as (
    select
        baltimore_funds.city,
        baltimore_funds.fund_key,
        baltimore_funds.fund_name,
        coalesce(baltimore_groups.fund_group, 'Unmatched') as fund_group
    from baltimore_funds
    left join baltimore_groups using (city, fund_key)
    union all
    select city, fund_key, fund_name, fund_group from chicago_funds
)

select
    hash_id(json_array(city, fund_key)) as fund_id,
    city,
    fund_key,
    fund_name,
    fund_group
from all_funds
