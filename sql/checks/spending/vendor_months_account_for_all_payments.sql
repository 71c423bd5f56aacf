-- A returned row is an agency whose monthly vendor totals and payments in uncovered months do not add up to its payments.
-- severity: critical
-- subject: spending
-- holds back: marts.mart_vendor_spend_monthly
with monthly as (
    select city, agency_id, sum(amount) as amount
    from marts.mart_vendor_spend_monthly
    group by city, agency_id
),

payments as (
    select
        city,
        agency_id,
        sum(amount) as amount,
        coalesce(sum(amount) filter (where coverage_status <> 'complete'), 0) as uncovered_amount
    from marts.fct_payments
    group by city, agency_id
)

select
    payments.city,
    payments.agency_id,
    payments.amount as paid_amount,
    payments.uncovered_amount,
    monthly.amount as monthly_amount
from payments
left join monthly using (city, agency_id)
where payments.amount <> payments.uncovered_amount + coalesce(monthly.amount, 0)
