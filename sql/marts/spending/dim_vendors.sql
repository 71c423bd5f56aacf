-- Each row is one payee of one city, all its spellings together.
select
    bridge.vendor_id,
    bridge.city,
    normalize_name(bridge.vendor_name) as normalized_name,
    case when bridge.vendor_key = 'REDACTED' then 'Redacted' else bridge.vendor_name end as vendor_name,
    count(*) filter (where not names.is_redacted) as name_count,
    string_agg(bridge.raw_name, ' | ' order by bridge.raw_name) filter (where not names.is_redacted) as names_seen,
    bool_or(names.is_redacted) as is_redacted,
    min(names.first_paid_date) as first_paid_date,
    max(names.last_paid_date) as last_paid_date,
    cast(sum(names.split_count) as bigint) as split_count,
    cast(sum(names.paid_amount) as decimal(38, 2)) as paid_amount
from marts.bridge_vendor_names as bridge
inner join marts.fct_payee_names as names
    on names.city = bridge.city and names.raw_name = bridge.raw_name
group by bridge.vendor_id, bridge.city, bridge.vendor_key, bridge.vendor_name
