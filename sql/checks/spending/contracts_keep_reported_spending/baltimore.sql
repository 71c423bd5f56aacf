-- A returned row is a list of contracts whose dollars spent, as published, are not those of its contracts.
-- severity: critical
-- subject: spending
-- holds back: marts.dim_contracts
with listed as (
    select 'baltimore' as city, sum(spent_amount) as spent_amount
    from clean.baltimore_contracts
),

contracts as (
    select city, sum(reported_spent_amount) as spent_amount
    from marts.dim_contracts
    where city = 'baltimore'
    group by city
)

select city, listed.spent_amount, contracts.spent_amount as contract_amount
from listed
left join contracts using (city)
where listed.spent_amount is distinct from contracts.spent_amount
