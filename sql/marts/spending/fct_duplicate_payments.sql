-- Each row is one invoice that may have been paid before, with the earlier payment.
with invoices as (
    select invoice_payment_id, city, payment_id, vendor_id, agency_id, invoice_key, payment_date, fiscal_year, paid_amount, split_ids
    from marts.fct_invoices
    where paid_amount > 0
),

numbered as (
    select *, row_number() over (order by payment_date, invoice_payment_id) as position
    from invoices
),

same_number as (
    -- D1: the first payment of the same vendor, number and amount.
    select
        invoice_payment_id,
        first_value(invoice_payment_id) over one_invoice as earlier_id,
        first_value(payment_id) over one_invoice as earlier_payment_id,
        payment_id
    from numbered
    where invoice_key is not null
    window one_invoice as (partition by city, vendor_id, invoice_key, paid_amount order by position)
),

neighbours as (
    -- D2: the three payments of the same vendor and amount before. Fixed fees have thousands; all pairs of them would not end.
    select
        invoice_payment_id,
        payment_id,
        payment_date,
        invoice_key,
        lag(invoice_payment_id, 1) over one_amount as id_1,
        lag(invoice_payment_id, 2) over one_amount as id_2,
        lag(invoice_payment_id, 3) over one_amount as id_3
    from numbered
    window one_amount as (partition by city, vendor_id, paid_amount order by position)
),

candidates as (
    select invoice_payment_id, payment_id, payment_date, invoice_key, id_1 as earlier_id from neighbours where id_1 is not null
    union all
    select invoice_payment_id, payment_id, payment_date, invoice_key, id_2 as earlier_id from neighbours where id_2 is not null
    union all
    select invoice_payment_id, payment_id, payment_date, invoice_key, id_3 as earlier_id from neighbours where id_3 is not null
),

similar_number as (
    -- allow functions: levenshtein is the same function in DuckDB and in Spark
    select candidates.invoice_payment_id, min(candidates.earlier_id) as earlier_id
    from candidates
    inner join invoices as earlier
        on earlier.invoice_payment_id = candidates.earlier_id
    where
        earlier.payment_id <> candidates.payment_id
        and earlier.invoice_key <> candidates.invoice_key
        and levenshtein(earlier.invoice_key, candidates.invoice_key) = 1
        and candidates.payment_date - earlier.payment_date <= 180
    group by candidates.invoice_payment_id
),

other_vendor as (
    -- D3: the first payment of the same number and amount went to another vendor.
    select
        invoice_payment_id,
        vendor_id,
        first_value(invoice_payment_id) over one_number as earlier_id,
        first_value(vendor_id) over one_number as earlier_vendor_id
    from numbered
    where length(invoice_key) >= 5 and not is_day_number(invoice_key)
    window one_number as (partition by city, invoice_key, paid_amount order by position)
),

same_amount as (
    -- D4: the vendor was paid this amount exactly twice in the fiscal year, within a week, by two payments. Without invoice numbers,
    -- as before fiscal year 2022, two equal splits of one payment would look like two payments.
    select
        invoice_payment_id,
        payment_id,
        payment_date,
        count(*) over (partition by city, vendor_id, fiscal_year, paid_amount) as times,
        lag(invoice_payment_id) over one_amount as earlier_id,
        lag(payment_id) over one_amount as earlier_payment_id,
        lag(payment_date) over one_amount as earlier_date
    from numbered
    where paid_amount >= 2500 and invoice_key is not null
    window one_amount as (partition by city, vendor_id, fiscal_year, paid_amount order by position)
),

tiers as (
    select 'D1' as tier, invoice_payment_id, earlier_id
    from same_number
    where earlier_id <> invoice_payment_id and earlier_payment_id <> payment_id
    union all
    select 'D2' as tier, invoice_payment_id, earlier_id from similar_number
    union all
    select 'D3' as tier, invoice_payment_id, earlier_id from other_vendor where earlier_vendor_id <> vendor_id
    union all
    select 'D4' as tier, invoice_payment_id, earlier_id
    from same_amount
    where times = 2 and earlier_id is not null and earlier_payment_id <> payment_id and payment_date - earlier_date <= 7
),

strongest as (
    -- allow total_order: an invoice has one row per tier
    select tier, invoice_payment_id, earlier_id
    from tiers
    qualify row_number() over (partition by invoice_payment_id order by tier) = 1
),

recoveries as (
    select city, vendor_id, -paid_amount as recovered_amount, payment_date as recovered_date
    from marts.fct_invoices
    where paid_amount < 0
),

recovered as (
    select strongest.invoice_payment_id, min(recoveries.recovered_date) as recovered_date
    from strongest
    inner join invoices
        on invoices.invoice_payment_id = strongest.invoice_payment_id
    inner join recoveries
        on recoveries.city = invoices.city
        and recoveries.vendor_id = invoices.vendor_id
        and recoveries.recovered_amount = invoices.paid_amount
    where recoveries.recovered_date - invoices.payment_date between 0 and 400
    group by strongest.invoice_payment_id
)

select
    strongest.invoice_payment_id,
    invoices.city,
    invoices.fiscal_year,
    strongest.tier,
    invoices.agency_id,
    invoices.vendor_id,
    earlier.vendor_id as earlier_vendor_id,
    invoices.invoice_key,
    earlier.invoice_key as earlier_invoice_key,
    earlier.payment_date as earlier_date,
    invoices.payment_date,
    invoices.paid_amount,
    recovered.recovered_date,
    recovered.recovered_date is not null as is_recovered,
    case when recovered.recovered_date is null then invoices.paid_amount else 0 end as amount_at_risk,
    invoices.split_ids || ' ' || earlier.split_ids as evidence_row_ids
from strongest
inner join invoices
    on invoices.invoice_payment_id = strongest.invoice_payment_id
inner join invoices as earlier
    on earlier.invoice_payment_id = strongest.earlier_id
left join recovered
    on recovered.invoice_payment_id = strongest.invoice_payment_id
