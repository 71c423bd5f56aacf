-- Each row is one fund of one city. Chicago: identified by code, with the name in the newest budget.
with funds as (
    select
        coalesce(fund_code, '(BLANK)') as fund_key,
        coalesce(max_by(fund_name, (fiscal_year, fund_name)), 'Unnamed fund') as fund_name,
        max_by(fund_type, (fiscal_year, fund_type)) as fund_type
    from clean.chicago_budget
    group by coalesce(fund_code, '(BLANK)')
)

select
    hash_id(['chicago', fund_key]) as fund_id,
    'chicago' as city,
    fund_key,
    fund_name,
    case fund_type
        when 'LOCAL' then 'Local'
        when 'GRANTS' then 'Grant'
        when 'CDBG' then 'Grant'
        else 'Unmatched'
    end as fund_group
from funds
