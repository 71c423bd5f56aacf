-- A returned row is a fiscal year whose four reported quarters are not the total that the City states beside them.
-- severity: critical
-- subject: participation
-- holds back: marts.mart_mwbe_reported
select city, fiscal_year, sum(reported_amount) as reported_amount
from marts.mart_mwbe_reported
where city = 'baltimore' and fiscal_year = 2025
group by city, fiscal_year
having sum(reported_amount) <> 137860561.60
