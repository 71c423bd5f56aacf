-- A returned row is a fiscal month in which payments and checkbook differ in rows or dollars.
-- severity: critical
-- subject: spending
-- holds back: marts.fct_payments
with checkbook as (
    select fiscal_year, fiscal_period, count(*) as row_count, sum(amount) as amount
    from clean.baltimore_spending
    group by fiscal_year, fiscal_period
),

payments as (
    select fiscal_year, fiscal_period, count(*) as row_count, sum(paid_amount) as amount
    from marts.fct_payments
    where city = 'baltimore'
    group by fiscal_year, fiscal_period
)

select
    fiscal_year,
    fiscal_period,
    checkbook.row_count as checkbook_rows,
    payments.row_count as payment_rows,
    checkbook.amount as checkbook_amount,
    payments.amount as payment_amount
from checkbook
full join payments using (fiscal_year, fiscal_period)
where
    checkbook.row_count is distinct from payments.row_count
    or checkbook.amount is distinct from payments.amount
