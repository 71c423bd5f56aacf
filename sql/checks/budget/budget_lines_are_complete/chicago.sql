-- A returned row is a city's budget of one fiscal year whose published lines and lines in the mart are not equal to the cent.
-- severity: critical
-- subject: budget
-- holds back: marts.fct_budget_lines
with published as (
    select fiscal_year, count(*) as line_count, sum(adopted_amount) as line_amount
    from clean.chicago_budget
    group by fiscal_year
),

marts as (
    select fiscal_year, count(*) as mart_count, sum(published_amount) as mart_amount
    from marts.fct_budget_lines
    where city = 'chicago' and phase = 'adopted'
    group by fiscal_year
)

select 'chicago' as city, fiscal_year, published.line_count, marts.mart_count, published.line_amount, marts.mart_amount
from published
full join marts using (fiscal_year)
where published.line_amount is distinct from marts.mart_amount or published.line_count is distinct from marts.mart_count
