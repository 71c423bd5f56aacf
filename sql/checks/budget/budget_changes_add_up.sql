-- A returned row is a city's budget of one fiscal year and phase whose agencies do not compare it with the whole budget of the year before.
-- severity: critical
-- subject: budget
-- holds back: marts.mart_budget_by_agency
with budgets as (
    select city, fiscal_year, phase, sum(appropriated_amount) as line_amount
    from marts.fct_budget_lines
    group by city, fiscal_year, phase
),

compared as (
    select city, fiscal_year, phase, sum(previous_amount) as previous_amount
    from marts.mart_budget_by_agency
    group by city, fiscal_year, phase
)

select compared.city, compared.fiscal_year, compared.phase, compared.previous_amount, budgets.line_amount as budget_before
from compared
left join budgets
    on budgets.city = compared.city
    and budgets.phase = compared.phase
    and budgets.fiscal_year = compared.fiscal_year - 1
where compared.previous_amount is distinct from budgets.line_amount
