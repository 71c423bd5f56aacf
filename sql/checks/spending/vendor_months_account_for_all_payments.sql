-- A returned row is an agency whose monthly vendor totals and payments in uncovered months do not add up to its payments.
-- severity: critical
-- subject: spending
-- holds back: marts.mart_vendor_spend_monthly
with monthly as (
    select city, agency_id, sum(paid_amount) as paid_amount
    from marts.mart_vendor_spend_monthly
    group by city, agency_id
),

payments as (
    select
        city,
        agency_id,
        sum(paid_amount) as paid_amount,
        coalesce(sum(paid_amount) filter (where coverage_status <> 'complete'), 0) as uncovered_amount
    from marts.fct_payments
    group by city, agency_id
)

select
    payments.city,
    payments.agency_id,
    payments.paid_amount,
    payments.uncovered_amount,
    monthly.paid_amount as monthly_amount
from payments
left join monthly using (city, agency_id)
where payments.paid_amount <> payments.uncovered_amount + coalesce(monthly.paid_amount, 0)
