-- Each row is what one payment paid for one invoice of one vendor.
select
    hash_id([city, payment_id, coalesce(invoice_key(invoice_number), '')]) as invoice_payment_id,
    city,
    payment_id,
    vendor_id,
    mode(agency_id order by agency_id) as agency_id,
    invoice_key(invoice_number) as invoice_key,
    min(invoice_number) as invoice_number,
    payment_date,
    fiscal_year,
    cast(sum(paid_amount) as decimal(18, 2)) as paid_amount,
    count(*) as split_count,
    string_agg(payment_split_id, ' ' order by payment_split_id) as split_ids
from marts.fct_payments
group by city, payment_id, vendor_id, invoice_key(invoice_number), payment_date, fiscal_year
