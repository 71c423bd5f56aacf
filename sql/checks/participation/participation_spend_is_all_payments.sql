-- A returned row is a city and fiscal year whose spending by vendor, agency and industry differs from its payments.
-- severity: critical
-- subject: participation
-- holds back: marts.fct_participation_spend
with spent as (
    select city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.fct_participation_spend
    group by city, fiscal_year
),

payments as (
    select city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.fct_payments
    group by city, fiscal_year
)

select
    payments.city,
    payments.fiscal_year,
    payments.paid_amount,
    spent.paid_amount as participation_amount
from payments
left join spent using (city, fiscal_year)
where payments.paid_amount is distinct from spent.paid_amount
