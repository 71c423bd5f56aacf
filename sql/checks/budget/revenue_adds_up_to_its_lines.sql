-- A returned row is a fiscal year in which a city's revenue by source is not that of its lines, or not compared with that of the year before.
-- severity: critical
-- subject: budget
-- holds back: marts.mart_revenue_by_source
with lines as (
    select city, fiscal_year, phase, sum(estimated_amount) as estimated_amount
    from marts.fct_revenue_lines
    group by city, fiscal_year, phase
),

sources as (
    select city, fiscal_year, phase, sum(estimated_amount) as estimated_amount, sum(previous_amount) as previous_amount
    from marts.mart_revenue_by_source
    where publication_status = 'published'
    group by city, fiscal_year, phase
)

select
    city,
    fiscal_year,
    phase,
    lines.estimated_amount as line_amount,
    sources.estimated_amount,
    before.estimated_amount as line_amount_before,
    sources.previous_amount
from sources
full join lines using (city, fiscal_year, phase)
left join lines as before
    on before.city = sources.city and before.phase = sources.phase and before.fiscal_year = sources.fiscal_year - 1
where lines.estimated_amount is distinct from sources.estimated_amount or before.estimated_amount is distinct from sources.previous_amount
