-- Each row is one line of one city's budget in one fiscal year and phase. Baltimore: recommended and adopted.
with lines as (
    -- The object's name is derived from its number, because the names were published in different columns.
    select
        published.budget_line_id,
        published.fiscal_year,
        aliases.agency_id,
        funds.fund_id,
        published.program_code as service_code,
        published.program_name as service_name,
        objects.object_name,
        published.expense_type as line_name,
        published.recommended_amount,
        published.approved_amount,
        published.is_transfer
    from clean.baltimore_budget as published
    left join marts.bridge_agency_aliases as aliases
        on aliases.city = 'baltimore'
        and aliases.source_system = 'budget'
        and aliases.raw_name = coalesce(published.agency_name, '(blank)')
    left join marts.dim_funds as funds
        on funds.city = 'baltimore' and funds.fund_key = fund_key(published.fund_name)
    left join seeds.budget_objects as objects
        on objects.city = 'baltimore' and parse_integer(objects.object_number) = published.object_number
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
    recommended_amount as appropriated_amount,
    is_transfer
from lines
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
    approved_amount as appropriated_amount,
    is_transfer
from lines
where approved_amount is not null
