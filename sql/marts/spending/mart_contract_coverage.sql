-- Each row is the part of one city's payments in one fiscal year that cites a contract of one kind, or none.
with payments as (
    select
        payments.city,
        payments.fiscal_year,
        payments.paid_amount,
        case
            when count(payments.contract_number) over (partition by payments.city, payments.fiscal_year) = 0
                then 'no contract numbers published'
            when payments.contract_number is null then 'no contract cited'
            when contracts.contract_id is not null then 'in the list of contracts'
            when payments.contract_register = 'workday' then 'made in Workday, no list published'
            else 'not in the list of contracts'
        end as contract_link
    from marts.fct_payments as payments
    left join marts.dim_contracts as contracts
        on contracts.city = payments.city and contracts.contract_number = payments.contract_number
),

totals as (
    select city, fiscal_year, contract_link, count(*) as split_count, sum(paid_amount) as paid_amount
    from payments
    group by city, fiscal_year, contract_link
)

select
    city,
    fiscal_year,
    contract_link,
    split_count,
    cast(paid_amount as decimal(38, 2)) as paid_amount,
    cast(split_count as double) / sum(split_count) over (partition by city, fiscal_year) as split_share,
    cast(paid_amount as double) / nullif(sum(paid_amount) over (partition by city, fiscal_year), 0) as paid_share
from totals
