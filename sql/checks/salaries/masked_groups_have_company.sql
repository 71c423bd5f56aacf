-- A returned row is a total in which exactly one group is masked, so that the total and the other groups would give its numbers.
-- severity: critical
-- subject: salaries
-- holds back: marts.mart_salaries_by_title
select city, fiscal_year, 'all agencies' as total, count(*) as masked_groups
from marts.mart_salaries_by_agency
where is_masked and agency_name <> 'Masked agencies together'
group by city, fiscal_year
having count(*) = 1
union all
select city, fiscal_year, agency_name as total, count(*) as masked_groups
from marts.mart_salaries_by_title
where is_masked and job_title <> 'All titles'
group by city, fiscal_year, agency_name
having count(*) = 1
