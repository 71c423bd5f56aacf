-- A returned row is a fiscal year in which the execution of a city's budget lost or multiplied budgeted or paid dollars.
-- severity: critical
-- subject: budget
-- holds back: marts.mart_budget_execution
with budgets as (
    select city, fiscal_year, sum(appropriated_amount) as appropriated_amount
    from marts.fct_budget_lines
    where phase = 'adopted'
    group by city, fiscal_year
),

payments as (
    select city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.fct_payments
    group by city, fiscal_year
),

executed as (
    select city, fiscal_year, sum(appropriated_amount) as appropriated_amount, sum(paid_amount) as paid_amount
    from marts.mart_budget_execution
    group by city, fiscal_year
)

select
    city,
    fiscal_year,
    budgets.appropriated_amount as budgeted_amount,
    executed.appropriated_amount,
    payments.paid_amount as payments_amount,
    executed.paid_amount
from executed
full join budgets using (city, fiscal_year)
full join payments using (city, fiscal_year)
where
    executed.appropriated_amount is distinct from budgets.appropriated_amount
    or executed.paid_amount is distinct from payments.paid_amount
