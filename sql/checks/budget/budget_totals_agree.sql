-- A returned row is a city's budget of one fiscal year and phase whose totals by line, agency, service, fund and pillar are not equal to the cent.
-- severity: critical
-- subject: budget
-- holds back: marts.mart_budget_by_agency
with by_line as (
    select city, fiscal_year, phase, sum(appropriated_amount) as line_amount
    from marts.fct_budget_lines
    group by city, fiscal_year, phase
),

by_agency as (
    select city, fiscal_year, phase, sum(appropriated_amount) as agency_amount
    from marts.mart_budget_by_agency
    group by city, fiscal_year, phase
),

by_service as (
    select city, fiscal_year, phase, sum(appropriated_amount) as service_amount
    from marts.mart_budget_by_service
    group by city, fiscal_year, phase
),

by_fund as (
    select lines.city, lines.fiscal_year, lines.phase, sum(lines.appropriated_amount) as fund_amount
    from marts.fct_budget_lines as lines
    inner join marts.dim_funds as funds using (fund_id)
    group by lines.city, lines.fiscal_year, lines.phase
),

by_pillar as (
    select lines.city, lines.fiscal_year, lines.phase, sum(lines.appropriated_amount) as pillar_amount
    from marts.fct_budget_lines as lines
    inner join marts.bridge_service_pillars as bridge using (city, fiscal_year, service_id, pillar_id)
    inner join marts.dim_pillars as pillars using (pillar_id)
    group by lines.city, lines.fiscal_year, lines.phase
)

select
    city,
    fiscal_year,
    phase,
    by_line.line_amount,
    by_agency.agency_amount,
    by_service.service_amount,
    by_fund.fund_amount,
    by_pillar.pillar_amount
from by_line
full join by_agency using (city, fiscal_year, phase)
full join by_service using (city, fiscal_year, phase)
full join by_fund using (city, fiscal_year, phase)
full join by_pillar using (city, fiscal_year, phase)
where by_line.line_amount is distinct from by_agency.agency_amount
    or by_line.line_amount is distinct from by_service.service_amount
    or by_line.line_amount is distinct from by_fund.fund_amount
    or by_line.line_amount is distinct from by_pillar.pillar_amount
