-- A returned row is a city and fiscal year whose payments differ from a mart made of them: a join lost or multiplied rows.
-- severity: critical
-- subject: spending
-- holds back: marts.mart_vendor_concentration
with payments as (
    select city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.fct_payments
    group by city, fiscal_year
),

answers as (
    select 'mart_spend_by_agency_month' as mart, city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.mart_spend_by_agency_month
    group by city, fiscal_year
    union all
    select 'mart_spend_by_vendor' as mart, city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.mart_spend_by_vendor
    group by city, fiscal_year
    union all
    select 'mart_contract_coverage' as mart, city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.mart_contract_coverage
    group by city, fiscal_year
    union all
    select 'mart_vendor_concentration, agencies' as mart, city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.mart_vendor_concentration
    where scope <> 'city'
    group by city, fiscal_year
    union all
    select 'mart_vendor_concentration, city' as mart, city, fiscal_year, sum(paid_amount) as paid_amount
    from marts.mart_vendor_concentration
    where scope = 'city'
    group by city, fiscal_year
)

select answers.mart, city, fiscal_year, payments.paid_amount, answers.paid_amount as mart_amount
from answers
full join payments using (city, fiscal_year)
where answers.paid_amount is distinct from payments.paid_amount
