-- A returned row is a rule and fiscal year whose flags are not all counted for the agencies.
-- severity: critical
-- subject: spending
-- holds back: marts.mart_agency_integrity_tests
with flags as (
    select city, fiscal_year, test, count(*) as flag_count, sum(amount_at_risk) as amount_at_risk
    from marts.fct_spend_flags
    where agency_id is not null
    group by city, fiscal_year, test
),

tests as (
    select
        city,
        fiscal_year,
        case when starts_with(test, 'duplicate_payment') then 'duplicate_payment' else test end as test,
        cast(sum(flag_count) as bigint) as flag_count,
        sum(amount_at_risk) as amount_at_risk
    from marts.mart_agency_integrity_tests
    group by city, fiscal_year, case when starts_with(test, 'duplicate_payment') then 'duplicate_payment' else test end
)

select city, fiscal_year, test, flags.flag_count, tests.flag_count as test_count, flags.amount_at_risk, tests.amount_at_risk as test_amount
from tests
full join flags using (city, fiscal_year, test)
where
    coalesce(flags.flag_count, 0) <> coalesce(tests.flag_count, 0)
    or coalesce(flags.amount_at_risk, 0) <> coalesce(tests.amount_at_risk, 0)
