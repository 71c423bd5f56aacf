-- Each row is a run of payments below a procurement threshold that together reach it within 30 days.
with payments as (
    select
        city,
        payment_id,
        vendor_id,
        agency_id,
        coalesce(spend_category, '(blank)') as spend_category,
        payment_date,
        fiscal_year,
        sum(paid_amount) as paid_amount,
        string_agg(payment_split_id, ' ' order by payment_split_id) as split_ids
    from marts.fct_payments
    -- Before fiscal year 2022 there are no numbers of checks and contracts: which splits are one payment is not known, nor what was bought
    -- under a contract.
    where contract_number is null and check_number is not null
    group by city, payment_id, vendor_id, agency_id, spend_category, payment_date, fiscal_year
    having sum(paid_amount) > 0
),

thresholds as (
    select
        city,
        parse_money(threshold_amount) as threshold_amount,
        parse_date(valid_from) as valid_from,
        parse_date(valid_to) as valid_to,
        is_verified = 'true' as is_verified
    from seeds.procurement_thresholds
),

below as (
    select
        payments.city,
        payments.payment_id,
        payments.vendor_id,
        payments.agency_id,
        payments.spend_category,
        payments.payment_date,
        payments.fiscal_year,
        payments.paid_amount,
        payments.split_ids,
        thresholds.threshold_amount,
        thresholds.is_verified
    from payments
    inner join thresholds
        on thresholds.city = payments.city
        and payments.payment_date between thresholds.valid_from and thresholds.valid_to
        and payments.paid_amount < thresholds.threshold_amount
    inner join marts.dim_vendors as vendors
        on vendors.vendor_id = payments.vendor_id and not vendors.is_redacted
),

windows as (
    select
        *,
        sum(paid_amount) over thirty_days as window_amount,
        count(*) over thirty_days as window_count
    from below
    window thirty_days as (
        partition by city, vendor_id, agency_id, spend_category, threshold_amount
        order by payment_date range between interval 29 days preceding and current row
    )
),

reached as (
    -- allow total_order: a payment has one row in a series
    select
        *,
        case
            when payment_date - lag(payment_date) over one_series <= 30 then 0
            else 1
        end as is_start
    from windows
    where window_count >= 2 and window_amount >= threshold_amount
    window one_series as (
        partition by city, vendor_id, agency_id, spend_category, threshold_amount order by payment_date, payment_id
    )
),

runs as (
    select
        *,
        sum(is_start) over (
            partition by city, vendor_id, agency_id, spend_category, threshold_amount order by payment_date, payment_id
        ) as run_number
    from reached
),

spans as (
    select
        city,
        vendor_id,
        agency_id,
        spend_category,
        threshold_amount,
        run_number,
        min(payment_date) as first_reached_date,
        max(payment_date) as last_date,
        max(window_amount) as window_amount,
        max(window_count) as window_count,
        bool_and(is_verified) as is_verified
    from runs
    group by city, vendor_id, agency_id, spend_category, threshold_amount, run_number
)

select
    hash_id([
        spans.city, spans.vendor_id, spans.agency_id, spans.spend_category, cast(spans.threshold_amount as varchar),
        cast(spans.first_reached_date as varchar)
    ]) as split_purchase_id,
    spans.city,
    max(below.fiscal_year) as fiscal_year,
    spans.agency_id,
    spans.vendor_id,
    spans.spend_category,
    spans.threshold_amount,
    spans.is_verified as is_threshold_verified,
    min(below.payment_date) as first_date,
    spans.last_date,
    count(*) as payment_count,
    cast(sum(below.paid_amount) as decimal(38, 2)) as paid_amount,
    cast(spans.window_amount as decimal(38, 2)) as largest_window_amount,
    spans.window_count as largest_window_count,
    string_agg(below.split_ids, ' ' order by below.split_ids) as evidence_row_ids
from spans
inner join below
    on below.city = spans.city
    and below.vendor_id = spans.vendor_id
    and below.agency_id = spans.agency_id
    and below.spend_category = spans.spend_category
    and below.threshold_amount = spans.threshold_amount
    and below.payment_date between spans.first_reached_date - 29 and spans.last_date
group by
    spans.city, spans.vendor_id, spans.agency_id, spans.spend_category, spans.threshold_amount, spans.is_verified,
    spans.first_reached_date, spans.last_date, spans.window_amount, spans.window_count
