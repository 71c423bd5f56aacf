-- Each row is one payee of one city: all spellings of the same name together.
with payees as (
    select
        coalesce(normalize_name(vendor_name), 'REDACTED') as normalized_name,
        vendor_name,
        check_number,
        payment_date,
        amount
    from clean.baltimore_spending
)

select
    hash_id(['baltimore', normalized_name]) as vendor_id,
    'baltimore' as city,
    normalized_name,
    coalesce(mode(vendor_name order by vendor_name), 'Redacted') as vendor_name,
    count(distinct vendor_name) as name_count,
    string_agg(distinct vendor_name, ' | ' order by vendor_name) as names_seen,
    normalized_name = 'REDACTED' as is_redacted,
    min(payment_date) as first_paid_date,
    max(payment_date) as last_paid_date,
    count(distinct (check_number, payment_date)) as payment_count,
    sum(amount) as paid_amount
from payees
group by normalized_name
