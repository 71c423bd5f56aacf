-- A returned row is a city's budget whose dollars by outcome, with those of no outcome, are not the dollars of its lines.
-- severity: critical
-- subject: performance
-- holds back: marts.mart_dollars_to_outcomes
with lines as (
    select city, fiscal_year, phase, sum(appropriated_amount) as line_amount
    from marts.fct_budget_lines
    group by city, fiscal_year, phase
),

outcomes as (
    select city, fiscal_year, phase, sum(appropriated_amount) as outcome_amount
    from marts.mart_dollars_to_outcomes
    group by city, fiscal_year, phase
)

select city, fiscal_year, phase, lines.line_amount, outcomes.outcome_amount
from lines
full join outcomes using (city, fiscal_year, phase)
where lines.line_amount is distinct from outcomes.outcome_amount
