-- Each row is one line of one city's budget in one fiscal year and phase. Chicago: as adopted; it has no pillars.
with lines as (
    -- A service is an appropriation authority of a department; the object is the group of the account, its first two characters.
    select
        budget_line_id,
        fiscal_year,
        department_number,
        coalesce(fund_code, '(BLANK)') as fund_key,
        department_number || '-' || authority_code as service_code,
        authority_name as service_name,
        case when is_transfer then 'TR' else substr(account_code, 1, 2) end as object_code,
        account_name,
        adopted_amount
    from clean.chicago_budget
)

select
    lines.budget_line_id,
    'chicago' as city,
    lines.fiscal_year,
    'adopted' as phase,
    agencies.agency_id,
    funds.fund_id,
    hash_id(['chicago', coalesce(lines.service_code, 'unmatched')]) as service_id,
    lines.service_code,
    lines.service_name,
    hash_id(['chicago', coalesce(objects.object_code, 'unmatched')]) as object_id,
    hash_id(['chicago', 'unmatched']) as pillar_id,
    lines.account_name as line_name,
    lines.adopted_amount as published_amount,
    cast(case when objects.counts_in_total = 'false' then 0 else lines.adopted_amount end as decimal(18, 2)) as appropriated_amount
from lines
left join marts.dim_agencies as agencies
    on agencies.city = 'chicago' and agencies.agency_code = lines.department_number
left join marts.dim_funds as funds
    on funds.city = 'chicago' and funds.fund_key = lines.fund_key
left join seeds.budget_objects as objects
    on objects.city = 'chicago' and objects.object_code = lines.object_code
