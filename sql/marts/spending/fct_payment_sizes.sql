-- Each row is how many payments of one agency in one fiscal year have one first digit, or lie in one bin of $250 around a threshold.
with payments as (
    select city, fiscal_year, agency_id, payment_id, min(payment_date) as payment_date, sum(paid_amount) as paid_amount
    from marts.fct_payments
    -- Without a check number, as before fiscal year 2022, the size of a payment is not known.
    where check_number is not null
    group by city, fiscal_year, agency_id, payment_id
    having sum(paid_amount) > 0
),

digits as (
    select
        city,
        fiscal_year,
        agency_id,
        'first digit' as size_kind,
        cast(0 as decimal(18, 2)) as threshold_amount,
        parse_integer(substr(cast(cast(paid_amount as decimal(18, 2)) as varchar), 1, 1)) as size,
        paid_amount
    from payments
    where paid_amount >= 1
),

thresholds as (
    select
        city,
        parse_money(threshold_amount) as threshold_amount,
        parse_date(valid_from) as valid_from,
        parse_date(valid_to) as valid_to
    from seeds.procurement_thresholds
),

bins as (
    select
        payments.city,
        payments.fiscal_year,
        payments.agency_id,
        'bin of $250' as size_kind,
        thresholds.threshold_amount,
        cast(floor(cast(payments.paid_amount as double) / 250) * 250 as integer) as size,
        payments.paid_amount
    from payments
    inner join thresholds
        on thresholds.city = payments.city
        and payments.payment_date between thresholds.valid_from and thresholds.valid_to
        and cast(payments.paid_amount as double) >= 0.5 * cast(thresholds.threshold_amount as double)
        and cast(payments.paid_amount as double) < 1.5 * cast(thresholds.threshold_amount as double)
),

sizes as (
    select city, fiscal_year, agency_id, size_kind, threshold_amount, size, paid_amount from digits
    union all
    select city, fiscal_year, agency_id, size_kind, threshold_amount, size, paid_amount from bins
)

select
    city,
    fiscal_year,
    agency_id,
    size_kind,
    threshold_amount,
    size,
    count(*) as payment_count,
    cast(min(paid_amount) as decimal(18, 2)) as smallest_amount,
    cast(max(paid_amount) as decimal(18, 2)) as largest_amount
from sizes
group by city, fiscal_year, agency_id, size_kind, threshold_amount, size
