-- A returned row is a city's budget of one fiscal year and phase whose totals by line, by agency and by fund are not equal to the cent.
-- severity: critical
-- subject: budget
-- holds back: marts.mart_budget_by_agency
with lines as (
    select 'chicago' as city, fiscal_year, 'adopted' as phase, sum(adopted_amount) as line_amount
    from clean.chicago_budget
    group by fiscal_year
),

by_agency as (
    select city, fiscal_year, phase, sum(appropriated_amount) as agency_amount
    from marts.mart_budget_by_agency
    where city = 'chicago'
    group by city, fiscal_year, phase
),

by_fund as (
    select budget.city, budget.fiscal_year, budget.phase, sum(budget.appropriated_amount) as fund_amount
    from marts.fct_budget_lines as budget
    inner join marts.dim_funds as funds using (fund_id)
    where budget.city = 'chicago'
    group by budget.city, budget.fiscal_year, budget.phase
)

select
    city,
    fiscal_year,
    phase,
    published.line_amount,
    by_agency.agency_amount,
    by_fund.fund_amount
from (select city, fiscal_year, phase, line_amount from lines where line_amount is not null) as published
full join by_agency using (city, fiscal_year, phase)
full join by_fund using (city, fiscal_year, phase)
where published.line_amount is distinct from by_agency.agency_amount or published.line_amount is distinct from by_fund.fund_amount
