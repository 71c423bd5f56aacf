-- Each row is one pillar that one service serves in one fiscal year, as that year's budget states it.
select distinct
    city,
    fiscal_year,
    service_id,
    pillar_id
from marts.fct_budget_lines
