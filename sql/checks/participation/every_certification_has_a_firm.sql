-- A returned row is a register whose certifications and those of its firms differ in number.
-- severity: critical
-- subject: participation
-- holds back: marts.bridge_certified_firms
with listed as (
    select authority, count(*) as certification_count
    from marts.dim_certified_firms
    group by authority
),

merged as (
    select authority, count(*) as certification_count
    from marts.bridge_certified_firms
    group by authority
)

select authority, listed.certification_count, merged.certification_count as merged_count
from listed
full join merged using (authority)
where listed.certification_count is distinct from merged.certification_count
