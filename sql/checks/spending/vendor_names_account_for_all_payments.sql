-- A returned row is a city whose payments differ in splits or dollars from the names and the vendors that they were paid to.
-- severity: critical
-- subject: spending
-- holds back: marts.fct_payments
with names as (
    select city, sum(split_count) as split_count, sum(paid_amount) as paid_amount
    from marts.fct_payee_names
    group by city
),

vendors as (
    select city, sum(split_count) as split_count, sum(paid_amount) as paid_amount
    from marts.dim_vendors
    group by city
),

payments as (
    select city, count(*) as split_count, sum(paid_amount) as paid_amount
    from marts.fct_payments
    group by city
)

select
    city,
    payments.split_count,
    names.split_count as name_splits,
    vendors.split_count as vendor_splits,
    payments.paid_amount,
    names.paid_amount as name_amount,
    vendors.paid_amount as vendor_amount
from payments
full join names using (city)
full join vendors using (city)
where
    payments.split_count is distinct from names.split_count
    or payments.split_count is distinct from vendors.split_count
    or payments.paid_amount is distinct from names.paid_amount
    or payments.paid_amount is distinct from vendors.paid_amount
