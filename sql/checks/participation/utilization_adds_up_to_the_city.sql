-- A returned row is a fiscal year and group in which the eligible dollars of all industries are not those of the city.
-- severity: critical
-- subject: participation
-- holds back: marts.mart_mwbe_utilization
with industries as (
    select city, fiscal_year, certified_group, sum(eligible_amount) as eligible_amount
    from marts.mart_mwbe_utilization
    group by city, fiscal_year, certified_group
),

whole as (
    select city, fiscal_year, certified_group, denominator_amount as eligible_amount
    from marts.mart_mwbe_participation
    where breakdown = 'city' and denominator = 'eligible' and fiscal_quarter is null
)

select city, fiscal_year, certified_group, whole.eligible_amount, industries.eligible_amount as industry_amount
from industries
full join whole using (city, fiscal_year, certified_group)
where industries.eligible_amount is distinct from whole.eligible_amount
