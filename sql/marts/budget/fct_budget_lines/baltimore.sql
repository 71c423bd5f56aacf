-- Each row is one line of one city's budget in one fiscal year and phase. Baltimore: as adopted.
select
    lines.budget_line_id,
    'baltimore' as city,
    lines.fiscal_year,
    'adopted' as phase,
    aliases.agency_id,
    funds.fund_id,
    hash_id(['baltimore', coalesce(lines.service_code, 'unmatched')]) as service_id,
    lines.service_code,
    lines.service_name,
    hash_id(['baltimore', coalesce(objects.object_code, 'unmatched')]) as object_id,
    coalesce(pillars.pillar_id, hash_id(['baltimore', 'unmatched'])) as pillar_id,
    lines.subobject_name as line_name,
    lines.adopted_amount as published_amount,
    cast(case when objects.counts_in_total = 'false' then 0 else lines.adopted_amount end as decimal(18, 2)) as appropriated_amount
from clean.baltimore_budget as lines
left join marts.bridge_agency_aliases as aliases
    on aliases.city = 'baltimore'
    and aliases.source_system = 'budget'
    and aliases.raw_name = coalesce(lines.agency_name, '(blank)')
left join marts.dim_funds as funds
    on funds.city = 'baltimore' and funds.fund_key = fund_key(lines.fund_name)
left join seeds.budget_objects as objects
    on objects.city = 'baltimore' and objects.object_code = lines.object_code
left join marts.dim_pillars as pillars
    on pillars.city = 'baltimore'
    and pillars.pillar_code = lines.outcome_code
    and lines.fiscal_year between pillars.first_fiscal_year and pillars.last_fiscal_year
