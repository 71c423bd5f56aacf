-- A returned row is a city and fiscal year whose invoices differ from its payments in splits or dollars.
-- severity: critical
-- subject: spending
-- holds back: marts.fct_invoices
with invoices as (
    select city, fiscal_year, sum(split_count) as split_count, sum(paid_amount) as paid_amount
    from marts.fct_invoices
    group by city, fiscal_year
),

payments as (
    select city, fiscal_year, count(*) as split_count, sum(paid_amount) as paid_amount
    from marts.fct_payments
    group by city, fiscal_year
)

select
    city,
    fiscal_year,
    payments.split_count,
    invoices.split_count as invoice_splits,
    payments.paid_amount,
    invoices.paid_amount as invoice_amount
from payments
full join invoices using (city, fiscal_year)
where
    payments.split_count is distinct from invoices.split_count
    or payments.paid_amount is distinct from invoices.paid_amount
