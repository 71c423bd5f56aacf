-- Each row is one pillar of one version of a city's plan, with the fiscal years whose budgets use it.
select
    hash_id([city, plan, pillar_code]) as pillar_id,
    city,
    plan,
    pillar_code,
    pillar_name,
    parse_integer(first_fiscal_year) as first_fiscal_year,
    parse_integer(last_fiscal_year) as last_fiscal_year,
    source
from seeds.budget_pillars
union all
select
    hash_id([city, 'unmatched']) as pillar_id,
    city,
    cast(null as varchar) as plan,
    'unmatched' as pillar_code,
    'No pillar published' as pillar_name,
    cast(null as integer) as first_fiscal_year,
    cast(null as integer) as last_fiscal_year,
    cast(null as varchar) as source
from marts.dim_cities
