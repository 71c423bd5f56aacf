-- Each row is how many kinds of things one vendor of many payments and several agencies sold in one fiscal year.
with vendors as (
    select
        payments.city,
        payments.fiscal_year,
        payments.vendor_id,
        count(distinct payments.payment_id) as payment_count,
        count(distinct payments.agency_id) as agency_count,
        count(distinct payments.spend_category) as category_count
    from marts.fct_payments as payments
    inner join marts.dim_vendors as known
        on known.vendor_id = payments.vendor_id and not known.is_redacted
    -- Without a check number, as before fiscal year 2022, payments cannot be counted.
    where payments.check_number is not null
    group by payments.city, payments.fiscal_year, payments.vendor_id
    having count(distinct payments.payment_id) >= 20 and count(distinct payments.agency_id) >= 2
)

select city, fiscal_year, vendor_id, payment_count, agency_count, category_count
from vendors
