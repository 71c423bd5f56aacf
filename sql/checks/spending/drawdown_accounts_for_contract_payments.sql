-- A returned row is a city whose payments under listed contracts differ from what their drawdown says.
-- severity: critical
-- subject: spending
-- holds back: marts.mart_contract_drawdown
with payments as (
    select city, sum(paid_amount) as paid_amount
    from marts.mart_contract_coverage
    where contract_link = 'in the list of contracts'
    group by city
),

drawn as (
    select city, sum(paid_amount) as paid_amount
    from marts.mart_contract_drawdown
    group by city
)

select city, payments.paid_amount, drawn.paid_amount as drawdown_amount
from drawn
full join payments using (city)
where coalesce(payments.paid_amount, 0) <> coalesce(drawn.paid_amount, 0)
