-- Each row is one contract of one city. Baltimore: a blanket order of the Bureau of Purchases, all agencies and releases together.
select
    hash_id(['baltimore', contract_number]) as contract_id,
    'baltimore' as city,
    contract_number,
    'citibuy' as contract_register,
    mode(vendor_name order by vendor_name) as vendor_name,
    count(distinct agency_name) as agency_count,
    min(begin_date) as begin_date,
    max(end_date) as end_date,
    max(authorized_amount) as ceiling_amount,
    cast(sum(spent_amount) as decimal(38, 2)) as reported_spent_amount
from clean.baltimore_contracts
group by contract_number
