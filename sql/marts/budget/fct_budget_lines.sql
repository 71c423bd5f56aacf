-- Each row is one line of one city's budget in one fiscal year and phase.
with baltimore_lines as (
    -- The object's name comes from its number: the names beside it have been published in different columns.
    select
        lines.budget_line_id,
        lines.fiscal_year,
        aliases.agency_id,
        funds.fund_id,
        lines.program_code as service_code,
        lines.program_name as service_name,
        objects.object_name,
        lines.expense_type as line_name,
        lines.recommended_amount,
        lines.approved_amount,
        lines.is_transfer
    from clean.baltimore_budget as lines
    left join marts.bridge_agency_aliases as aliases
        on aliases.city = 'baltimore'
        and aliases.source_system = 'budget'
        and aliases.raw_name = coalesce(lines.agency_name, '(blank)')
    left join marts.dim_funds as funds
        on funds.city = 'baltimore' and funds.fund_key = fund_key(lines.fund_name)
    left join seeds.budget_objects as objects
        on objects.city = 'baltimore' and parse_integer(objects.object_number) = lines.object_number
),

chicago_lines as (
    select
        lines.budget_line_id,
        lines.fiscal_year,
        agencies.agency_id,
        funds.fund_id,
        lines.authority_code as service_code,
        lines.authority_name as service_name,
        lines.account_name as line_name,
        lines.adopted_amount,
        lines.is_transfer
    from clean.chicago_budget as lines
    left join marts.dim_agencies as agencies
        on agencies.city = 'chicago' and agencies.agency_code = lines.department_number
    left join marts.dim_funds as funds
        on funds.city = 'chicago' and funds.fund_key = coalesce(lines.fund_code, '(BLANK)')
)

select
    budget_line_id,
    'baltimore' as city,
    fiscal_year,
    'recommended' as phase,
    agency_id,
    fund_id,
    service_code,
    service_name,
    object_name,
    line_name,
    recommended_amount as amount,
    is_transfer
from baltimore_lines
where recommended_amount is not null
union all
select
    budget_line_id,
    'baltimore' as city,
    fiscal_year,
    'adopted' as phase,
    agency_id,
    fund_id,
    service_code,
    service_name,
    object_name,
    line_name,
    approved_amount as amount,
    is_transfer
from baltimore_lines
where approved_amount is not null
union all
select
    budget_line_id,
    'chicago' as city,
    fiscal_year,
    'adopted' as phase,
    agency_id,
    fund_id,
    service_code,
    service_name,
    cast(null as varchar) as object_name,
    line_name,
    adopted_amount as amount,
    is_transfer
from chicago_lines
