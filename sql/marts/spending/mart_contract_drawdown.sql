-- Each row is how much of one contract of one city its payments have drawn.
with paid as (
    select
        city,
        contract_number,
        sum(paid_amount) as paid_amount,
        count(distinct payment_id) as payment_count,
        count(distinct agency_id) as paying_agency_count,
        count(distinct vendor_id) as paid_vendor_count,
        min(payment_date) as first_paid_date,
        max(payment_date) as last_paid_date
    from marts.fct_payments
    where contract_number is not null
    group by city, contract_number
),

covered as (
    -- Contracts are cited since fiscal year 2022 only; what was paid before under one of them is not known.
    select
        city,
        min(payment_date) filter (where contract_number is not null) as first_day,
        max(payment_date) as last_day
    from marts.fct_payments
    group by city
),

rated as (
    select
        contracts.contract_id,
        contracts.city,
        contracts.contract_number,
        contracts.vendor_name,
        contracts.begin_date,
        contracts.end_date,
        contracts.ceiling_amount,
        contracts.reported_spent_amount,
        cast(coalesce(paid.paid_amount, 0) as decimal(38, 2)) as paid_amount,
        coalesce(paid.payment_count, 0) as payment_count,
        coalesce(paid.paying_agency_count, 0) as paying_agency_count,
        coalesce(paid.paid_vendor_count, 0) as paid_vendor_count,
        paid.first_paid_date,
        paid.last_paid_date,
        cast(paid.paid_amount as double) / nullif(contracts.ceiling_amount, 0) as drawdown_rate,
        case
            when contracts.end_date > contracts.begin_date
                then least(1.0, greatest(0.0, cast(date_diff('day', contracts.begin_date, covered.last_day) as double)
                    / date_diff('day', contracts.begin_date, contracts.end_date)))
        end as elapsed_share,
        coalesce(contracts.begin_date >= covered.first_day, false) as is_fully_observed
    from marts.dim_contracts as contracts
    left join paid
        on paid.city = contracts.city and paid.contract_number = contracts.contract_number
    left join covered
        on covered.city = contracts.city
)

select
    contract_id,
    city,
    contract_number,
    vendor_name,
    begin_date,
    end_date,
    ceiling_amount,
    reported_spent_amount,
    paid_amount,
    payment_count,
    paying_agency_count,
    paid_vendor_count,
    first_paid_date,
    last_paid_date,
    drawdown_rate,
    elapsed_share,
    drawdown_rate / nullif(elapsed_share, 0) as burn_rate,
    is_fully_observed
from rated
