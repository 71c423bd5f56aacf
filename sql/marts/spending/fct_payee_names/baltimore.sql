-- Each row is one spelling of a payee in the payments of one city. Baltimore: from the Open Checkbook.
select
    'baltimore' as city,
    coalesce(vendor_name, '(redacted)') as raw_name,
    vendor_name is null as is_redacted,
    count(*) as split_count,
    cast(sum(amount) as decimal(38, 2)) as paid_amount,
    min(payment_date) as first_paid_date,
    max(payment_date) as last_paid_date
from clean.baltimore_spending
group by vendor_name
