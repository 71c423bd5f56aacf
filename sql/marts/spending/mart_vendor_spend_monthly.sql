-- Each row is what one agency paid one vendor in one fiscal month that the source covers completely.
with covered_months as (
    select city, fiscal_year, fiscal_period, month_start_date
    from marts.dim_coverage
    where source = 'spending' and status = 'complete'
),

pairs as (
    select city, vendor_id, agency_id, date_trunc('month', min(payment_date)) as first_month, max(payment_date) as last_date
    from marts.fct_payments
    group by city, vendor_id, agency_id
),

paid as (
    select
        city,
        vendor_id,
        agency_id,
        fiscal_year,
        fiscal_period,
        sum(paid_amount) as paid_amount,
        count(distinct payment_id) as payment_count
    from marts.fct_payments
    group by city, vendor_id, agency_id, fiscal_year, fiscal_period
),

filled as (
    -- Between the first and last payment of a pair, a covered month without a payment is a real zero.
    select
        pairs.city,
        pairs.vendor_id,
        pairs.agency_id,
        covered_months.fiscal_year,
        covered_months.fiscal_period,
        coalesce(paid.paid_amount, 0) as paid_amount,
        coalesce(paid.payment_count, 0) as payment_count
    from pairs
    inner join covered_months
        on covered_months.city = pairs.city
        and covered_months.month_start_date between pairs.first_month and pairs.last_date
    left join paid
        on paid.city = pairs.city
        and paid.vendor_id = pairs.vendor_id
        and paid.agency_id = pairs.agency_id
        and paid.fiscal_year = covered_months.fiscal_year
        and paid.fiscal_period = covered_months.fiscal_period
)

select
    city,
    vendor_id,
    agency_id,
    fiscal_year,
    fiscal_period,
    paid_amount,
    payment_count,
    sum(paid_amount) over agency_month as agency_paid_amount,
    cast(paid_amount / nullif(sum(paid_amount) over agency_month, 0) as double) as agency_month_share
from filled
window agency_month as (partition by city, agency_id, fiscal_year, fiscal_period)
