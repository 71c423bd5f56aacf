-- Each row is how many payments of one agency in one fiscal year have one first digit, or one pair of first digits, or lie in one bin of $250 around a threshold.
with fixed_fees as (
    -- Categories whose prices are set once for many payments: their digits show the price and no chance.
    select distinct categories.city, categories.spend_category
    from (select distinct city, spend_category from marts.fct_payments) as categories
    inner join seeds.fixed_fee_categories as words
        on words.city = categories.city
        and contains(' ' || name_key(categories.spend_category) || ' ', ' ' || words.word || ' ')
),

payments as (
    select
        paid.city,
        paid.fiscal_year,
        paid.agency_id,
        paid.payment_id,
        min(paid.payment_date) as payment_date,
        sum(paid.paid_amount) as paid_amount,
        count(fixed_fees.spend_category) > 0 as is_fixed_fee
    from marts.fct_payments as paid
    left join fixed_fees
        on fixed_fees.city = paid.city and fixed_fees.spend_category = paid.spend_category
    -- Without a check number, as before fiscal year 2022, the size of a payment is not known.
    where paid.check_number is not null
    group by paid.city, paid.fiscal_year, paid.agency_id, paid.payment_id
    having sum(paid.paid_amount) > 0
),

written as (
    -- 1234.50 -> 123450, 5.00 -> 500: the first digits of an amount of at least $1.
    select
        city,
        fiscal_year,
        agency_id,
        replace(cast(cast(paid_amount as decimal(18, 2)) as varchar), '.', '') as digits,
        paid_amount
    from payments
    where paid_amount >= 1 and not is_fixed_fee
),

first_digits as (
    select
        city,
        fiscal_year,
        agency_id,
        'first digit' as size_kind,
        cast(0 as decimal(18, 2)) as threshold_amount,
        parse_integer(substr(digits, 1, 1)) as size,
        paid_amount
    from written
    union all
    select
        city,
        fiscal_year,
        agency_id,
        'first two digits' as size_kind,
        cast(0 as decimal(18, 2)) as threshold_amount,
        parse_integer(substr(digits, 1, 2)) as size,
        paid_amount
    from written
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
    select city, fiscal_year, agency_id, size_kind, threshold_amount, size, paid_amount from first_digits
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
