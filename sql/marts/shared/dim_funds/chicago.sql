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
    hash_id(['chicago', funds.fund_key]) as fund_id,
    'chicago' as city,
    funds.fund_key,
    funds.fund_name,
    case funds.fund_type
        when 'LOCAL' then 'Local'
        when 'GRANTS' then 'Grant'
        when 'CDBG' then 'Grant'
        else 'Unmatched'
    end as fund_group,
    -- Grants have many codes and one type.
    case when funds.fund_type in ('GRANTS', 'CDBG') then 'Special Revenue Fund' else types.gasb_fund_type end as gasb_fund_type,
    case when funds.fund_type in ('GRANTS', 'CDBG') then 'high' else coalesce(types.mapping_confidence, 'none') end as mapping_confidence,
    case
        when funds.fund_type in ('GRANTS', 'CDBG') then 'Grants of other governments and donors, for the purpose of each grant only.'
        else types.plain_sentence
    end as plain_sentence
from funds
left join seeds.fund_types as types on types.city = 'chicago' and types.fund_key = funds.fund_key
