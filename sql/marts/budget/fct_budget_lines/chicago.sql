-- Each row is one line of one city's budget in one fiscal year and phase. Chicago: only adopted.
select
    lines.budget_line_id,
    'chicago' as city,
    lines.fiscal_year,
    'adopted' as phase,
    agencies.agency_id,
    funds.fund_id,
    lines.authority_code as service_code,
    lines.authority_name as service_name,
    cast(null as varchar) as object_name,
    lines.account_name as line_name,
    lines.adopted_amount as appropriated_amount,
    lines.is_transfer
from clean.chicago_budget as lines
left join marts.dim_agencies as agencies
    on agencies.city = 'chicago' and agencies.agency_code = lines.department_number
left join marts.dim_funds as funds
    on funds.city = 'chicago' and funds.fund_key = coalesce(lines.fund_code, '(BLANK)')
