-- Each row is one fund of one city. Baltimore: identified by name, because the checkbook has no codes.
with names as (
    select fund_name from clean.baltimore_budget
    union all
    select fund_name from clean.baltimore_spending
),

funds as (
    select
        fund_key(fund_name) as fund_key,
        coalesce(mode(fund_name order by fund_name), 'Unnamed fund') as fund_name
    from names
    group by fund_key(fund_name)
),

groups as (
    select fund_key(fund_name) as fund_key, min(fund_group) as fund_group
    from seeds.fund_groups
    where city = 'baltimore'
    group by fund_key(fund_name)
)

select
    hash_id(['baltimore', funds.fund_key]) as fund_id,
    'baltimore' as city,
    funds.fund_key,
    funds.fund_name,
    coalesce(groups.fund_group, 'Unmatched') as fund_group,
    types.gasb_fund_type,
    coalesce(types.mapping_confidence, 'none') as mapping_confidence,
    types.plain_sentence
from funds
left join groups on groups.fund_key = funds.fund_key
left join seeds.fund_types as types on types.city = 'baltimore' and types.fund_key = funds.fund_key
