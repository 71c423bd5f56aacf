-- A returned row is a fiscal year whose credibility is not computed from all comparable dollars of its execution but those that PEFA leaves out.
-- severity: critical
-- subject: budget
-- holds back: marts.mart_budget_credibility
with comparable as (
    select
        execution.city,
        execution.fiscal_year,
        sum(execution.comparable_amount) as comparable_amount,
        sum(execution.paid_amount) as paid_amount
    from marts.mart_budget_execution as execution
    where
        execution.execution_status = 'comparable'
        and execution.agency_id not in (
            select agencies.agency_id
            from marts.dim_agencies as agencies
            inner join seeds.pefa_exclusions as excluded
                on excluded.city = agencies.city and excluded.agency_code = agencies.agency_code
        )
    group by execution.city, execution.fiscal_year
),

credibility as (
    select city, fiscal_year, sum(comparable_amount) as comparable_amount, sum(paid_amount) as paid_amount
    from marts.mart_budget_credibility
    group by city, fiscal_year
)

select
    city,
    fiscal_year,
    credibility.comparable_amount,
    comparable.comparable_amount as execution_amount,
    credibility.paid_amount,
    comparable.paid_amount as execution_paid_amount
from credibility
full join comparable using (city, fiscal_year)
where
    credibility.comparable_amount is distinct from comparable.comparable_amount
    or credibility.paid_amount is distinct from comparable.paid_amount
