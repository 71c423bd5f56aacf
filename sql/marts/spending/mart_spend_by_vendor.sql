-- Each row is what one city paid one vendor in one fiscal year.
with paid as (
    select
        city,
        fiscal_year,
        vendor_id,
        sum(paid_amount) as paid_amount,
        count(distinct payment_id) as payment_count,
        count(distinct agency_id) as agency_count
    from marts.fct_payments
    group by city, fiscal_year, vendor_id
)

select
    paid.city,
    paid.fiscal_year,
    paid.vendor_id,
    vendors.vendor_name,
    vendors.is_redacted,
    cast(paid.paid_amount as decimal(38, 2)) as paid_amount,
    paid.payment_count,
    paid.agency_count,
    rank() over (partition by paid.city, paid.fiscal_year order by paid.paid_amount desc, vendors.vendor_name, paid.vendor_id) as vendor_rank,
    cast(sum(paid.paid_amount) over (partition by paid.city, paid.fiscal_year) as decimal(38, 2)) as city_paid_amount,
    cast(paid.paid_amount as double) / nullif(sum(paid.paid_amount) over (partition by paid.city, paid.fiscal_year), 0) as city_share
from paid
inner join marts.dim_vendors as vendors
    on vendors.vendor_id = paid.vendor_id
