-- A returned row is a reviewed agency name that is matched to an unknown agency, or to more than one.
-- severity: critical
-- subject: shared
-- holds back: marts.dim_agencies
select
    aliases.city,
    name_key(aliases.raw_name) as alias_key,
    string_agg(distinct aliases.agency_code, ', ' order by aliases.agency_code) as agency_codes
from seeds.agency_aliases as aliases
left join marts.dim_agencies as agencies using (city, agency_code)
group by aliases.city, name_key(aliases.raw_name)
having count(distinct aliases.agency_code) > 1 or count(agencies.agency_id) < count(*)
