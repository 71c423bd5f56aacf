-- A returned row is a test and fiscal year with other numbers of flags, or of dollars at risk, than its own table.
-- severity: critical
-- subject: spending
-- holds back: marts.fct_spend_flags
with tests as (
    select city, fiscal_year, 'duplicate_payment' as test, count(*) as flag_count, sum(amount_at_risk) as amount_at_risk
    from marts.fct_duplicate_payments
    group by city, fiscal_year
    union all
    select city, fiscal_year, 'split_purchase' as test, count(*) as flag_count, 0 as amount_at_risk
    from marts.fct_split_purchases
    group by city, fiscal_year
    union all
    select city, fiscal_year, test, count(*) as flag_count, 0 as amount_at_risk
    from marts.fct_spend_statistics
    where is_flagged
    group by city, fiscal_year, test
),

flags as (
    select city, fiscal_year, test, count(*) as flag_count, sum(amount_at_risk) as amount_at_risk
    from marts.fct_spend_flags
    group by city, fiscal_year, test
)

select city, fiscal_year, test, tests.flag_count as test_count, flags.flag_count, tests.amount_at_risk as test_amount, flags.amount_at_risk
from flags
full join tests using (city, fiscal_year, test)
where tests.flag_count is distinct from flags.flag_count or tests.amount_at_risk is distinct from flags.amount_at_risk
