-- A returned row is a fiscal year whose revenue lost or multiplied dollars between the clean table and its lines. Chicago.
-- severity: critical
-- subject: budget
-- holds back: marts.fct_revenue_lines
with clean as (
    select fiscal_year, sum(estimated_amount) as estimated_amount
    from clean.chicago_revenue
    group by fiscal_year
),

lines as (
    select fiscal_year, sum(estimated_amount) as estimated_amount
    from marts.fct_revenue_lines
    where city = 'chicago'
    group by fiscal_year
)

select fiscal_year, clean.estimated_amount as clean_amount, lines.estimated_amount
from lines
full join clean using (fiscal_year)
where lines.estimated_amount is distinct from clean.estimated_amount
