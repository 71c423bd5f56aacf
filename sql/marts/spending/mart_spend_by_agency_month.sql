-- Each row is what one agency paid in one fiscal month between the first and last month that the source covers.
with months as (
    select city, month_start_date, fiscal_year, fiscal_period, status as coverage_status
    from marts.dim_coverage
    where source = 'spending'
),

paid as (
    select
        city,
        agency_id,
        fiscal_year,
        fiscal_period,
        sum(paid_amount) as paid_amount,
        sum(paid_amount) filter (where is_reversal) as reversed_amount,
        count(distinct payment_id) as payment_count
    from marts.fct_payments
    group by city, agency_id, fiscal_year, fiscal_period
),

agencies as (
    select distinct city, agency_id from paid
)

select
    months.city,
    agencies.agency_id,
    months.fiscal_year,
    months.fiscal_period,
    months.month_start_date,
    months.coverage_status,
    -- Zero is known only where the month is complete.
    cast(case when months.coverage_status = 'complete' then coalesce(paid.paid_amount, 0) else paid.paid_amount end as decimal(38, 2))
        as paid_amount,
    cast(case when months.coverage_status = 'complete' then coalesce(paid.reversed_amount, 0) else paid.reversed_amount end as decimal(38, 2))
        as reversed_amount,
    case when months.coverage_status = 'complete' then coalesce(paid.payment_count, 0) else paid.payment_count end as payment_count
from months
inner join agencies
    on agencies.city = months.city
left join paid
    on paid.city = months.city
    and paid.agency_id = agencies.agency_id
    and paid.fiscal_year = months.fiscal_year
    and paid.fiscal_period = months.fiscal_period
