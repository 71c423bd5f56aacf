-- A returned row is a fiscal year in which a city's revenue by source is not that of its lines.
-- severity: critical
-- subject: budget
-- holds back: marts.mart_revenue_by_source
with lines as (
    select city, fiscal_year, phase, sum(estimated_amount) as estimated_amount
    from marts.fct_revenue_lines
    group by city, fiscal_year, phase
),

sources as (
    select city, fiscal_year, phase, sum(estimated_amount) as estimated_amount
    from marts.mart_revenue_by_source
    where publication_status = 'published'
    group by city, fiscal_year, phase
)

select city, fiscal_year, phase, lines.estimated_amount as line_amount, sources.estimated_amount
from sources
full join lines using (city, fiscal_year, phase)
where lines.estimated_amount is distinct from sources.estimated_amount
